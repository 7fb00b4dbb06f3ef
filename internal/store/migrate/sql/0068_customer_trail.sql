-- +goose Up
-- What people of a partner looked at or took away of a customer, one row per person, list and day, and when its partner
-- was suspended, so that the customer can see it. The acts themselves stand in the audit chain.
CREATE TABLE customer_trail (
  id {{key}} PRIMARY KEY,
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  act {{text}} NOT NULL CHECK (act IN ('reveal','export','suspend','resume')),
  actor {{text}} NOT NULL,
  what {{text}} NOT NULL,
  day {{text}} NOT NULL,
  first_at {{instant}} NOT NULL,
  last_at {{instant}} NOT NULL,
  times {{int}} NOT NULL,
  UNIQUE (customer_id, partner_id, act, actor, what, day)
) {{strict}};
CREATE INDEX customer_trail_last ON customer_trail(customer_id, last_at);
CREATE INDEX assignment_about ON assignment(customer_id, valid_from);
