-- +goose Up
CREATE TABLE source (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  name {{text}} NOT NULL UNIQUE,
  dialect {{text}} NOT NULL,
  zone {{text}} NOT NULL,
  mode {{text}} NOT NULL CHECK (mode IN ('snapshot','append')),
  providers {{text}} NOT NULL,
  accounts {{text}} NOT NULL,
  currencies {{text}} NOT NULL,
  base_column {{text}} NOT NULL,
  key_column {{text}} NOT NULL,
  default_kind {{text}} NOT NULL CHECK (default_kind IN ('unmapped','organisation')),
  default_org_id {{key}} REFERENCES organisation(id),
  loose_kind {{text}} NOT NULL CHECK (loose_kind IN ('default','organisation','spread')),
  loose_org_id {{key}} REFERENCES organisation(id),
  entity_id {{key}} REFERENCES contracting_entity(id),
  columns {{text}} NOT NULL,
  from_cycle {{text}} NOT NULL,
  until_cycle {{text}} NOT NULL,
  created_at {{instant}} NOT NULL
) {{strict}};

CREATE TABLE delivery (
  id {{key}} PRIMARY KEY,
  source_id {{key}} NOT NULL REFERENCES source(id),
  number {{int}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('receiving','published','superseded','reverted')),
  version {{int}} NOT NULL,
  content_sha {{text}} NOT NULL,
  received_at {{instant}} NOT NULL,
  published_at {{instant}},
  actor {{text}} NOT NULL,
  files {{int}} NOT NULL,
  line_count {{int}} NOT NULL,
  quarantined {{int}} NOT NULL,
  skipped {{int}} NOT NULL,
  dialect {{text}} NOT NULL,
  format_version {{text}} NOT NULL,
  progress {{int}} NOT NULL,
  touched_at {{instant}},
  warnings {{text}} NOT NULL,
  UNIQUE (source_id, number)
) {{strict}};

-- A part of a delivery; the body is kept once per content in kept_chunk.
CREATE TABLE delivery_file (
  delivery_id {{key}} NOT NULL REFERENCES delivery(id),
  file_no {{int}} NOT NULL,
  name {{text}} NOT NULL,
  sha {{text}} NOT NULL,
  format {{text}} NOT NULL,
  bytes {{int}} NOT NULL,
  line_count {{int}} NOT NULL,
  header {{text}} NOT NULL,
  PRIMARY KEY (delivery_id, file_no)
) {{strict}};
CREATE INDEX delivery_file_sha ON delivery_file(sha);

-- What a delivery meant for one cycle and currency, compared with what was known before it.
CREATE TABLE delivery_change (
  delivery_id {{key}} NOT NULL REFERENCES delivery(id),
  cycle {{text}} NOT NULL,
  currency {{text}} NOT NULL,
  line_count {{int}} NOT NULL,
  total {{text}} NOT NULL,
  amount_e8 {{money}} NOT NULL,
  added {{int}} NOT NULL,
  added_sum {{text}} NOT NULL,
  removed {{int}} NOT NULL,
  removed_sum {{text}} NOT NULL,
  changed {{int}} NOT NULL,
  changed_diff {{text}} NOT NULL,
  is_late {{flag}} NOT NULL,
  PRIMARY KEY (delivery_id, cycle, currency)
) {{strict}};

CREATE TABLE kept_file (
  sha {{text}} PRIMARY KEY,
  bytes {{int}} NOT NULL,
  chunks {{int}} NOT NULL,
  kept_at {{instant}} NOT NULL
) {{strict}};

-- Compressed (zstd) pieces of a kept file; first_line is the 1-based physical line that begins the
-- piece, so that one line is read by unpacking one piece. Binary files have first_line 0.
CREATE TABLE kept_chunk (
  sha {{text}} NOT NULL,
  chunk_no {{int}} NOT NULL,
  first_line {{int}} NOT NULL,
  body {{bytes}} NOT NULL,
  PRIMARY KEY (sha, chunk_no)
) {{strict}};

-- What a source delivered for one billing period, and whether it is final.
CREATE TABLE period (
  source_id {{key}} NOT NULL REFERENCES source(id),
  cycle {{text}} NOT NULL,
  is_final {{flag}} NOT NULL,
  final_at {{instant}},
  final_by {{text}} NOT NULL,
  final_delivery {{key}} NOT NULL,
  PRIMARY KEY (source_id, cycle)
) {{strict}};

-- The lines of one delivery for one cycle. Only an active slot counts; publishing is a change of
-- state here, so half a delivery is never visible and a revert moves no line. A late slot holds
-- what arrived after its cycle was issued: it is the newest known state, while the sealed active
-- slot stays what was billed. replaces is the slot that was the newest state before, 0 if none.
CREATE TABLE slot (
  id {{int}} PRIMARY KEY,
  delivery_id {{key}} NOT NULL REFERENCES delivery(id),
  source_id {{key}} NOT NULL REFERENCES source(id),
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  cycle {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('staging','active','superseded','late','reverted')),
  sealed {{flag}} NOT NULL,
  replaces {{int}} NOT NULL,
  line_count {{int}} NOT NULL
) {{strict}};
CREATE INDEX slot_period ON slot(source_id, cycle, state);
CREATE INDEX slot_cycle ON slot(vendor_id, cycle, state);
CREATE INDEX slot_delivery ON slot(delivery_id);

