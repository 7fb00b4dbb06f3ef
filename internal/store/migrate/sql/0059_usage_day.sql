-- +goose Up
-- What a customer was charged by day (GMT+8) in a slot, without tax: made from usage_line when the portal has time, and
-- believed only where it amounts to usage_summary.
CREATE TABLE usage_day (
  slot_id {{int}} NOT NULL,
  customer_id {{key}} NOT NULL,
  currency {{text}} NOT NULL,
  day {{text}} NOT NULL,
  line_count {{int}} NOT NULL,
  billed {{text}} NOT NULL,
  PRIMARY KEY (slot_id, customer_id, currency, day)
) {{clustered}};
