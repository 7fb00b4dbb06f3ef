-- +goose Up
-- Signing out of a hosted platform everywhere: each console the session visited is asked, one after another. sp_id,
-- request_id and relay_state are of the console that asked for it; empty when the customer did.
CREATE TABLE sso_leaving (
  id {{key}} PRIMARY KEY,
  host_id {{key}} NOT NULL REFERENCES sso_host(id),
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  sp_id {{key}} REFERENCES sso_sp(id),
  request_id {{text}} NOT NULL,
  relay_state {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  expires_at {{instant}} NOT NULL,
  done_at {{instant}}
) {{strict}};
CREATE INDEX sso_leaving_expires ON sso_leaving(expires_at);

-- One console and the name the customer has there; subject holds name and session indexes as they were asserted.
CREATE TABLE sso_leaving_step (
  leaving_id {{key}} NOT NULL REFERENCES sso_leaving(id),
  seq {{int}} NOT NULL,
  host_id {{key}} NOT NULL REFERENCES sso_host(id),
  sp_id {{key}} NOT NULL REFERENCES sso_sp(id),
  request_id {{key}} NOT NULL UNIQUE,
  subject {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('waiting','asked','left','failed','skipped','unreachable')),
  asked_at {{instant}},
  PRIMARY KEY (leaving_id, seq)
) {{strict}};
CREATE INDEX sso_session_peer_open ON sso_session(session_hash, ended_at);
