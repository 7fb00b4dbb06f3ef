-- name: contract.ByID
SELECT id, number, paper_no, vendor_id, partner_id, entity_id, kind, title, currency, amount_e8, begins_on, ends_on, remark, state, version, created_by, created_at, submitted_at, decided_by, decided_at, reason, ended_at, changed_at
FROM contract WHERE id = $1;

-- name: contract.List
SELECT id, number, paper_no, vendor_id, partner_id, entity_id, kind, title, currency, amount_e8, begins_on, ends_on, remark, state, version, created_by, created_at, submitted_at, decided_by, decided_at, reason, ended_at, changed_at
FROM contract
WHERE ($1 = '' OR vendor_id = $1) AND ($2 = '' OR partner_id = $2) AND ($3 = '' OR state = $3) AND ($4 = '' OR kind = $4) AND state <> 'deleted'
ORDER BY created_at DESC, id DESC;

-- name: contract.Insert
INSERT INTO contract (id, number, paper_no, vendor_id, partner_id, entity_id, kind, title, currency, amount_e8, begins_on, ends_on, remark, state, version, created_by, created_at, submitted_at, decided_by, decided_at, reason, ended_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1, $15, $16, NULL, '', NULL, '', NULL, $16);

-- name: contract.Set
UPDATE contract SET state = $4, submitted_at = $5, decided_by = $6, decided_at = $7, reason = $8, ended_at = $9, changed_at = $10, version = version + 1
WHERE id = $1 AND state = $2 AND version = $3;

-- name: contract.Amend
UPDATE contract SET state = $4, entity_id = $5, title = $6, currency = $7, amount_e8 = $8, begins_on = $9, ends_on = $10, remark = $11, changed_at = $12, version = version + 1
WHERE id = $1 AND state = $2 AND version = $3;

-- name: contract.ClearPlan
DELETE FROM contract_item WHERE contract_id = $1 AND paid_at IS NULL;

-- name: contract.Plan
SELECT item_no, promised_on, amount_e8, paid_at, paid_by FROM contract_item WHERE contract_id = $1 ORDER BY item_no;

-- name: contract.Paid
SELECT CAST(COALESCE(SUM(i.amount_e8), 0) AS BIGINT) FROM contract_item i JOIN contract c ON c.id = i.contract_id
WHERE c.vendor_id = $1 AND c.partner_id = $2 AND c.currency = $3 AND i.paid_at IS NOT NULL;

-- name: contract.InsertItem
INSERT INTO contract_item (contract_id, item_no, promised_on, amount_e8, paid_at, paid_by) VALUES ($1, $2, $3, $4, NULL, '');

-- name: contract.PayItem
UPDATE contract_item SET paid_at = $3, paid_by = $4 WHERE contract_id = $1 AND item_no = $2 AND paid_at IS NULL;
