-- name: adjustment.Insert
insert into adjustment (id, vendor_id, cycle, corrects_cycle, kind, state, version, pair_id, side, source_id, key, customer_id, partner_id,
  currency, base, tax_base, line_count, price_seq, reason, created_by, created_at, approved_by, approved_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)

-- name: adjustment.InsertPrice
insert into adjustment_price (adjustment_id, partner_id, kind, rule_id, rule_number, rule_version, rule_type, base_column, factor,
  line_count, source_exact, base_exact, exact, amount_e8)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: adjustment.InsertMove
insert into adjustment_move (adjustment_id, slot_id, customer_id, charge_start, line_key, occurrence, sign)
values ($1, $2, $3, $4, $5, $6, $7)

-- name: adjustment.ByID
select id, vendor_id, cycle, corrects_cycle, kind, state, version, pair_id, side, source_id, key, customer_id, partner_id, currency, base,
  tax_base, line_count, price_seq, reason, created_by, created_at, approved_by, approved_at
from adjustment where id = $1

-- name: adjustment.List
select a.id, a.vendor_id, a.cycle, a.corrects_cycle, a.kind, a.state, a.version, a.pair_id, a.side, a.source_id, a.key, a.customer_id,
  a.partner_id, a.currency, a.base, a.tax_base, a.line_count, a.price_seq, a.reason, a.created_by, a.created_at, a.approved_by, a.approved_at
from adjustment a
left join source s on s.id = a.source_id
left join organisation c on c.id = a.customer_id
where a.vendor_id = $1 and ($2 = '' or a.cycle = $2) and ($3 = '' or a.state = $3) and ($4 = '' or a.kind = $4)
order by a.cycle, a.corrects_cycle, coalesce(s.name, ''), a.key, a.kind, a.currency, a.side desc, coalesce(c.code, ''), a.reason, a.id

-- name: adjustment.Prices
select p.partner_id, p.kind, p.rule_id, p.rule_number, p.rule_version, p.rule_type, p.base_column, p.factor, p.line_count,
  p.source_exact, p.base_exact, p.exact, p.amount_e8
from adjustment_price p where p.adjustment_id = $1
order by p.partner_id, p.rule_number, p.rule_version, p.base_column, p.kind

-- name: adjustment.Moves
select slot_id, customer_id, charge_start, line_key, occurrence, sign
from adjustment_move where adjustment_id = $1
order by slot_id, customer_id, charge_start, line_key, occurrence

-- name: adjustment.Decide
update adjustment set state = $3, cycle = $4, approved_by = $5, approved_at = $6, version = version + 1
where id = $1 and state = 'proposed' and version = $2

-- name: adjustment.MovedSeq
select price_seq from adjustment
where vendor_id = $1 and source_id = $2 and key = $3 and customer_id = $4 and currency = $5 and corrects_cycle = $6
  and side = 'in' and kind = 'remap'
order by created_at desc, id desc limit 1

-- name: adjustment.ClosedSeq
select price_seq from month_close where vendor_id = $1 and cycle = $2

-- name: adjustment.SourceName
select name from source where id = $1

-- name: adjustment.Slots
select s.id, s.source_id, r.name, r.zone from slot s join source r on r.id = s.source_id
where s.vendor_id = $1 and s.cycle = $2 order by s.id

-- name: adjustment.Weights
select u.customer_id, coalesce(o.code, ''), u.currency, u.billed
from slot s
join usage_summary u on u.slot_id = s.id
left join organisation o on o.id = u.customer_id
where s.source_id = $1 and s.cycle = $2 and s.state = 'active' and u.kind <> 'tax'
order by u.currency, u.customer_id
