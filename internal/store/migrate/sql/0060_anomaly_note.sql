-- +goose Up
-- A mark of 消费看板 that somebody explained: what was seen, and who said why.
CREATE TABLE anomaly_note (
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  cycle {{text}} NOT NULL,
  currency {{text}} NOT NULL,
  kind {{text}} NOT NULL CHECK (kind IN ('surge','new_service','missing_days')),
  subject {{text}} NOT NULL,
  note {{text}} NOT NULL,
  person_id {{key}} NOT NULL REFERENCES person(id),
  noted_at {{instant}} NOT NULL,
  PRIMARY KEY (partner_id, customer_id, cycle, currency, kind, subject)
) {{clustered}};
