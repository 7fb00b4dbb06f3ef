-- name: association.InForce
SELECT id, customer_id, partner_id, kind, state, valid_from, valid_to, consent_note, version, created_at
FROM association WHERE state IN ('active','ended') ORDER BY customer_id, id;

-- name: association.OfCustomer
SELECT id, customer_id, partner_id, kind, state, valid_from, valid_to, consent_note, version, created_at
FROM association WHERE customer_id = $1 ORDER BY created_at, id;

-- name: association.All
SELECT id, customer_id, partner_id, kind, state, valid_from, valid_to, consent_note, version, created_at
FROM association ORDER BY customer_id, created_at, id;

-- name: association.OfVendor
SELECT a.id, a.customer_id, a.partner_id, a.kind, a.state, a.valid_from, a.valid_to, a.consent_note, a.version, a.created_at
FROM association a
WHERE EXISTS (SELECT 1 FROM vendor_customer v WHERE v.vendor_id = $1 AND v.customer_id = a.customer_id)
   OR a.customer_id IN (SELECT m.org_id FROM map_rule m JOIN source s ON s.id = m.source_id WHERE s.vendor_id = $1)
   OR EXISTS (SELECT 1 FROM source s WHERE s.vendor_id = $1 AND (s.default_org_id = a.customer_id OR s.loose_org_id = a.customer_id))
ORDER BY a.customer_id, a.created_at, a.id;

-- name: association.OfPartner
SELECT a.id, a.customer_id, a.partner_id, a.kind, a.state, a.valid_from, a.valid_to, a.consent_note, a.version, a.created_at
FROM association a JOIN organisation p ON p.id = a.partner_id
WHERE p.id = $1 OR p.parent_id = $1
ORDER BY a.customer_id, a.created_at, a.id;

-- name: association.Directory
SELECT a.id, a.customer_id, a.partner_id, a.kind, a.state, a.valid_from, a.valid_to, a.consent_note, a.version, a.created_at, c.code, c.name, p.code, p.name
FROM association a JOIN organisation c ON c.id = a.customer_id JOIN organisation p ON p.id = a.partner_id
WHERE p.id = $1 OR p.parent_id = $1
ORDER BY a.customer_id, a.created_at, a.id;

-- name: association.Reach
SELECT w.org_id, w.phone, w.email FROM person w
WHERE w.state = 'active' AND (w.phone <> '' OR w.email <> '') AND w.org_id IN (SELECT a.customer_id FROM association a WHERE a.partner_id = $1)
  AND EXISTS (SELECT 1 FROM role_grant g WHERE g.person_id = w.id AND g.org_id = w.org_id AND g.role = 'admin')
ORDER BY w.org_id, w.created_at, w.id;

-- name: association.ByID
SELECT id, customer_id, partner_id, kind, state, valid_from, valid_to, consent_note, version, created_at
FROM association WHERE id = $1;

-- name: association.Insert
INSERT INTO association (id, customer_id, partner_id, kind, state, valid_from, valid_to, consent_note, version, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: association.Set
UPDATE association SET state = $4, valid_from = $5, valid_to = $6, consent_note = $7, version = version + 1
WHERE id = $1 AND state = $2 AND version = $3;

-- name: association.LastSealed
-- whoever gets a share of a spread line has lines of its own in the same cycle
SELECT DISTINCT s.cycle, src.zone FROM slot s JOIN source src ON src.id = s.source_id
WHERE s.sealed AND s.state = 'active' AND EXISTS (SELECT 1 FROM usage_summary u WHERE u.slot_id = s.id AND u.customer_id = $1);

-- name: assignment.OfPartner
SELECT id, partner_id, customer_id, person_id, valid_from, valid_to, created_by, created_at
FROM assignment WHERE partner_id = $1 ORDER BY customer_id, valid_from, id;

-- name: assignment.Cares
SELECT a.id, a.partner_id, a.customer_id, a.person_id, a.valid_from, a.valid_to, a.created_by, a.created_at, w.login, w.name
FROM assignment a JOIN person w ON w.id = a.person_id WHERE a.partner_id = $1 ORDER BY a.customer_id, a.valid_from, a.id;

-- name: assignment.OfCustomer
SELECT id, partner_id, customer_id, person_id, valid_from, valid_to, created_by, created_at
FROM assignment WHERE partner_id = $1 AND customer_id = $2 ORDER BY valid_from, id;

-- name: assignment.Insert
INSERT INTO assignment (id, partner_id, customer_id, person_id, valid_from, valid_to, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: assignment.End
UPDATE assignment SET valid_to = $2 WHERE id = $1;

-- name: assignment.About
SELECT id, partner_id, customer_id, person_id, valid_from, valid_to, created_by, created_at
FROM assignment WHERE customer_id = $1 ORDER BY valid_from, id;

-- name: assignment.Carers
SELECT DISTINCT w.id, w.login, w.name FROM assignment a JOIN person w ON w.id = a.person_id WHERE a.customer_id = $1 ORDER BY w.id;

-- name: trail.Put
INSERT INTO customer_trail (id, customer_id, partner_id, act, actor, what, day, first_at, last_at, times)
SELECT $1, o.id, $3, $4, $5, $6, $7, $8, $8, 1 FROM organisation o WHERE o.code = $2 AND o.kind = 'customer'
ON CONFLICT (customer_id, partner_id, act, actor, what, day) DO UPDATE SET last_at = excluded.last_at, times = customer_trail.times + 1;

-- name: trail.PutAll
INSERT INTO customer_trail (id, customer_id, partner_id, act, actor, what, day, first_at, last_at, times)
SELECT $1 || '-' || a.customer_id, a.customer_id, a.partner_id, $3, $6, $7, $4, $5, $5, 1 FROM association a
WHERE a.partner_id = $2 AND a.state IN ('active', 'ended') AND (a.valid_from IS NULL OR a.valid_from <= $5) AND (a.valid_to IS NULL OR a.valid_to > $5)
ON CONFLICT (customer_id, partner_id, act, actor, what, day) DO UPDATE SET last_at = excluded.last_at, times = customer_trail.times + 1;

-- name: trail.Of
SELECT id, partner_id, act, actor, what, first_at, last_at, times FROM customer_trail WHERE customer_id = $1 ORDER BY last_at DESC, id DESC;

-- name: label.OfPartner
SELECT partner_id, customer_id, label, created_by, created_at FROM customer_label WHERE partner_id = $1 ORDER BY customer_id, label;

-- name: label.Insert
INSERT INTO customer_label (partner_id, customer_id, label, created_by, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (partner_id, customer_id, label) DO NOTHING;

-- name: label.Delete
DELETE FROM customer_label WHERE partner_id = $1 AND customer_id = $2 AND label = $3;
