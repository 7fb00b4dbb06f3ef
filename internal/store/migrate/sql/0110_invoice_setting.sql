-- +goose Up
-- How a vendor sends paper invoices: in how many days one that is not signed for counts as received, and its couriers, one a
-- line, each with the page where a letter is followed.
CREATE TABLE invoice_setting (
  vendor_id {{key}} PRIMARY KEY REFERENCES organisation(id),
  sign_days {{int}} NOT NULL CHECK (sign_days > 0),
  couriers {{text}} NOT NULL,
  set_by {{text}} NOT NULL,
  set_at {{instant}} NOT NULL
) {{strict}};

-- When a posted letter counts as received; what was posted before has fifteen days.
ALTER TABLE invoice_request ADD COLUMN sign_by {{instant}};
