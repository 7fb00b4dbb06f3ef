-- +goose Up
-- A row of the log is named by what it tells of, a job by its kind and key, which saves a move two indexes.
-- Tables have no order of their own here, so that nothing else changes.
ALTER TABLE transition_log DROP CONSTRAINT transition_log_machine_entity_version_key, DROP COLUMN id, ADD PRIMARY KEY (machine, entity, version);
ALTER TABLE job DROP CONSTRAINT job_pkey, DROP CONSTRAINT job_kind_job_key_key, ADD PRIMARY KEY (kind, job_key);
