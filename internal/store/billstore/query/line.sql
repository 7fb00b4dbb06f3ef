-- name: line.OfCustomer
select l.charge_start, l.line_key, l.occurrence, l.content_hash, l.charge_end, l.file_no, l.line_no, l.account_id, l.product_id,
  l.resource_id, l.kind, l.currency, l.billed, l.list, l.contracted, l.effective, l.quantity, l.rule_id,
  a.provider, a.publisher, a.issuer, a.billing_account, a.billing_account_name, a.sub_account, a.sub_account_name, a.source_key,
  p.service, p.service_category, p.sku, p.sku_price, p.description, p.region, p.region_name, p.charge_category, p.charge_class,
  p.charge_frequency, p.pricing_category, p.charging_mode, p.unit, r.resource, r.name, r.type, r.tags, r.order_no
from usage_line l join account_dim a on a.id = l.account_id join product_dim p on p.id = l.product_id
  join resource_dim r on r.id = l.resource_id
where l.slot_id = $1 and l.customer_id = $2 and (l.charge_start, l.line_key, l.occurrence) > ($3, $4, $5)
  and l.currency = $6 and ($7 = '' or p.service = $7) and ($8 = '' or p.region = $8) and ($9 = '' or l.kind = $9)
  and ($10 = '' or p.charging_mode = $10)
order by l.charge_start, l.line_key, l.occurrence
limit $11;

-- name: line.OfCustomerBack
select l.charge_start, l.line_key, l.occurrence, l.content_hash, l.charge_end, l.file_no, l.line_no, l.account_id, l.product_id,
  l.resource_id, l.kind, l.currency, l.billed, l.list, l.contracted, l.effective, l.quantity, l.rule_id,
  a.provider, a.publisher, a.issuer, a.billing_account, a.billing_account_name, a.sub_account, a.sub_account_name, a.source_key,
  p.service, p.service_category, p.sku, p.sku_price, p.description, p.region, p.region_name, p.charge_category, p.charge_class,
  p.charge_frequency, p.pricing_category, p.charging_mode, p.unit, r.resource, r.name, r.type, r.tags, r.order_no
from usage_line l join account_dim a on a.id = l.account_id join product_dim p on p.id = l.product_id
  join resource_dim r on r.id = l.resource_id
where l.slot_id = $1 and l.customer_id = $2 and (l.charge_start, l.line_key, l.occurrence) < ($3, $4, $5)
  and l.currency = $6 and ($7 = '' or p.service = $7) and ($8 = '' or p.region = $8) and ($9 = '' or l.kind = $9)
  and ($10 = '' or p.charging_mode = $10)
order by l.charge_start desc, l.line_key desc, l.occurrence desc
limit $11;

-- name: line.Files
select s.id, d.number, f.file_no, f.name
from slot s join delivery d on d.id = s.delivery_id join delivery_file f on f.delivery_id = d.id
where s.vendor_id = $1 and s.cycle = $2 and s.state = 'active'
order by s.id, f.file_no;
