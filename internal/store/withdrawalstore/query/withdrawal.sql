-- name: withdrawal.ByID
SELECT id, number, vendor_id, partner_id, currency, entity_id, kind, voluntary, amount_e8, bank, branch, account, holder, memo, login, state, first_by, reason, receipt,
  due_at, version, created_at, changed_at FROM withdrawal WHERE id = $1;

-- name: withdrawal.List
SELECT id, number, vendor_id, partner_id, currency, entity_id, kind, voluntary, amount_e8, bank, branch, account, holder, memo, login, state, first_by, reason, receipt,
  due_at, version, created_at, changed_at FROM withdrawal
WHERE (vendor_id = $1 OR $1 = '') AND (partner_id = $2 OR $2 = '') AND (state = $3 OR $3 = '') AND (kind = $4 OR $4 = '') AND created_at >= $5 AND created_at < $6 AND state <> 'deleted'
ORDER BY created_at DESC, id DESC;

-- name: withdrawal.Parts
SELECT entry_id, way, number, came_at, amount_e8 FROM withdrawal_part WHERE withdrawal_id = $1 ORDER BY came_at DESC, entry_id;

-- name: withdrawal.Insert
INSERT INTO withdrawal (id, number, vendor_id, partner_id, currency, entity_id, kind, voluntary, amount_e8, bank, branch, account, holder, memo, login, state, first_by, reason, receipt,
  due_at, version, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, '', '', '', $17, $18, $19, $19);

-- name: withdrawal.InsertPart
INSERT INTO withdrawal_part (withdrawal_id, entry_id, way, number, came_at, amount_e8) VALUES ($1, $2, $3, $4, $5, $6);

-- name: withdrawal.Set
UPDATE withdrawal SET state = $4, first_by = $5, reason = $6, receipt = $7, due_at = $8, changed_at = $9, version = version + 1
WHERE id = $1 AND state = $2 AND version = $3;

-- name: withdrawal.Taken
SELECT p.entry_id, p.amount_e8, w.kind, w.state FROM withdrawal_part p JOIN withdrawal w ON w.id = p.withdrawal_id WHERE w.vendor_id = $1 AND w.partner_id = $2;

-- name: withdrawal.Payee
SELECT bank, branch, account, holder FROM withdrawal WHERE partner_id = $1 AND account <> '' ORDER BY created_at DESC, id DESC LIMIT 1;
