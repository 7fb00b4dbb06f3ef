-- name: company.Profile
select p.org_id, p.name, p.name_en, p.address, p.intro, p.website, p.phone, p.listed, p.updated_by, p.updated_at
from company_profile p where p.org_id = $1

-- name: company.LogoSha
select sha from company_logo where org_id = $1

-- name: company.SaveProfile
insert into company_profile (org_id, name, name_en, address, intro, website, phone, listed, updated_by, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (org_id) do update set name = excluded.name, name_en = excluded.name_en, address = excluded.address, intro = excluded.intro,
  website = excluded.website, phone = excluded.phone, listed = excluded.listed, updated_by = excluded.updated_by, updated_at = excluded.updated_at

-- name: company.SaveLogo
insert into company_logo (org_id, sha, body, updated_at) values ($1, $2, $3, $4)
on conflict (org_id) do update set sha = excluded.sha, body = excluded.body, updated_at = excluded.updated_at

-- name: company.DropLogo
delete from company_logo where org_id = $1

-- name: company.LogoOf
select body from company_logo where org_id = $1 and sha = $2

-- name: company.Logo
select l.body from company_logo l join company_profile p on p.org_id = l.org_id
where l.sha = $1 and p.listed = $2 and not exists (select 1 from suspension s where s.org_id = l.org_id)

-- name: company.Listed
select o.code, o.kind, p.name, p.name_en, p.intro, p.website, p.phone, coalesce(l.sha, '')
from company_profile p join organisation o on o.id = p.org_id left join company_logo l on l.org_id = p.org_id
where p.listed = $1 and not exists (select 1 from suspension s where s.org_id = p.org_id)
  and ($2 = '' or lower(p.name) like $2 or lower(p.name_en) like $2 or lower(p.intro) like $2 or lower(o.code) like $2)
order by p.name, o.code limit $3

-- name: company.InsertChange
insert into company_change (id, org_id, state, version, name, name_en, address, was_name, was_name_en, was_address, created_by, created_at, decided_by, decided_at, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', null, '')

-- name: company.DecideChange
update company_change set state = $3, decided_by = $4, decided_at = $5, reason = $6, version = version + 1
where id = $1 and state = 'reviewing' and version = $2

-- name: company.ChangesOf
select c.id, c.org_id, o.code, o.name, c.state, c.version, c.name, c.name_en, c.address, c.was_name, c.was_name_en, c.was_address,
  c.created_by, c.created_at, c.decided_by, c.decided_at, c.reason
from company_change c join organisation o on o.id = c.org_id where c.org_id = $1 order by c.created_at desc, c.id desc

-- name: company.ChangesFor
select c.id, c.org_id, o.code, o.name, c.state, c.version, c.name, c.name_en, c.address, c.was_name, c.was_name_en, c.was_address,
  c.created_by, c.created_at, c.decided_by, c.decided_at, c.reason
from company_change c join organisation o on o.id = c.org_id
where exists (select 1 from partnership p where p.vendor_id = $1 and (p.partner_id = c.org_id or p.partner_id = o.parent_id))
order by case c.state when 'reviewing' then 0 else 1 end, c.created_at desc, c.id desc

-- name: company.LicensedChange
select c.id from company_change c join paper p on p.subject_id = c.id
where c.org_id = $1 and c.state = 'approved' order by c.decided_at desc, c.id desc limit 1
