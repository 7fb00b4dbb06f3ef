-- +goose Up
-- 信用额度调整: a partner's line that is to be, or was, another; one of a line waits at most.
CREATE TABLE credit_change (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  currency {{text}} NOT NULL,
  was_e8 {{money}} NOT NULL,
  line_e8 {{money}} NOT NULL,
  memo {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('proposed','approved','refused','withdrawn')),
  version {{int}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  decided_by {{text}} NOT NULL,
  decided_at {{instant}},
  reason {{text}} NOT NULL
) {{strict}};
CREATE INDEX credit_change_vendor ON credit_change(vendor_id, created_at);
CREATE UNIQUE INDEX credit_change_open ON credit_change(vendor_id, partner_id, currency) WHERE state = 'proposed';
