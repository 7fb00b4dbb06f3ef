-- +goose Up
-- Settlement price rules; versions are immutable rows. ended_seq 0 = in force, -1 = a draft given up.
-- seq counts every change of a vendor's price book, so (vendor, seq) names one state of it.
CREATE TABLE price_rule (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  number {{int}} NOT NULL,
  version {{int}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('draft','active')),
  seq {{int}} NOT NULL,
  ended_seq {{int}} NOT NULL,
  partner_id {{key}} REFERENCES organisation(id),
  customer_id {{key}} REFERENCES organisation(id),
  provider {{text}} NOT NULL,
  product {{text}} NOT NULL,
  charging_mode {{text}} NOT NULL,
  region {{text}} NOT NULL,
  type {{text}} NOT NULL CHECK (type IN ('normal','promotion','no_discount','special')),
  base {{text}} NOT NULL CHECK (base IN ('list','contracted','billed')),
  factor {{text}} NOT NULL,
  valid_from {{text}} NOT NULL,
  valid_to {{text}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  UNIQUE (vendor_id, number, version)
) {{strict}};

CREATE TABLE month_close (
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  cycle {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('open','frozen','draft','reviewed','issued')),
  version {{int}} NOT NULL,
  price_seq {{int}} NOT NULL,
  data {{text}} NOT NULL DEFAULT '',
  override_note {{text}} NOT NULL,
  override_by {{text}} NOT NULL,
  frozen_at {{instant}},
  drafted_at {{instant}},
  reviewed_at {{instant}},
  issued_at {{instant}},
  PRIMARY KEY (vendor_id, cycle)
) {{strict}};

CREATE TABLE close_step (
  vendor_id {{key}} NOT NULL,
  cycle {{text}} NOT NULL,
  run {{int}} NOT NULL,
  step {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('begun','done','failed')),
  detail {{text}} NOT NULL,
  begun_at {{instant}} NOT NULL,
  done_at {{instant}},
  PRIMARY KEY (vendor_id, cycle, run, step)
) {{strict}};

CREATE TABLE bill (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  seller_id {{key}} NOT NULL REFERENCES organisation(id),
  cycle {{text}} NOT NULL,
  currency {{text}} NOT NULL,
  entity_id {{key}} NOT NULL REFERENCES contracting_entity(id),
  state {{text}} NOT NULL CHECK (state IN ('draft','reviewed','issued')),
  version {{int}} NOT NULL,
  line_count {{int}} NOT NULL,
  consumption_e8 {{money}} NOT NULL,
  refund_e8 {{money}} NOT NULL,
  adjustment_e8 {{money}} NOT NULL,
  coupon_e8 {{money}} NOT NULL,
  rounding_e8 {{money}} NOT NULL,
  tax_e8 {{money}} NOT NULL,
  tax_in_due {{flag}} NOT NULL,
  due_e8 {{money}} NOT NULL,
  source_total {{text}} NOT NULL,
  exact_total {{text}} NOT NULL,
  tax_exact {{text}} NOT NULL,
  price_seq {{int}} NOT NULL,
  code {{text}} NOT NULL,
  override_note {{text}} NOT NULL,
  drafted_at {{instant}} NOT NULL,
  issued_at {{instant}},
  UNIQUE (vendor_id, partner_id, cycle, currency, entity_id)
) {{strict}};
CREATE INDEX bill_partner ON bill(partner_id, cycle);

-- One row per group of lines with one price: what a bill is made of and what explains it.
CREATE TABLE bill_item (
  bill_id {{key}} NOT NULL REFERENCES bill(id),
  item_no {{int}} NOT NULL,
  customer_id {{key}} REFERENCES organisation(id),
  origin {{text}} NOT NULL CHECK (origin IN ('usage','spread','adjustment')),
  provider {{text}} NOT NULL,
  product {{text}} NOT NULL,
  region {{text}} NOT NULL,
  charging_mode {{text}} NOT NULL,
  kind {{text}} NOT NULL CHECK (kind IN ('consumption','refund','adjustment','coupon','tax')),
  rule_id {{key}} NOT NULL,
  rule_number {{int}} NOT NULL,
  rule_version {{int}} NOT NULL,
  rule_type {{text}} NOT NULL,
  base {{text}} NOT NULL,
  factor {{text}} NOT NULL,
  line_count {{int}} NOT NULL,
  source_exact {{text}} NOT NULL,
  base_exact {{text}} NOT NULL,
  exact {{text}} NOT NULL,
  amount_e8 {{money}} NOT NULL,
  adjustment_id {{key}} NOT NULL,
  PRIMARY KEY (bill_id, item_no)
) {{strict}};

-- Adjustment lines of an open cycle: remapped, late, corrected or entered by staff.
-- customer_id null: the lines had no customer. base is Σ billed of the lines with the sign of the
-- side, tax apart in tax_base.
CREATE TABLE adjustment (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  cycle {{text}} NOT NULL,
  corrects_cycle {{text}} NOT NULL,
  kind {{text}} NOT NULL CHECK (kind IN ('remap','late','staff')),
  state {{text}} NOT NULL CHECK (state IN ('proposed','approved','rejected')),
  version {{int}} NOT NULL,
  pair_id {{key}} NOT NULL,
  side {{text}} NOT NULL CHECK (side IN ('out','in','')),
  source_id {{key}} REFERENCES source(id),
  key {{text}} NOT NULL,
  customer_id {{key}} REFERENCES organisation(id),
  partner_id {{key}} REFERENCES organisation(id),
  currency {{text}} NOT NULL,
  base {{text}} NOT NULL,
  tax_base {{text}} NOT NULL,
  line_count {{int}} NOT NULL,
  price_seq {{int}} NOT NULL,
  reason {{text}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  approved_by {{text}} NOT NULL,
  approved_at {{instant}}
) {{strict}};
CREATE INDEX adjustment_cycle ON adjustment(vendor_id, cycle, state);

-- What an adjustment is worth for each partner that is billed for the customer.
CREATE TABLE adjustment_price (
  adjustment_id {{key}} NOT NULL REFERENCES adjustment(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  kind {{text}} NOT NULL CHECK (kind IN ('adjustment','tax')),
  rule_id {{key}} NOT NULL,
  rule_number {{int}} NOT NULL,
  rule_version {{int}} NOT NULL,
  rule_type {{text}} NOT NULL,
  base_column {{text}} NOT NULL,
  factor {{text}} NOT NULL,
  line_count {{int}} NOT NULL,
  source_exact {{text}} NOT NULL,
  base_exact {{text}} NOT NULL,
  exact {{text}} NOT NULL,
  amount_e8 {{money}} NOT NULL,
  PRIMARY KEY (adjustment_id, partner_id, kind, rule_id, base_column)
) {{strict}};

-- The lines an adjustment moves; sign −1 where they are taken away.
CREATE TABLE adjustment_move (
  adjustment_id {{key}} NOT NULL REFERENCES adjustment(id),
  slot_id {{int}} NOT NULL,
  customer_id {{key}} NOT NULL,
  charge_start {{instant}} NOT NULL,
  line_key {{bytes}} NOT NULL,
  occurrence {{int}} NOT NULL,
  sign {{int}} NOT NULL,
  PRIMARY KEY (adjustment_id, slot_id, customer_id, charge_start, line_key, occurrence)
) {{strict}};
