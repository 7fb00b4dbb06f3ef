-- +goose Up
-- Customers that vendor staff entered themselves; others are the vendor's by its attribution rules.
CREATE TABLE vendor_customer (
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  PRIMARY KEY (vendor_id, customer_id)
) {{strict}};

-- 客户分配: a customer in the care of a 客户经理 during [valid_from, valid_to).
CREATE TABLE assignment (
  id {{key}} PRIMARY KEY,
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  person_id {{key}} NOT NULL,
  valid_from {{instant}} NOT NULL,
  valid_to {{instant}},
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX assignment_customer ON assignment(partner_id, customer_id);

-- login_key is the login in lower case: logins differ by more than case.
CREATE TABLE person (
  id {{key}} PRIMARY KEY,
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  login {{text}} NOT NULL,
  login_key {{text}} NOT NULL UNIQUE,
  name {{text}} NOT NULL,
  phone {{text}} NOT NULL,
  email {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('active','disabled')),
  password_hash {{text}} NOT NULL,
  must_change {{flag}} NOT NULL,
  supervisor_id {{key}},
  created_at {{instant}} NOT NULL,
  password_changed_at {{instant}} NOT NULL,
  last_sign_in_at {{instant}}
) {{strict}};
CREATE INDEX person_org ON person(org_id);
CREATE INDEX person_supervisor ON person(supervisor_id);

-- A role (preset or custom, by code) a person holds in an organisation.
CREATE TABLE role_grant (
  person_id {{key}} NOT NULL REFERENCES person(id),
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  role {{text}} NOT NULL,
  PRIMARY KEY (person_id, org_id, role)
) {{strict}};
CREATE INDEX role_grant_org ON role_grant(org_id);

CREATE TABLE custom_role (
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  code {{text}} NOT NULL,
  name {{text}} NOT NULL,
  updated_at {{instant}} NOT NULL,
  PRIMARY KEY (org_id, code)
) {{strict}};

CREATE TABLE custom_role_item (
  org_id {{key}} NOT NULL,
  code {{text}} NOT NULL,
  item {{text}} NOT NULL,
  PRIMARY KEY (org_id, code, item),
  FOREIGN KEY (org_id, code) REFERENCES custom_role(org_id, code)
) {{strict}};

-- Failed sign-ins of a login or an address, by hash of what was typed.
CREATE TABLE sign_in_throttle (
  kind {{text}} NOT NULL CHECK (kind IN ('login','ip')),
  key_hash {{text}} NOT NULL,
  failures {{int}} NOT NULL,
  last_at {{instant}} NOT NULL,
  locked_until {{instant}},
  PRIMARY KEY (kind, key_hash)
) {{strict}};
CREATE INDEX sign_in_throttle_last ON sign_in_throttle(last_at);

-- The secret is sealed with the installation's key; counter is the last period whose code passed.
CREATE TABLE second_factor (
  person_id {{key}} PRIMARY KEY REFERENCES person(id),
  secret {{bytes}} NOT NULL,
  counter {{int}} NOT NULL,
  confirmed_at {{instant}}
) {{strict}};

CREATE TABLE recovery_code (
  person_id {{key}} NOT NULL REFERENCES person(id),
  hash {{bytes}} NOT NULL,
  used_at {{instant}},
  PRIMARY KEY (person_id, hash)
) {{strict}};

-- First-run links, by hash of their token.
CREATE TABLE setup_link (
  hash {{bytes}} PRIMARY KEY,
  created_at {{instant}} NOT NULL,
  expires_at {{instant}} NOT NULL,
  used_at {{instant}}
) {{strict}};

-- Sessions, by SHA-256 of the token in the cookie. A revoked one stays until it would have expired,
-- so that a request under way cannot bring it back.
CREATE TABLE session (
  token_hash {{bytes}} PRIMARY KEY,
  person_id {{key}} NOT NULL,
  handle {{key}} NOT NULL UNIQUE,
  data {{bytes}} NOT NULL,
  ip {{text}} NOT NULL,
  agent {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  seen_at {{instant}} NOT NULL,
  expires_at {{instant}} NOT NULL,
  revoked_at {{instant}}
) {{strict}};
CREATE INDEX session_person ON session(person_id);
CREATE INDEX session_expires ON session(expires_at);
