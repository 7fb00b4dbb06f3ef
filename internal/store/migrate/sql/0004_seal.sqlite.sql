-- +goose Up
-- An issued cycle refuses writes by itself, whatever program asks.
-- +goose StatementBegin
CREATE TRIGGER usage_line_sealed_insert BEFORE INSERT ON usage_line
WHEN (SELECT sealed FROM slot WHERE id = new.slot_id) BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER usage_line_sealed_update BEFORE UPDATE ON usage_line
WHEN (SELECT sealed FROM slot WHERE id = old.slot_id) BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER usage_line_sealed_delete BEFORE DELETE ON usage_line
WHEN (SELECT sealed FROM slot WHERE id = old.slot_id) BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
