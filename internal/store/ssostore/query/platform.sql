-- name: sso.InsertPlatform
insert into sso_idp (id, version, partner_id, sp_key, sp_entity_id, acs_urls, account_type, name, state, idp_entity_id, sso_url, sso_binding,
  slo_url, slo_response_url, slo_binding, metadata_source, metadata_url, metadata_id, pinned_signer, sign_requests, want_response_signed,
  want_encrypted, allow_idp_initiated, first_entry, authn_context_min, max_authn_age_s, skew_s, mapping, default_return_id, notify_url,
  shared_entity_ok, weak_key_until, created_by, created_at, updated_at, association, held)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29,
  $30, $31, $32, $33, $34, $35, $36, $37)

-- name: sso.UpdatePlatform
update sso_idp set version = version + 1, acs_urls = $3, account_type = $4, name = $5, state = $6, idp_entity_id = $7, sso_url = $8, sso_binding = $9,
  slo_url = $10, slo_response_url = $11, slo_binding = $12, metadata_source = $13, metadata_url = $14, metadata_id = $15, pinned_signer = $16,
  sign_requests = $17, want_response_signed = $18, want_encrypted = $19, allow_idp_initiated = $20, first_entry = $21, authn_context_min = $22,
  max_authn_age_s = $23, skew_s = $24, mapping = $25, default_return_id = $26, notify_url = $27, shared_entity_ok = $28, weak_key_until = $29,
  updated_at = $30, association = $31, held = $32
where id = $1 and version = $2

-- name: sso.Platform
select id, version, partner_id, sp_key, sp_entity_id, acs_urls, account_type, name, state, idp_entity_id, sso_url, sso_binding, slo_url,
  slo_response_url, slo_binding, metadata_source, metadata_url, coalesce(metadata_id, ''), pinned_signer, sign_requests, want_response_signed,
  want_encrypted, allow_idp_initiated, first_entry, authn_context_min, max_authn_age_s, skew_s, mapping, coalesce(default_return_id, ''),
  notify_url, shared_entity_ok, weak_key_until, created_by, created_at, updated_at, association, held
from sso_idp where id = $1 or sp_key = $1

-- name: sso.PlatformByType
select id, version, partner_id, sp_key, sp_entity_id, acs_urls, account_type, name, state, idp_entity_id, sso_url, sso_binding, slo_url,
  slo_response_url, slo_binding, metadata_source, metadata_url, coalesce(metadata_id, ''), pinned_signer, sign_requests, want_response_signed,
  want_encrypted, allow_idp_initiated, first_entry, authn_context_min, max_authn_age_s, skew_s, mapping, coalesce(default_return_id, ''),
  notify_url, shared_entity_ok, weak_key_until, created_by, created_at, updated_at, association, held
from sso_idp where account_type = $1

-- name: sso.Platforms
select id, version, partner_id, sp_key, sp_entity_id, acs_urls, account_type, name, state, idp_entity_id, sso_url, sso_binding, slo_url,
  slo_response_url, slo_binding, metadata_source, metadata_url, coalesce(metadata_id, ''), pinned_signer, sign_requests, want_response_signed,
  want_encrypted, allow_idp_initiated, first_entry, authn_context_min, max_authn_age_s, skew_s, mapping, coalesce(default_return_id, ''),
  notify_url, shared_entity_ok, weak_key_until, created_by, created_at, updated_at, association, held
from sso_idp where $1 = '' or partner_id = $1 order by created_at, id

-- name: sso.EntityHolders
select id, version, partner_id, sp_key, sp_entity_id, acs_urls, account_type, name, state, idp_entity_id, sso_url, sso_binding, slo_url,
  slo_response_url, slo_binding, metadata_source, metadata_url, coalesce(metadata_id, ''), pinned_signer, sign_requests, want_response_signed,
  want_encrypted, allow_idp_initiated, first_entry, authn_context_min, max_authn_age_s, skew_s, mapping, coalesce(default_return_id, ''),
  notify_url, shared_entity_ok, weak_key_until, created_by, created_at, updated_at, association, held
from sso_idp where idp_entity_id = $1 and state = 'active' and not shared_entity_ok

-- name: sso.SessionHashes
select session_hash from sso_session where peer_id = $1 and ended_at is null

-- name: sso.EndSessionRows
update sso_session set ended_at = $2, ended_by = $3, version = version + 1 where peer_id = $1 and ended_at is null

-- name: sso.RevokeSession
update session set revoked_at = $2 where token_hash = $1 and revoked_at is null

-- name: sso.Certs
select id, idp_id, use, fingerprint_sha256, der, not_before, not_after, metadata_id, state, warned_at, coalesce(warned_days, 0)
from sso_idp_cert where idp_id = $1 order by not_after desc, id

-- name: sso.PutCert
insert into sso_idp_cert (id, idp_id, use, fingerprint_sha256, der, not_before, not_after, metadata_id, state, warned_at, warned_days, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, null, null, $10)
on conflict (idp_id, use, fingerprint_sha256) do update set state = excluded.state, metadata_id = excluded.metadata_id

-- name: sso.SetCertState
update sso_idp_cert set state = $2 where id = $1

-- name: sso.WarnCert
update sso_idp_cert set warned_at = $2, warned_days = $3 where id = $1 and (warned_days is null or warned_days > $3)

-- name: sso.EndingCerts
select c.id, c.idp_id, c.use, c.fingerprint_sha256, c.der, c.not_before, c.not_after, c.metadata_id, c.state, c.warned_at, coalesce(c.warned_days, 0)
from sso_idp_cert c join sso_idp i on i.id = c.idp_id
where c.state = 'current' and c.use <> 'encryption' and c.not_after < $1 and i.state in ('active', 'tested') order by c.not_after, c.id

-- name: sso.Keys
select id, version, entity_kind, entity_key, use, state, cert_der, private_sealed, kek_id, published_at, switched_at, retired_at, not_after, created_at
from sso_key where entity_key = $1 order by created_at, id

-- name: sso.InsertKey
insert into sso_key (id, version, entity_kind, entity_key, use, state, cert_der, private_sealed, kek_id, published_at, switched_at, retired_at,
  not_after, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: sso.UpdateKey
update sso_key set version = version + 1, state = $3, switched_at = $4, retired_at = $5 where id = $1 and version = $2

-- name: sso.RollingKeys
select distinct k.entity_kind, k.entity_key from sso_key k
where k.state in ('next', 'retiring') or k.state = 'current' and k.not_after < $1 order by k.entity_key

-- name: sso.Returns
select id, short_key, scheme, host, port, path_prefix, label, state from sso_return where idp_id = $1 and state <> 'removed' order by created_at, id

-- name: sso.InsertReturn
insert into sso_return (id, idp_id, short_key, scheme, host, port, path_prefix, label, state, approved_by, approved_at, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: sso.SetReturnState
update sso_return set state = $3, approved_by = $4, approved_at = $5 where idp_id = $1 and id = $2 and state <> 'removed'
