-- +goose Up
-- 视图: a filter of a list that a person gave a name. Nothing is kept but the address.
CREATE TABLE list_view (
  person_id {{key}} NOT NULL REFERENCES person(id),
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  path {{text}} NOT NULL,
  name {{text}} NOT NULL,
  query {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  PRIMARY KEY (person_id, org_id, path, name)
) {{strict}};
