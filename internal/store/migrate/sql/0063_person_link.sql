-- +goose Up
-- A link that lets a person choose a password: an invitation, or a reset by an administrator. Its token is made of
-- the id and the installation's key, and so stands nowhere.
CREATE TABLE person_link (
  id {{key}} PRIMARY KEY,
  person_id {{key}} NOT NULL REFERENCES person(id),
  purpose {{text}} NOT NULL CHECK (purpose IN ('invitation','reset')),
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  expires_at {{instant}} NOT NULL,
  ended_at {{instant}},
  used {{flag}} NOT NULL
) {{strict}};
CREATE INDEX person_link_person ON person_link(person_id);

-- 客户联系人: the persons of an organisation that are named to its customers.
CREATE TABLE customer_contact (
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  person_id {{key}} NOT NULL REFERENCES person(id),
  added_at {{instant}} NOT NULL,
  PRIMARY KEY (org_id, person_id)
) {{strict}};
