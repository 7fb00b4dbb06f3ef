-- +goose Up
-- 报备: a customer a partner is winning. The keys are the forms in which names, phones and addresses are compared.
CREATE TABLE prospect (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  person_id {{key}} NOT NULL,
  login {{text}} NOT NULL,
  kind {{text}} NOT NULL CHECK (kind IN ('company','person')),
  name {{text}} NOT NULL,
  phone {{text}} NOT NULL,
  email {{text}} NOT NULL,
  name_key {{text}} NOT NULL,
  phone_key {{text}} NOT NULL,
  email_key {{text}} NOT NULL,
  industry {{text}} NOT NULL,
  relation {{text}} NOT NULL CHECK (relation IN ('resale','referral')),
  remark {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('draft','pending','registered','refused','lapsed','associated')),
  reason {{text}} NOT NULL,
  submitted_at {{instant}},
  decided_at {{instant}},
  decided_by {{text}} NOT NULL,
  expires_at {{instant}},
  reminded_at {{instant}},
  customer_id {{key}} REFERENCES organisation(id),
  version {{int}} NOT NULL,
  created_at {{instant}} NOT NULL,
  changed_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX prospect_partner ON prospect(partner_id);
CREATE INDEX prospect_vendor ON prospect(vendor_id, state);

-- 邀请: a link behind which a customer consents; hash is that of its token. Without a registration it is a general
-- link, which many customers may use.
CREATE TABLE invitation (
  id {{key}} PRIMARY KEY,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  person_id {{key}} NOT NULL,
  label {{text}} NOT NULL,
  prospect_id {{key}} REFERENCES prospect(id),
  relation {{text}} NOT NULL CHECK (relation IN ('resale','referral')),
  channel {{text}} NOT NULL CHECK (channel IN ('mail','link','qr')),
  address {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('sent','failed','expired','withdrawn','associated')),
  serial {{int}} NOT NULL,
  hash {{bytes}} NOT NULL UNIQUE,
  sent_at {{instant}} NOT NULL,
  expires_at {{instant}} NOT NULL,
  reason {{text}} NOT NULL,
  joined {{int}} NOT NULL,
  customer_id {{key}} REFERENCES organisation(id),
  version {{int}} NOT NULL,
  created_at {{instant}} NOT NULL,
  changed_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX invitation_partner ON invitation(partner_id);
CREATE INDEX invitation_prospect ON invitation(prospect_id);

-- Each customer's attempt to be associated by a link; an empty reason succeeded.
CREATE TABLE invitation_try (
  id {{key}} PRIMARY KEY,
  invitation_id {{key}} NOT NULL REFERENCES invitation(id),
  at {{instant}} NOT NULL,
  customer_name {{text}} NOT NULL,
  customer_id {{key}} REFERENCES organisation(id),
  reason {{text}} NOT NULL
) {{strict}};
CREATE INDEX invitation_try_invitation ON invitation_try(invitation_id, at);
