-- name: close.Load
select vendor_id, cycle, state, version, price_seq, data, override_note, override_by, frozen_at, drafted_at, reviewed_at, issued_at
from month_close where vendor_id = $1 and cycle = $2

-- name: close.States
select cycle, state from month_close where vendor_id = $1

-- name: close.Insert
insert into month_close (vendor_id, cycle, state, version, price_seq, data, override_note, override_by, frozen_at, drafted_at, reviewed_at, issued_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: close.Save
update month_close set state = $3, version = version + 1, price_seq = $4, data = $5, override_note = $6, override_by = $7,
  frozen_at = $8, drafted_at = $9, reviewed_at = $10, issued_at = $11
where vendor_id = $1 and cycle = $2 and state = $12 and version = $13


-- name: close.Known
select k.vendor_id, o.code, k.cycle, coalesce(c.state, 'open')
from (
  select vendor_id, cycle from month_close
  union
  select vendor_id, cycle from slot where state = 'active'
) k
join organisation o on o.id = k.vendor_id
left join month_close c on c.vendor_id = k.vendor_id and c.cycle = k.cycle
order by o.code, k.cycle

-- name: close.Vendor
select code from organisation where id = $1 and kind = 'vendor'

-- name: close.Seal
update slot set sealed = true where vendor_id = $1 and cycle = $2 and state = 'active' and not sealed

-- name: close.StepBegin
insert into close_step (vendor_id, cycle, run, step, state, detail, begun_at, done_at)
values ($1, $2, $3, $4, 'begun', '', $5, null)
on conflict (vendor_id, cycle, run, step) do update set state = 'begun', detail = '', begun_at = excluded.begun_at, done_at = null

-- name: close.StepEnd
update close_step set state = $5, detail = $6, done_at = $7 where vendor_id = $1 and cycle = $2 and run = $3 and step = $4

-- name: close.StepRun
select coalesce(max(run), 0) from close_step where vendor_id = $1 and cycle = $2

-- name: close.Steps
select run, step, state, detail, begun_at, done_at from close_step where vendor_id = $1 and cycle = $2 order by run, begun_at, step
