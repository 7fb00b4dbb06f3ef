-- name: line.Page
select customer_id, charge_start, line_key, occurrence, content_hash, charge_end, file_no, line_no, account_id, product_id,
  resource_id, kind, currency, billed, list, contracted, effective, quantity, rule_id
from usage_line
where slot_id = $1 and (customer_id, charge_start, line_key, occurrence) > ($2, $3, $4, $5)
order by customer_id, charge_start, line_key, occurrence
limit $6;

-- name: line.PageOf
select customer_id, charge_start, line_key, occurrence, content_hash, charge_end, file_no, line_no, account_id, product_id,
  resource_id, kind, currency, billed, list, contracted, effective, quantity, rule_id
from usage_line
where slot_id = $1 and customer_id = $2 and (charge_start, line_key, occurrence) > ($3, $4, $5)
order by charge_start, line_key, occurrence
limit $6;

-- name: line.Move
update usage_line set customer_id = $6, rule_id = $7
where slot_id = $1 and customer_id = $2 and charge_start = $3 and line_key = $4 and occurrence = $5;

-- name: line.MoveAccounts
update usage_line set customer_id = m.customer_id, rule_id = m.rule_id
from move_plan m
where usage_line.slot_id = $1 and m.slot_id = $1 and m.account_id = usage_line.account_id
  and (usage_line.customer_id <> m.customer_id or usage_line.rule_id <> m.rule_id);

-- name: line.ForgetPlan
delete from move_plan where slot_id = $1;

-- name: line.SetAccount
update usage_line set account_id = $6
where slot_id = $1 and customer_id = $2 and charge_start = $3 and line_key = $4 and occurrence = $5;

-- name: line.MaxOccurrence
select coalesce(max(occurrence), -1) from usage_line
where slot_id = $1 and customer_id = $2 and charge_start = $3 and line_key = $4;

-- name: line.DeleteSlot
delete from usage_line where slot_id = $1;

-- name: line.Repeats
select n.file_no, n.line_no from usage_line n
where n.slot_id = $1 and exists (
  select 1 from usage_line o where o.slot_id = $2 and o.customer_id = n.customer_id and o.charge_start = n.charge_start
    and o.line_key = n.line_key)
order by n.file_no, n.line_no
limit 1;

-- name: line.AnyIn
select 1 from usage_line where slot_id = $1 and customer_id = $2 and charge_start >= $3 and charge_start < $4 limit 1;

-- name: summary.DeleteSlot
delete from usage_summary where slot_id = $1;

-- name: summary.OfSlot
select customer_id, account_id, product_id, kind, currency, line_count, amount_e8, exact, billed
from usage_summary where slot_id = $1
order by customer_id, account_id, product_id, kind, currency;

-- name: summary.Spread
select 1 from usage_summary where slot_id = $1 and customer_id = $2 limit 1;

-- name: summary.One
select line_count, amount_e8, exact, billed from usage_summary
where slot_id = $1 and customer_id = $2 and account_id = $3 and product_id = $4 and kind = $5 and currency = $6;

-- name: summary.Put
insert into usage_summary (slot_id, customer_id, account_id, product_id, kind, currency, line_count, amount_e8, exact, billed)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (slot_id, customer_id, account_id, product_id, kind, currency)
do update set line_count = excluded.line_count, amount_e8 = excluded.amount_e8, exact = excluded.exact, billed = excluded.billed;

-- name: summary.Delete
delete from usage_summary
where slot_id = $1 and customer_id = $2 and account_id = $3 and product_id = $4 and kind = $5 and currency = $6;

-- name: dim.Accounts
select id, provider, publisher, issuer, billing_account, billing_account_name, sub_account, sub_account_name, source_key
from account_dim where id in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
  $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32);

-- name: dim.Products
select id, service, service_category, sku, sku_price, description, region, region_name, charge_category, charge_class,
  charge_frequency, pricing_category, charging_mode, unit
from product_dim where id in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
  $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32);

-- name: dim.Resources
select id, resource, name, type, tags, order_no from resource_dim where id in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
  $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32);

-- name: kept.File
select bytes, chunks from kept_file where sha = $1;

-- name: kept.InsertFile
insert into kept_file (sha, bytes, chunks, kept_at) values ($1, $2, $3, $4) on conflict (sha) do nothing;

-- name: kept.InsertChunk
insert into kept_chunk (sha, chunk_no, first_line, body) values ($1, $2, $3, $4) on conflict (sha, chunk_no) do nothing;

-- name: kept.Chunk
select first_line, body from kept_chunk where sha = $1 and chunk_no = $2;

-- name: kept.ChunkOfLine
select chunk_no from kept_chunk where sha = $1 and first_line > 0 and first_line <= $2 order by chunk_no desc limit 1;

-- name: kept.DeleteUnusedChunks
delete from kept_chunk where sha = $1 and not exists (select 1 from delivery_file f where f.sha = kept_chunk.sha);

-- name: kept.DeleteUnusedFile
delete from kept_file where sha = $1 and not exists (select 1 from delivery_file f where f.sha = kept_file.sha);
