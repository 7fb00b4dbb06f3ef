-- +goose Up
-- A claim above the vendor's amount for one person waits for a second approval (待复核).
CREATE TABLE remittance_claim_new (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  remittance_id {{key}} NOT NULL REFERENCES remittance(id),
  state {{text}} NOT NULL CHECK (state IN ('reviewing','second_review','approved','refused','withdrawn')),
  version {{int}} NOT NULL,
  currency {{text}} NOT NULL,
  amount_e8 {{money}} NOT NULL,
  paid_on {{text}} NOT NULL,
  payer_name {{text}} NOT NULL,
  note {{text}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  decided_by {{text}} NOT NULL,
  decided_at {{instant}},
  reason {{text}} NOT NULL
) {{strict}};
INSERT INTO remittance_claim_new (id, vendor_id, partner_id, remittance_id, state, version, currency, amount_e8, paid_on, payer_name, note, created_by, created_at, decided_by, decided_at, reason)
SELECT id, vendor_id, partner_id, remittance_id, state, version, currency, amount_e8, paid_on, payer_name, note, created_by, created_at, decided_by, decided_at, reason FROM remittance_claim;
DROP TABLE remittance_claim;
ALTER TABLE remittance_claim_new RENAME TO remittance_claim;
CREATE INDEX remittance_claim_partner ON remittance_claim(partner_id, created_at);
CREATE INDEX remittance_claim_vendor ON remittance_claim(vendor_id, state);
CREATE UNIQUE INDEX remittance_claim_open ON remittance_claim(remittance_id) WHERE state IN ('reviewing','second_review','approved');
