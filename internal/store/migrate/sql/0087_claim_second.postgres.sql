-- +goose Up
-- A claim above the vendor's amount for one person waits for a second approval (待复核).
ALTER TABLE remittance_claim DROP CONSTRAINT remittance_claim_state_check;
ALTER TABLE remittance_claim ADD CONSTRAINT remittance_claim_state_check CHECK (state IN ('reviewing','second_review','approved','refused','withdrawn'));
DROP INDEX remittance_claim_open;
CREATE UNIQUE INDEX remittance_claim_open ON remittance_claim(remittance_id) WHERE state IN ('reviewing','second_review','approved');
