-- +goose Up
-- What waits for a customer at a hosted platform: the question of a console (AuthnRequest), or, with an empty
-- request_id, the customer's own wish to go there. The browser knows the ticket, the database its hash.
CREATE TABLE sso_question (
  hash {{bytes}} PRIMARY KEY,
  host_id {{key}} NOT NULL REFERENCES sso_host(id),
  sp_id {{key}} NOT NULL REFERENCES sso_sp(id),
  request_id {{text}} NOT NULL,
  acs_url {{text}} NOT NULL,
  name_id_format {{text}} NOT NULL,
  authn_context {{text}} NOT NULL,
  relay_state {{text}} NOT NULL,
  force_authn {{flag}} NOT NULL,
  passive {{flag}} NOT NULL,
  created_at {{instant}} NOT NULL,
  expires_at {{instant}} NOT NULL,
  answered_at {{instant}}
) {{strict}};
CREATE INDEX sso_question_expires ON sso_question(expires_at);

-- What a person agreed to hand over to a console whenever it goes there; another wish of the console asks again.
CREATE TABLE sso_consent (
  person_id {{key}} NOT NULL REFERENCES person(id),
  sp_id {{key}} NOT NULL REFERENCES sso_sp(id),
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  given {{text}} NOT NULL,
  given_at {{instant}} NOT NULL,
  PRIMARY KEY (person_id, sp_id)
) {{strict}};

-- The entity of ours that a session at a console (side 'idp') was opened by.
ALTER TABLE sso_session ADD COLUMN host_id {{key}};
-- Since when an e-mail address is known to be the person's own; null = it is only what somebody typed.
ALTER TABLE person ADD COLUMN email_verified_at {{instant}};
