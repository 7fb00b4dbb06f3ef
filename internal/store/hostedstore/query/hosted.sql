-- name: hosted.SeenInsert
INSERT INTO sso_seen (scope, kind, message_id, expires_at, seen_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING;

-- name: hosted.QuestionInsert
INSERT INTO sso_question (hash, host_id, sp_id, request_id, acs_url, name_id_format, authn_context, relay_state, force_authn, passive, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: hosted.QuestionByHash
SELECT hash, host_id, sp_id, request_id, acs_url, name_id_format, authn_context, relay_state, force_authn, passive, created_at, expires_at, answered_at
FROM sso_question WHERE hash = $1;

-- name: hosted.QuestionAnswer
UPDATE sso_question SET answered_at = $2 WHERE hash = $1 AND answered_at IS NULL;

-- name: hosted.QuestionPurge
DELETE FROM sso_question WHERE expires_at < $1;

-- name: hosted.NameOf
SELECT name_id FROM sso_pairwise WHERE user_id = $1 AND sp_id = $2;

-- name: hosted.NameInsert
INSERT INTO sso_pairwise (customer_id, user_id, sp_id, name_id, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING;

-- name: hosted.ConsentsOf
SELECT person_id, sp_id, customer_id, given, given_at FROM sso_consent WHERE person_id = $1 AND ($2 = '' OR sp_id = $2) ORDER BY given_at DESC, sp_id;

-- name: hosted.ConsentPut
INSERT INTO sso_consent (person_id, sp_id, customer_id, given, given_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (person_id, sp_id) DO UPDATE SET customer_id = excluded.customer_id, given = excluded.given, given_at = excluded.given_at;

-- name: hosted.ConsentDrop
DELETE FROM sso_consent WHERE person_id = $1 AND sp_id = $2;

-- name: hosted.VisitInsert
INSERT INTO sso_session (id, version, side, peer_id, host_id, session_hash, customer_id, user_id, name_id, format, name_qualifier, sp_name_qualifier,
  session_index, authn_context, attributes, authn_at, not_on_or_after, created_at, ended_by)
VALUES ($1, 1, 'idp', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, '');

-- name: hosted.ConsoleTouch
UPDATE sso_sp SET last_assertion_at = $2 WHERE id = $1;

-- name: hosted.EmailVerified
SELECT COUNT(*) FROM person WHERE id = $1 AND email_verified_at IS NOT NULL;

-- name: hosted.VisitsOfSubject
SELECT id, host_id, peer_id, customer_id, user_id, session_hash, name_id, format, name_qualifier, sp_name_qualifier, session_index
FROM sso_session WHERE side = 'idp' AND peer_id = $1 AND name_id = $2 AND ended_at IS NULL ORDER BY created_at, id;

-- name: hosted.VisitsOfGroup
SELECT id, host_id, peer_id, customer_id, user_id, session_hash, name_id, format, name_qualifier, sp_name_qualifier, session_index
FROM sso_session WHERE side = 'idp' AND session_hash = $1 AND ended_at IS NULL ORDER BY created_at, id;

-- name: hosted.VisitsAstray
SELECT COUNT(*) FROM sso_session s JOIN sso_host h ON h.id = s.host_id
WHERE s.side = 'idp' AND s.session_hash = $1 AND s.ended_at IS NULL
  AND (EXISTS (SELECT 1 FROM suspension x WHERE x.org_id = h.partner_id)
    OR NOT EXISTS (SELECT 1 FROM association a WHERE a.customer_id = s.customer_id AND a.partner_id = h.partner_id AND a.state IN ('active', 'ended')
      AND (a.valid_from IS NULL OR a.valid_from <= $2) AND (a.valid_to IS NULL OR a.valid_to > $2)));

-- name: hosted.VisitEnd
UPDATE sso_session SET ended_at = $2, ended_by = $3, version = version + 1 WHERE id = $1 AND ended_at IS NULL;

-- name: hosted.LeavingInsert
INSERT INTO sso_leaving (id, host_id, customer_id, sp_id, request_id, relay_state, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: hosted.LeavingByID
SELECT id, host_id, customer_id, COALESCE(sp_id, ''), request_id, relay_state, created_at, expires_at, done_at FROM sso_leaving WHERE id = $1;

-- name: hosted.LeavingDone
UPDATE sso_leaving SET done_at = $2 WHERE id = $1 AND done_at IS NULL;

-- name: hosted.StepInsert
INSERT INTO sso_leaving_step (leaving_id, seq, host_id, sp_id, request_id, subject, state) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: hosted.Steps
SELECT leaving_id, seq, host_id, sp_id, request_id, subject, state, asked_at FROM sso_leaving_step WHERE leaving_id = $1 ORDER BY seq;

-- name: hosted.StepByRequest
SELECT leaving_id, seq, host_id, sp_id, request_id, subject, state, asked_at FROM sso_leaving_step WHERE request_id = $1;

-- name: hosted.StepMove
UPDATE sso_leaving_step SET state = $4, asked_at = CASE WHEN $4 = 'asked' THEN $5 ELSE asked_at END WHERE leaving_id = $1 AND seq = $2 AND state = $3;

-- name: hosted.StepPurge
DELETE FROM sso_leaving_step WHERE leaving_id IN (SELECT l.id FROM sso_leaving l WHERE l.expires_at < $1);

-- name: hosted.LeavingPurge
DELETE FROM sso_leaving WHERE expires_at < $1;
