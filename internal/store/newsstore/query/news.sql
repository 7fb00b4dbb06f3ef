-- name: news.Insert
insert into announcement (id, vendor_id, audience, title_zh, title_en, body_zh, body_en, starts_at, ends_at, created_by, created_at, withdrawn_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, null)

-- name: news.Withdraw
update announcement set withdrawn_at = $2 where id = $1 and withdrawn_at is null

-- name: news.OfVendor
select n.id, n.vendor_id, o.name, n.audience, n.title_zh, n.title_en, n.body_zh, n.body_en, n.starts_at, n.ends_at, n.created_by, n.created_at, n.withdrawn_at
from announcement n join organisation o on o.id = n.vendor_id
where n.vendor_id = $1 order by n.starts_at desc, n.id desc

-- name: news.Reaching
select n.id, n.vendor_id, o.name, n.audience, n.title_zh, n.title_en, n.body_zh, n.body_en, n.starts_at, n.ends_at, n.created_by, n.created_at, n.withdrawn_at
from announcement n join organisation o on o.id = n.vendor_id
where n.withdrawn_at is null and n.starts_at <= $2 and (n.ends_at is null or n.ends_at > $2)
  and (n.vendor_id = $1
    or exists (select 1 from partnership p where p.vendor_id = n.vendor_id
      and (p.partner_id = $1 or p.partner_id = (select r.parent_id from organisation r where r.id = $1)))
    or exists (select 1 from vendor_customer v where v.vendor_id = n.vendor_id and v.customer_id = $1)
    or exists (select 1 from association a join organisation q on q.id = a.partner_id
      join partnership p on p.partner_id = a.partner_id or p.partner_id = q.parent_id
      where a.customer_id = $1 and a.state = 'active' and p.vendor_id = n.vendor_id))
order by n.starts_at desc, n.id desc
