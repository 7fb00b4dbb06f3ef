-- +goose Up
-- The vendor whose staff look after a console; null = the operator's alone, by command. One for every partner serves
-- those who deal with its vendor.
ALTER TABLE sso_sp ADD COLUMN vendor_id {{key}} REFERENCES organisation(id);
UPDATE sso_sp SET vendor_id = (SELECT MIN(d.vendor_id) FROM partnership d WHERE d.partner_id = sso_sp.partner_id)
WHERE (SELECT COUNT(*) FROM partnership d WHERE d.partner_id = sso_sp.partner_id) = 1;

-- The last time somebody was told of a console's certificate that ends.
CREATE TABLE sso_sp_warning (
  sp_id {{key}} NOT NULL REFERENCES sso_sp(id),
  fingerprint_sha256 {{bytes}} NOT NULL,
  warned_at {{instant}} NOT NULL,
  warned_days {{int}} NOT NULL,
  PRIMARY KEY (sp_id, fingerprint_sha256)
) {{strict}};
