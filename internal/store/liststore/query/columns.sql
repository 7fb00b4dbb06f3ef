-- name: columns.Of
select list, keys from list_columns where person_id = $1 order by list

-- name: columns.Set
insert into list_columns (person_id, list, keys, updated_at) values ($1, $2, $3, $4)
on conflict (person_id, list) do update set keys = excluded.keys, updated_at = excluded.updated_at

-- name: columns.Drop
delete from list_columns where person_id = $1 and list = $2
