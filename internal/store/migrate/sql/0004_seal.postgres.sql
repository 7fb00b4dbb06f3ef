-- +goose Up
-- An issued cycle refuses writes by itself, whatever program asks.
-- +goose StatementBegin
CREATE FUNCTION refuse_sealed_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT sealed FROM slot WHERE id = OLD.slot_id) THEN
    RAISE EXCEPTION 'cycle is closed';
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER usage_line_sealed BEFORE UPDATE OR DELETE ON usage_line
  FOR EACH ROW EXECUTE FUNCTION refuse_sealed_line();
-- Lines come by the million: one look per statement and slot instead of one per line.
-- +goose StatementBegin
CREATE FUNCTION refuse_sealed_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted bigint;
BEGIN
  FOR wanted IN SELECT DISTINCT slot_id FROM fresh LOOP
    IF (SELECT sealed FROM slot WHERE id = wanted) THEN
      RAISE EXCEPTION 'cycle is closed';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER usage_line_sealed_insert AFTER INSERT ON usage_line REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_sealed_insert();
