-- +goose Up
-- 券管理. A quota is an amount from which vouchers are cut; its value is what remains and what was issued, less what came
-- back, whatever program writes it. limits is JSON text, never queried inside.
CREATE TABLE coupon_quota (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  number {{int}} NOT NULL,
  owner_id {{key}} NOT NULL REFERENCES organisation(id),
  parent_id {{key}} REFERENCES coupon_quota(id),
  giver_id {{key}} NOT NULL REFERENCES organisation(id),
  kind {{text}} NOT NULL CHECK (kind IN ('voucher','cash')),
  currency {{text}} NOT NULL,
  value_e8 {{money}} NOT NULL CHECK (value_e8 >= 0),
  balance_e8 {{money}} NOT NULL CHECK (balance_e8 >= 0),
  issued_e8 {{money}} NOT NULL CHECK (issued_e8 >= 0),
  returned_e8 {{money}} NOT NULL CHECK (returned_e8 >= 0 AND returned_e8 <= issued_e8),
  state {{text}} NOT NULL CHECK (state IN ('pending','normal','adjusting','frozen','invalid','reclaimed','refused')),
  valid_from {{instant}} NOT NULL,
  valid_to {{instant}} NOT NULL,
  limits {{text}} NOT NULL,
  memo {{text}} NOT NULL,
  change_e8 {{money}} NOT NULL,
  proposed_by {{text}} NOT NULL,
  decided_by {{text}} NOT NULL,
  reason {{text}} NOT NULL,
  version {{int}} NOT NULL,
  created_at {{instant}} NOT NULL,
  changed_at {{instant}} NOT NULL,
  UNIQUE (vendor_id, number),
  CHECK (value_e8 = balance_e8 + issued_e8 - returned_e8)
) {{strict}};
CREATE INDEX coupon_quota_owner ON coupon_quota(owner_id);
CREATE INDEX coupon_quota_giver ON coupon_quota(giver_id);

-- A voucher somebody holds: a partner, whose bills it pays at the close, or a customer.
CREATE TABLE coupon (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  number {{int}} NOT NULL,
  quota_id {{key}} REFERENCES coupon_quota(id),
  issuer_id {{key}} NOT NULL REFERENCES organisation(id),
  holder_id {{key}} NOT NULL REFERENCES organisation(id),
  level {{text}} NOT NULL CHECK (level IN ('partner','customer')),
  kind {{text}} NOT NULL CHECK (kind IN ('voucher','cash')),
  currency {{text}} NOT NULL,
  face_e8 {{money}} NOT NULL CHECK (face_e8 > 0),
  balance_e8 {{money}} NOT NULL CHECK (balance_e8 >= 0),
  used_e8 {{money}} NOT NULL CHECK (used_e8 >= 0),
  returned_e8 {{money}} NOT NULL CHECK (returned_e8 >= 0),
  state {{text}} NOT NULL CHECK (state IN ('inactive','usable','used','expired','reclaimed','refused')),
  valid_from {{instant}} NOT NULL,
  valid_to {{instant}} NOT NULL,
  limits {{text}} NOT NULL,
  lock_order {{text}} NOT NULL,
  frozen {{flag}} NOT NULL,
  memo {{text}} NOT NULL,
  issued_by {{text}} NOT NULL,
  decided_by {{text}} NOT NULL,
  reason {{text}} NOT NULL,
  used_at {{instant}},
  version {{int}} NOT NULL,
  created_at {{instant}} NOT NULL,
  changed_at {{instant}} NOT NULL,
  UNIQUE (vendor_id, number),
  CHECK (face_e8 = balance_e8 + used_e8 + returned_e8)
) {{strict}};
CREATE INDEX coupon_issuer ON coupon(issuer_id);
CREATE INDEX coupon_holder ON coupon(holder_id, state);
CREATE INDEX coupon_quota_of ON coupon(quota_id);
CREATE INDEX coupon_ending ON coupon(state, valid_to);

-- 操作记录: an operation as one side's log has it; code is why it failed.
CREATE TABLE coupon_record (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  other_id {{key}} REFERENCES organisation(id),
  operation {{text}} NOT NULL CHECK (operation IN ('issue','reclaim','unlink','expire','refund','reversal','link','switch','move','grant_quota','take_quota')),
  quota_id {{key}} REFERENCES coupon_quota(id),
  coupon_id {{key}} REFERENCES coupon(id),
  customer_id {{key}} REFERENCES organisation(id),
  amount_e8 {{money}} NOT NULL,
  currency {{text}} NOT NULL,
  code {{text}} NOT NULL,
  operator {{text}} NOT NULL,
  remark {{text}} NOT NULL,
  at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX coupon_record_org ON coupon_record(org_id, at);
CREATE INDEX coupon_record_coupon ON coupon_record(coupon_id);
CREATE INDEX coupon_record_quota ON coupon_record(quota_id);

-- 使用记录: what a voucher paid, of a line of a bill (cycle set) or of an order. Below zero: given back.
CREATE TABLE coupon_use (
  id {{key}} PRIMARY KEY,
  coupon_id {{key}} NOT NULL REFERENCES coupon(id),
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  cycle {{text}} NOT NULL,
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  currency {{text}} NOT NULL,
  entity_id {{key}} NOT NULL,
  customer_id {{key}} REFERENCES organisation(id),
  order_id {{text}} NOT NULL,
  seq {{int}} NOT NULL,
  slot_id {{int}} NOT NULL,
  charge_start {{text}} NOT NULL,
  line_key {{bytes}},
  occurrence {{int}} NOT NULL,
  part {{flag}} NOT NULL,
  item_no {{int}} NOT NULL,
  provider {{text}} NOT NULL,
  service {{text}} NOT NULL,
  sku {{text}} NOT NULL,
  region {{text}} NOT NULL,
  charging_mode {{text}} NOT NULL,
  line_e8 {{money}} NOT NULL,
  before_e8 {{money}} NOT NULL,
  amount_e8 {{money}} NOT NULL,
  at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX coupon_use_coupon ON coupon_use(coupon_id, at);
CREATE INDEX coupon_use_bill ON coupon_use(vendor_id, cycle, partner_id, currency, entity_id, seq);

-- The lines of a bill that vouchers paid.
ALTER TABLE bill_item ADD COLUMN coupon_id {{key}} NOT NULL DEFAULT '';
