-- +goose Up
-- Which columns a person wants to see of a list, in order; the list's own where there is no row.
CREATE TABLE list_columns (
  person_id {{key}} NOT NULL REFERENCES person(id),
  list {{text}} NOT NULL,
  keys {{text}} NOT NULL,
  updated_at {{instant}} NOT NULL,
  PRIMARY KEY (person_id, list)
) {{strict}};
