-- +goose Up
-- 客户消费订阅: where a partner's monthly files of consumption are carried. Secret = sealed by the installation's key.
CREATE TABLE subscription (
  id {{key}} PRIMARY KEY,
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  name {{text}} NOT NULL,
  kind {{text}} NOT NULL CHECK (kind IN ('webhook','bucket')),
  address {{text}} NOT NULL,
  bucket {{text}} NOT NULL,
  prefix {{text}} NOT NULL,
  region {{text}} NOT NULL,
  path_style {{flag}} NOT NULL,
  access_key {{text}} NOT NULL,
  secret {{bytes}},
  sealed_by {{text}} NOT NULL,
  hint {{text}} NOT NULL,
  content {{text}} NOT NULL CHECK (content IN ('summary','lines')),
  format {{text}} NOT NULL,
  first_cycle {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('on','off','ended')),
  version {{int}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  changed_at {{instant}} NOT NULL,
  tested_at {{instant}},
  test_code {{text}} NOT NULL
) {{strict}};
CREATE INDEX subscription_org ON subscription(org_id);

-- What the files of a cycle were made of last.
CREATE TABLE subscription_cycle (
  subscription_id {{key}} NOT NULL REFERENCES subscription(id),
  cycle {{text}} NOT NULL,
  mark {{text}} NOT NULL,
  made_no {{int}} NOT NULL,
  PRIMARY KEY (subscription_id, cycle)
) {{clustered}};

-- 投递: one version of one file on its way.
CREATE TABLE dispatch (
  id {{key}} PRIMARY KEY,
  subscription_id {{key}} NOT NULL REFERENCES subscription(id),
  org_id {{key}} NOT NULL REFERENCES organisation(id),
  cycle {{text}} NOT NULL,
  currency {{text}} NOT NULL,
  file_no {{int}} NOT NULL,
  content {{text}} NOT NULL,
  format {{text}} NOT NULL,
  file_name {{text}} NOT NULL,
  file_bytes {{int}} NOT NULL,
  file_rows {{int}} NOT NULL,
  sha {{text}} NOT NULL,
  plain_sha {{text}} NOT NULL,
  amount {{text}} NOT NULL,
  tax {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('waiting','delivered','failed','expired')),
  version {{int}} NOT NULL,
  tries {{int}} NOT NULL,
  round_tries {{int}} NOT NULL,
  round_at {{instant}} NOT NULL,
  next_at {{instant}},
  last_code {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  done_at {{instant}},
  UNIQUE (subscription_id, cycle, currency, file_no)
) {{strict}};
CREATE INDEX dispatch_org ON dispatch(org_id);

CREATE TABLE dispatch_try (
  dispatch_id {{key}} NOT NULL REFERENCES dispatch(id),
  try_no {{int}} NOT NULL,
  began_at {{instant}} NOT NULL,
  ended_at {{instant}} NOT NULL,
  status {{int}} NOT NULL,
  code {{text}} NOT NULL,
  detail {{text}} NOT NULL,
  PRIMARY KEY (dispatch_id, try_no)
) {{clustered}};

-- The bytes, which stand here before the dispatch does.
CREATE TABLE dispatch_piece (
  dispatch_id {{key}} NOT NULL,
  piece_no {{int}} NOT NULL,
  body {{bytes}} NOT NULL,
  PRIMARY KEY (dispatch_id, piece_no)
) {{clustered}};
