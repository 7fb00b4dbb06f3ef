-- +goose Up
-- What an issued bill rests on refuses every later write by itself, whatever program asks: the close,
-- its slots with their lines and sums, the bills, and the adjustment lines they carry. A
-- proposal that nobody decided may still leave an issued cycle, because no bill carries it.
-- Each function holds the condition itself, because a trigger's WHEN may not read other tables.
-- +goose StatementBegin
CREATE FUNCTION refuse_month_close_issued_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF old.state = 'issued' THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER month_close_issued_update BEFORE UPDATE ON month_close
  FOR EACH ROW EXECUTE FUNCTION refuse_month_close_issued_update();
-- +goose StatementBegin
CREATE FUNCTION refuse_month_close_issued_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF old.state = 'issued' THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN OLD;
END $$;
-- +goose StatementEnd
CREATE TRIGGER month_close_issued_delete BEFORE DELETE ON month_close
  FOR EACH ROW EXECUTE FUNCTION refuse_month_close_issued_delete();
-- +goose StatementBegin
CREATE FUNCTION refuse_slot_sealed_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF old.sealed THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER slot_sealed_update BEFORE UPDATE ON slot
  FOR EACH ROW EXECUTE FUNCTION refuse_slot_sealed_update();
-- +goose StatementBegin
CREATE FUNCTION refuse_slot_sealed_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF old.sealed THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN OLD;
END $$;
-- +goose StatementEnd
CREATE TRIGGER slot_sealed_delete BEFORE DELETE ON slot
  FOR EACH ROW EXECUTE FUNCTION refuse_slot_sealed_delete();
-- +goose StatementBegin
CREATE FUNCTION refuse_slot_issued_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.state = 'active' AND EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = new.vendor_id AND m.cycle = new.cycle AND m.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER slot_issued_insert BEFORE INSERT ON slot
  FOR EACH ROW EXECUTE FUNCTION refuse_slot_issued_insert();
-- +goose StatementBegin
CREATE FUNCTION refuse_slot_issued_activate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.state = 'active' AND NOT old.sealed AND old.state <> 'active' AND EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = new.vendor_id AND m.cycle = new.cycle AND m.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER slot_issued_activate BEFORE UPDATE ON slot
  FOR EACH ROW EXECUTE FUNCTION refuse_slot_issued_activate();
-- +goose StatementBegin
CREATE FUNCTION refuse_usage_line_sealed_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT s.sealed FROM slot s WHERE s.id = new.slot_id) THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER usage_line_sealed_move BEFORE UPDATE ON usage_line
  FOR EACH ROW EXECUTE FUNCTION refuse_usage_line_sealed_move();
-- +goose StatementBegin
CREATE FUNCTION refuse_usage_summary_sealed_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT s.sealed FROM slot s WHERE s.id = new.slot_id) THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER usage_summary_sealed_insert BEFORE INSERT ON usage_summary
  FOR EACH ROW EXECUTE FUNCTION refuse_usage_summary_sealed_insert();
-- +goose StatementBegin
CREATE FUNCTION refuse_usage_summary_sealed_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT s.sealed FROM slot s WHERE s.id = old.slot_id) OR (SELECT s.sealed FROM slot s WHERE s.id = new.slot_id) THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER usage_summary_sealed_update BEFORE UPDATE ON usage_summary
  FOR EACH ROW EXECUTE FUNCTION refuse_usage_summary_sealed_update();
-- +goose StatementBegin
CREATE FUNCTION refuse_usage_summary_sealed_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT s.sealed FROM slot s WHERE s.id = old.slot_id) THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN OLD;
END $$;
-- +goose StatementEnd
CREATE TRIGGER usage_summary_sealed_delete BEFORE DELETE ON usage_summary
  FOR EACH ROW EXECUTE FUNCTION refuse_usage_summary_sealed_delete();
-- +goose StatementBegin
CREATE FUNCTION refuse_bill_issued_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = new.vendor_id AND m.cycle = new.cycle AND m.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER bill_issued_insert BEFORE INSERT ON bill
  FOR EACH ROW EXECUTE FUNCTION refuse_bill_issued_insert();
-- +goose StatementBegin
CREATE FUNCTION refuse_bill_issued_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF old.state = 'issued' THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER bill_issued_update BEFORE UPDATE ON bill
  FOR EACH ROW EXECUTE FUNCTION refuse_bill_issued_update();
-- +goose StatementBegin
CREATE FUNCTION refuse_bill_issued_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF old.state = 'issued' THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN OLD;
END $$;
-- +goose StatementEnd
CREATE TRIGGER bill_issued_delete BEFORE DELETE ON bill
  FOR EACH ROW EXECUTE FUNCTION refuse_bill_issued_delete();
-- +goose StatementBegin
CREATE FUNCTION refuse_bill_item_issued_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bill b WHERE b.id = new.bill_id AND b.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER bill_item_issued_insert BEFORE INSERT ON bill_item
  FOR EACH ROW EXECUTE FUNCTION refuse_bill_item_issued_insert();
