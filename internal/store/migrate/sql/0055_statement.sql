-- +goose Up
-- What a partner asks of its customers. Versions are immutable rows; ended_seq 0 = in force. seq counts every change
-- of a partner's rules, so (partner, seq) names one state of them. customer_id null and product '' are any.
CREATE TABLE statement_rule (
  id {{key}} PRIMARY KEY,
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  number {{int}} NOT NULL,
  version {{int}} NOT NULL,
  seq {{int}} NOT NULL,
  ended_seq {{int}} NOT NULL,
  customer_id {{key}} REFERENCES organisation(id),
  product {{text}} NOT NULL,
  base {{text}} NOT NULL CHECK (base IN ('billed','cost')),
  factor {{text}} NOT NULL,
  valid_from {{text}} NOT NULL,
  valid_to {{text}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  UNIQUE (partner_id, number, version)
) {{strict}};

-- Letter heads and logos by version and content; never changed.
CREATE TABLE statement_head (
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  version {{int}} NOT NULL,
  name {{text}} NOT NULL,
  address {{text}} NOT NULL,
  contact {{text}} NOT NULL,
  bank {{text}} NOT NULL,
  note {{text}} NOT NULL,
  tax_rate {{text}} NOT NULL,
  logo_sha {{text}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  PRIMARY KEY (partner_id, version)
) {{strict}};

CREATE TABLE statement_logo (
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  sha {{text}} NOT NULL,
  body {{bytes}} NOT NULL,
  PRIMARY KEY (partner_id, sha)
) {{strict}};

-- 客户对账单. serial 0 and number '' until issued. What the partner pays stands in statement_cost alone.
CREATE TABLE statement (
  id {{key}} PRIMARY KEY,
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  customer_name {{text}} NOT NULL,
  bill_id {{key}} NOT NULL REFERENCES bill(id),
  cycle {{text}} NOT NULL,
  currency {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('draft','issued','sent','withdrawn','replaced','discarded')),
  version {{int}} NOT NULL,
  serial {{int}} NOT NULL,
  number {{text}} NOT NULL,
  replaces_id {{key}} REFERENCES statement(id),
  line_count {{int}} NOT NULL,
  subtotal_e8 {{money}} NOT NULL,
  tax_rate {{text}} NOT NULL,
  tax_e8 {{money}} NOT NULL,
  rounding_e8 {{money}} NOT NULL,
  total_e8 {{money}} NOT NULL,
  rule_seq {{int}} NOT NULL,
  head_version {{int}} NOT NULL,
  code {{text}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  issued_at {{instant}},
  sent_at {{instant}}
) {{strict}};
CREATE INDEX statement_partner ON statement(partner_id, cycle, state);
CREATE INDEX statement_customer ON statement(customer_id, cycle);
CREATE UNIQUE INDEX statement_number ON statement(partner_id, cycle, serial) WHERE serial > 0;
CREATE UNIQUE INDEX statement_draft ON statement(bill_id, customer_id) WHERE state = 'draft';
CREATE UNIQUE INDEX statement_live ON statement(bill_id, customer_id) WHERE state IN ('issued','sent');

CREATE TABLE statement_line (
  statement_id {{key}} NOT NULL REFERENCES statement(id),
  line_no {{int}} NOT NULL,
  origin {{text}} NOT NULL,
  provider {{text}} NOT NULL,
  product {{text}} NOT NULL,
  region {{text}} NOT NULL,
  charging_mode {{text}} NOT NULL,
  kind {{text}} NOT NULL,
  corrects_cycle {{text}} NOT NULL,
  line_count {{int}} NOT NULL,
  amount_e8 {{money}} NOT NULL,
  PRIMARY KEY (statement_id, line_no)
) {{clustered}};

-- The partner's side of each line; line 0 is the whole statement. items names items of the bill.
CREATE TABLE statement_cost (
  statement_id {{key}} NOT NULL REFERENCES statement(id),
  line_no {{int}} NOT NULL,
  partner_id {{key}} NOT NULL,
  items {{text}} NOT NULL,
  source_exact {{text}} NOT NULL,
  cost_e8 {{money}} NOT NULL,
  rule_number {{int}} NOT NULL,
  rule_version {{int}} NOT NULL,
  base {{text}} NOT NULL,
  factor {{text}} NOT NULL,
  exact {{text}} NOT NULL,
  PRIMARY KEY (statement_id, line_no)
) {{clustered}};

-- Files of issued statements, as they were first made.
CREATE TABLE statement_file (
  statement_id {{key}} NOT NULL REFERENCES statement(id),
  lang {{text}} NOT NULL,
  body {{bytes}} NOT NULL,
  PRIMARY KEY (statement_id, lang)
) {{strict}};
