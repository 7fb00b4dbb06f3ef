-- +goose Up
-- What people look for by its number: a file by the short code it shares with its page, and an audit entry by
-- the number an error page showed.
ALTER TABLE export_task ADD COLUMN code {{text}} NOT NULL DEFAULT '';
CREATE INDEX audit_request ON audit(org_id, request_id);
