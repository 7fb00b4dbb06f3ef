-- +goose Up
-- The audit chain and the transition log only grow, whatever program asks.
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transition_log_append_only BEFORE UPDATE OR DELETE ON transition_log
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transition_log_no_truncate BEFORE TRUNCATE ON transition_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
