-- name: bill.List
select b.id, b.version, b.state, b.cycle, b.currency, v.id, v.code, v.name, p.id, p.code, p.name, s.id, s.code, s.name,
  e.id, e.code, e.name, b.line_count, b.consumption_e8, b.refund_e8, b.adjustment_e8, b.coupon_e8, b.rounding_e8, b.tax_e8,
  b.tax_in_due, b.due_e8, b.source_total, b.exact_total, b.tax_exact, b.price_seq, b.code, b.override_note, b.drafted_at, b.issued_at
from bill b join organisation v on v.id = b.vendor_id join organisation p on p.id = b.partner_id
  join organisation s on s.id = b.seller_id join contracting_entity e on e.id = b.entity_id
where ($1 = 'system' or ($1 = 'vendor' and b.vendor_id = $2) or ($1 = 'partner' and (b.partner_id = $2 or b.seller_id = $2)))
  and ($3 = '' or b.id = $3) and ($4 = '' or b.vendor_id = $4) and ($5 = '' or b.partner_id = $5) and ($6 = '' or b.cycle = $6)
  and ($7 = '' or b.currency = $7) and ($8 = '' or b.entity_id = $8) and ($9 = '' or b.code = $9)
order by v.code, b.cycle, p.code, b.currency, e.code;

-- name: bill.Items
select i.item_no, coalesce(c.id, ''), coalesce(c.code, ''), coalesce(c.name, ''), i.origin, i.provider, i.product, i.region,
  i.charging_mode, i.kind, i.rule_id, i.rule_number, i.rule_version, i.rule_type, i.base, i.factor, i.line_count, i.source_exact,
  i.base_exact, i.exact, i.amount_e8, i.adjustment_id, coalesce(a.kind, ''), coalesce(a.corrects_cycle, ''),
  coalesce(src.name, ''), coalesce(a.key, ''), coalesce(a.side, ''), coalesce(a.reason, ''), i.coupon_id, coalesce(v.number, 0)
from bill_item i left join organisation c on c.id = i.customer_id left join adjustment a on a.id = i.adjustment_id
  left join source src on src.id = a.source_id left join coupon v on v.id = i.coupon_id
where i.bill_id = $1
order by i.item_no;

-- name: bill.Insert
insert into bill (id, vendor_id, partner_id, seller_id, cycle, currency, entity_id, state, version, line_count, consumption_e8,
  refund_e8, adjustment_e8, coupon_e8, rounding_e8, tax_e8, tax_in_due, due_e8, source_total, exact_total, tax_exact, price_seq,
  code, override_note, drafted_at, issued_at)
values ($1, $2, $3, $4, $5, $6, $7, 'draft', 1, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, null);

-- name: bill.DeleteItems
delete from bill_item where bill_id in (select id from bill where vendor_id = $1 and cycle = $2);

-- name: bill.Delete
delete from bill where vendor_id = $1 and cycle = $2;

-- name: bill.Issue
update bill set state = $4, version = version + 1, issued_at = $5 where vendor_id = $1 and cycle = $2 and state = $3;

-- name: bill.PriceSeq
select coalesce(max(price_seq), -1) from bill where vendor_id = $1 and cycle = $2;
