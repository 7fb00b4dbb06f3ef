-- +goose Up
-- An issued cycle refuses writes by itself, whatever program asks.
-- +goose StatementBegin
CREATE FUNCTION refuse_sealed_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT sealed FROM slot WHERE id = CASE TG_OP WHEN 'INSERT' THEN NEW.slot_id ELSE OLD.slot_id END) THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER usage_line_sealed BEFORE INSERT OR UPDATE OR DELETE ON usage_line
  FOR EACH ROW EXECUTE FUNCTION refuse_sealed_line();
