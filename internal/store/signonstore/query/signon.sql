-- name: sso.RequestInsert
INSERT INTO sso_request (request_id, idp_id, relay_id, browser_hash, purpose, return_id, path, query, first_login, force_authn, user_id, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: sso.RequestByID
SELECT request_id, idp_id, relay_id, browser_hash, purpose, return_id, path, query, CASE WHEN first_login THEN 1 ELSE 0 END,
  CASE WHEN force_authn THEN 1 ELSE 0 END, user_id, created_at, expires_at, consumed_at
FROM sso_request WHERE request_id = $1;

-- name: sso.RequestConsume
UPDATE sso_request SET consumed_at = $2 WHERE request_id = $1 AND consumed_at IS NULL;

-- name: sso.SeenInsert
INSERT INTO sso_seen (scope, kind, message_id, expires_at, seen_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING;

-- name: sso.SeenInsertTwo
INSERT INTO sso_seen (scope, kind, message_id, expires_at, seen_at) VALUES ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10) ON CONFLICT DO NOTHING;

-- name: sso.TicketInsert
INSERT INTO sso_ticket (hash, idp_id, browser_hash, state, return_id, path, query, first_login, asserted, customer_id, person_id, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: sso.TicketByHash
SELECT hash, idp_id, browser_hash, state, COALESCE(return_id, ''), path, query, first_login, asserted, COALESCE(customer_id, ''), COALESCE(person_id, ''),
  created_at, expires_at, spent_at
FROM sso_ticket WHERE hash = $1;

-- name: sso.TicketMove
UPDATE sso_ticket SET state = $3, customer_id = $4, person_id = $5, spent_at = $6 WHERE hash = $1 AND state = $2 AND spent_at IS NULL;

-- name: sso.LinkOf
SELECT id, partner_id, account_type, xaccount_id, xuser_id, customer_id, COALESCE(user_id, ''), bound_how, last_asserted, state, bound_at
FROM sso_link WHERE partner_id = $1 AND xaccount_id = $2 AND xuser_id = $3
ORDER BY CASE state WHEN 'bound' THEN 0 ELSE 1 END, bound_at DESC, id DESC LIMIT 1;

-- name: sso.Known
SELECT a.customer_id, l.id, l.state, l.bound_how, l.last_asserted, p.id, p.org_id, p.login, p.name, p.state
FROM sso_account a LEFT JOIN sso_link l ON l.partner_id = a.partner_id AND l.xaccount_id = a.xaccount_id AND l.xuser_id = $3
  LEFT JOIN person p ON p.id = l.user_id
WHERE a.partner_id = $1 AND a.xaccount_id = $2
ORDER BY CASE l.state WHEN 'bound' THEN 0 ELSE 1 END, l.bound_at DESC, l.id DESC LIMIT 1;

-- name: sso.LinksOfCustomer
SELECT id, partner_id, account_type, xaccount_id, xuser_id, customer_id, COALESCE(user_id, ''), bound_how, last_asserted, state, bound_at
FROM sso_link WHERE customer_id = $1 ORDER BY bound_at DESC, id DESC;

-- name: sso.LinkInsert
INSERT INTO sso_link (id, version, partner_id, account_type, xaccount_id, xuser_id, customer_id, user_id, state, bound_how, last_asserted, bound_at, updated_at)
VALUES ($1, 1, $2, $3, $4, $5, $6, $7, 'bound', $8, $9, $10, $10) ON CONFLICT DO NOTHING;

-- name: sso.LinkSet
UPDATE sso_link SET user_id = $2, last_asserted = $3, updated_at = $4, version = version + 1 WHERE id = $1;

-- name: sso.LinkUnbind
UPDATE sso_link SET state = 'unbound', unbound_at = $3, updated_at = $3, version = version + 1
WHERE partner_id = $1 AND customer_id = $2 AND state = 'bound';

-- name: sso.AccountInsert
INSERT INTO sso_account (partner_id, xaccount_id, customer_id, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: sso.AccountOf
SELECT customer_id FROM sso_account WHERE partner_id = $1 AND xaccount_id = $2;

-- name: sso.SessionInsert
INSERT INTO sso_session (id, version, side, peer_id, session_hash, customer_id, user_id, name_id, format, name_qualifier, sp_name_qualifier,
  session_index, authn_context, attributes, authn_at, not_on_or_after, created_at, ended_by)
VALUES ($1, 1, 'sp', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, '');

-- name: sso.SessionByID
SELECT id, peer_id, session_hash, customer_id, user_id, attributes, created_at, ended_at, ended_by
FROM sso_session WHERE side = 'sp' AND id = $1;

-- name: sso.SessionLiving
SELECT COUNT(*) FROM sso_session s JOIN sso_idp i ON i.id = s.peer_id
WHERE s.id = $1 AND s.side = 'sp' AND s.ended_at IS NULL AND i.state = 'active'
  AND NOT EXISTS (SELECT 1 FROM suspension x WHERE x.org_id = i.partner_id)
  AND EXISTS (SELECT 1 FROM association a WHERE a.customer_id = s.customer_id AND a.partner_id = i.partner_id AND a.state IN ('active', 'ended')
    AND (a.valid_from IS NULL OR a.valid_from <= $2) AND (a.valid_to IS NULL OR a.valid_to > $2));

-- name: sso.SessionsOfSubject
SELECT id, peer_id, session_hash, customer_id, user_id, attributes, created_at, ended_at, ended_by
FROM sso_session WHERE side = 'sp' AND peer_id = $1 AND name_id = $2 AND ended_at IS NULL ORDER BY created_at, id;

-- name: sso.SessionsOfPerson
SELECT id, peer_id, session_hash, customer_id, user_id, attributes, created_at, ended_at, ended_by
FROM sso_session WHERE side = 'sp' AND user_id = $1 ORDER BY created_at DESC, id DESC LIMIT 20;

-- name: sso.SessionNamedBefore
SELECT id, peer_id, session_hash, customer_id, user_id, attributes, created_at, ended_at, ended_by
FROM sso_session WHERE side = 'sp' AND peer_id = $1 AND name_id = $2 AND customer_id <> $3 ORDER BY created_at DESC, id DESC LIMIT 1;

-- name: sso.SessionsOfPartner
SELECT s.id, s.peer_id, s.session_hash, s.customer_id, s.user_id, s.attributes, s.created_at, s.ended_at, s.ended_by
FROM sso_session s JOIN sso_idp i ON i.id = s.peer_id
WHERE s.side = 'sp' AND i.partner_id = $1 AND s.customer_id = $2 AND s.ended_at IS NULL ORDER BY s.created_at, s.id;

-- name: sso.SessionAuthn
UPDATE sso_session SET attributes = $2, authn_at = $3, authn_context = $4, session_index = $5, not_on_or_after = $6, version = version + 1
WHERE id = $1 AND side = 'sp' AND ended_at IS NULL;

-- name: sso.SessionEnd
UPDATE sso_session SET ended_at = $2, ended_by = $3, version = version + 1 WHERE id = $1 AND ended_at IS NULL;

-- name: sso.AcceptedInsert
INSERT INTO sso_accepted (id, at, idp_id, purpose, customer_id, assertion_id, drift_ms, ip) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: sso.RefusalAgain
SELECT id, ref FROM sso_refusal
WHERE at > $1 AND code = $2 AND ip = $3 AND COALESCE(peer_id, '') = $4 ORDER BY at DESC LIMIT 1;

-- name: sso.RefusalRepeat
UPDATE sso_refusal SET repeat_count = repeat_count + 1, last_at = $2 WHERE id = $1;

-- name: sso.RefusalInsert
INSERT INTO sso_refusal (id, ref, at, last_at, side, route, peer_id, partner_id, code, step, facts, message_sha256, issuer_seen, request_id, ip, user_agent, repeat_count)
VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0);

-- name: sso.RequestPurge
DELETE FROM sso_request WHERE expires_at < $1;

-- name: sso.SeenPurge
DELETE FROM sso_seen WHERE expires_at < $1;

-- name: sso.TicketPurge
DELETE FROM sso_ticket WHERE expires_at < $1;

-- name: sso.RefusalPurge
DELETE FROM sso_refusal WHERE at < $1;
