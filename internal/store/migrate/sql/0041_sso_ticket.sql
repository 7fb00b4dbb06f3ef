-- +goose Up
-- Where an accepted answer of a platform stands between its message and the page it leads to. The browser knows
-- the ticket, the database its hash.
CREATE TABLE sso_ticket (
  hash {{bytes}} PRIMARY KEY,
  idp_id {{key}} NOT NULL REFERENCES sso_idp(id),
  browser_hash {{bytes}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('entered','known','new','closed')),
  return_id {{key}},
  path {{text}} NOT NULL,
  query {{text}} NOT NULL,
  first_login {{flag}} NOT NULL,
  asserted {{text}} NOT NULL,
  customer_id {{key}},
  person_id {{key}},
  created_at {{instant}} NOT NULL,
  expires_at {{instant}} NOT NULL,
  spent_at {{instant}}
) {{strict}};
CREATE INDEX sso_ticket_expires ON sso_ticket(expires_at);
