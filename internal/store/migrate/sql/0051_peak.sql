-- +goose Up
-- 月结95峰值: a hand-over of five-minute points.
CREATE TABLE peak_import (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  source_id {{key}} NOT NULL REFERENCES source(id),
  number {{int}} NOT NULL,
  name {{text}} NOT NULL,
  content_sha {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('staging','active','reverted')),
  actor {{text}} NOT NULL,
  received_at {{instant}} NOT NULL,
  points {{int}} NOT NULL,
  resources {{int}} NOT NULL,
  days {{int}} NOT NULL,
  replaced {{int}} NOT NULL,
  quarantined {{int}} NOT NULL
) {{strict}};
CREATE INDEX peak_import_vendor ON peak_import(vendor_id, number);

-- A resource that is measured, under one usage type.
CREATE TABLE peak_series (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  product {{text}} NOT NULL,
  resource {{text}} NOT NULL,
  name {{text}} NOT NULL,
  region {{text}} NOT NULL,
  usage_type {{text}} NOT NULL,
  unit {{text}} NOT NULL,
  UNIQUE (vendor_id, customer_id, product, resource, usage_type)
) {{strict}};
CREATE INDEX peak_series_customer ON peak_series(customer_id);

-- The points of a day, packed. Live = in force; replaced_by = the import whose points took their place.
CREATE TABLE peak_day (
  series_id {{key}} NOT NULL REFERENCES peak_series(id),
  day {{text}} NOT NULL,
  import_id {{key}} NOT NULL REFERENCES peak_import(id),
  live {{flag}} NOT NULL,
  replaced_by {{key}},
  points {{bytes}} NOT NULL,
  PRIMARY KEY (series_id, day, import_id)
) {{clustered}};
CREATE INDEX peak_day_import ON peak_day(import_id);
CREATE INDEX peak_day_replaced ON peak_day(replaced_by) WHERE replaced_by IS NOT NULL;

-- What a unit costs in a month, as an import named it.
CREATE TABLE peak_price (
  series_id {{key}} NOT NULL REFERENCES peak_series(id),
  cycle {{text}} NOT NULL,
  import_id {{key}} NOT NULL REFERENCES peak_import(id),
  unit_price {{text}},
  discount {{text}},
  currency {{text}} NOT NULL,
  guaranteed {{text}},
  PRIMARY KEY (series_id, cycle, import_id)
) {{clustered}};
CREATE INDEX peak_price_import ON peak_price(import_id);

-- What the points in force of a month come to.
CREATE TABLE peak_month (
  series_id {{key}} NOT NULL REFERENCES peak_series(id),
  cycle {{text}} NOT NULL,
  points {{int}} NOT NULL,
  effective {{int}} NOT NULL,
  days {{int}} NOT NULL,
  dropped {{int}} NOT NULL,
  billing {{text}},
  peak {{text}},
  unit_price {{text}},
  discount {{text}},
  currency {{text}} NOT NULL,
  guaranteed {{text}},
  changed_at {{instant}} NOT NULL,
  PRIMARY KEY (series_id, cycle)
) {{clustered}};
CREATE INDEX peak_month_cycle ON peak_month(cycle, series_id);

-- Rows of a file that could not be read.
CREATE TABLE peak_quarantine (
  import_id {{key}} NOT NULL REFERENCES peak_import(id),
  number {{int}} NOT NULL,
  file {{text}} NOT NULL,
  line_no {{int}} NOT NULL,
  name {{text}} NOT NULL,
  value {{text}} NOT NULL,
  code {{text}} NOT NULL,
  args {{text}} NOT NULL,
  raw {{text}} NOT NULL,
  PRIMARY KEY (import_id, number)
) {{clustered}};
