-- name: map.InForce
select id, source_id, seq, ended_seq, key_kind, key, org_id, valid_from, valid_to, created_by, created_at
from map_rule where source_id = $1 and ended_seq = 0 order by key_kind, key, id;

-- name: map.All
select id, source_id, seq, ended_seq, key_kind, key, org_id, valid_from, valid_to, created_by, created_at
from map_rule where source_id = $1 order by seq, key_kind, key, id;

-- name: map.Seq
select coalesce(max(seq), 0), coalesce(max(ended_seq), 0) from map_rule where source_id = $1;

-- name: map.End
update map_rule set ended_seq = $2 where id = $1 and ended_seq = 0;

-- name: map.Orgs
select id, code, kind, name from organisation order by code;

-- name: map.Find
select s.name, min(r.key), o.code, o.name
from map_rule r join source s on s.id = r.source_id join organisation o on o.id = r.org_id
where s.vendor_id = $1 and r.ended_seq = 0 and (lower(r.key) = $2 or lower(o.code) like $3 escape '!' or lower(o.name) like $3 escape '!')
group by s.name, o.code, o.name
order by o.code, s.name
limit $4;
