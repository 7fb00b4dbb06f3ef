-- +goose Up
-- A move of a machine writes the log, what is due and a job. Each of them now lies in the order of its key,
-- so that a move touches eight pages instead of fourteen. A row of the log is named by what it tells of, a
-- job by its kind and key. No query could use the index of the audit chain, which is read in its own order.
CREATE TABLE transition_log_new (
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
  PRIMARY KEY (machine, entity, version)
) {{clustered}};
INSERT INTO transition_log_new SELECT machine, entity, from_state, to_state, action, actor, at, reason, request_id, version
  FROM transition_log ORDER BY machine, entity, version;
DROP TABLE transition_log;
ALTER TABLE transition_log_new RENAME TO transition_log;
-- +goose StatementBegin
CREATE TRIGGER transition_log_no_update BEFORE UPDATE ON transition_log BEGIN SELECT RAISE(ABORT, 'append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER transition_log_no_delete BEFORE DELETE ON transition_log BEGIN SELECT RAISE(ABORT, 'append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER transition_log_no_replace BEFORE INSERT ON transition_log
WHEN EXISTS (SELECT 1 FROM transition_log WHERE machine = new.machine AND entity = new.entity AND version = new.version)
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
-- +goose StatementEnd

CREATE TABLE due_change_new (
  machine {{text}} NOT NULL,
  entity {{key}} NOT NULL,
  action {{text}} NOT NULL,
  due_at {{instant}} NOT NULL,
  tries {{int}} NOT NULL,
  PRIMARY KEY (machine, entity, action)
) {{clustered}};
INSERT INTO due_change_new SELECT machine, entity, action, due_at, tries FROM due_change;
DROP TABLE due_change;
ALTER TABLE due_change_new RENAME TO due_change;
CREATE INDEX due_change_at ON due_change(due_at);

CREATE TABLE job_new (
  id {{key}} NOT NULL,
  kind {{text}} NOT NULL,
  job_key {{text}} NOT NULL,
  payload {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('waiting','running','done','failed')),
  run_at {{instant}} NOT NULL,
  lease_until {{instant}},
  attempts {{int}} NOT NULL,
  max_attempts {{int}} NOT NULL,
  last_error {{text}} NOT NULL,
  progress_done {{int}} NOT NULL,
  progress_total {{int}} NOT NULL,
  created_at {{instant}} NOT NULL,
  done_at {{instant}},
  version {{int}} NOT NULL,
  PRIMARY KEY (kind, job_key)
) {{clustered}};
INSERT INTO job_new SELECT id, kind, job_key, payload, state, run_at, lease_until, attempts, max_attempts, last_error, progress_done,
  progress_total, created_at, done_at, version FROM job ORDER BY kind, job_key;
DROP TABLE job;
ALTER TABLE job_new RENAME TO job;
CREATE INDEX job_ready ON job(kind, state, run_at);
DROP INDEX audit_org;
