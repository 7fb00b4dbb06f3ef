-- +goose Up
-- The vendor's books of its partners' money. id is the hash of what names the account; balance_e8 is kept in the
-- transaction of each line and is its last after_e8. partner_id null: the vendor's own account. line_e8 is the whole
-- credit line of a credit account.
CREATE TABLE ledger_account (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} REFERENCES organisation(id),
  customer_id {{key}} REFERENCES organisation(id),
  kind {{text}} NOT NULL CHECK (kind IN ('balance','credit','frozen','allocated','bank','gateway','suspense','settled','credit_line','payout','incentive','write_off','coupon')),
  currency {{text}} NOT NULL,
  balance_e8 {{money}} NOT NULL,
  line_e8 {{money}} NOT NULL,
  seq {{int}} NOT NULL,
  last_at {{instant}},
  created_at {{instant}} NOT NULL,
  CHECK (partner_id IS NULL OR balance_e8 >= 0)
) {{strict}};
CREATE INDEX ledger_account_vendor ON ledger_account(vendor_id, partner_id);
CREATE INDEX ledger_account_partner ON ledger_account(partner_id);
CREATE INDEX ledger_account_customer ON ledger_account(customer_id);

-- One movement; key makes it happen once.
CREATE TABLE ledger_entry (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  type {{text}} NOT NULL,
  detail {{text}} NOT NULL,
  key {{text}} NOT NULL,
  reference {{text}} NOT NULL,
  number {{text}} NOT NULL,
  customer_id {{key}} REFERENCES organisation(id),
  memo {{text}} NOT NULL,
  actor {{text}} NOT NULL,
  posted_at {{instant}} NOT NULL,
  UNIQUE (vendor_id, key)
) {{strict}};

-- Its lines, in the order of their accounts: seq counts along the account.
CREATE TABLE ledger_line (
  account_id {{key}} NOT NULL REFERENCES ledger_account(id),
  seq {{int}} NOT NULL,
  entry_id {{key}} NOT NULL REFERENCES ledger_entry(id),
  line_no {{int}} NOT NULL,
  amount_e8 {{money}} NOT NULL CHECK (amount_e8 <> 0),
  after_e8 {{money}} NOT NULL,
  posted_at {{instant}} NOT NULL,
  PRIMARY KEY (account_id, seq),
  UNIQUE (entry_id, line_no)
) {{clustered}};
