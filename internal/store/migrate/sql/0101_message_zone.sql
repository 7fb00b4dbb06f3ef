-- +goose Up
-- The time zone in whose working hours a person's letters are sent; without one they are sent at once.
CREATE TABLE message_zone (
  person_id {{key}} PRIMARY KEY,
  zone {{text}} NOT NULL
) {{strict}};
