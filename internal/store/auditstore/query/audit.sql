-- name: audit.Head
select seq, hash, key_id from audit_head where id = 1

-- name: audit.FirstHead
insert into audit_head (id, seq, hash, key_id) values (1, $1, $2, $3) on conflict do nothing

-- name: audit.MoveHead
update audit_head set seq = $1, hash = $2 where id = 1 and seq = $3 and hash = $4 and key_id = $5

-- name: audit.Append
insert into audit (seq, at, actor, on_behalf, org_id, action, object, outcome, detail, request_id, ip, prev, hash)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: audit.After
select seq, at, actor, on_behalf, org_id, action, object, outcome, detail, request_id, ip, prev, hash
from audit where seq > $1 order by seq limit $2

-- name: audit.Before
select seq, at, actor, on_behalf, org_id, action, object, outcome, detail, request_id, ip, prev, hash
from audit
where seq < $1
  and (org_id = $2 or $3 = 1)
  and (actor = $4 or $4 = '')
  and (action = $5 or substr(action, 1, length($5) + 1) = $5 || '.' or $5 = '')
  and (object = $6 or $6 = '')
  and (outcome = $7 or $7 = '')
  and (request_id = $11 or $11 = '')
  and at >= $8 and at < $9
order by seq desc limit $10

-- name: audit.Newer
select seq, at, actor, on_behalf, org_id, action, object, outcome, detail, request_id, ip, prev, hash
from audit
where seq > $1 and seq <= $11
  and (org_id = $2 or $3 = 1)
  and (actor = $4 or $4 = '')
  and (action = $5 or substr(action, 1, length($5) + 1) = $5 || '.' or $5 = '')
  and (object = $6 or $6 = '')
  and (outcome = $7 or $7 = '')
  and (request_id = $12 or $12 = '')
  and at >= $8 and at < $9
order by seq limit $10

-- name: audit.Span
select count(*), coalesce(max(seq), 0)
from audit
where seq <= $1
  and (org_id = $2 or $3 = 1)
  and (actor = $4 or $4 = '')
  and (action = $5 or substr(action, 1, length($5) + 1) = $5 || '.' or $5 = '')
  and (object = $6 or $6 = '')
  and (outcome = $7 or $7 = '')
  and (request_id = $10 or $10 = '')
  and at >= $8 and at < $9
