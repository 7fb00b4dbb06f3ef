-- name: message.Insert
insert into message (id, org_id, person_id, category, code, args, link, digest, created_at, read_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, null)

-- name: message.Repeated
select count(*) from message where person_id = $1 and org_id = $2 and digest = $3 and created_at > $4

-- name: message.List
select id, org_id, person_id, category, code, args, link, created_at, read_at from message
where person_id = $1 and org_id = $2 and (created_at, id) < ($3, $4)
  and (category = $5 or $5 = '') and (read_at is null or $6 = 0) and (created_at, id) <= ($8, $9)
  and ($10 = '' or lower(args) like $10 or $11 like '%|' || code || '|%')
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
  and ($10 = '' or lower(args) like $10 or $11 like '%|' || code || '|%')
order by created_at, id limit $7

-- name: message.Count
select count(*) from message
where person_id = $1 and org_id = $2 and (category = $3 or $3 = '') and (read_at is null or $4 = 0)
  and (created_at, id) <= ($5, $6) and ($7 = '' or lower(args) like $7 or $8 like '%|' || code || '|%')

-- name: message.Off
select category, channel from message_off where person_id = $1 and org_id = $2 order by category, channel

-- name: message.ClearOff
delete from message_off where person_id = $1 and org_id = $2

-- name: message.AddOff
insert into message_off (person_id, org_id, category, channel) values ($1, $2, $3, $4)

-- name: message.Texts
select category from message_text where person_id = $1 and org_id = $2 order by category

-- name: message.ClearTexts
delete from message_text where person_id = $1 and org_id = $2

-- name: message.AddText
insert into message_text (person_id, org_id, category) values ($1, $2, $3)

-- name: message.Language
select language from message_language where person_id = $1

-- name: message.SetLanguage
insert into message_language (person_id, language) values ($1, $2) on conflict (person_id) do update set language = excluded.language

-- name: message.Zone
select zone from message_zone where person_id = $1

-- name: message.SetZone
insert into message_zone (person_id, zone) values ($1, $2) on conflict (person_id) do update set zone = excluded.zone
