-- name: source.Insert
insert into source (id, vendor_id, name, dialect, zone, mode, providers, accounts, currencies, base_column, key_column,
  default_kind, default_org_id, loose_kind, loose_org_id, entity_id, columns, from_cycle, until_cycle, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20);

-- name: source.List
select s.id, s.vendor_id, v.code, s.name, s.dialect, s.zone, s.mode, s.providers, s.accounts, s.currencies, s.base_column,
  s.key_column, coalesce(s.default_org_id, ''), coalesce(d.code, ''), s.loose_kind, coalesce(s.loose_org_id, ''),
  coalesce(l.code, ''), coalesce(s.entity_id, ''), coalesce(e.code, ''), s.columns, s.from_cycle, s.until_cycle, s.created_at,
  coalesce((select min(p.cycle) from period p where p.source_id = s.id), '')
from source s
join organisation v on v.id = s.vendor_id
left join organisation d on d.id = s.default_org_id
left join organisation l on l.id = s.loose_org_id
left join contracting_entity e on e.id = s.entity_id
where ($1 = '' or s.vendor_id = $1) and ($2 = '' or s.name = $2) and ($3 = '' or s.id = $3)
order by s.name;

-- name: source.SetTargets
update source set key_column = $2, default_kind = $3, default_org_id = $4, loose_kind = $5, loose_org_id = $6 where id = $1;

-- name: source.SetEnd
update source set from_cycle = $2, until_cycle = $3 where id = $1;
