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
