-- name: topup.Insert
INSERT INTO top_up (id, vendor_id, partner_id, number, state, version, gateway, gateway_ref, currency, amount_e8, created_by, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, 1, $6, '', $7, $8, $9, $10, $10);

-- name: topup.Set
UPDATE top_up SET state = $4, gateway_ref = $5, changed_at = $6, version = version + 1 WHERE id = $1 AND state = $2 AND version = $3;

-- name: topup.ByID
SELECT id, vendor_id, partner_id, number, state, version, gateway, gateway_ref, currency, amount_e8, created_by, created_at, changed_at FROM top_up WHERE id = $1;

-- name: topup.OfPartner
SELECT id, vendor_id, partner_id, number, state, version, gateway, gateway_ref, currency, amount_e8, created_by, created_at, changed_at FROM top_up
WHERE partner_id = $1 ORDER BY created_at DESC, id DESC;

-- name: remit.Account
SELECT vendor_id, partner_id, number, opened_by, opened_at FROM remit_account WHERE vendor_id = $1 AND partner_id = $2;

-- name: remit.ByNumber
SELECT vendor_id, partner_id, number, opened_by, opened_at FROM remit_account WHERE vendor_id = $1 AND number = $2;

-- name: remit.InsertAccount
INSERT INTO remit_account (vendor_id, partner_id, number, opened_by, opened_at) VALUES ($1, $2, $3, $4, $5);

-- name: remit.Insert
INSERT INTO remittance (id, vendor_id, bank_ref, state, version, account_no, payer_name, payer_account, currency, amount_e8, paid_on, purpose, partner_id, imported_by, imported_at, changed_at)
VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14);

-- name: remit.Set
UPDATE remittance SET state = $4, partner_id = $5, changed_at = $6, version = version + 1 WHERE id = $1 AND state = $2 AND version = $3;

-- name: remit.ByID
SELECT r.id, r.vendor_id, r.bank_ref, r.state, r.version, r.account_no, r.payer_name, r.payer_account, r.currency, r.amount_e8, r.paid_on, r.purpose,
  coalesce(r.partner_id, ''), coalesce(o.code, ''), r.imported_by, r.imported_at, r.changed_at
FROM remittance r LEFT JOIN organisation o ON o.id = r.partner_id WHERE r.id = $1;

-- name: remit.ByRef
SELECT r.id, r.vendor_id, r.bank_ref, r.state, r.version, r.account_no, r.payer_name, r.payer_account, r.currency, r.amount_e8, r.paid_on, r.purpose,
  coalesce(r.partner_id, ''), coalesce(o.code, ''), r.imported_by, r.imported_at, r.changed_at
FROM remittance r LEFT JOIN organisation o ON o.id = r.partner_id WHERE r.vendor_id = $1 AND r.bank_ref = $2;

-- name: remit.Unclaimed
SELECT r.id, r.vendor_id, r.bank_ref, r.state, r.version, r.account_no, r.payer_name, r.payer_account, r.currency, r.amount_e8, r.paid_on, r.purpose,
  '', '', r.imported_by, r.imported_at, r.changed_at
FROM remittance r WHERE r.vendor_id = $1 AND r.currency = $2 AND r.amount_e8 = $3 AND r.paid_on = $4 AND r.state = 'unclaimed'
  AND NOT EXISTS (SELECT 1 FROM remittance_claim c WHERE c.remittance_id = r.id AND c.state IN ('reviewing', 'second_review', 'approved'))
ORDER BY r.imported_at, r.id;

-- name: remit.Waiting
SELECT r.id, r.vendor_id, r.bank_ref, r.state, r.version, r.account_no, r.payer_name, r.payer_account, r.currency, r.amount_e8, r.paid_on, r.purpose,
  '', '', r.imported_by, r.imported_at, r.changed_at
FROM remittance r WHERE r.vendor_id = $1 AND r.account_no = $2 AND r.state = 'unclaimed'
  AND NOT EXISTS (SELECT 1 FROM remittance_claim c WHERE c.remittance_id = r.id AND c.state IN ('reviewing', 'approved'))
ORDER BY r.imported_at, r.id;

-- name: remit.List
SELECT r.id, r.vendor_id, r.bank_ref, r.state, r.version, r.account_no, r.payer_name, r.payer_account, r.currency, r.amount_e8, r.paid_on, r.purpose,
  coalesce(r.partner_id, ''), coalesce(o.code, ''), r.imported_by, r.imported_at, r.changed_at
FROM remittance r LEFT JOIN organisation o ON o.id = r.partner_id
WHERE ($1 = '' OR r.vendor_id = $1) AND ($2 = '' OR r.partner_id = $2) ORDER BY r.paid_on DESC, r.imported_at DESC, r.id DESC;

-- name: claim.Insert
INSERT INTO remittance_claim (id, vendor_id, partner_id, remittance_id, state, version, currency, amount_e8, paid_on, payer_name, note, created_by, created_at, decided_by, decided_at, reason)
VALUES ($1, $2, $3, $4, 'reviewing', 1, $5, $6, $7, $8, $9, $10, $11, '', NULL, '');

-- name: claim.Set
UPDATE remittance_claim SET state = $4, decided_by = $5, decided_at = $6, reason = $7, version = version + 1 WHERE id = $1 AND state = $2 AND version = $3;

-- name: claim.ByID
SELECT c.id, c.vendor_id, c.partner_id, o.code, o.name, c.remittance_id, c.state, c.version, c.currency, c.amount_e8, c.paid_on, c.payer_name, c.note, c.created_by, c.created_at, c.decided_by, c.decided_at, c.reason
FROM remittance_claim c JOIN organisation o ON o.id = c.partner_id WHERE c.id = $1;

-- name: claim.List
SELECT c.id, c.vendor_id, c.partner_id, o.code, o.name, c.remittance_id, c.state, c.version, c.currency, c.amount_e8, c.paid_on, c.payer_name, c.note, c.created_by, c.created_at, c.decided_by, c.decided_at, c.reason
FROM remittance_claim c JOIN organisation o ON o.id = c.partner_id WHERE ($1 = '' OR c.vendor_id = $1) AND ($2 = '' OR c.partner_id = $2)
ORDER BY CASE WHEN c.state IN ('reviewing', 'second_review') THEN 0 ELSE 1 END, c.created_at DESC, c.id DESC;
