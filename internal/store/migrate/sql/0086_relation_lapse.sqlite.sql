-- +goose Up
-- A request nobody answers lapses (已失效); those that wait already do so thirty days after they were asked.
CREATE TABLE relation_request_new (
  id {{key}} PRIMARY KEY,
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  association_id {{key}} NOT NULL REFERENCES association(id),
  kind {{text}} NOT NULL CHECK (kind IN ('switch','dissolve')),
  from_kind {{text}} NOT NULL,
  to_kind {{text}} NOT NULL,
  asked_by {{text}} NOT NULL CHECK (asked_by IN ('partner','customer')),
  login {{text}} NOT NULL,
  takes_effect {{text}} NOT NULL CHECK (takes_effect IN ('consent','next_month')),
  reason {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('awaiting_customer','awaiting_partner','agreed','refused','withdrawn','lapsed')),
  effective_at {{instant}},
  decided_at {{instant}},
  decided_by {{text}} NOT NULL,
  answer {{text}} NOT NULL,
  version {{int}} NOT NULL,
  created_at {{instant}} NOT NULL,
  changed_at {{instant}} NOT NULL
) {{strict}};
INSERT INTO relation_request_new (id, customer_id, partner_id, association_id, kind, from_kind, to_kind, asked_by, login, takes_effect, reason, state, effective_at, decided_at, decided_by, answer, version, created_at, changed_at)
SELECT id, customer_id, partner_id, association_id, kind, from_kind, to_kind, asked_by, login, takes_effect, reason, state, effective_at, decided_at, decided_by, answer, version, created_at, changed_at FROM relation_request;
DROP TABLE relation_request;
ALTER TABLE relation_request_new RENAME TO relation_request;
CREATE INDEX relation_request_customer ON relation_request(customer_id);
CREATE INDEX relation_request_partner ON relation_request(partner_id);
INSERT INTO due_change (machine, entity, action, due_at, tries)
SELECT 'relation', id, 'lapse', date(substr(created_at, 1, 10), '+30 days') || substr(created_at, 11), 0
FROM relation_request WHERE state IN ('awaiting_customer','awaiting_partner');
