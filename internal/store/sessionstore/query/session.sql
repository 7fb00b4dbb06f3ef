-- name: session.Find
SELECT token_hash, handle, person_id, data, ip, agent, created_at, seen_at, expires_at
FROM session WHERE token_hash = $1 AND revoked_at IS NULL;

-- name: session.Look
-- with the version of what pages show and the person's unread messages, so that a request learns all at once
SELECT s.data, s.seen_at, s.expires_at, (SELECT CAST(COALESCE(SUM(v.n), 0) AS BIGINT) FROM page_version v),
  (SELECT COUNT(*) FROM message m WHERE m.person_id = s.person_id AND m.read_at IS NULL
    AND m.org_id = (SELECT o.id FROM organisation o WHERE o.code = $2))
FROM session s WHERE s.token_hash = $1 AND s.revoked_at IS NULL;

-- name: session.Save
INSERT INTO session (token_hash, handle, person_id, data, ip, agent, created_at, seen_at, expires_at, revoked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL)
ON CONFLICT (token_hash) DO UPDATE
SET person_id = excluded.person_id, data = excluded.data, ip = excluded.ip, agent = excluded.agent, seen_at = excluded.seen_at
WHERE session.revoked_at IS NULL;

-- name: session.Touch
UPDATE session SET seen_at = $2 WHERE token_hash = $1 AND revoked_at IS NULL;

-- name: session.Revoke
UPDATE session SET revoked_at = $2, data = $3 WHERE token_hash = $1 AND revoked_at IS NULL;

-- name: session.RevokeHandle
UPDATE session SET revoked_at = $3, data = $4 WHERE person_id = $1 AND handle = $2 AND revoked_at IS NULL;

-- name: session.RevokePerson
UPDATE session SET revoked_at = $3, data = $4 WHERE person_id = $1 AND handle <> $2 AND revoked_at IS NULL;

-- name: session.OfPerson
SELECT token_hash, handle, person_id, data, ip, agent, created_at, seen_at, expires_at
FROM session WHERE person_id = $1 AND revoked_at IS NULL ORDER BY seen_at DESC, handle;

-- name: session.Purge
DELETE FROM session WHERE expires_at < $1;
