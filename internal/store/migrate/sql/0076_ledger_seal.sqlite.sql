-- +goose Up
-- What was posted stays; of an account only its balance, line, count and time change.
-- +goose StatementBegin
CREATE TRIGGER ledger_entry_sealed BEFORE UPDATE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'ledger is sealed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_entry_kept BEFORE DELETE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'ledger is sealed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_line_sealed BEFORE UPDATE ON ledger_line BEGIN SELECT RAISE(ABORT, 'ledger is sealed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_line_kept BEFORE DELETE ON ledger_line BEGIN SELECT RAISE(ABORT, 'ledger is sealed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_account_kept BEFORE DELETE ON ledger_account BEGIN SELECT RAISE(ABORT, 'ledger is sealed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_account_sealed BEFORE UPDATE ON ledger_account
WHEN old.id <> new.id OR old.vendor_id <> new.vendor_id OR old.partner_id IS NOT new.partner_id OR old.customer_id IS NOT new.customer_id
  OR old.kind <> new.kind OR old.currency <> new.currency OR new.seq < old.seq OR old.balance_e8 <> new.balance_e8 AND new.seq = old.seq
BEGIN SELECT RAISE(ABORT, 'ledger is sealed'); END;
-- +goose StatementEnd
