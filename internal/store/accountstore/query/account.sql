-- name: person.Insert
INSERT INTO person (id, org_id, login, login_key, name, phone, email, state, password_hash, must_change, supervisor_id,
  created_at, password_changed_at, last_sign_in_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: person.ByLogin
SELECT p.id, p.org_id, p.login, p.name, p.phone, p.email, p.state, p.must_change, p.supervisor_id, p.created_at,
  p.password_changed_at, p.last_sign_in_at, f.confirmed_at, p.password_hash
FROM person p LEFT JOIN second_factor f ON f.person_id = p.id WHERE p.login_key = $1;

-- name: person.ByID
SELECT p.id, p.org_id, p.login, p.name, p.phone, p.email, p.state, p.must_change, p.supervisor_id, p.created_at,
  p.password_changed_at, p.last_sign_in_at, f.confirmed_at, p.password_hash
FROM person p LEFT JOIN second_factor f ON f.person_id = p.id WHERE p.id = $1;

-- name: person.Update
UPDATE person SET name = $2, phone = $3, email_verified_at = CASE WHEN email = $4 THEN email_verified_at END, email = $4, state = $5,
  supervisor_id = $6 WHERE id = $1;

-- name: person.VerifyEmail
UPDATE person SET email_verified_at = $3 WHERE id = $1 AND email = $2 AND email_verified_at IS NULL;

-- name: person.SetPassword
UPDATE person SET password_hash = $2, must_change = $3, password_changed_at = $4 WHERE id = $1;

-- name: person.TouchSignIn
UPDATE person SET last_sign_in_at = $2 WHERE id = $1;

-- name: person.All
SELECT p.id, p.org_id, p.login, p.name, p.phone, p.email, p.state, p.must_change, p.supervisor_id, p.created_at,
  p.password_changed_at, p.last_sign_in_at, f.confirmed_at, CASE WHEN p.password_hash = '' THEN '' ELSE '*' END
FROM person p LEFT JOIN second_factor f ON f.person_id = p.id ORDER BY p.login_key;

-- name: person.OfOrganisation
SELECT p.id, p.org_id, p.login, p.name, p.phone, p.email, p.state, p.must_change, p.supervisor_id, p.created_at,
  p.password_changed_at, p.last_sign_in_at, f.confirmed_at, CASE WHEN p.password_hash = '' THEN '' ELSE '*' END
FROM person p LEFT JOIN second_factor f ON f.person_id = p.id WHERE p.org_id = $1 ORDER BY p.login_key;

-- name: person.Any
SELECT COUNT(*) FROM (SELECT 1 FROM person LIMIT 1) AS one;

-- name: person.Team
SELECT p.id FROM person p JOIN role_grant g ON g.person_id = p.id
WHERE g.org_id = $1 AND g.role = 'manager' AND p.supervisor_id = $2 ORDER BY p.id;

-- name: person.ReleaseTeam
UPDATE person SET supervisor_id = NULL WHERE supervisor_id = $1;

-- name: grant.OfPerson
SELECT person_id, org_id, role FROM role_grant WHERE person_id = $1 ORDER BY org_id, role;

-- name: grant.OfOrganisation
SELECT person_id, org_id, role FROM role_grant WHERE org_id = $1 ORDER BY person_id, role;

-- name: grant.Clear
DELETE FROM role_grant WHERE person_id = $1 AND org_id = $2;

-- name: grant.Add
INSERT INTO role_grant (person_id, org_id, role) VALUES ($1, $2, $3);

-- name: role.OfOrganisation
SELECT r.code, r.name, i.item FROM custom_role r
LEFT JOIN custom_role_item i ON i.org_id = r.org_id AND i.code = r.code
WHERE r.org_id = $1 ORDER BY r.code, i.item;

-- name: role.Save
INSERT INTO custom_role (org_id, code, name, updated_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (org_id, code) DO UPDATE SET name = excluded.name, updated_at = excluded.updated_at;

-- name: role.ClearItems
DELETE FROM custom_role_item WHERE org_id = $1 AND code = $2;

-- name: role.AddItem
INSERT INTO custom_role_item (org_id, code, item) VALUES ($1, $2, $3);

-- name: role.Delete
DELETE FROM custom_role WHERE org_id = $1 AND code = $2;

-- name: throttle.One
SELECT failures, last_at, locked_until FROM sign_in_throttle WHERE kind = $1 AND key_hash = $2;

-- name: throttle.Save
INSERT INTO sign_in_throttle (kind, key_hash, failures, last_at, locked_until) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (kind, key_hash) DO UPDATE
SET failures = excluded.failures, last_at = excluded.last_at, locked_until = excluded.locked_until;

-- name: throttle.Clear
DELETE FROM sign_in_throttle WHERE kind = $1 AND key_hash = $2;

-- name: throttle.Purge
DELETE FROM sign_in_throttle WHERE last_at < $1 AND (locked_until IS NULL OR locked_until < $1);

-- name: factor.One
SELECT person_id, secret, counter, confirmed_at FROM second_factor WHERE person_id = $1;

-- name: factor.Save
INSERT INTO second_factor (person_id, secret, counter, confirmed_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (person_id) DO UPDATE
SET secret = excluded.secret, counter = excluded.counter, confirmed_at = excluded.confirmed_at;

-- name: factor.Delete
DELETE FROM second_factor WHERE person_id = $1;

-- name: factor.Advance
UPDATE second_factor SET counter = $2 WHERE person_id = $1 AND counter < $2;

-- name: recovery.Clear
DELETE FROM recovery_code WHERE person_id = $1;

-- name: recovery.Add
INSERT INTO recovery_code (person_id, hash, used_at) VALUES ($1, $2, NULL);

-- name: recovery.Spend
UPDATE recovery_code SET used_at = $3 WHERE person_id = $1 AND hash = $2 AND used_at IS NULL;

-- name: setup.EndAll
UPDATE setup_link SET used_at = $1 WHERE used_at IS NULL;

-- name: setup.Add
INSERT INTO setup_link (hash, created_at, expires_at, used_at) VALUES ($1, $2, $3, NULL);

-- name: setup.Open
SELECT COUNT(*) FROM setup_link WHERE hash = $1 AND used_at IS NULL AND expires_at > $2;

-- name: setup.Spend
UPDATE setup_link SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2;

-- name: link.Insert
INSERT INTO person_link (id, person_id, purpose, created_by, created_at, expires_at, ended_at, used)
VALUES ($1, $2, $3, $4, $5, $6, NULL, $7);

-- name: link.Open
SELECT id, person_id, purpose, created_by, created_at, expires_at FROM person_link
WHERE id = $1 AND ended_at IS NULL AND expires_at > $2;

-- name: link.OfOrganisation
SELECT l.id, l.person_id, l.purpose, l.created_by, l.created_at, l.expires_at FROM person_link l
JOIN person p ON p.id = l.person_id WHERE p.org_id = $1 AND l.ended_at IS NULL AND l.expires_at > $2 ORDER BY l.id;

-- name: link.Spend
UPDATE person_link SET ended_at = $2, used = $3 WHERE id = $1 AND ended_at IS NULL AND expires_at > $2;

-- name: link.EndAll
UPDATE person_link SET ended_at = $2 WHERE person_id = $1 AND ended_at IS NULL;

-- name: contact.OfOrganisation
SELECT person_id FROM customer_contact WHERE org_id = $1 ORDER BY added_at, person_id;

-- name: contact.Add
INSERT INTO customer_contact (org_id, person_id, added_at) VALUES ($1, $2, $3);

-- name: contact.Remove
DELETE FROM customer_contact WHERE org_id = $1 AND person_id = $2;
