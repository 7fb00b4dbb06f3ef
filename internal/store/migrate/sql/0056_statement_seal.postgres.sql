-- +goose Up
-- Of a statement only its state, number and times ever change, and of its lines nothing.
-- +goose StatementBegin
CREATE FUNCTION refuse_statement_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND ROW(OLD.partner_id, OLD.customer_id, OLD.customer_name, OLD.bill_id, OLD.cycle, OLD.currency, OLD.line_count, OLD.subtotal_e8, OLD.tax_rate, OLD.tax_e8,
      OLD.rounding_e8, OLD.total_e8, OLD.rule_seq, OLD.head_version, OLD.code)
    = ROW(NEW.partner_id, NEW.customer_id, NEW.customer_name, NEW.bill_id, NEW.cycle, NEW.currency, NEW.line_count, NEW.subtotal_e8, NEW.tax_rate, NEW.tax_e8,
      NEW.rounding_e8, NEW.total_e8, NEW.rule_seq, NEW.head_version, NEW.code)
    AND (OLD.number = '' OR OLD.number = NEW.number) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'statement is sealed';
END $$;
-- +goose StatementEnd
CREATE TRIGGER statement_sealed BEFORE UPDATE OR DELETE ON statement
  FOR EACH ROW EXECUTE FUNCTION refuse_statement_change();
-- +goose StatementBegin
CREATE FUNCTION refuse_statement_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' AND (SELECT state FROM statement WHERE id = NEW.statement_id) = 'draft' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'statement is sealed';
END $$;
-- +goose StatementEnd
CREATE TRIGGER statement_line_sealed BEFORE INSERT OR UPDATE OR DELETE ON statement_line
  FOR EACH ROW EXECUTE FUNCTION refuse_statement_line();
