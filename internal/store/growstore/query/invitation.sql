-- name: invitation.ByID
SELECT id, vendor_id, partner_id, person_id, label, coalesce(prospect_id, ''), relation, channel, address, state, serial, sent_at, expires_at, reason, joined,
  coalesce(customer_id, ''), version, created_at, changed_at
FROM invitation WHERE id = $1;

-- name: invitation.ByHash
SELECT id, vendor_id, partner_id, person_id, label, coalesce(prospect_id, ''), relation, channel, address, state, serial, sent_at, expires_at, reason, joined,
  coalesce(customer_id, ''), version, created_at, changed_at
FROM invitation WHERE hash = $1;

-- name: invitation.OfPartner
SELECT id, vendor_id, partner_id, person_id, label, coalesce(prospect_id, ''), relation, channel, address, state, serial, sent_at, expires_at, reason, joined,
  coalesce(customer_id, ''), version, created_at, changed_at
FROM invitation WHERE partner_id = $1 ORDER BY sent_at DESC, id DESC;

-- name: invitation.OpenOf
SELECT id, vendor_id, partner_id, person_id, label, coalesce(prospect_id, ''), relation, channel, address, state, serial, sent_at, expires_at, reason, joined,
  coalesce(customer_id, ''), version, created_at, changed_at
FROM invitation WHERE prospect_id = $1 AND state IN ('sent','failed') ORDER BY id;

-- name: invitation.Insert
INSERT INTO invitation (id, vendor_id, partner_id, person_id, label, prospect_id, relation, channel, address, state, serial, hash, sent_at, expires_at, reason, joined,
  customer_id, version, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, '', 0, NULL, $15, $16, $16);

-- name: invitation.Set
UPDATE invitation SET state = $4, address = $5, serial = $6, hash = $7, sent_at = $8, expires_at = $9, reason = $10, joined = $11, customer_id = $12,
  changed_at = $13, version = version + 1
WHERE id = $1 AND state = $2 AND version = $3;

-- name: invitation.Count
UPDATE invitation SET joined = joined + 1, customer_id = $2 WHERE id = $1;

-- name: try.Insert
INSERT INTO invitation_try (id, invitation_id, at, customer_name, customer_id, reason) VALUES ($1, $2, $3, $4, $5, $6);

-- name: try.Of
SELECT id, invitation_id, at, customer_name, coalesce(customer_id, ''), reason FROM invitation_try WHERE invitation_id = $1 ORDER BY at DESC, id DESC;

-- name: try.OfPartner
SELECT t.id, t.invitation_id, t.at, t.customer_name, coalesce(t.customer_id, ''), t.reason
FROM invitation_try t JOIN invitation i ON i.id = t.invitation_id WHERE i.partner_id = $1 ORDER BY t.at DESC, t.id DESC;
