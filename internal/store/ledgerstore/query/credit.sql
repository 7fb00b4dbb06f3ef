-- name: credit.Insert
INSERT INTO credit_change (id, vendor_id, partner_id, currency, was_e8, line_e8, memo, state, version, created_by, created_at, decided_by, decided_at, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10, $11, $12, '');

-- name: credit.Set
UPDATE credit_change SET state = $4, decided_by = $5, decided_at = $6, reason = $7, version = version + 1 WHERE id = $1 AND state = $2 AND version = $3;

-- name: credit.ByID
SELECT c.id, c.vendor_id, c.partner_id, o.code, o.name, c.currency, c.was_e8, c.line_e8, c.memo, c.state, c.version, c.created_by, c.created_at, c.decided_by, c.decided_at, c.reason
FROM credit_change c JOIN organisation o ON o.id = c.partner_id WHERE c.id = $1;

-- name: credit.Of
SELECT c.id, c.vendor_id, c.partner_id, o.code, o.name, c.currency, c.was_e8, c.line_e8, c.memo, c.state, c.version, c.created_by, c.created_at, c.decided_by, c.decided_at, c.reason
FROM credit_change c JOIN organisation o ON o.id = c.partner_id WHERE c.vendor_id = $1
ORDER BY CASE WHEN c.state = 'proposed' THEN 0 ELSE 1 END, c.created_at DESC, c.id DESC;

-- name: credit.Waiting
SELECT c.id, c.vendor_id, c.partner_id, o.code, o.name, c.currency, c.was_e8, c.line_e8, c.memo, c.state, c.version, c.created_by, c.created_at, c.decided_by, c.decided_at, c.reason
FROM credit_change c JOIN organisation o ON o.id = c.partner_id WHERE c.vendor_id = $1 AND c.partner_id = $2 AND c.currency = $3 AND c.state = 'proposed';
