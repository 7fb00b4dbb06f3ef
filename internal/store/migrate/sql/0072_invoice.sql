-- +goose Up
-- 发票信息: the versions of a partner's one title; the highest is valid.
CREATE TABLE invoice_title (
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  version {{int}} NOT NULL,
  kind {{text}} NOT NULL CHECK (kind IN ('company','personal','organisation')),
  name {{text}} NOT NULL,
  tax_no {{text}} NOT NULL,
  bank {{text}} NOT NULL,
  account {{text}} NOT NULL,
  address {{text}} NOT NULL,
  phone {{text}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  PRIMARY KEY (partner_id, version)
) {{strict}};

-- 邮寄地址. One that was taken off stays, because requests name it.
CREATE TABLE invoice_address (
  id {{key}} PRIMARY KEY,
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  recipient {{text}} NOT NULL,
  phone {{text}} NOT NULL,
  region {{text}} NOT NULL,
  detail {{text}} NOT NULL,
  postcode {{text}} NOT NULL,
  retired {{flag}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX invoice_address_partner ON invoice_address(partner_id);

-- Since when an entity (签约主体) issues nothing but 数电票.
CREATE TABLE invoice_digital (
  entity_id {{key}} PRIMARY KEY REFERENCES contracting_entity(id),
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  from_at {{instant}} NOT NULL,
  set_by {{text}} NOT NULL,
  set_at {{instant}} NOT NULL
) {{strict}};

-- 发票申请 with title and address as they stood when it was submitted. issuer_id is the vendor, or a seller of the
-- marketplace.
CREATE TABLE invoice_request (
  id {{key}} PRIMARY KEY,
  number {{text}} NOT NULL,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  issuer_id {{key}} NOT NULL REFERENCES organisation(id),
  issuer {{text}} NOT NULL CHECK (issuer IN ('vendor','seller')),
  goods {{text}} NOT NULL CHECK (goods IN ('','general','selected')),
  entity_id {{key}} NOT NULL REFERENCES contracting_entity(id),
  method {{text}} NOT NULL CHECK (method IN ('cycle','order','amount')),
  currency {{text}} NOT NULL,
  amount_e8 {{money}} NOT NULL,
  kind {{text}} NOT NULL CHECK (kind IN ('ordinary','special')),
  medium {{text}} NOT NULL CHECK (medium IN ('paper','electronic','digital')),
  title_kind {{text}} NOT NULL,
  title_version {{int}} NOT NULL,
  title_name {{text}} NOT NULL,
  title_tax_no {{text}} NOT NULL,
  title_bank {{text}} NOT NULL,
  title_account {{text}} NOT NULL,
  title_address {{text}} NOT NULL,
  title_phone {{text}} NOT NULL,
  address_id {{key}} REFERENCES invoice_address(id),
  recipient {{text}} NOT NULL,
  phone {{text}} NOT NULL,
  region {{text}} NOT NULL,
  detail {{text}} NOT NULL,
  postcode {{text}} NOT NULL,
  email {{text}} NOT NULL,
  remark {{text}} NOT NULL,
  courier_ok {{flag}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('draft','pending','refused','issuing','cancelling','cancelled','cancel_refused','posted','issued','returning','return_refused','returned','deleted')),
  version {{int}} NOT NULL,
  reason {{text}} NOT NULL,
  invoice_code {{text}} NOT NULL,
  invoice_number {{text}} NOT NULL,
  invoiced_on {{text}} NOT NULL,
  courier {{text}} NOT NULL,
  tracking {{text}} NOT NULL,
  return_reason {{text}} NOT NULL,
  red_confirmed {{flag}} NOT NULL,
  person_id {{key}} NOT NULL,
  login {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  submitted_at {{instant}},
  changed_at {{instant}} NOT NULL,
  UNIQUE (vendor_id, number)
) {{strict}};
CREATE INDEX invoice_request_partner ON invoice_request(partner_id);
CREATE INDEX invoice_request_vendor ON invoice_request(vendor_id, state);
CREATE UNIQUE INDEX invoice_request_number ON invoice_request(issuer_id, invoice_code, invoice_number) WHERE invoice_number <> '';

-- What a request takes of a bill, or of one order on it.
CREATE TABLE invoice_part (
  request_id {{key}} NOT NULL REFERENCES invoice_request(id),
  part_no {{int}} NOT NULL,
  bill_id {{key}} NOT NULL REFERENCES bill(id),
  order_no {{text}} NOT NULL,
  amount_e8 {{money}} NOT NULL,
  PRIMARY KEY (request_id, part_no)
) {{strict}};
CREATE INDEX invoice_part_bill ON invoice_part(bill_id);

-- Electronic invoices as the issuer uploaded them, in pieces.
CREATE TABLE invoice_file (
  request_id {{key}} NOT NULL REFERENCES invoice_request(id),
  format {{text}} NOT NULL CHECK (format IN ('ofd','pdf','xml')),
  bytes {{int}} NOT NULL,
  sha {{text}} NOT NULL,
  uploaded_by {{text}} NOT NULL,
  uploaded_at {{instant}} NOT NULL,
  PRIMARY KEY (request_id, format)
) {{strict}};

CREATE TABLE invoice_piece (
  request_id {{key}} NOT NULL REFERENCES invoice_request(id),
  format {{text}} NOT NULL,
  piece_no {{int}} NOT NULL,
  body {{bytes}} NOT NULL,
  PRIMARY KEY (request_id, format, piece_no)
) {{clustered}};
