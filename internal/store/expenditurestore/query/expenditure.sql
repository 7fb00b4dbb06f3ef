-- name: expenditure.Own
select id, code, name from organisation where id = $1;

-- name: expenditure.Links
select c.id, c.code, c.name, p.id, p.code, p.name, a.kind, a.valid_from, a.valid_to
from association a join organisation c on c.id = a.customer_id join organisation p on p.id = a.partner_id
where a.partner_id in (select o.id from organisation o where o.id = $1 union all select r.id from organisation r where r.parent_id = $1)
  and a.state in ('active', 'ended')
order by c.code, a.id;

-- name: expenditure.Care
select a.partner_id, a.customer_id, w.id, w.login, w.name, a.valid_from, a.valid_to
from assignment a join person w on w.id = a.person_id
where a.partner_id in (select o.id from organisation o where o.id = $1 union all select r.id from organisation r where r.parent_id = $1)
order by a.customer_id, a.valid_from, a.id;

-- name: expenditure.Slots
select s.id, s.source_id, c.name, c.base_column
from slot s join source c on c.id = s.source_id join delivery d on d.id = s.delivery_id
where s.cycle = $1 and s.state = 'active'
order by s.vendor_id, c.name, d.number, s.id;

-- name: expenditure.Before
select distinct s.cycle from slot s where s.cycle < $1 and s.state = 'active' order by s.cycle desc;

-- name: expenditure.SpreadSlots
select s.id
from slot s
where s.cycle = $1 and s.state = 'active' and exists (select 1 from usage_summary u where u.slot_id = s.id and u.customer_id = '~')
order by s.id;

-- name: expenditure.Sums
-- a cross join: SQLite takes them in this order, where it would else read every sum there is
select u.slot_id, u.product_id, u.kind, u.currency, u.line_count, u.exact, u.billed
from slot s cross join usage_summary u
where s.cycle = $1 and s.state = 'active' and u.slot_id = s.id and u.customer_id = $2
order by u.slot_id;

-- name: expenditure.Product
select service, region, charging_mode from product_dim where id = $1;

-- name: expenditure.Resources
select id, resource, name, order_no from resource_dim
where id in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20);

-- name: expenditure.Bounds
select (select min(f.charge_start) from usage_line f where f.slot_id = $1 and f.customer_id = $2),
  (select max(l.charge_start) from usage_line l where l.slot_id = $1 and l.customer_id = $2);

-- name: expenditure.Amounts
select p.service, p.region, p.charging_mode, l.kind, l.currency, l.billed, l.list
from usage_line l join product_dim p on p.id = l.product_id
where l.slot_id = $1 and l.customer_id = $2 and l.charge_start >= $3 and l.charge_start < $4;

-- name: expenditure.Lines
-- the eighth argument tells whether any of the product's own columns is asked for
select l.charge_start, l.line_key, l.occurrence, l.kind, l.billed, l.list, l.product_id, l.resource_id,
  (select cast(coalesce(sum(v.n), 0) as bigint) from page_version v)
from usage_line l
where l.slot_id = $1 and l.customer_id = $2 and (l.charge_start, l.line_key, l.occurrence) > ($3, $4, $5) and l.charge_start < $6
  and l.currency = $7 and ($8 = 0 or exists (select 1 from product_dim p where p.id = l.product_id and ($9 = '' or p.service = $9)
    and ($10 = '' or p.region = $10) and ($11 = '' or p.charging_mode = $11)))
  and ($12 = '' or l.kind = $12) and ($13 = 0 or l.billed <> '0')
order by l.charge_start, l.line_key, l.occurrence
limit $14;

-- name: expenditure.AllLines
-- those of Lines where neither product nor kind is asked for, which is how most pages begin
select l.charge_start, l.line_key, l.occurrence, l.kind, l.billed, l.list, l.product_id, l.resource_id,
  (select cast(coalesce(sum(v.n), 0) as bigint) from page_version v)
from usage_line l
where l.slot_id = $1 and l.customer_id = $2 and (l.charge_start, l.line_key, l.occurrence) > ($3, $4, $5) and l.charge_start < $6
  and l.currency = $7 and ($8 = 0 or l.billed <> '0')
