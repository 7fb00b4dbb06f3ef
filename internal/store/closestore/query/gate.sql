-- name: gate.Sources
select id, name, zone, from_cycle, until_cycle from source where vendor_id = $1 order by name

-- name: gate.First
select source_id, min(cycle) from (
  select source_id, cycle from slot where vendor_id = $1 and state in ('active', 'superseded', 'late')
  union all
  select p.source_id, p.cycle from period p join source s on s.id = p.source_id where s.vendor_id = $1 and p.is_final
) k group by source_id

-- name: gate.Delivered
select source_id, sum(line_count) from slot where vendor_id = $1 and cycle = $2 and state = 'active' group by source_id

-- name: gate.Final
select p.source_id, p.is_final from period p join source s on s.id = p.source_id where s.vendor_id = $1 and p.cycle = $2

-- name: gate.Quarantined
select d.source_id, count(*)
from quarantine q
join delivery d on d.id = q.delivery_id
join source s on s.id = d.source_id
where s.vendor_id = $1 and q.state = 'open' and d.state = 'published'
  and (q.cycle = $2 or (q.cycle = '' and exists (select 1 from slot t where t.delivery_id = d.id and t.cycle = $2)))
group by d.source_id

-- name: gate.Unmapped
select s.source_id, s.id, u.account_id, a.sub_account, a.source_key, u.currency, u.line_count, u.billed
from slot s
join usage_summary u on u.slot_id = s.id and u.customer_id = ''
join account_dim a on a.id = u.account_id
where s.vendor_id = $1 and s.cycle = $2 and s.state = 'active'
order by s.source_id, a.sub_account, a.source_key, u.currency, s.id

-- name: gate.UnmappedRows
select coalesce(f.name, ''), l.line_no, l.billed
from usage_line l
join slot s on s.id = l.slot_id
left join delivery_file f on f.delivery_id = s.delivery_id and f.file_no = l.file_no
where l.slot_id = $1 and l.customer_id = '' and l.account_id = $2 and l.currency = $3
order by l.charge_start, l.line_key, l.occurrence
limit $4

-- name: gate.Waiting
select s.id from slot s
where s.vendor_id = $1 and s.cycle = $2 and s.state = 'active'
  and exists (select 1 from usage_summary u where u.slot_id = s.id and u.customer_id = '~')

-- name: gate.Unspread
select s.source_id, u.customer_id, u.kind, u.currency, u.line_count, u.billed
from slot s join usage_summary u on u.slot_id = s.id
where s.vendor_id = $1 and s.cycle = $2 and s.state = 'active'

-- name: gate.Adjustments
select state, count(*) from adjustment where vendor_id = $1 and cycle = $2 group by state

-- name: gate.OpenBefore
select distinct s.cycle from slot s
left join month_close c on c.vendor_id = s.vendor_id and c.cycle = s.cycle
where s.vendor_id = $1 and s.cycle < $2 and s.state = 'active' and (c.state is null or c.state <> 'issued')
order by s.cycle

-- name: gate.PrintSlots
select id, line_count from slot where vendor_id = $1 and cycle = $2 and state = 'active' order by id

-- name: gate.PrintSums
select u.slot_id, u.customer_id, u.kind, u.currency, sum(u.line_count), sum(u.amount_e8)
from slot s join usage_summary u on u.slot_id = s.id
where s.vendor_id = $1 and s.cycle = $2 and s.state = 'active'
group by u.slot_id, u.customer_id, u.kind, u.currency
order by u.slot_id, u.customer_id, u.kind, u.currency

-- name: gate.PrintLinks
select a.id, a.customer_id, a.partner_id, a.kind, a.state, a.version
from association a
where exists (
  select 1 from slot s join usage_summary u on u.slot_id = s.id and u.customer_id = a.customer_id
  where s.vendor_id = $1 and s.cycle = $2 and s.state = 'active')
order by a.id

-- name: gate.PrintEntities
select e.id, e.is_default from contracting_entity e where e.vendor_id = $1 order by e.id

-- name: gate.PrintPartners
select p.partner_id, coalesce(p.entity_id, '') from partnership p where p.vendor_id = $1 order by p.partner_id

-- name: gate.PrintCoupons
select v.number, v.state, v.frozen, v.lock_order, v.balance_e8 from coupon v
where v.vendor_id = $1 and v.level = 'partner' and v.state in ('usable','used') and substr(cast(v.valid_from as text), 1, 7) <= $2 and substr(cast(v.valid_to as text), 1, 7) >= $2
order by v.number;

-- name: gate.PrintAdjustments
select id, version from adjustment where vendor_id = $1 and cycle = $2 and state = 'approved' order by id

-- name: gate.Summaries
select u.slot_id, u.customer_id, u.account_id, u.product_id, u.kind, u.currency, u.line_count, u.amount_e8, u.exact
from slot s join usage_summary u on u.slot_id = s.id
where s.vendor_id = $1 and s.cycle = $2 and s.state = 'active'
order by u.slot_id, u.customer_id, u.account_id, u.product_id, u.kind, u.currency

-- name: gate.SlotBases
select s.id, r.base_column, r.zone from slot s join source r on r.id = s.source_id
where s.vendor_id = $1 and s.cycle = $2 and s.state = 'active'

-- name: gate.AnyLine
select 1 from (select distinct customer_id from usage_summary where slot_id = $1) c
where exists (select 1 from usage_line l
  where l.slot_id = $1 and l.customer_id = c.customer_id and l.charge_start >= $2 and l.charge_start < $3)
limit 1
