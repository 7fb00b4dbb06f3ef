-- +goose Up
-- 接入配置: a partner's sales platform (its identity provider) and the service provider entity that is ours for it
-- alone. What is ours (sp_key, sp_entity_id, acs_urls) is made once and never changes; a new public address of the
-- portal adds an ACS.
CREATE TABLE sso_idp (
  id {{key}} PRIMARY KEY,
  version {{int}} NOT NULL,
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  sp_key {{key}} NOT NULL UNIQUE,
  sp_entity_id {{text}} NOT NULL UNIQUE,
  acs_urls {{text}} NOT NULL,
  account_type {{text}} NOT NULL UNIQUE,
  name {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('draft','tested','active','disabled','deleted')),
  idp_entity_id {{text}} NOT NULL,
  sso_url {{text}} NOT NULL,
  sso_binding {{text}} NOT NULL CHECK (sso_binding IN ('','redirect','post')),
  slo_url {{text}} NOT NULL,
  slo_response_url {{text}} NOT NULL,
  slo_binding {{text}} NOT NULL CHECK (slo_binding IN ('','redirect','post')),
  metadata_source {{text}} NOT NULL CHECK (metadata_source IN ('','file','url')),
  metadata_url {{text}} NOT NULL,
  metadata_id {{key}},
  pinned_signer {{bytes}},
  sign_requests {{flag}} NOT NULL,
  want_response_signed {{flag}} NOT NULL,
  want_encrypted {{flag}} NOT NULL,
  allow_idp_initiated {{flag}} NOT NULL,
  first_entry {{text}} NOT NULL CHECK (first_entry IN ('create','bind_only','off')),
  authn_context_min {{text}} NOT NULL,
  max_authn_age_s {{int}} NOT NULL,
  skew_s {{int}} NOT NULL CHECK (skew_s BETWEEN 0 AND 180),
  mapping {{text}} NOT NULL,
  default_return_id {{key}},
  notify_url {{text}} NOT NULL,
  shared_entity_ok {{flag}} NOT NULL,
  weak_key_until {{instant}},
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  updated_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX sso_idp_partner ON sso_idp(partner_id, created_at);
CREATE UNIQUE INDEX sso_idp_entity ON sso_idp(idp_entity_id) WHERE state = 'active' AND NOT shared_entity_ok;

-- Their certificates. What a pending document brings is pending until it is confirmed.
CREATE TABLE sso_idp_cert (
  id {{key}} PRIMARY KEY,
  idp_id {{key}} NOT NULL REFERENCES sso_idp(id),
  use {{text}} NOT NULL CHECK (use IN ('','signing','encryption')),
  fingerprint_sha256 {{bytes}} NOT NULL,
  der {{bytes}} NOT NULL,
  not_before {{instant}} NOT NULL,
  not_after {{instant}} NOT NULL,
  metadata_id {{key}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('current','pending','removed')),
  warned_at {{instant}},
  warned_days {{int}},
  created_at {{instant}} NOT NULL,
  UNIQUE (idp_id, use, fingerprint_sha256)
) {{strict}};

-- Every document that was taken, refused or waits for confirmation.
CREATE TABLE sso_metadata (
  id {{key}} PRIMARY KEY,
  owner_kind {{text}} NOT NULL CHECK (owner_kind IN ('idp','sp')),
  owner_id {{key}} NOT NULL,
  sha256 {{bytes}} NOT NULL,
  xml {{text}} NOT NULL,
  signer_fingerprint {{bytes}},
  valid_until {{instant}},
  cache_s {{int}} NOT NULL,
  etag {{text}} NOT NULL,
  fetched_at {{instant}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('applied','pending','refused')),
  code {{text}} NOT NULL,
  diff {{text}} NOT NULL,
  decided_by {{text}} NOT NULL,
  decided_at {{instant}}
) {{strict}};
CREATE INDEX sso_metadata_owner ON sso_metadata(owner_id, fetched_at);

-- Documents that are fetched again; the lease lets one replica do it.
CREATE TABLE sso_metadata_fetch (
  owner_id {{key}} PRIMARY KEY,
  next_at {{instant}} NOT NULL,
  lease_until {{instant}},
  lease_by {{text}} NOT NULL,
  failures {{int}} NOT NULL,
  failing_since {{instant}},
  last_code {{text}} NOT NULL,
  last_ok_at {{instant}}
) {{strict}};
CREATE INDEX sso_metadata_fetch_next ON sso_metadata_fetch(next_at);

-- Our keys, one pair to sign and one to decrypt per entity; the private half is sealed under the key named by kek_id.
CREATE TABLE sso_key (
  id {{key}} PRIMARY KEY,
  version {{int}} NOT NULL,
  entity_kind {{text}} NOT NULL CHECK (entity_kind IN ('sp','idp')),
  entity_key {{key}} NOT NULL,
  use {{text}} NOT NULL CHECK (use IN ('sign','decrypt')),
  cert_der {{bytes}} NOT NULL,
  private_sealed {{bytes}} NOT NULL,
  kek_id {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('next','current','retiring','retired')),
  published_at {{instant}} NOT NULL,
  switched_at {{instant}},
  retired_at {{instant}},
  not_after {{instant}} NOT NULL,
  created_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX sso_key_entity ON sso_key(entity_key, use, state);
CREATE UNIQUE INDEX sso_key_current ON sso_key(entity_key, use) WHERE state = 'current';
CREATE UNIQUE INDEX sso_key_next ON sso_key(entity_key, use) WHERE state = 'next';

-- Where a sign-in may lead to.
CREATE TABLE sso_return (
  id {{key}} PRIMARY KEY,
  idp_id {{key}} NOT NULL REFERENCES sso_idp(id),
  short_key {{key}} NOT NULL,
  scheme {{text}} NOT NULL CHECK (scheme IN ('','http','https')),
  host {{text}} NOT NULL,
  port {{int}} NOT NULL,
  path_prefix {{text}} NOT NULL,
  label {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('pending','approved','removed')),
  approved_by {{text}} NOT NULL,
  approved_at {{instant}},
  created_at {{instant}} NOT NULL,
  UNIQUE (idp_id, short_key)
) {{strict}};

-- A sign-in or logout that was begun here and waits for its answer.
CREATE TABLE sso_request (
  request_id {{key}} PRIMARY KEY,
  idp_id {{key}} NOT NULL REFERENCES sso_idp(id),
  relay_id {{key}} NOT NULL UNIQUE,
  browser_hash {{bytes}} NOT NULL,
  purpose {{text}} NOT NULL CHECK (purpose IN ('signin','test','step_up','logout')),
  return_id {{key}},
  path {{text}} NOT NULL,
  query {{text}} NOT NULL,
  first_login {{flag}} NOT NULL,
  force_authn {{flag}} NOT NULL,
  user_id {{key}},
  created_at {{instant}} NOT NULL,
  expires_at {{instant}} NOT NULL,
  consumed_at {{instant}}
) {{strict}};
CREATE INDEX sso_request_expires ON sso_request(expires_at);

-- Messages that were taken once.
CREATE TABLE sso_seen (
  scope {{key}} NOT NULL,
  kind {{text}} NOT NULL CHECK (kind IN ('assertion','response','logout','authn_request')),
  message_id {{key}} NOT NULL,
  expires_at {{instant}} NOT NULL,
  seen_at {{instant}} NOT NULL,
  PRIMARY KEY (scope, kind, message_id)
) {{clustered}};
CREATE INDEX sso_seen_expires ON sso_seen(expires_at);

-- Sessions that a logout of the other side can end.
CREATE TABLE sso_session (
  id {{key}} PRIMARY KEY,
  version {{int}} NOT NULL,
  side {{text}} NOT NULL CHECK (side IN ('sp','idp')),
  peer_id {{key}} NOT NULL,
  session_hash {{bytes}} NOT NULL,
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  user_id {{key}} NOT NULL,
  name_id {{text}} NOT NULL,
  format {{text}} NOT NULL,
  name_qualifier {{text}} NOT NULL,
  sp_name_qualifier {{text}} NOT NULL,
  session_index {{text}} NOT NULL,
  authn_context {{text}} NOT NULL,
  attributes {{text}} NOT NULL,
  authn_at {{instant}} NOT NULL,
  not_on_or_after {{instant}},
  created_at {{instant}} NOT NULL,
  ended_at {{instant}},
  ended_by {{text}} NOT NULL
) {{strict}};
CREATE INDEX sso_session_subject ON sso_session(peer_id, name_id, session_index);
CREATE INDEX sso_session_hash ON sso_session(session_hash);
CREATE INDEX sso_session_customer ON sso_session(customer_id, created_at);

-- Which account of a partner's platform is which customer and person here.
CREATE TABLE sso_link (
  id {{key}} PRIMARY KEY,
  version {{int}} NOT NULL,
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  account_type {{text}} NOT NULL,
  xaccount_id {{text}} NOT NULL,
  xuser_id {{text}} NOT NULL,
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  user_id {{key}},
  state {{text}} NOT NULL CHECK (state IN ('bound','unbound')),
  bound_how {{text}} NOT NULL CHECK (bound_how IN ('api','first_entry','proved')),
  last_asserted {{text}} NOT NULL,
  bound_at {{instant}} NOT NULL,
  unbound_at {{instant}},
  updated_at {{instant}} NOT NULL
) {{strict}};
CREATE UNIQUE INDEX sso_link_bound ON sso_link(partner_id, xaccount_id, xuser_id) WHERE state = 'bound';
CREATE INDEX sso_link_customer ON sso_link(customer_id, state);
-- One customer per account of the platform, however many persons of it have come.
CREATE TABLE sso_account (
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  xaccount_id {{text}} NOT NULL,
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  created_at {{instant}} NOT NULL,
  PRIMARY KEY (partner_id, xaccount_id)
) {{strict}};
CREATE INDEX sso_account_customer ON sso_account(customer_id);

-- What was refused and why; the message itself is not kept.
CREATE TABLE sso_refusal (
  id {{key}} PRIMARY KEY,
  ref {{key}} NOT NULL UNIQUE,
  at {{instant}} NOT NULL,
  last_at {{instant}} NOT NULL,
  side {{text}} NOT NULL CHECK (side IN ('sp','idp')),
  route {{text}} NOT NULL,
  peer_id {{key}},
  partner_id {{key}},
  code {{text}} NOT NULL,
  step {{text}} NOT NULL,
  facts {{text}} NOT NULL,
  message_sha256 {{bytes}},
  issuer_seen {{text}} NOT NULL,
  request_id {{text}} NOT NULL,
  ip {{text}} NOT NULL,
  user_agent {{text}} NOT NULL,
  repeat_count {{int}} NOT NULL
) {{strict}};
CREATE INDEX sso_refusal_partner ON sso_refusal(partner_id, at);
CREATE INDEX sso_refusal_peer ON sso_refusal(peer_id, at);
CREATE INDEX sso_refusal_at ON sso_refusal(at);

-- Sign-ins that were accepted, for the platform's page: drift is their clock minus ours.
CREATE TABLE sso_accepted (
  id {{key}} PRIMARY KEY,
  at {{instant}} NOT NULL,
  idp_id {{key}} NOT NULL REFERENCES sso_idp(id),
  purpose {{text}} NOT NULL,
  customer_id {{key}},
  assertion_id {{text}} NOT NULL,
  drift_ms {{int}} NOT NULL,
  ip {{text}} NOT NULL
) {{strict}};
CREATE INDEX sso_accepted_idp ON sso_accepted(idp_id, at);

-- The result of a partner's own test, sealed, until it expires.
CREATE TABLE sso_test (
  id {{key}} PRIMARY KEY,
  idp_id {{key}} NOT NULL REFERENCES sso_idp(id),
  request_id {{key}} NOT NULL,
  at {{instant}} NOT NULL,
  passed {{flag}} NOT NULL,
  code {{text}} NOT NULL,
  idp_version {{int}} NOT NULL,
  result_sealed {{bytes}} NOT NULL,
  kek_id {{text}} NOT NULL,
  expires_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX sso_test_idp ON sso_test(idp_id, at);

-- The identity provider entity that is ours for a partner whose sales platform the portal hosts.
CREATE TABLE sso_host (
  id {{key}} PRIMARY KEY,
  partner_id {{key}} NOT NULL UNIQUE REFERENCES organisation(id),
  idp_key {{key}} NOT NULL UNIQUE,
  entity_id {{text}} NOT NULL UNIQUE,
  state {{text}} NOT NULL CHECK (state IN ('active','disabled')),
  created_at {{instant}} NOT NULL
) {{strict}};

-- Consoles (service providers) that customers jump to from a hosted platform. partner_id null = every partner's.
CREATE TABLE sso_sp (
  id {{key}} PRIMARY KEY,
  version {{int}} NOT NULL,
  partner_id {{key}} REFERENCES organisation(id),
  entity_id {{text}} NOT NULL UNIQUE,
  name {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('active','disabled')),
  acs {{text}} NOT NULL,
  slo_url {{text}} NOT NULL,
  slo_response_url {{text}} NOT NULL,
  slo_binding {{text}} NOT NULL CHECK (slo_binding IN ('','redirect','post')),
  require_signed {{flag}} NOT NULL,
  name_id_format {{text}} NOT NULL CHECK (name_id_format IN ('persistent','transient','email')),
  attributes {{text}} NOT NULL,
  encrypt {{text}} NOT NULL CHECK (encrypt IN ('off','optional','required')),
  ciphers {{text}} NOT NULL,
  sign_certs {{text}} NOT NULL,
  encrypt_certs {{text}} NOT NULL,
  metadata_source {{text}} NOT NULL CHECK (metadata_source IN ('file','url')),
  metadata_url {{text}} NOT NULL,
  metadata_id {{key}},
  valid_until {{instant}},
  last_assertion_at {{instant}},
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  updated_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX sso_sp_partner ON sso_sp(partner_id);

-- The name a person has at one console, and at no other.
CREATE TABLE sso_pairwise (
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  user_id {{key}} NOT NULL,
  sp_id {{key}} NOT NULL REFERENCES sso_sp(id),
  name_id {{text}} NOT NULL UNIQUE,
  created_at {{instant}} NOT NULL,
  PRIMARY KEY (user_id, sp_id)
) {{strict}};
