-- +goose Up
-- 合同: of a partner with its vendor, online or on paper; days of GMT+8, both included.
CREATE TABLE contract (
  id {{key}} PRIMARY KEY,
  number {{text}} NOT NULL,
  paper_no {{text}} NOT NULL,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  entity_id {{key}} NOT NULL REFERENCES contracting_entity(id),
  kind {{text}} NOT NULL CHECK (kind IN ('online','offline')),
  title {{text}} NOT NULL,
  currency {{text}} NOT NULL,
  amount_e8 {{money}} NOT NULL CHECK (amount_e8 <> 0),
  begins_on {{text}} NOT NULL,
  ends_on {{text}} NOT NULL,
  remark {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('draft','reviewing','approved','effective','refused','terminated','ended','deleted')),
  version {{int}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  submitted_at {{instant}},
  decided_by {{text}} NOT NULL,
  decided_at {{instant}},
  reason {{text}} NOT NULL,
  ended_at {{instant}},
  changed_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX contract_partner ON contract(partner_id, created_at);
CREATE INDEX contract_vendor ON contract(vendor_id, created_at);

-- 付款计划. An item without paid_at is still to be paid.
CREATE TABLE contract_item (
  contract_id {{key}} NOT NULL REFERENCES contract(id),
  item_no {{int}} NOT NULL,
  promised_on {{text}} NOT NULL,
  amount_e8 {{money}} NOT NULL CHECK (amount_e8 <> 0),
  paid_at {{instant}},
  paid_by {{text}} NOT NULL,
  PRIMARY KEY (contract_id, item_no)
) {{clustered}};
