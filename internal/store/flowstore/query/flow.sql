-- name: transition.Append
insert into transition_log (machine, entity, from_state, to_state, action, actor, at, reason, request_id, version)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: transition.Last
select machine, entity, from_state, to_state, action, actor, at, reason, request_id, version
from transition_log where machine = $1 and entity = $2 order by version desc limit 1

-- name: transition.History
select machine, entity, from_state, to_state, action, actor, at, reason, request_id, version
from transition_log where machine = $1 and entity = $2 order by version

-- name: due.Clear
delete from due_change where machine = $1 and entity = $2

-- name: due.Add
insert into due_change (machine, entity, action, due_at, tries) values ($1, $2, $3, $4, 0)
on conflict (machine, entity, action) do update set due_at = excluded.due_at, tries = 0

-- name: due.Ripe
select machine, entity, action, due_at, tries from due_change
where due_at <= $1 order by due_at, machine, entity, action limit $2

-- name: due.Postpone
update due_change set due_at = $5, tries = tries + 1 where machine = $1 and entity = $2 and action = $3 and due_at = $4

-- name: due.Drop
delete from due_change where machine = $1 and entity = $2 and action = $3 and due_at = $4
