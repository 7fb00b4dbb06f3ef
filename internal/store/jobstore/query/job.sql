-- name: job.Insert
insert into job (id, kind, job_key, payload, state, run_at, lease_until, attempts, max_attempts, last_error,
  progress_done, progress_total, created_at, done_at, version)
values ($1, $2, $3, $4, $5, $6, null, 0, $7, '', 0, 0, $8, null, 1)
on conflict (kind, job_key) do nothing

-- name: job.ByKey
select id, kind, job_key, payload, state, run_at, lease_until, attempts, max_attempts, last_error, progress_done,
  progress_total, created_at, done_at, version
from job where kind = $1 and job_key = $2

-- name: job.Ready
select id, kind, job_key, payload, state, run_at, lease_until, attempts, max_attempts, last_error, progress_done,
  progress_total, created_at, done_at, version
from job
where (state = 'waiting' and run_at <= $1 or state = 'running' and lease_until <= $1)
  and kind = $3
order by run_at, id limit $2

-- name: job.Update
update job set state = $3, run_at = $4, lease_until = $5, attempts = $6, last_error = $7, progress_done = $8,
  progress_total = $9, done_at = $10, version = version + 1
where kind = $1 and job_key = $11 and version = $2

-- name: job.Purge
delete from job where state = 'done' and done_at < $1

-- name: job.Count
select state, count(*) from job group by state
