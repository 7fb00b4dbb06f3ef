-- +goose Up
-- The audit chain and the transition log only grow, whatever program asks. A replacing insert would
-- remove a row without a delete, so an existing key is refused too.
-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE seq = new.seq) BEGIN SELECT RAISE(ABORT, 'append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER transition_log_no_update BEFORE UPDATE ON transition_log BEGIN SELECT RAISE(ABORT, 'append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER transition_log_no_delete BEFORE DELETE ON transition_log BEGIN SELECT RAISE(ABORT, 'append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER transition_log_no_replace BEFORE INSERT ON transition_log
WHEN EXISTS (SELECT 1 FROM transition_log WHERE id = new.id
  OR machine = new.machine AND entity = new.entity AND version = new.version)
BEGIN SELECT RAISE(ABORT, 'append-only'); END;
-- +goose StatementEnd
