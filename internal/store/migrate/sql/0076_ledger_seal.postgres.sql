-- +goose Up
-- What was posted stays; of an account only its balance, line, count and time change.
-- +goose StatementBegin
CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'ledger_account' THEN
    IF OLD.id = NEW.id AND OLD.vendor_id = NEW.vendor_id AND OLD.partner_id IS NOT DISTINCT FROM NEW.partner_id AND OLD.customer_id IS NOT DISTINCT FROM NEW.customer_id
      AND OLD.kind = NEW.kind AND OLD.currency = NEW.currency AND NEW.seq >= OLD.seq AND (OLD.balance_e8 = NEW.balance_e8 OR NEW.seq > OLD.seq) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'ledger is sealed';
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_entry_sealed BEFORE UPDATE OR DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change();
CREATE TRIGGER ledger_line_sealed BEFORE UPDATE OR DELETE ON ledger_line FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change();
CREATE TRIGGER ledger_account_sealed BEFORE UPDATE OR DELETE ON ledger_account FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change();
