-- name: quarantine.List
select q.id, q.delivery_id, s.name, d.number, q.file_no, f.name, q.line_no, q.cycle, q.column_name, q.value, q.code, q.args, q.raw,
  q.state, q.correction, q.reason, q.decided_by
from quarantine q
join delivery d on d.id = q.delivery_id
join source s on s.id = d.source_id
join delivery_file f on f.delivery_id = q.delivery_id and f.file_no = q.file_no
where ($1 = '' or s.vendor_id = $1) and ($2 = '' or q.delivery_id = $2) and ($3 = '' or q.state = $3) and ($4 = '' or s.id = $4)
  and ($5 = '' or q.id > $5)
order by q.id
limit $6;

-- name: quarantine.Blocking
select q.id, q.delivery_id, s.name, d.number, q.file_no, f.name, q.line_no, q.cycle, q.column_name, q.value, q.code, q.args, q.raw,
  q.state, q.correction, q.reason, q.decided_by
from quarantine q
join delivery d on d.id = q.delivery_id
join source s on s.id = d.source_id
join delivery_file f on f.delivery_id = q.delivery_id and f.file_no = q.file_no
where s.vendor_id = $1 and (q.cycle = $2 or q.cycle = '') and q.state = 'open' and d.state = 'published'
  and not exists (select 1 from slot l where l.delivery_id = d.id and l.cycle = q.cycle and l.state in ('superseded', 'reverted'))
order by q.id
limit $3;

-- name: quarantine.CountBlocking
select count(*)
from quarantine q
join delivery d on d.id = q.delivery_id
join source s on s.id = d.source_id
where s.vendor_id = $1 and (q.cycle = $2 or q.cycle = '') and q.state = 'open' and d.state = 'published'
  and not exists (select 1 from slot l where l.delivery_id = d.id and l.cycle = q.cycle and l.state in ('superseded', 'reverted'));

-- name: quarantine.Decide
update quarantine set state = $2, correction = $3, reason = $4, decided_by = $5, decided_at = $6 where id = $1 and state = 'open';

-- name: quarantine.DeleteOf
delete from quarantine where delivery_id = $1;

-- name: conformance.DeleteOf
delete from conformance where delivery_id = $1;

-- name: conformance.Of
select rule, verdict, level, checked, failed, samples from conformance where delivery_id = $1 order by rule;
