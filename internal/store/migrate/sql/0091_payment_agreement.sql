-- +goose Up
-- 第三方代付协议: whose transfers count as a partner's own, on which days (GMT+8, both included).
CREATE TABLE payment_agreement (
  id {{key}} PRIMARY KEY,
  number {{text}} NOT NULL,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  kind {{text}} NOT NULL CHECK (kind IN ('standing','single')),
  payer_kind {{text}} NOT NULL CHECK (payer_kind IN ('company','person')),
  payer {{text}} NOT NULL,
  begins_on {{text}} NOT NULL,
  ends_on {{text}} NOT NULL,
  remark {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('draft','reviewing','approved','active','refused','voided','expired','deleted')),
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
CREATE INDEX payment_agreement_partner ON payment_agreement(partner_id, created_at);
CREATE INDEX payment_agreement_vendor ON payment_agreement(vendor_id, created_at);

-- What was signed, as a file in pieces; subject_id is what it is the paper of.
CREATE TABLE paper (
  subject_id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  format {{text}} NOT NULL CHECK (format IN ('pdf','png','jpg')),
  bytes {{int}} NOT NULL,
  sha {{text}} NOT NULL,
  uploaded_by {{text}} NOT NULL,
  uploaded_at {{instant}} NOT NULL
) {{strict}};

CREATE TABLE paper_piece (
  subject_id {{key}} NOT NULL,
  piece_no {{int}} NOT NULL,
  body {{bytes}} NOT NULL,
  PRIMARY KEY (subject_id, piece_no)
) {{clustered}};

CREATE INDEX remittance_held ON remittance(vendor_id, account_no) WHERE state = 'unclaimed';