-- +goose StatementBegin
CREATE FUNCTION refuse_bill_item_issued_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bill b WHERE b.id = old.bill_id AND b.state = 'issued') OR EXISTS (SELECT 1 FROM bill b WHERE b.id = new.bill_id AND b.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER bill_item_issued_update BEFORE UPDATE ON bill_item
  FOR EACH ROW EXECUTE FUNCTION refuse_bill_item_issued_update();
-- +goose StatementBegin
CREATE FUNCTION refuse_bill_item_issued_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bill b WHERE b.id = old.bill_id AND b.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN OLD;
END $$;
-- +goose StatementEnd
CREATE TRIGGER bill_item_issued_delete BEFORE DELETE ON bill_item
  FOR EACH ROW EXECUTE FUNCTION refuse_bill_item_issued_delete();
-- +goose StatementBegin
CREATE FUNCTION refuse_adjustment_issued_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = new.vendor_id AND m.cycle = new.cycle AND m.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER adjustment_issued_insert BEFORE INSERT ON adjustment
  FOR EACH ROW EXECUTE FUNCTION refuse_adjustment_issued_insert();
-- +goose StatementBegin
CREATE FUNCTION refuse_adjustment_issued_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (old.state = 'approved' AND EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = old.vendor_id AND m.cycle = old.cycle AND m.state = 'issued')) OR (new.state = 'approved' AND EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = new.vendor_id AND m.cycle = new.cycle AND m.state = 'issued')) THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER adjustment_issued_update BEFORE UPDATE ON adjustment
  FOR EACH ROW EXECUTE FUNCTION refuse_adjustment_issued_update();
-- +goose StatementBegin
CREATE FUNCTION refuse_adjustment_issued_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM month_close m WHERE m.vendor_id = old.vendor_id AND m.cycle = old.cycle AND m.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN OLD;
END $$;
-- +goose StatementEnd
CREATE TRIGGER adjustment_issued_delete BEFORE DELETE ON adjustment
  FOR EACH ROW EXECUTE FUNCTION refuse_adjustment_issued_delete();
-- +goose StatementBegin
CREATE FUNCTION refuse_adjustment_price_issued_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = new.adjustment_id AND a.state = 'approved' AND m.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER adjustment_price_issued_insert BEFORE INSERT ON adjustment_price
  FOR EACH ROW EXECUTE FUNCTION refuse_adjustment_price_issued_insert();
-- +goose StatementBegin
CREATE FUNCTION refuse_adjustment_price_issued_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = old.adjustment_id AND a.state = 'approved' AND m.state = 'issued') OR EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = new.adjustment_id AND a.state = 'approved' AND m.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER adjustment_price_issued_update BEFORE UPDATE ON adjustment_price
  FOR EACH ROW EXECUTE FUNCTION refuse_adjustment_price_issued_update();
-- +goose StatementBegin
CREATE FUNCTION refuse_adjustment_price_issued_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = old.adjustment_id AND a.state = 'approved' AND m.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN OLD;
END $$;
-- +goose StatementEnd
CREATE TRIGGER adjustment_price_issued_delete BEFORE DELETE ON adjustment_price
  FOR EACH ROW EXECUTE FUNCTION refuse_adjustment_price_issued_delete();
-- +goose StatementBegin
CREATE FUNCTION refuse_adjustment_move_issued_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = new.adjustment_id AND a.state = 'approved' AND m.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER adjustment_move_issued_insert BEFORE INSERT ON adjustment_move
  FOR EACH ROW EXECUTE FUNCTION refuse_adjustment_move_issued_insert();
-- +goose StatementBegin
CREATE FUNCTION refuse_adjustment_move_issued_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = old.adjustment_id AND a.state = 'approved' AND m.state = 'issued') OR EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = new.adjustment_id AND a.state = 'approved' AND m.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER adjustment_move_issued_update BEFORE UPDATE ON adjustment_move
  FOR EACH ROW EXECUTE FUNCTION refuse_adjustment_move_issued_update();
-- +goose StatementBegin
CREATE FUNCTION refuse_adjustment_move_issued_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM adjustment a JOIN month_close m ON m.vendor_id = a.vendor_id AND m.cycle = a.cycle WHERE a.id = old.adjustment_id AND a.state = 'approved' AND m.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN OLD;
END $$;
-- +goose StatementEnd
CREATE TRIGGER adjustment_move_issued_delete BEFORE DELETE ON adjustment_move
  FOR EACH ROW EXECUTE FUNCTION refuse_adjustment_move_issued_delete();
-- +goose StatementBegin
CREATE FUNCTION refuse_period_issued_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF old.is_final AND NOT new.is_final AND EXISTS (SELECT 1 FROM source s JOIN month_close m ON m.vendor_id = s.vendor_id WHERE s.id = old.source_id AND m.cycle = old.cycle AND m.state = 'issued') THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER period_issued_update BEFORE UPDATE ON period
  FOR EACH ROW EXECUTE FUNCTION refuse_period_issued_update();
-- +goose StatementBegin
CREATE FUNCTION refuse_period_issued_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM slot s WHERE s.source_id = old.source_id AND s.cycle = old.cycle AND s.sealed) THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  RETURN OLD;
END $$;
-- +goose StatementEnd
CREATE TRIGGER period_issued_delete BEFORE DELETE ON period
  FOR EACH ROW EXECUTE FUNCTION refuse_period_issued_delete();
