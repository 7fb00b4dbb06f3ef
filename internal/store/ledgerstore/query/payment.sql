-- name: payment.Bills
SELECT b.id, b.vendor_id, b.partner_id, b.seller_id, v.code, v.name, o.code, o.name, b.cycle, b.currency, b.code, e.code, e.name, b.due_e8,
  coalesce(p.paid_e8, 0), coalesce(p.state, 'issued'), coalesce(p.version, 0), b.issued_at, p.settled_at
FROM bill b JOIN organisation v ON v.id = b.vendor_id JOIN organisation o ON o.id = b.partner_id JOIN contracting_entity e ON e.id = b.entity_id LEFT JOIN bill_payment p ON p.bill_id = b.id
WHERE b.state = 'issued' AND b.due_e8 > 0 AND ($1 = '' OR b.vendor_id = $1) AND ($2 = '' OR b.partner_id = $2) AND ($3 = '' OR b.id = $3)
  AND ($4 = 0 OR coalesce(p.state, 'issued') <> 'paid')
ORDER BY b.cycle, v.code, o.code, b.currency, e.code;

-- name: payment.Ripe
SELECT b.id, b.vendor_id, b.partner_id, b.seller_id, v.code, v.name, o.code, o.name, b.cycle, b.currency, b.code, e.code, e.name, b.due_e8,
  coalesce(p.paid_e8, 0), coalesce(p.state, 'issued'), coalesce(p.version, 0), b.issued_at, p.settled_at
FROM bill b JOIN organisation v ON v.id = b.vendor_id JOIN organisation o ON o.id = b.partner_id JOIN contracting_entity e ON e.id = b.entity_id LEFT JOIN bill_payment p ON p.bill_id = b.id
WHERE b.state = 'issued' AND b.due_e8 > 0 AND b.cycle < $1 AND (p.state IS NULL OR p.state = 'issued')
ORDER BY b.cycle, v.code, o.code, b.currency, e.code LIMIT $2;

-- name: payment.Shares
SELECT customer_id, sum(amount_e8) FROM bill_item WHERE bill_id = $1 AND customer_id IS NOT NULL AND kind <> 'tax' GROUP BY customer_id ORDER BY customer_id;

-- name: payment.Begin
INSERT INTO bill_payment (bill_id, state, version, paid_e8, settled_at, changed_at) VALUES ($1, 'issued', 1, 0, NULL, $2) ON CONFLICT (bill_id) DO NOTHING;

-- name: payment.Set
UPDATE bill_payment SET state = $3, paid_e8 = $4, settled_at = $5, changed_at = $6, version = version + 1 WHERE bill_id = $1 AND version = $2;

-- name: payment.Alert
SELECT vendor_id, partner_id, currency, threshold_e8, updated_by, updated_at FROM balance_alert WHERE vendor_id = $1 AND partner_id = $2 AND currency = $3;

-- name: payment.Alerts
SELECT vendor_id, partner_id, currency, threshold_e8, updated_by, updated_at FROM balance_alert WHERE partner_id = $1 ORDER BY vendor_id, currency;

-- name: payment.SaveAlert
INSERT INTO balance_alert (vendor_id, partner_id, currency, threshold_e8, updated_by, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (vendor_id, partner_id, currency) DO UPDATE SET threshold_e8 = excluded.threshold_e8, updated_by = excluded.updated_by, updated_at = excluded.updated_at;

-- name: payment.DropAlert
DELETE FROM balance_alert WHERE vendor_id = $1 AND partner_id = $2 AND currency = $3;
