-- +goose Up
-- One log for all machines; append-only by trigger (0011). from_state '' = the entity began.
CREATE TABLE transition_log (
  id {{key}} PRIMARY KEY,
  machine {{text}} NOT NULL,
  entity {{key}} NOT NULL,
  from_state {{text}} NOT NULL,
  to_state {{text}} NOT NULL,
  action {{text}} NOT NULL,
  actor {{text}} NOT NULL,
  at {{instant}} NOT NULL,
  reason {{text}} NOT NULL,
  request_id {{text}} NOT NULL,
  version {{int}} NOT NULL,
  UNIQUE (machine, entity, version)
) {{strict}};

-- Actions that wait for their time; an entity's rows are replaced at each of its moves.
CREATE TABLE due_change (
  machine {{text}} NOT NULL,
  entity {{key}} NOT NULL,
  action {{text}} NOT NULL,
  due_at {{instant}} NOT NULL,
  tries {{int}} NOT NULL,
  PRIMARY KEY (machine, entity, action)
) {{strict}};
CREATE INDEX due_change_at ON due_change(due_at);

-- 云审计: the chain of acts; append-only by trigger (0011). detail is kept as the text that was
-- hashed.
CREATE TABLE audit (
  seq {{int}} PRIMARY KEY,
  at {{instant}} NOT NULL,
  actor {{text}} NOT NULL,
  on_behalf {{text}} NOT NULL,
  org_id {{key}} NOT NULL,
  action {{text}} NOT NULL,
  object {{text}} NOT NULL,
  outcome {{text}} NOT NULL,
  detail {{text}} NOT NULL,
  request_id {{text}} NOT NULL,
  ip {{text}} NOT NULL,
  prev {{bytes}} NOT NULL,
  hash {{bytes}} NOT NULL
) {{strict}};
CREATE INDEX audit_org ON audit(org_id, seq);

-- The end of the chain: one row, moved by compare-and-set, so that writers queue in one place.
CREATE TABLE audit_head (
  id {{int}} PRIMARY KEY CHECK (id = 1),
  seq {{int}} NOT NULL,
  hash {{bytes}} NOT NULL,
  key_id {{text}} NOT NULL
) {{strict}};
