-- name: grant.ByID
SELECT id, vendor_id, partner_id, state, version, plea, asked_by, asked_at, reason, decided_by, decided_at, created_at, changed_at
FROM prospect_grant WHERE id = $1;

-- name: grant.Between
SELECT id, vendor_id, partner_id, state, version, plea, asked_by, asked_at, reason, decided_by, decided_at, created_at, changed_at
FROM prospect_grant WHERE vendor_id = $1 AND partner_id = $2;

-- name: grant.List
SELECT id, vendor_id, partner_id, state, version, plea, asked_by, asked_at, reason, decided_by, decided_at, created_at, changed_at
FROM prospect_grant WHERE ($1 = '' OR vendor_id = $1) AND ($2 = '' OR partner_id = $2)
ORDER BY changed_at DESC, id DESC;

-- name: grant.Insert
INSERT INTO prospect_grant (id, vendor_id, partner_id, state, version, plea, asked_by, asked_at, reason, decided_by, decided_at, created_at, changed_at)
VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11, $11);

-- name: grant.Set
UPDATE prospect_grant SET state = $4, plea = $5, asked_by = $6, asked_at = $7, reason = $8, decided_by = $9, decided_at = $10, changed_at = $11, version = version + 1
WHERE id = $1 AND state = $2 AND version = $3;
