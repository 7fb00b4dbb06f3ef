-- +goose Up
-- A row of the log is named by what it tells of, which saves a move one index. Tables have no order of
-- their own here, so that nothing else changes.
ALTER TABLE transition_log DROP CONSTRAINT transition_log_machine_entity_version_key, DROP COLUMN id, ADD PRIMARY KEY (machine, entity, version);