-- Columns that repeat together; the id is the first 16 bytes of SHA-256 over the content.
CREATE TABLE account_dim (
  id {{bytes}} PRIMARY KEY,
  provider {{text}} NOT NULL,
  publisher {{text}} NOT NULL,
  issuer {{text}} NOT NULL,
  billing_account {{text}} NOT NULL,
  billing_account_name {{text}} NOT NULL,
  sub_account {{text}} NOT NULL,
  sub_account_name {{text}} NOT NULL,
  source_key {{text}} NOT NULL
) {{strict}};

CREATE TABLE product_dim (
  id {{bytes}} PRIMARY KEY,
  service {{text}} NOT NULL,
  service_category {{text}} NOT NULL,
  sku {{text}} NOT NULL,
  sku_price {{text}} NOT NULL,
  description {{text}} NOT NULL,
  region {{text}} NOT NULL,
  region_name {{text}} NOT NULL,
  charge_category {{text}} NOT NULL,
  charge_class {{text}} NOT NULL,
  charge_frequency {{text}} NOT NULL,
  pricing_category {{text}} NOT NULL,
  charging_mode {{text}} NOT NULL,
  unit {{text}} NOT NULL
) {{strict}};

CREATE TABLE resource_dim (
  id {{bytes}} PRIMARY KEY,
  resource {{text}} NOT NULL,
  name {{text}} NOT NULL,
  type {{text}} NOT NULL,
  tags {{text}} NOT NULL
) {{strict}};

-- One imported line. customer_id '' is unmapped, '~' waits to be spread over customers. Exact
-- amounts are canonical decimal text; amount_e8 is the base column rounded once.
CREATE TABLE usage_line (
  slot_id {{int}} NOT NULL,
  customer_id {{key}} NOT NULL,
  charge_start {{instant}} NOT NULL,
  line_key {{bytes}} NOT NULL,
  occurrence {{int}} NOT NULL,
  content_hash {{bytes}} NOT NULL,
  charge_end {{instant}} NOT NULL,
  file_no {{int}} NOT NULL,
  line_no {{int}} NOT NULL,
  account_id {{bytes}} NOT NULL,
  product_id {{bytes}} NOT NULL,
  resource_id {{bytes}} NOT NULL,
  kind {{text}} NOT NULL CHECK (kind IN ('consumption','refund','adjustment','tax')),
  currency {{text}} NOT NULL,
  billed {{text}} NOT NULL,
  list {{text}},
  contracted {{text}},
  effective {{text}},
  quantity {{text}},
  amount_e8 {{money}} NOT NULL,
  rule_id {{key}} NOT NULL,
  PRIMARY KEY (slot_id, customer_id, charge_start, line_key, occurrence)
) {{clustered}};

-- Sums of a slot, written in the transaction that makes it visible or moves its lines. exact is the
-- base column's sum, whose rounded parts are amount_e8; billed is the billed column's.
CREATE TABLE usage_summary (
  slot_id {{int}} NOT NULL,
  customer_id {{key}} NOT NULL,
  account_id {{bytes}} NOT NULL,
  product_id {{bytes}} NOT NULL,
  kind {{text}} NOT NULL,
  currency {{text}} NOT NULL,
  line_count {{int}} NOT NULL,
  amount_e8 {{money}} NOT NULL,
  exact {{text}} NOT NULL,
  billed {{text}} NOT NULL,
  PRIMARY KEY (slot_id, customer_id, account_id, product_id, kind, currency)
) {{clustered}};

-- A row that could not be read; it blocks the close until it is corrected and re-run, or dropped
-- with a reason.
CREATE TABLE quarantine (
  id {{key}} PRIMARY KEY,
  delivery_id {{key}} NOT NULL REFERENCES delivery(id),
  file_no {{int}} NOT NULL,
  line_no {{int}} NOT NULL,
  cycle {{text}} NOT NULL,
  column_name {{text}} NOT NULL,
  value {{text}} NOT NULL,
  code {{text}} NOT NULL,
  args {{text}} NOT NULL,
  raw {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('open','corrected','dropped')),
  correction {{text}} NOT NULL,
  reason {{text}} NOT NULL,
  decided_by {{text}} NOT NULL,
  decided_at {{instant}}
) {{strict}};
CREATE INDEX quarantine_delivery ON quarantine(delivery_id, file_no, line_no);

CREATE TABLE conformance (
  delivery_id {{key}} NOT NULL REFERENCES delivery(id),
  rule {{text}} NOT NULL,
  verdict {{text}} NOT NULL CHECK (verdict IN ('passed','failed','not_machine_checkable','not_applicable')),
  level {{text}} NOT NULL,
  checked {{int}} NOT NULL,
  failed {{int}} NOT NULL,
  samples {{text}} NOT NULL,
  PRIMARY KEY (delivery_id, rule)
) {{strict}};

-- Attribution rules. key_kind: 'explicit' (key is Column=value) or 'plain' (SubAccountId, else the
-- source's chosen key). Rules are never changed: a change ends one and adds another.
CREATE TABLE map_rule (
  id {{key}} PRIMARY KEY,
  source_id {{key}} NOT NULL REFERENCES source(id),
  seq {{int}} NOT NULL,
  key_kind {{text}} NOT NULL CHECK (key_kind IN ('explicit','plain')),
  key {{text}} NOT NULL,
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  valid_from {{instant}},
  valid_to {{instant}},
  ended_seq {{int}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX map_rule_source ON map_rule(source_id, key_kind, key);

-- Where the lines of accounts go while rules change: written, used and emptied within one transaction.
CREATE TABLE move_plan (
  slot_id {{int}} NOT NULL,
  account_id {{bytes}} NOT NULL,
  customer_id {{key}} NOT NULL,
  rule_id {{key}} NOT NULL,
  PRIMARY KEY (slot_id, account_id)
) {{clustered}};
