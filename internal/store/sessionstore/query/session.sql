-- name: session.Find
-- with the version of what pages show, so that a request learns both at once
SELECT token_hash, handle, person_id, data, ip, agent, created_at, seen_at, expires_at,
  (SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM page_version)
FROM session WHERE token_hash = $1 AND revoked_at IS NULL;

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
