-- name: price.Versions
select r.id, r.vendor_id, r.number, r.version, r.state, r.seq, r.ended_seq, coalesce(r.partner_id, ''), coalesce(r.customer_id, ''),
  r.provider, r.product, r.charging_mode, r.region, r.type, r.base, r.factor, r.valid_from, r.valid_to, r.created_by, r.created_at,
  coalesce(p.kind, '')
from price_rule r left join organisation p on p.id = r.partner_id
where r.vendor_id = $1
order by r.number, r.version;

-- name: price.Insert
insert into price_rule (id, vendor_id, number, version, state, seq, ended_seq, partner_id, customer_id, provider, product,
  charging_mode, region, type, base, factor, valid_from, valid_to, created_by, created_at)
values ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19);

-- name: price.End
update price_rule set ended_seq = $2 where id = $1 and ended_seq = 0;

-- name: price.Activate
update price_rule set state = 'active', seq = $2 where id = $1 and state = 'draft' and ended_seq = 0;

-- name: price.Orgs
select id, code, kind from organisation order by code;
