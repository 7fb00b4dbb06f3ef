-- name: passcode.Choice
SELECT asked, channel FROM passcode_choice WHERE org_id = $1 AND person_id = $2;

-- name: passcode.SetChoice
INSERT INTO passcode_choice (org_id, person_id, asked, channel, changed_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (org_id, person_id) DO UPDATE SET asked = excluded.asked, channel = excluded.channel, changed_at = excluded.changed_at;

-- name: passcode.Insert
INSERT INTO passcode (id, org_id, person_id, operation, content, seal, channel, sent_to, wrong, sent_at, expires_at, used_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, NULL);

-- name: passcode.Latest
SELECT id, org_id, person_id, operation, content, seal, channel, sent_to, wrong, sent_at, expires_at, used_at
FROM passcode WHERE person_id = $1 AND org_id = $2 AND operation = $3 ORDER BY sent_at DESC, id DESC LIMIT 1;

-- name: passcode.Sent
SELECT COUNT(*), MAX(sent_at) FROM passcode WHERE person_id = $1 AND sent_at > $2;

-- name: passcode.Miss
UPDATE passcode SET wrong = wrong + 1 WHERE id = $1;

-- name: passcode.Use
UPDATE passcode SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2;

-- name: passcode.Purge
DELETE FROM passcode WHERE sent_at < $1;
