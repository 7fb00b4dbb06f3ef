-- name: sso.InsertDocument
insert into sso_metadata (id, owner_kind, owner_id, sha256, xml, signer_fingerprint, valid_until, cache_s, etag, fetched_at, state, code, diff,
  decided_by, decided_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)

-- name: sso.Document
select id, owner_kind, owner_id, sha256, xml, signer_fingerprint, valid_until, cache_s, etag, fetched_at, state, code, diff, decided_by, decided_at
from sso_metadata where id = $1

-- name: sso.Documents
select id, owner_kind, owner_id, sha256, '', signer_fingerprint, valid_until, cache_s, etag, fetched_at, state, code, diff, decided_by, decided_at
from sso_metadata where owner_id = $1 order by fetched_at desc, id desc limit $2

-- name: sso.WaitingDocuments
select id, owner_kind, owner_id, sha256, '', signer_fingerprint, valid_until, cache_s, etag, fetched_at, state, code, diff, decided_by, decided_at
from sso_metadata where owner_kind = $1 and state = 'pending' order by fetched_at desc, id desc

-- name: sso.DropWaiting
update sso_metadata set state = 'refused', decided_by = $2, decided_at = $3 where owner_id = $1 and state = 'pending'

-- name: sso.FailingFetches
select owner_id, next_at, lease_until, lease_by, failures, failing_since, last_code, last_ok_at from sso_metadata_fetch where failures > 0

-- name: sso.DecideDocument
update sso_metadata set state = $2, decided_by = $3, decided_at = $4 where id = $1 and state = 'pending'

-- name: sso.PutFetch
insert into sso_metadata_fetch (owner_id, next_at, lease_until, lease_by, failures, failing_since, last_code, last_ok_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (owner_id) do update set next_at = excluded.next_at, lease_until = excluded.lease_until, lease_by = excluded.lease_by,
  failures = excluded.failures, failing_since = excluded.failing_since, last_code = excluded.last_code,
  last_ok_at = coalesce(excluded.last_ok_at, sso_metadata_fetch.last_ok_at)

-- name: sso.FetchOf
select owner_id, next_at, lease_until, lease_by, failures, failing_since, last_code, last_ok_at from sso_metadata_fetch where owner_id = $1

-- name: sso.DropFetch
delete from sso_metadata_fetch where owner_id = $1

-- name: sso.DueFetches
select f.owner_id, f.next_at, f.lease_until, f.lease_by, f.failures, f.failing_since, f.last_code, f.last_ok_at
from sso_metadata_fetch f left join sso_idp i on i.id = f.owner_id left join sso_sp c on c.id = f.owner_id
where f.next_at <= $1 and (f.lease_until is null or f.lease_until < $1) and (i.state in ('active', 'tested') or c.state = 'active')
order by f.next_at, f.owner_id limit $2

-- name: sso.Lease
update sso_metadata_fetch set lease_until = $4, lease_by = $2
where owner_id = $1 and next_at <= $3 and (lease_until is null or lease_until < $3)

-- name: sso.RequestByID
select request_id, idp_id, relay_id, browser_hash, purpose, coalesce(return_id, ''), path, query, first_login, force_authn, coalesce(user_id, ''),
  created_at, expires_at, consumed_at
from sso_request where request_id = $1

-- name: sso.Refusals
select ref, at, last_at, side, route, coalesce(peer_id, ''), coalesce(partner_id, ''), code, step, facts, issuer_seen, request_id, ip, user_agent, repeat_count
from sso_refusal where peer_id = $1 order by at desc, id desc limit $2

-- name: sso.RefusalByRef
select ref, at, last_at, side, route, coalesce(peer_id, ''), coalesce(partner_id, ''), code, step, facts, issuer_seen, request_id, ip, user_agent, repeat_count
from sso_refusal where ref = $1

-- name: sso.SignIns
select id, at, purpose, coalesce(customer_id, ''), assertion_id, drift_ms, ip from sso_accepted where idp_id = $1 order by at desc, id desc limit $2

-- name: sso.LastSignIn
select max(at) from sso_accepted where idp_id = $1 and purpose <> 'test'

-- name: sso.RefusedSince
select coalesce(sum(repeat_count), 0) from sso_refusal where peer_id = $1 and at >= $2

-- name: sso.RequestByRelay
select request_id, idp_id, relay_id, browser_hash, purpose, coalesce(return_id, ''), path, query, first_login, force_authn, coalesce(user_id, ''),
  created_at, expires_at, consumed_at
from sso_request where relay_id = $1

-- name: sso.InsertTest
insert into sso_test (id, idp_id, request_id, at, passed, code, idp_version, result_sealed, kek_id, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: sso.Test
select id, idp_id, request_id, at, passed, code, idp_version, result_sealed, kek_id, expires_at from sso_test where id = $1 and expires_at > $2

-- name: sso.Tests
select id, idp_id, request_id, at, passed, code, idp_version, result_sealed, kek_id, expires_at from sso_test
where idp_id = $1 and expires_at > $2 order by at desc, id desc limit $3

-- name: sso.PurgeTests
delete from sso_test where expires_at <= $1
