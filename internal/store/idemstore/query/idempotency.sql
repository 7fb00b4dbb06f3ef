-- name: idempotency.Claim
insert into idempotency_key (actor, request_key, digest, status, location, body, created_at, expires_at)
values ($1, $2, $3, 0, '', $4, $5, $6)
on conflict (actor, request_key) do update
set digest = excluded.digest, status = 0, location = '', body = excluded.body, created_at = excluded.created_at, expires_at = excluded.expires_at
where idempotency_key.expires_at <= excluded.created_at

-- name: idempotency.Read
select digest, status, location, body from idempotency_key where actor = $1 and request_key = $2

-- name: idempotency.Keep
update idempotency_key set status = $3, location = $4, body = $5 where actor = $1 and request_key = $2

-- name: idempotency.Purge
delete from idempotency_key where expires_at <= $1

-- name: idempotency.Take
insert into idempotency_work (actor, request_key, holder, until) values ($1, $2, $3, $4)
on conflict (actor, request_key) do update set holder = excluded.holder, until = excluded.until
where idempotency_work.until <= $5

-- name: idempotency.Hold
update idempotency_work set until = $4 where actor = $1 and request_key = $2 and holder = $3

-- name: idempotency.Leave
delete from idempotency_work where actor = $1 and request_key = $2 and holder = $3
