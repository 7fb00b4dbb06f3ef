-- +goose Up
-- A version of a price rule says the same for ever: only its place in the book may change.
-- +goose StatementBegin
CREATE TRIGGER price_rule_update BEFORE UPDATE ON price_rule
WHEN new.id <> old.id OR new.vendor_id <> old.vendor_id OR new.number <> old.number OR new.version <> old.version
  OR new.partner_id IS NOT old.partner_id OR new.customer_id IS NOT old.customer_id OR new.provider <> old.provider
  OR new.product <> old.product OR new.charging_mode <> old.charging_mode OR new.region <> old.region
  OR new.type <> old.type OR new.base <> old.base OR new.factor <> old.factor
  OR new.valid_from <> old.valid_from OR new.valid_to <> old.valid_to
  OR (old.state = 'active' AND (new.state <> old.state OR new.seq <> old.seq OR old.ended_seq <> 0))
BEGIN SELECT RAISE(ABORT, 'price rule is final'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER price_rule_delete BEFORE DELETE ON price_rule BEGIN SELECT RAISE(ABORT, 'price rule is final'); END;
-- +goose StatementEnd
