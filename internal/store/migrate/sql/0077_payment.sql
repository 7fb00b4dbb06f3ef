-- +goose Up
CREATE INDEX ledger_entry_reference ON ledger_entry(vendor_id, reference);

-- What was paid on an issued bill; without a row nothing was, and the day it is collected on has not come.
CREATE TABLE bill_payment (
  bill_id {{key}} PRIMARY KEY REFERENCES bill(id),
  state {{text}} NOT NULL CHECK (state IN ('issued','unpaid','partly_paid','paid')),
  version {{int}} NOT NULL,
  paid_e8 {{money}} NOT NULL,
  settled_at {{instant}},
  changed_at {{instant}} NOT NULL
) {{strict}};

-- 余额预警: below threshold_e8 people are told.
CREATE TABLE balance_alert (
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  currency {{text}} NOT NULL,
  threshold_e8 {{money}} NOT NULL,
  updated_by {{text}} NOT NULL,
  updated_at {{instant}} NOT NULL,
  PRIMARY KEY (vendor_id, partner_id, currency)
) {{strict}};

-- 充值 through a gateway.
CREATE TABLE top_up (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  number {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('pending','processing','succeeded','failed','cancelled')),
  version {{int}} NOT NULL,
  gateway {{text}} NOT NULL,
  gateway_ref {{text}} NOT NULL,
  currency {{text}} NOT NULL,
  amount_e8 {{money}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  changed_at {{instant}} NOT NULL,
  UNIQUE (vendor_id, number)
) {{strict}};
CREATE INDEX top_up_partner ON top_up(partner_id, created_at);

-- 专属汇款账号: what is transferred to it belongs to its partner.
CREATE TABLE remit_account (
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  number {{text}} NOT NULL,
  opened_by {{text}} NOT NULL,
  opened_at {{instant}} NOT NULL,
  PRIMARY KEY (vendor_id, partner_id),
  UNIQUE (vendor_id, number)
) {{strict}};

-- Incoming transfers of the vendor's bank statements; bank_ref is the bank's own number of the line.
CREATE TABLE remittance (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  bank_ref {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('unclaimed','credited','claimed')),
  version {{int}} NOT NULL,
  account_no {{text}} NOT NULL,
  payer_name {{text}} NOT NULL,
  payer_account {{text}} NOT NULL,
  currency {{text}} NOT NULL,
  amount_e8 {{money}} NOT NULL,
  paid_on {{text}} NOT NULL,
  purpose {{text}} NOT NULL,
  partner_id {{key}} REFERENCES organisation(id),
  imported_by {{text}} NOT NULL,
  imported_at {{instant}} NOT NULL,
  changed_at {{instant}} NOT NULL,
  UNIQUE (vendor_id, bank_ref)
) {{strict}};
CREATE INDEX remittance_partner ON remittance(partner_id, imported_at);
CREATE INDEX remittance_found ON remittance(vendor_id, currency, amount_e8, paid_on);

-- 汇款认领: a partner says that a transfer was its own.
CREATE TABLE remittance_claim (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  remittance_id {{key}} NOT NULL REFERENCES remittance(id),
  state {{text}} NOT NULL CHECK (state IN ('reviewing','approved','refused','withdrawn')),
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
CREATE INDEX remittance_claim_partner ON remittance_claim(partner_id, created_at);
CREATE INDEX remittance_claim_vendor ON remittance_claim(vendor_id, state);
CREATE UNIQUE INDEX remittance_claim_open ON remittance_claim(remittance_id) WHERE state IN ('reviewing','approved');
