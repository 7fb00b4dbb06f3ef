-- +goose Up
-- How often anything that pages show has changed: the sum of n over all rows, moved by every transaction
-- that writes such a thing. Several rows, so that transactions of different replicas seldom meet in one.
CREATE TABLE page_version (
  id {{int}} PRIMARY KEY,
  n {{int}} NOT NULL
) {{strict}};
