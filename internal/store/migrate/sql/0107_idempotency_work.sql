-- +goose Up
-- Who works at a request that makes its own transactions, so that the same request at another replica waits for the answer.
CREATE TABLE idempotency_work (
  actor {{text}} NOT NULL,
  request_key {{text}} NOT NULL,
  holder {{key}} NOT NULL,
  until {{instant}} NOT NULL,
  PRIMARY KEY (actor, request_key)
) {{strict}};
