-- +goose Up
-- What an issued bill rests on refuses every later write by itself, whatever program asks: the close,
-- its slots with their lines and sums, the bills, and the adjustment lines they carry. A
-- proposal that nobody decided may still leave an issued cycle, because no bill carries it.
-- +goose StatementBegin
CREATE TRIGGER month_close_issued_update BEFORE UPDATE ON month_close
WHEN old.state = 'issued'
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER month_close_issued_delete BEFORE DELETE ON month_close
WHEN old.state = 'issued'
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER slot_sealed_update BEFORE UPDATE ON slot
WHEN old.sealed
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER slot_sealed_delete BEFORE DELETE ON slot
WHEN old.sealed
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER slot_issued_insert BEFORE INSERT ON slot
WHEN new.state = 'active' AND EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = new.vendor_id AND m.cycle = new.cycle AND m.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER slot_issued_activate BEFORE UPDATE ON slot
WHEN new.state = 'active' AND NOT old.sealed AND old.state <> 'active' AND EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = new.vendor_id AND m.cycle = new.cycle AND m.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER usage_line_sealed_move BEFORE UPDATE ON usage_line
WHEN (SELECT s.sealed FROM slot s WHERE s.id = new.slot_id)
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER usage_summary_sealed_insert BEFORE INSERT ON usage_summary
WHEN (SELECT s.sealed FROM slot s WHERE s.id = new.slot_id)
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER usage_summary_sealed_update BEFORE UPDATE ON usage_summary
WHEN (SELECT s.sealed FROM slot s WHERE s.id = old.slot_id) OR (SELECT s.sealed FROM slot s WHERE s.id = new.slot_id)
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER usage_summary_sealed_delete BEFORE DELETE ON usage_summary
WHEN (SELECT s.sealed FROM slot s WHERE s.id = old.slot_id)
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER bill_issued_insert BEFORE INSERT ON bill
WHEN EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = new.vendor_id AND m.cycle = new.cycle AND m.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER bill_issued_update BEFORE UPDATE ON bill
WHEN old.state = 'issued'
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER bill_issued_delete BEFORE DELETE ON bill
WHEN old.state = 'issued'
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER bill_item_issued_insert BEFORE INSERT ON bill_item
WHEN EXISTS (SELECT 1 FROM bill b WHERE b.id = new.bill_id AND b.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER bill_item_issued_update BEFORE UPDATE ON bill_item
WHEN EXISTS (SELECT 1 FROM bill b WHERE b.id = old.bill_id AND b.state = 'issued') OR EXISTS (SELECT 1 FROM bill b WHERE b.id = new.bill_id AND b.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER bill_item_issued_delete BEFORE DELETE ON bill_item
WHEN EXISTS (SELECT 1 FROM bill b WHERE b.id = old.bill_id AND b.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER adjustment_issued_insert BEFORE INSERT ON adjustment
WHEN EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = new.vendor_id AND m.cycle = new.cycle AND m.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER adjustment_issued_update BEFORE UPDATE ON adjustment
WHEN (old.state = 'approved' AND EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = old.vendor_id AND m.cycle = old.cycle AND m.state = 'issued')) OR (new.state = 'approved' AND EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = new.vendor_id AND m.cycle = new.cycle AND m.state = 'issued'))
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER adjustment_issued_delete BEFORE DELETE ON adjustment
WHEN EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = old.vendor_id AND m.cycle = old.cycle AND m.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER adjustment_price_issued_insert BEFORE INSERT ON adjustment_price
WHEN EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = new.adjustment_id AND a.state = 'approved' AND m.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER adjustment_price_issued_update BEFORE UPDATE ON adjustment_price
WHEN EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = old.adjustment_id AND a.state = 'approved' AND m.state = 'issued') OR EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = new.adjustment_id AND a.state = 'approved' AND m.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER adjustment_price_issued_delete BEFORE DELETE ON adjustment_price
WHEN EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = old.adjustment_id AND a.state = 'approved' AND m.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER adjustment_move_issued_insert BEFORE INSERT ON adjustment_move
WHEN EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = new.adjustment_id AND a.state = 'approved' AND m.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER adjustment_move_issued_update BEFORE UPDATE ON adjustment_move
WHEN EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = old.adjustment_id AND a.state = 'approved' AND m.state = 'issued') OR EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = new.adjustment_id AND a.state = 'approved' AND m.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER adjustment_move_issued_delete BEFORE DELETE ON adjustment_move
WHEN EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = old.adjustment_id AND a.state = 'approved' AND m.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER period_issued_update BEFORE UPDATE ON period
WHEN old.is_final AND NOT new.is_final AND EXISTS (SELECT 1 FROM source s JOIN month_close m ON m.vendor_id = s.vendor_id WHERE s.id = old.source_id AND m.cycle = old.cycle AND m.state = 'issued')
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER period_issued_delete BEFORE DELETE ON period
WHEN EXISTS (SELECT 1 FROM slot s WHERE s.source_id = old.source_id AND s.cycle = old.cycle AND s.sealed)
BEGIN SELECT RAISE(ABORT, 'cycle is closed'); END;
-- +goose StatementEnd