order by l.charge_start, l.line_key, l.occurrence
limit $9;

-- name: expenditure.LinesBack
-- the eighth argument tells whether any of the product's own columns is asked for
select l.charge_start, l.line_key, l.occurrence, l.kind, l.billed, l.list, l.product_id, l.resource_id,
  (select cast(coalesce(sum(v.n), 0) as bigint) from page_version v)
from usage_line l
where l.slot_id = $1 and l.customer_id = $2 and (l.charge_start, l.line_key, l.occurrence) < ($3, $4, $5) and l.charge_start >= $6
  and l.currency = $7 and ($8 = 0 or exists (select 1 from product_dim p where p.id = l.product_id and ($9 = '' or p.service = $9)
    and ($10 = '' or p.region = $10) and ($11 = '' or p.charging_mode = $11)))
  and ($12 = '' or l.kind = $12) and ($13 = 0 or l.billed <> '0')
order by l.charge_start desc, l.line_key desc, l.occurrence desc
limit $14;

-- name: expenditure.OfAccount
select distinct u.customer_id
from slot s cross join usage_summary u cross join account_dim a
where s.cycle >= $1 and s.cycle <= $2 and s.state = 'active' and u.slot_id = s.id and a.id = u.account_id
  and (lower(a.sub_account) = $3 or lower(a.sub_account_name) = $3)
  and u.customer_id in (select x.customer_id from association x join organisation o on o.id = x.partner_id where (o.id = $4 or o.parent_id = $4) and x.state in ('active', 'ended')
    union all select me.id from organisation me where me.id = $4);

-- name: expenditure.Weight
select coalesce(sum(u.line_count), 0)
from slot s cross join usage_summary u
where s.cycle = $1 and s.state = 'active' and u.slot_id = s.id
  and u.customer_id in (select a.customer_id from association a join organisation o on o.id = a.partner_id where (o.id = $2 or o.parent_id = $2) and a.state in ('active', 'ended')
    union all select me.id from organisation me where me.id = $2);

-- name: expenditure.ByNumber
select l.slot_id, l.customer_id, l.charge_start, l.line_key, l.occurrence, l.currency, p.service
from slot s cross join usage_line l cross join product_dim p
where s.cycle = $1 and s.state = 'active' and l.slot_id = s.id and p.id = l.product_id and l.line_key >= $2 and l.line_key < $3
  and l.customer_id in (select a.customer_id from association a join organisation o on o.id = a.partner_id where (o.id = $4 or o.parent_id = $4) and a.state in ('active', 'ended')
    union all select me.id from organisation me where me.id = $4)
order by l.customer_id, l.charge_start, l.line_key, l.occurrence
limit 20;

-- name: expenditure.Days
select d.slot_id, d.customer_id, d.currency, d.day, d.line_count, d.billed
from slot s cross join usage_day d
where s.cycle = $1 and s.state = 'active' and d.slot_id = s.id
  and d.customer_id in (select a.customer_id from association a join organisation o on o.id = a.partner_id where (o.id = $2 or o.parent_id = $2) and a.state in ('active', 'ended')
    union all select me.id from organisation me where me.id = $2)
order by d.slot_id, d.customer_id, d.day;

-- name: expenditure.Moments
select l.charge_start, l.kind, l.currency, l.billed
from usage_line l
where l.slot_id = $1 and l.customer_id = $2 and l.charge_start >= $3 and l.charge_start < $4;

-- name: expenditure.SummedDays
select u.slot_id, u.customer_id, u.currency, u.line_count, u.billed
from slot s cross join usage_summary u
where s.cycle >= $1 and s.state = 'active' and u.slot_id = s.id and u.kind <> 'tax' and u.customer_id <> '' and u.customer_id <> '~'
order by u.slot_id, u.customer_id;

-- name: expenditure.KeptDays
select d.slot_id, d.customer_id, d.currency, d.line_count, d.billed from usage_day d order by d.slot_id, d.customer_id;

-- name: expenditure.LinesOfDays
select l.charge_start, l.currency, l.billed from usage_line l where l.slot_id = $1 and l.customer_id = $2 and l.kind <> 'tax';

