-- name: relation.ByID
SELECT id, customer_id, partner_id, association_id, kind, from_kind, to_kind, asked_by, login, takes_effect, reason, state, effective_at, decided_at, decided_by, answer,
  version, created_at, changed_at FROM relation_request WHERE id = $1;

-- name: relation.OfCustomer
SELECT id, customer_id, partner_id, association_id, kind, from_kind, to_kind, asked_by, login, takes_effect, reason, state, effective_at, decided_at, decided_by, answer,
  version, created_at, changed_at FROM relation_request WHERE customer_id = $1 ORDER BY created_at DESC, id DESC;

-- name: relation.OfPartner
SELECT id, customer_id, partner_id, association_id, kind, from_kind, to_kind, asked_by, login, takes_effect, reason, state, effective_at, decided_at, decided_by, answer,
  version, created_at, changed_at FROM relation_request WHERE partner_id = $1 ORDER BY created_at DESC, id DESC;

-- name: relation.Insert
INSERT INTO relation_request (id, customer_id, partner_id, association_id, kind, from_kind, to_kind, asked_by, login, takes_effect, reason, state, effective_at, decided_at,
  decided_by, answer, version, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL, NULL, '', '', $13, $14, $14);

-- name: relation.Set
UPDATE relation_request SET state = $4, effective_at = $5, decided_at = $6, decided_by = $7, answer = $8, changed_at = $9, version = version + 1
WHERE id = $1 AND state = $2 AND version = $3;
