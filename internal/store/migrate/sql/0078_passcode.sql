-- +goose Up
-- 验证码: codes sent for one act each. seal is a keyed hash; the figures stand nowhere.
CREATE TABLE passcode (
  id {{key}} PRIMARY KEY,
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  person_id {{key}} NOT NULL REFERENCES person(id),
  operation {{text}} NOT NULL CHECK (operation IN ('relation','withdraw','remittance','allocate','payment','contract','coupon','choice')),
  content {{bytes}} NOT NULL,
  seal {{bytes}} NOT NULL,
  channel {{text}} NOT NULL CHECK (channel IN ('mail','text')),
  sent_to {{text}} NOT NULL,
  wrong {{int}} NOT NULL CHECK (wrong >= 0),
  sent_at {{instant}} NOT NULL,
  expires_at {{instant}} NOT NULL,
  used_at {{instant}}
) {{strict}};
CREATE INDEX passcode_person ON passcode(person_id, sent_at);

-- Who wants to be asked: a person, or with person_id '' everybody of the organisation.
CREATE TABLE passcode_choice (
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  person_id {{key}} NOT NULL,
  asked {{flag}} NOT NULL,
  channel {{text}} NOT NULL CHECK (channel IN ('mail','text')),
  changed_at {{instant}} NOT NULL,
  PRIMARY KEY (org_id, person_id)
) {{strict}};
