-- name: sso.InsertConsole
insert into sso_sp (id, version, partner_id, entity_id, name, state, acs, slo_url, slo_response_url, slo_binding, require_signed, name_id_format,
  attributes, encrypt, ciphers, sign_certs, encrypt_certs, metadata_source, metadata_url, metadata_id, valid_until, last_assertion_at, created_by,
  created_at, updated_at, vendor_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, null, $22, $23, $24, $25)

-- name: sso.UpdateConsole
update sso_sp set version = version + 1, name = $3, state = $4, acs = $5, slo_url = $6, slo_response_url = $7, slo_binding = $8, require_signed = $9,
  name_id_format = $10, attributes = $11, encrypt = $12, ciphers = $13, sign_certs = $14, encrypt_certs = $15, metadata_source = $16,
  metadata_url = $17, metadata_id = $18, valid_until = $19, updated_at = $20, vendor_id = $21
where id = $1 and version = $2

-- name: sso.ConsoleByID
select id, version, coalesce(partner_id, ''), entity_id, name, state, acs, slo_url, slo_response_url, slo_binding, require_signed, name_id_format,
  attributes, encrypt, ciphers, sign_certs, encrypt_certs, metadata_source, metadata_url, coalesce(metadata_id, ''), valid_until, last_assertion_at,
  created_by, created_at, updated_at, coalesce(vendor_id, '')
from sso_sp where id = $1

-- name: sso.ConsoleByEntity
select id, version, coalesce(partner_id, ''), entity_id, name, state, acs, slo_url, slo_response_url, slo_binding, require_signed, name_id_format,
  attributes, encrypt, ciphers, sign_certs, encrypt_certs, metadata_source, metadata_url, coalesce(metadata_id, ''), valid_until, last_assertion_at,
  created_by, created_at, updated_at, coalesce(vendor_id, '')
from sso_sp where entity_id = $1

-- name: sso.Consoles
select id, version, coalesce(partner_id, ''), entity_id, name, state, acs, slo_url, slo_response_url, slo_binding, require_signed, name_id_format,
  attributes, encrypt, ciphers, sign_certs, encrypt_certs, metadata_source, metadata_url, coalesce(metadata_id, ''), valid_until, last_assertion_at,
  created_by, created_at, updated_at, coalesce(vendor_id, '')
from sso_sp order by created_at, id

-- name: sso.ConsoleWarnings
select sp_id, fingerprint_sha256, warned_at, warned_days from sso_sp_warning order by sp_id, fingerprint_sha256

-- name: sso.WarnConsole
insert into sso_sp_warning (sp_id, fingerprint_sha256, warned_at, warned_days) values ($1, $2, $3, $4)
on conflict (sp_id, fingerprint_sha256) do update set warned_at = excluded.warned_at, warned_days = excluded.warned_days
where sso_sp_warning.warned_days > excluded.warned_days

-- name: sso.InsertHost
insert into sso_host (id, partner_id, idp_key, entity_id, state, created_at) values ($1, $2, $3, $4, $5, $6)

-- name: sso.HostOf
select id, partner_id, idp_key, entity_id, state, created_at from sso_host where partner_id = $1

-- name: sso.HostByKey
select id, partner_id, idp_key, entity_id, state, created_at from sso_host where idp_key = $1

-- name: sso.Hosts
select id, partner_id, idp_key, entity_id, state, created_at from sso_host order by created_at, id
