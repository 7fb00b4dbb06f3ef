-- name: desk.Changes
select vendor_id, on_day, kind, note, changed_by, changed_at from calendar_day where vendor_id = $1 order by on_day

-- name: desk.SaveChange
insert into calendar_day (vendor_id, on_day, kind, note, changed_by, changed_at) values ($1, $2, $3, $4, $5, $6)
on conflict (vendor_id, on_day) do update set kind = excluded.kind, note = excluded.note, changed_by = excluded.changed_by, changed_at = excluded.changed_at

-- name: desk.DropChange
delete from calendar_day where vendor_id = $1 and on_day = $2

-- name: desk.Vouched
select vendor_id, year, changed_by, changed_at from calendar_year where vendor_id = $1 order by year

-- name: desk.SaveVouched
insert into calendar_year (vendor_id, year, changed_by, changed_at) values ($1, $2, $3, $4)
on conflict (vendor_id, year) do nothing

-- name: desk.DropVouched
delete from calendar_year where vendor_id = $1 and year = $2

-- name: desk.Limits
select vendor_id, kind, currency, amount_e8, version, changed_by, changed_at from approval_limit where vendor_id = $1 order by kind, currency

-- name: desk.AddLimit
insert into approval_limit (vendor_id, kind, currency, amount_e8, version, changed_by, changed_at) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (vendor_id, kind, currency) do nothing

-- name: desk.SetLimit
update approval_limit set amount_e8 = $4, version = $5, changed_by = $6, changed_at = $7
where vendor_id = $1 and kind = $2 and currency = $3 and version = $8

-- name: desk.Reminded
select count(*) from desk_reminder where vendor_id = $1 and on_day = $2

-- name: desk.MarkReminded
insert into desk_reminder (vendor_id, on_day, told_at) values ($1, $2, $3) on conflict (vendor_id, on_day) do nothing
