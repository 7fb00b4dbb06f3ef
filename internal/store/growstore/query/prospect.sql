-- name: prospect.ByID
SELECT id, vendor_id, partner_id, person_id, login, kind, name, phone, email, industry, relation, remark, state, reason, submitted_at, decided_at, decided_by,
  expires_at, reminded_at, coalesce(customer_id, ''), version, created_at, changed_at
FROM prospect WHERE id = $1;

-- name: prospect.OfPartner
SELECT id, vendor_id, partner_id, person_id, login, kind, name, phone, email, industry, relation, remark, state, reason, submitted_at, decided_at, decided_by,
  expires_at, reminded_at, coalesce(customer_id, ''), version, created_at, changed_at
FROM prospect WHERE partner_id = $1 ORDER BY created_at DESC, id DESC;

-- name: prospect.OfVendor
SELECT id, vendor_id, partner_id, person_id, login, kind, name, phone, email, industry, relation, remark, state, reason, submitted_at, decided_at, decided_by,
  expires_at, reminded_at, coalesce(customer_id, ''), version, created_at, changed_at
FROM prospect WHERE vendor_id = $1 ORDER BY created_at DESC, id DESC;

-- name: prospect.Ending
SELECT id, vendor_id, partner_id, person_id, login, kind, name, phone, email, industry, relation, remark, state, reason, submitted_at, decided_at, decided_by,
  expires_at, reminded_at, coalesce(customer_id, ''), version, created_at, changed_at
FROM prospect WHERE state = 'registered' AND reminded_at IS NULL AND expires_at < $1 ORDER BY expires_at, id;

-- name: prospect.Insert
INSERT INTO prospect (id, vendor_id, partner_id, person_id, login, kind, name, phone, email, name_key, phone_key, email_key, industry, relation, remark,
  state, reason, submitted_at, decided_at, decided_by, expires_at, reminded_at, customer_id, version, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, '', NULL, NULL, '', NULL, NULL, NULL, $17, $18, $18);

-- name: prospect.Set
UPDATE prospect SET state = $4, reason = $5, submitted_at = $6, decided_at = $7, decided_by = $8, expires_at = $9, reminded_at = $10, customer_id = $11,
  changed_at = $12, version = version + 1
WHERE id = $1 AND state = $2 AND version = $3;

-- name: prospect.SetDetails
UPDATE prospect SET kind = $3, name = $4, phone = $5, email = $6, name_key = $7, phone_key = $8, email_key = $9, industry = $10, relation = $11, remark = $12,
  changed_at = $13, version = version + 1
WHERE id = $1 AND version = $2;

-- name: prospect.Reminded
UPDATE prospect SET reminded_at = $2 WHERE id = $1;

-- name: prospect.CountOpen
SELECT count(*) FROM prospect WHERE partner_id = $1 AND state IN ('pending','registered') AND id <> $2;

-- name: prospect.Rivals
SELECT id, partner_id FROM prospect
WHERE vendor_id = $1 AND state IN ('pending','registered') AND id <> $2
  AND (name_key = $3 AND name_key <> '' OR phone_key = $4 AND phone_key <> '' OR email_key = $5 AND email_key <> '')
ORDER BY id;

-- name: prospect.KnownAs
-- customers that go by the name, or whose people have the phone or address; a partner of that name is taken by itself
SELECT c.id, coalesce(a.partner_id, '') FROM organisation c
LEFT JOIN association a ON a.customer_id = c.id AND a.state IN ('active','ended') AND (a.valid_from IS NULL OR a.valid_from <= $4) AND (a.valid_to IS NULL OR a.valid_to > $4)
WHERE (a.id IS NOT NULL OR c.kind <> 'customer')
  AND ($1 <> '' AND replace(replace(lower(c.name), ' ', ''), '　', '') = $1
    OR c.kind = 'customer' AND EXISTS (SELECT 1 FROM person p WHERE p.org_id = c.id
      AND ($2 <> '' AND replace(replace(replace(replace(p.phone, '+86', ''), ' ', ''), '-', ''), '+', '') = $2 OR $3 <> '' AND lower(p.email) = $3)))
ORDER BY c.id;
