-- +goose Up
-- A version of a price rule says the same for ever: only its place in the book may change.
-- +goose StatementBegin
CREATE FUNCTION refuse_price_rule_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'price rule is final';
  END IF;
  IF new.id <> old.id OR new.vendor_id <> old.vendor_id OR new.number <> old.number OR new.version <> old.version
    OR new.partner_id IS DISTINCT FROM old.partner_id OR new.customer_id IS DISTINCT FROM old.customer_id OR new.provider <> old.provider
    OR new.product <> old.product OR new.charging_mode <> old.charging_mode OR new.region <> old.region
    OR new.type <> old.type OR new.base <> old.base OR new.factor <> old.factor
    OR new.valid_from <> old.valid_from OR new.valid_to <> old.valid_to
    OR (old.state = 'active' AND (new.state <> old.state OR new.seq <> old.seq OR old.ended_seq <> 0)) THEN
    RAISE EXCEPTION 'price rule is final';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER price_rule_final BEFORE UPDATE OR DELETE ON price_rule
  FOR EACH ROW EXECUTE FUNCTION refuse_price_rule_change();
