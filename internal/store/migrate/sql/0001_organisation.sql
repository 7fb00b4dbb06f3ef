-- +goose Up
CREATE TABLE organisation (
  id {{key}} PRIMARY KEY,
  code {{text}} NOT NULL UNIQUE,
  kind {{text}} NOT NULL CHECK (kind IN ('vendor','distributor','solution','reseller','seller','customer')),
  name {{text}} NOT NULL,
  parent_id {{key}} REFERENCES organisation(id),
  created_at {{instant}} NOT NULL,
  CHECK (code <> '' AND name <> '')
) {{strict}};
CREATE INDEX organisation_parent ON organisation(parent_id);

-- 签约主体: the vendor's contracting entities; one is the default.
CREATE TABLE contracting_entity (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  code {{text}} NOT NULL,
  name {{text}} NOT NULL,
  is_default {{flag}} NOT NULL,
  tax_in_due {{flag}} NOT NULL DEFAULT false,
  UNIQUE (vendor_id, code)
) {{strict}};
CREATE UNIQUE INDEX contracting_entity_default ON contracting_entity(vendor_id) WHERE is_default;

-- A partner that deals with a vendor; entity_id overrides the vendor's default entity.
CREATE TABLE partnership (
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  entity_id {{key}} REFERENCES contracting_entity(id),
  created_at {{instant}} NOT NULL,
  PRIMARY KEY (vendor_id, partner_id)
) {{strict}};

-- 关联: which partner a customer belongs to, and how. valid_from null = from the beginning of time,
-- valid_to null = without end; the interval is half open.
CREATE TABLE association (
  id {{key}} PRIMARY KEY,
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  kind {{text}} NOT NULL CHECK (kind IN ('resale','referral')),
  state {{text}} NOT NULL CHECK (state IN ('awaiting_customer','awaiting_partner','active','refused','withdrawn','ended')),
  valid_from {{instant}},
  valid_to {{instant}},
  consent_note {{text}} NOT NULL,
  version {{int}} NOT NULL,
  created_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX association_customer ON association(customer_id);
CREATE INDEX association_partner ON association(partner_id);
