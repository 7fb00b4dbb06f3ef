-- +goose Up
-- The working days on which a vendor's staff were told what is late or due.
CREATE TABLE desk_reminder (
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  on_day {{text}} NOT NULL,
  told_at {{instant}} NOT NULL,
  PRIMARY KEY (vendor_id, on_day)
) {{strict}};
