-- name: delivery.Insert
insert into delivery (id, source_id, number, state, version, content_sha, received_at, published_at, actor, files, line_count,
  quarantined, skipped, dialect, format_version, progress, warnings)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: delivery.NextNumber
select coalesce(max(number), 0) + 1 from delivery where source_id = $1;

-- name: delivery.List
select d.id, d.source_id, s.name, s.vendor_id, d.number, d.state, d.version, d.content_sha, d.received_at, d.published_at,
  d.actor, d.files, d.line_count, d.quarantined, d.skipped, d.dialect, d.format_version, d.progress, d.touched_at
from delivery d join source s on s.id = d.source_id
where ($1 = '' or s.vendor_id = $1) and ($2 = '' or s.id = $2) and ($3 = '' or d.id = $3) and ($4 = '' or d.state = $4)
order by d.received_at desc, d.id desc
limit $5;

-- name: delivery.ByNumber
select d.id from delivery d join source s on s.id = d.source_id where s.name = $1 and d.number = $2;

-- name: delivery.SetState
update delivery set state = $3, version = version + 1, published_at = coalesce(published_at, $4)
where id = $1 and state = $2 and version = $5;

-- name: delivery.SetCounts
update delivery set files = $2, line_count = $3, quarantined = $4, skipped = $5, dialect = $6, format_version = $7, warnings = $8
where id = $1;

-- name: delivery.Warnings
select warnings from delivery where id = $1;

-- name: delivery.SetProgress
update delivery set progress = $3, touched_at = $4 where id = $1 and progress = $2 and state = 'receiving';

-- name: delivery.Delete
delete from delivery where id = $1 and state = 'receiving';

-- name: delivery.InsertFile
insert into delivery_file (delivery_id, file_no, name, sha, format, bytes, line_count, header) values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (delivery_id, file_no) do update set line_count = excluded.line_count, header = excluded.header;

-- name: delivery.Files
select file_no, name, sha, format, bytes, line_count, header from delivery_file where delivery_id = $1 order by file_no;

-- name: delivery.DeleteFiles
delete from delivery_file where delivery_id = $1;

-- name: delivery.FileKnown
select count(distinct f.sha) from delivery_file f join delivery d on d.id = f.delivery_id
where d.source_id = $1 and d.state = 'published' and f.sha = $2;

-- name: delivery.Idle
select d.id, d.state, d.version from delivery d
where d.source_id = $1 and d.id <> $2 and d.state in ('published', 'superseded');

-- name: delivery.LiveSlots
select count(*) from slot where delivery_id = $1 and state in ('active', 'late');

-- name: delivery.InsertChange
insert into delivery_change (delivery_id, cycle, currency, line_count, total, amount_e8, added, added_sum, removed, removed_sum,
  changed, changed_diff, is_late) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: delivery.DeleteChanges
delete from delivery_change where delivery_id = $1;

-- name: delivery.Changes
select cycle, currency, line_count, total, amount_e8, added, added_sum, removed, removed_sum, changed, changed_diff, is_late
from delivery_change where delivery_id = $1 order by cycle, currency;

-- name: period.Put
insert into period (source_id, cycle, is_final, final_at, final_by, final_delivery) values ($1, $2, $3, $4, $5, $6)
on conflict (source_id, cycle) do nothing;

-- name: period.MarkFinal
update period set is_final = $3, final_at = $4, final_by = $5, final_delivery = $6 where source_id = $1 and cycle = $2 and is_final <> $3;

-- name: period.Unmark
update period set is_final = $3, final_at = null, final_by = '', final_delivery = '' where source_id = $1 and final_delivery = $2;

-- name: period.DeleteEmpty
delete from period where source_id = $1 and not exists (
  select 1 from slot l where l.source_id = period.source_id and l.cycle = period.cycle and l.state in ('active', 'late'));

-- name: period.List
select p.source_id, s.name, p.cycle, p.is_final, p.final_at, p.final_by
from period p join source s on s.id = p.source_id
where ($1 = '' or s.vendor_id = $1) and ($2 = '' or s.id = $2) and ($3 = '' or p.cycle = $3)
order by p.cycle, s.name;

-- name: cycle.State
select state from month_close where vendor_id = $1 and cycle = $2;

-- name: cycle.Ensure
insert into month_close (vendor_id, cycle, state, version, price_seq, override_note, override_by)
values ($1, $2, 'open', 1, 0, '', '')
on conflict (vendor_id, cycle) do nothing;

-- name: slot.NextID
select coalesce(max(id), 0) + 1 from slot;

-- name: slot.Insert
insert into slot (id, delivery_id, source_id, vendor_id, cycle, state, sealed, replaces, line_count)
values ($1, $2, $3, $4, $5, 'staging', $6, 0, 0);

-- name: slot.OfDelivery
select id, delivery_id, source_id, vendor_id, cycle, state, sealed, replaces, line_count from slot where delivery_id = $1 order by cycle, id;

-- name: slot.OfPeriod
select id, delivery_id, source_id, vendor_id, cycle, state, sealed, replaces, line_count from slot
where source_id = $1 and ($2 = '' or cycle = $2) order by cycle, id;

-- name: slot.ByID
select id, delivery_id, source_id, vendor_id, cycle, state, sealed, replaces, line_count from slot where id = $1;

-- name: slot.Active
select id, delivery_id, source_id, vendor_id, cycle, state, sealed, replaces, line_count from slot
where vendor_id = $1 and cycle = $2 and state = 'active' order by id;

-- name: slot.SetState
update slot set state = $3, replaces = $4 where id = $1 and state = $2;

-- name: slot.SetCount
update slot set line_count = $2 where id = $1;

-- name: slot.Delete
delete from slot where id = $1;
