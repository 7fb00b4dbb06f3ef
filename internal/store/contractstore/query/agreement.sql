-- name: agreement.ByID
SELECT id, number, vendor_id, partner_id, kind, payer_kind, payer, begins_on, ends_on, remark, state, version, created_by, created_at, submitted_at, decided_by, decided_at, reason, ended_at, changed_at
FROM payment_agreement WHERE id = $1;

-- name: agreement.List
SELECT id, number, vendor_id, partner_id, kind, payer_kind, payer, begins_on, ends_on, remark, state, version, created_by, created_at, submitted_at, decided_by, decided_at, reason, ended_at, changed_at
FROM payment_agreement
WHERE ($1 = '' OR vendor_id = $1) AND ($2 = '' OR partner_id = $2) AND ($3 = '' OR state = $3) AND ($4 = '' OR kind = $4) AND state <> 'deleted'
ORDER BY created_at DESC, id DESC;

-- name: agreement.Insert
INSERT INTO payment_agreement (id, number, vendor_id, partner_id, kind, payer_kind, payer, begins_on, ends_on, remark, state, version, created_by, created_at, submitted_at, decided_by, decided_at, reason, ended_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13, $14, '', NULL, '', NULL, $13);

-- name: agreement.Set
UPDATE payment_agreement SET state = $4, submitted_at = $5, decided_by = $6, decided_at = $7, reason = $8, ended_at = $9, changed_at = $10, version = version + 1
WHERE id = $1 AND state = $2 AND version = $3;
