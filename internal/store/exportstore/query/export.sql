-- name: export.Insert
insert into export_task (id, org_id, person_id, login, kind, format, params, file_name, content_type, state, version,
  requested_at, done_at, expires_at, bytes, line_count, sha, failure, code)
values ($1, $2, $3, $4, $5, $6, $7, '', '', $8, $9, $10, null, null, 0, 0, '', '', '')

-- name: export.ByID
select id, coalesce(org_id, ''), coalesce(person_id, ''), login, kind, format, params, file_name, content_type, state, version,
  requested_at, done_at, expires_at, bytes, line_count, sha, failure, code
from export_task where id = $1

-- name: export.Own
select id, coalesce(org_id, ''), coalesce(person_id, ''), login, kind, format, params, file_name, content_type, state, version,
  requested_at, done_at, expires_at, bytes, line_count, sha, failure, code
from export_task where org_id = $1 and person_id = $2 and (requested_at, id) < ($3, $4)
order by requested_at desc, id desc limit $5

-- name: export.OfOrg
select id, coalesce(org_id, ''), coalesce(person_id, ''), login, kind, format, params, file_name, content_type, state, version,
  requested_at, done_at, expires_at, bytes, line_count, sha, failure, code
from export_task where org_id = $1 and (requested_at, id) < ($2, $3)
order by requested_at desc, id desc limit $4

-- name: export.All
select id, coalesce(org_id, ''), coalesce(person_id, ''), login, kind, format, params, file_name, content_type, state, version,
  requested_at, done_at, expires_at, bytes, line_count, sha, failure, code
from export_task where (requested_at, id) < ($1, $2)
order by requested_at desc, id desc limit $3

-- name: export.ByCode
select id, coalesce(org_id, ''), coalesce(person_id, ''), login, kind, format, params, file_name, content_type, state, version,
  requested_at, done_at, expires_at, bytes, line_count, sha, failure, code
from export_task where org_id = $1 and ($2 = '' or person_id = $2) and code = $3
order by requested_at desc, id desc limit $4

-- name: export.Update
update export_task set state = $4, version = version + 1, file_name = $5, content_type = $6, done_at = $7, expires_at = $8,
  bytes = $9, line_count = $10, sha = $11, failure = $12, code = $13
where id = $1 and state = $2 and version = $3

-- name: export.PutPiece
insert into export_piece (task_id, piece_no, body) values ($1, $2, $3)
on conflict (task_id, piece_no) do update set body = excluded.body

-- name: export.Piece
select body from export_piece where task_id = $1 and piece_no = $2

-- name: export.DropPieces
delete from export_piece where task_id = $1
