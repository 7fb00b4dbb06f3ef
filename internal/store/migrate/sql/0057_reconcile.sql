-- +goose Up
-- 对账比对: what differs between two lists, for who compared them, until it expires. Rows are the differences alone.
CREATE TABLE reconcile_run (
  id {{key}} PRIMARY KEY,
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  person_id {{key}} NOT NULL,
  login {{text}} NOT NULL,
  key_kind {{text}} NOT NULL,
  currency {{text}} NOT NULL,
  left_label {{text}} NOT NULL,
  right_label {{text}} NOT NULL,
  left_rows {{int}} NOT NULL,
  right_rows {{int}} NOT NULL,
  left_total {{text}} NOT NULL,
  right_total {{text}} NOT NULL,
  added_rows {{int}} NOT NULL,
  added_sum {{text}} NOT NULL,
  removed_rows {{int}} NOT NULL,
  removed_sum {{text}} NOT NULL,
  changed_rows {{int}} NOT NULL,
  changed_sum {{text}} NOT NULL,
  same_rows {{int}} NOT NULL,
  created_at {{instant}} NOT NULL,
  expires_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX reconcile_run_person ON reconcile_run(org_id, person_id, created_at);

CREATE TABLE reconcile_row (
  run_id {{key}} NOT NULL,
  row_no {{int}} NOT NULL,
  class {{text}} NOT NULL CHECK (class IN ('added','removed','changed')),
  row_key {{text}} NOT NULL,
  left_exact {{text}} NOT NULL,
  right_exact {{text}} NOT NULL,
  PRIMARY KEY (run_id, row_no)
) {{clustered}};