-- name: expenditure.ForgetDays
delete from usage_day where slot_id = $1 and customer_id = $2;

-- name: expenditure.DropDays
delete from usage_day where slot_id not in (select s.id from slot s where s.state = 'active' and s.cycle >= $1);

-- name: expenditure.AmountsOf
select p.service, p.region, p.charging_mode, l.kind, l.currency, l.billed, l.list
from usage_line l join product_dim p on p.id = l.product_id
where l.slot_id = $1 and l.customer_id = $2 and l.charge_start >= $3 and l.charge_start < $4
  and ($5 = '' or exists (select 1 from resource_dim r where r.id = l.resource_id and (r.resource = $5 or r.name = $5)))
  and ($6 = '' or exists (select 1 from account_dim a where a.id = l.account_id and (a.sub_account = $6 or a.sub_account_name = $6)))
  and ($7 = '' or l.resource_id in (select o.id from resource_dim o where o.order_no = $7 and o.order_no <> ''));

-- name: expenditure.LinesOf
-- the eighth argument tells whether any of the product's own columns is asked for
select l.charge_start, l.line_key, l.occurrence, l.kind, l.billed, l.list, l.product_id, l.resource_id,
  (select cast(coalesce(sum(v.n), 0) as bigint) from page_version v)
from usage_line l
where l.slot_id = $1 and l.customer_id = $2 and (l.charge_start, l.line_key, l.occurrence) > ($3, $4, $5) and l.charge_start < $6
  and l.currency = $7 and ($8 = 0 or exists (select 1 from product_dim p where p.id = l.product_id and ($9 = '' or p.service = $9)
    and ($10 = '' or p.region = $10) and ($11 = '' or p.charging_mode = $11)))
  and ($12 = '' or l.kind = $12) and ($13 = 0 or l.billed <> '0')
  and ($15 = '' or exists (select 1 from resource_dim r where r.id = l.resource_id and (r.resource = $15 or r.name = $15)))
  and ($16 = '' or exists (select 1 from account_dim a where a.id = l.account_id and (a.sub_account = $16 or a.sub_account_name = $16)))
  and ($17 = '' or l.resource_id in (select o.id from resource_dim o where o.order_no = $17 and o.order_no <> ''))
order by l.charge_start, l.line_key, l.occurrence
limit $14;

-- name: expenditure.LinesBackOf
-- the eighth argument tells whether any of the product's own columns is asked for
select l.charge_start, l.line_key, l.occurrence, l.kind, l.billed, l.list, l.product_id, l.resource_id,
  (select cast(coalesce(sum(v.n), 0) as bigint) from page_version v)
from usage_line l
where l.slot_id = $1 and l.customer_id = $2 and (l.charge_start, l.line_key, l.occurrence) < ($3, $4, $5) and l.charge_start >= $6
  and l.currency = $7 and ($8 = 0 or exists (select 1 from product_dim p where p.id = l.product_id and ($9 = '' or p.service = $9)
    and ($10 = '' or p.region = $10) and ($11 = '' or p.charging_mode = $11)))
  and ($12 = '' or l.kind = $12) and ($13 = 0 or l.billed <> '0')
  and ($15 = '' or exists (select 1 from resource_dim r where r.id = l.resource_id and (r.resource = $15 or r.name = $15)))
  and ($16 = '' or exists (select 1 from account_dim a where a.id = l.account_id and (a.sub_account = $16 or a.sub_account_name = $16)))
  and ($17 = '' or l.resource_id in (select o.id from resource_dim o where o.order_no = $17 and o.order_no <> ''))
order by l.charge_start desc, l.line_key desc, l.occurrence desc
limit $14;
-- name: expenditure.Batches
select distinct s.id, c.name, d.number, d.received_at, s.state, u.customer_id
from slot s join delivery d on d.id = s.delivery_id join source c on c.id = s.source_id join usage_summary u on u.slot_id = s.id
where s.cycle = $1 and s.state in ('active', 'superseded')
  and u.customer_id in (select a.customer_id from association a join organisation o on o.id = a.partner_id where (o.id = $2 or o.parent_id = $2) and a.state in ('active', 'ended')
    union all select me.id from organisation me where me.id = $2);
