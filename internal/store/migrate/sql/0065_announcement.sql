-- +goose Up
-- 公告: what a vendor tells those it deals with on their front page, between two dates.
CREATE TABLE announcement (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  audience {{text}} NOT NULL CHECK (audience IN ('all','partners','distributors','resellers','customers')),
  title_zh {{text}} NOT NULL,
  title_en {{text}} NOT NULL,
  body_zh {{text}} NOT NULL,
  body_en {{text}} NOT NULL,
  starts_at {{instant}} NOT NULL,
  ends_at {{instant}},
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  withdrawn_at {{instant}}
) {{strict}};
CREATE INDEX announcement_vendor ON announcement(vendor_id, starts_at);
