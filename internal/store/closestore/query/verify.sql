-- name: verify.Vendors
select id, code from organisation where kind = 'vendor' order by code

-- name: verify.Issued
select cycle from month_close where vendor_id = $1 and state = 'issued' order by cycle

-- name: verify.Deliveries
select id, source_id, number, state, line_count from delivery where source_id = $1 and state <> 'receiving' order by number

-- name: verify.Files
select f.file_no, f.name, f.sha, f.format, f.bytes, f.line_count, coalesce(k.bytes, -1), coalesce(k.chunks, -1)
from delivery_file f left join kept_file k on k.sha = f.sha
where f.delivery_id = $1 order by f.file_no

-- name: verify.Slots
select id, line_count, cycle, state, sealed from slot where delivery_id = $1 and state <> 'staging' order by id

-- name: verify.Chunk
select first_line, body from kept_chunk where sha = $1 and chunk_no = $2

-- name: verify.Amounts
select amount_e8 from usage_line
where slot_id = $1 and (customer_id, charge_start, line_key, occurrence) > ($2, $3, $4, $5)
order by customer_id, charge_start, line_key, occurrence
limit $6

-- name: verify.Summaries
select customer_id, account_id, product_id, kind, currency, line_count, amount_e8, exact, billed
from usage_summary where slot_id = $1
order by customer_id, account_id, product_id, kind, currency

-- name: verify.MoveCount
select count(*) from adjustment_move where adjustment_id = $1

-- name: verify.Moved
select l.slot_id, l.customer_id, l.charge_start, l.line_key, l.occurrence, l.charge_end, l.file_no, l.line_no, l.account_id, l.product_id,
  l.resource_id, l.kind, l.currency, l.billed, l.list, l.contracted
from adjustment_move m
join usage_line l on l.slot_id = m.slot_id and l.customer_id = m.customer_id and l.charge_start = m.charge_start
  and l.line_key = m.line_key and l.occurrence = m.occurrence
where m.adjustment_id = $1
order by l.slot_id, l.customer_id, l.charge_start, l.line_key, l.occurrence
