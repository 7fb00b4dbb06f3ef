-- +goose Up
-- What a person wants to be told by text messages; without a row none is sent.
CREATE TABLE message_text (
  person_id {{key}} NOT NULL,
  org_id {{key}} NOT NULL,
  category {{text}} NOT NULL CHECK (category IN ('bill','customer','order','incentive','system')),
  PRIMARY KEY (person_id, org_id, category)
) {{strict}};
