-- +goose Up
-- 客户拓展授权: what lets a distributor win customers for a vendor.
CREATE TABLE prospect_grant (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  state {{text}} NOT NULL CHECK (state IN ('asked','granted','refused','withdrawn','revoked')),
  version {{int}} NOT NULL,
  plea {{text}} NOT NULL,
  asked_by {{text}} NOT NULL,
  asked_at {{instant}},
  reason {{text}} NOT NULL,
  decided_by {{text}} NOT NULL,
  decided_at {{instant}},
  created_at {{instant}} NOT NULL,
  changed_at {{instant}} NOT NULL,
  UNIQUE (vendor_id, partner_id)
) {{strict}};
CREATE INDEX prospect_grant_partner ON prospect_grant(partner_id);

-- Distributors that won customers before there were grants go on; the key is made of those of both sides.
INSERT INTO prospect_grant (id, vendor_id, partner_id, state, version, plea, asked_by, asked_at, reason, decided_by, decided_at, created_at, changed_at)
SELECT substr(p.vendor_id, 1, 18) || substr(p.partner_id, 19), p.vendor_id, p.partner_id, 'granted', 1, '', '', NULL, '', '', NULL, min(p.created_at), min(p.created_at)
FROM prospect p JOIN organisation o ON o.id = p.partner_id AND o.kind = 'distributor' GROUP BY p.vendor_id, p.partner_id;
