-- name: notice.Insert
insert into site_notice (id, vendor_id, level, text_zh, text_en, starts_at, ends_at, created_by, created_at, cleared_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, null)

-- name: notice.Clear
update site_notice set cleared_at = $2 where id = $1 and cleared_at is null

-- name: notice.ByID
select id, coalesce(vendor_id, ''), level, text_zh, text_en, starts_at, ends_at, created_by, created_at, cleared_at
from site_notice where id = $1

-- name: notice.List
select id, coalesce(vendor_id, ''), level, text_zh, text_en, starts_at, ends_at, created_by, created_at, cleared_at
from site_notice order by created_at desc, id desc

-- name: notice.Shown
select n.id, coalesce(n.vendor_id, ''), n.level, n.text_zh, n.text_en, n.starts_at, n.ends_at, n.created_by, n.created_at, n.cleared_at
from site_notice n
where n.cleared_at is null and n.starts_at <= $4 and (n.ends_at is null or n.ends_at > $3)
  and (n.vendor_id is null or n.vendor_id = $1
    or exists (select 1 from partnership p where p.vendor_id = n.vendor_id
      and (p.partner_id = $1 or p.partner_id = (select o.parent_id from organisation o where o.id = $1)))
    or exists (select 1 from vendor_customer v where v.vendor_id = n.vendor_id and v.customer_id = $1))
  and not exists (select 1 from site_notice_dismissal d where d.notice_id = n.id and d.person_id = $2)
order by n.starts_at desc, n.id desc limit $5

-- name: notice.Dismiss
insert into site_notice_dismissal (notice_id, person_id, dismissed_at) values ($1, $2, $3)
on conflict (notice_id, person_id) do nothing
