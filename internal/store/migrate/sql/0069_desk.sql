-- +goose Up
-- 工作日历: the days a vendor set itself, over the calendar the program brings.
CREATE TABLE calendar_day (
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  on_day {{text}} NOT NULL,
  kind {{text}} NOT NULL CHECK (kind IN ('rest','work')),
  note {{text}} NOT NULL,
  changed_by {{text}} NOT NULL,
  changed_at {{instant}} NOT NULL,
  PRIMARY KEY (vendor_id, on_day)
) {{strict}};

-- The years whose arrangement a vendor entered whole.
CREATE TABLE calendar_year (
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  year {{int}} NOT NULL,
  changed_by {{text}} NOT NULL,
  changed_at {{instant}} NOT NULL,
  PRIMARY KEY (vendor_id, year)
) {{strict}};

-- 双人复核: up to and with this amount one person decides.
CREATE TABLE approval_limit (
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  kind {{text}} NOT NULL,
  currency {{text}} NOT NULL,
  amount_e8 {{money}} NOT NULL,
  version {{int}} NOT NULL,
  changed_by {{text}} NOT NULL,
  changed_at {{instant}} NOT NULL,
  PRIMARY KEY (vendor_id, kind, currency)
) {{strict}};
