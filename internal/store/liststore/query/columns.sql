-- name: columns.Of
select list, keys from list_columns where person_id = $1 order by list

-- name: columns.Set
insert into list_columns (person_id, list, keys, updated_at) values ($1, $2, $3, $4)
on conflict (person_id, list) do update set keys = excluded.keys, updated_at = excluded.updated_at

-- name: columns.Drop
delete from list_columns where person_id = $1 and list = $2

-- name: view.Of
select org_id, path, name, query from list_view where person_id = $1 order by org_id, path, name

-- name: view.Set
insert into list_view (person_id, org_id, path, name, query, created_at) values ($1, $2, $3, $4, $5, $6)
on conflict (person_id, org_id, path, name) do update set query = excluded.query, created_at = excluded.created_at

-- name: view.Drop
delete from list_view where person_id = $1 and org_id = $2 and path = $3 and name = $4


-- name: mail.Of
select m.org_id, m.path, m.name from view_mail m where m.person_id = $1 order by m.org_id, m.path, m.name

-- name: mail.Set
insert into view_mail (person_id, org_id, path, name, token, lang, created_at, sent_for) values ($1, $2, $3, $4, $5, $6, $7, '')
on conflict (person_id, org_id, path, name) do nothing

-- name: mail.Drop
delete from view_mail where person_id = $1 and org_id = $2 and path = $3 and name = $4

-- name: mail.DropToken
delete from view_mail where token = $1

-- name: mail.Due
select m.token from view_mail m where m.sent_for < $1 and m.created_at < $2 order by m.token

-- name: mail.Mark
update view_mail set sent_for = $2 where token = $1 and sent_for < $2

-- name: mail.ByToken
select m.person_id, m.org_id, m.path, m.name, m.token, m.lang, v.query
from view_mail m join list_view v on v.person_id = m.person_id and v.org_id = m.org_id and v.path = m.path and v.name = m.name
where m.token = $1
