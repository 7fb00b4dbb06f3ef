-- +goose Up
-- Durable jobs. One kind and key exist once; a lease that ended makes a running job ready again.
CREATE TABLE job (
  id {{key}} PRIMARY KEY,
  kind {{text}} NOT NULL,
  job_key {{text}} NOT NULL,
  payload {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('waiting','running','done','failed')),
  run_at {{instant}} NOT NULL,
  lease_until {{instant}},
  attempts {{int}} NOT NULL,
  max_attempts {{int}} NOT NULL,
  last_error {{text}} NOT NULL,
  progress_done {{int}} NOT NULL,
  progress_total {{int}} NOT NULL,
  created_at {{instant}} NOT NULL,
  done_at {{instant}},
  version {{int}} NOT NULL,
  UNIQUE (kind, job_key)
) {{strict}};
CREATE INDEX job_ready ON job(kind, state, run_at);

-- What a request with a key was answered; the digest tells whether it is the same request.
CREATE TABLE idempotency_key (
  actor {{text}} NOT NULL,
  request_key {{text}} NOT NULL,
  digest {{bytes}} NOT NULL,
  status {{int}} NOT NULL,
  location {{text}} NOT NULL,
  body {{bytes}} NOT NULL,
  created_at {{instant}} NOT NULL,
  expires_at {{instant}} NOT NULL,
  PRIMARY KEY (actor, request_key)
) {{strict}};
CREATE INDEX idempotency_key_expiry ON idempotency_key(expires_at);
