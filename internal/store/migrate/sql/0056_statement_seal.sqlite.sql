-- +goose Up
-- Of a statement only its state, number and times ever change, and of its lines nothing.
-- +goose StatementBegin
CREATE TRIGGER statement_sealed BEFORE UPDATE ON statement
WHEN old.partner_id <> new.partner_id OR old.customer_id <> new.customer_id OR old.customer_name <> new.customer_name OR old.bill_id <> new.bill_id OR old.cycle <> new.cycle
  OR old.currency <> new.currency OR old.line_count <> new.line_count OR old.subtotal_e8 <> new.subtotal_e8 OR old.tax_rate <> new.tax_rate OR old.tax_e8 <> new.tax_e8
  OR old.rounding_e8 <> new.rounding_e8 OR old.total_e8 <> new.total_e8 OR old.rule_seq <> new.rule_seq OR old.head_version <> new.head_version OR old.code <> new.code
  OR old.number <> '' AND old.number <> new.number
BEGIN SELECT RAISE(ABORT, 'statement is sealed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER statement_kept BEFORE DELETE ON statement BEGIN SELECT RAISE(ABORT, 'statement is sealed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER statement_line_sealed BEFORE UPDATE ON statement_line BEGIN SELECT RAISE(ABORT, 'statement is sealed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER statement_line_kept BEFORE DELETE ON statement_line BEGIN SELECT RAISE(ABORT, 'statement is sealed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER statement_line_late BEFORE INSERT ON statement_line
WHEN (SELECT state FROM statement WHERE id = new.statement_id) <> 'draft' BEGIN SELECT RAISE(ABORT, 'statement is sealed'); END;
-- +goose StatementEnd
