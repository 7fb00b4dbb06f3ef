-- name: message.Insert
insert into message (id, org_id, person_id, category, code, args, link, digest, created_at, read_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, null)

-- name: message.Repeated
select count(*) from message where person_id = $1 and org_id = $2 and digest = $3 and created_at > $4

-- name: message.List
select id, org_id, person_id, category, code, args, link, created_at, read_at from message
where person_id = $1 and org_id = $2 and (created_at, id) < ($3, $4)
  and (category = $5 or $5 = '') and (read_at is null or $6 = 0) and (created_at, id) <= ($8, $9)
order by created_at desc, id desc limit $7

-- name: message.Unread
select count(*) from message where person_id = $1 and org_id = $2 and read_at is null

-- name: message.MarkRead
update message set read_at = coalesce(read_at, $4) where person_id = $1 and org_id = $2 and id = $3

-- name: message.MarkAllRead
update message set read_at = $3 where person_id = $1 and org_id = $2 and read_at is null

-- name: message.Newer
select id, org_id, person_id, category, code, args, link, created_at, read_at from message
where person_id = $1 and org_id = $2 and (created_at, id) > ($3, $4)
  and (category = $5 or $5 = '') and (read_at is null or $6 = 0) and (created_at, id) <= ($8, $9)
order by created_at, id limit $7

-- name: message.Count
select count(*) from message
where person_id = $1 and org_id = $2 and (category = $3 or $3 = '') and (read_at is null or $4 = 0)
  and (created_at, id) <= ($5, $6)
