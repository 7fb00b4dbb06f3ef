-- +goose Up
-- 周报: a view that its person wants by mail every Monday. The token lets one end it from the letter.
CREATE TABLE view_mail (
  person_id {{key}} NOT NULL REFERENCES person(id),
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  path {{text}} NOT NULL,
  name {{text}} NOT NULL,
  token {{text}} NOT NULL UNIQUE,
  lang {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  sent_for {{text}} NOT NULL,
  PRIMARY KEY (person_id, org_id, path, name)
) {{strict}};
