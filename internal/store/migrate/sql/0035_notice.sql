-- +goose Up
-- 站点通知: a line over every page. vendor_id null = everybody here, else that vendor and who deals with it.
CREATE TABLE site_notice (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} REFERENCES organisation(id),
  level {{text}} NOT NULL CHECK (level IN ('info','warning')),
  text_zh {{text}} NOT NULL,
  text_en {{text}} NOT NULL,
  starts_at {{instant}} NOT NULL,
  ends_at {{instant}},
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  cleared_at {{instant}}
) {{strict}};
CREATE INDEX site_notice_live ON site_notice(starts_at, id) WHERE cleared_at IS NULL;

CREATE TABLE site_notice_dismissal (
  notice_id {{key}} NOT NULL REFERENCES site_notice(id),
  person_id {{key}} NOT NULL,
  dismissed_at {{instant}} NOT NULL,
  PRIMARY KEY (notice_id, person_id)
) {{strict}};
