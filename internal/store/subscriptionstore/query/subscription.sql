-- name: subscription.Insert
insert into subscription (id, org_id, name, kind, address, bucket, prefix, region, path_style, access_key, secret, sealed_by, hint, content, format, first_cycle, state, version,
  created_by, created_at, changed_at, tested_at, test_code)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, null, '');

-- name: subscription.Update
update subscription set name = $3, kind = $4, address = $5, bucket = $6, prefix = $7, region = $8, path_style = $9, access_key = $10, secret = $11, sealed_by = $12, hint = $13,
  content = $14, format = $15, first_cycle = $16, state = $17, changed_at = $18, tested_at = $19, test_code = $20, version = version + 1
where id = $1 and version = $2;

-- name: subscription.ByID
select id, org_id, name, kind, address, bucket, prefix, region, path_style, access_key, secret, sealed_by, hint, content, format, first_cycle, state, version,
  created_by, created_at, changed_at, tested_at, test_code
from subscription where id = $1;

-- name: subscription.OfOrg
select id, org_id, name, kind, address, bucket, prefix, region, path_style, access_key, secret, sealed_by, hint, content, format, first_cycle, state, version,
  created_by, created_at, changed_at, tested_at, test_code
from subscription where org_id = $1 and state <> 'ended' order by created_at, id;

-- name: subscription.On
select id, org_id, name, kind, address, bucket, prefix, region, path_style, access_key, secret, sealed_by, hint, content, format, first_cycle, state, version,
  created_by, created_at, changed_at, tested_at, test_code
from subscription where state = 'on' order by created_at, id;

-- name: subscription.Months
select s.cycle, s.id, coalesce(m.state, 'open')
from slot s left join month_close m on m.vendor_id = s.vendor_id and m.cycle = s.cycle
where s.state = 'active' and s.cycle >= $2 and s.cycle <= $3 and (
  exists (select 1 from usage_summary u where u.slot_id = s.id and (u.customer_id = '~' or u.customer_id = $1))
  or exists (select 1 from usage_summary u join association a on a.customer_id = u.customer_id where u.slot_id = s.id and a.partner_id = $1)
  or exists (select 1 from usage_summary u join association a on a.customer_id = u.customer_id join organisation o on o.id = a.partner_id
    where u.slot_id = s.id and o.parent_id = $1))
order by s.cycle, s.id;

-- name: subscription.Made
select cycle, mark, made_no from subscription_cycle where subscription_id = $1;

-- name: subscription.PutMade
insert into subscription_cycle (subscription_id, cycle, mark, made_no) values ($1, $2, $3, $4)
on conflict (subscription_id, cycle) do update set mark = excluded.mark, made_no = excluded.made_no;

-- name: dispatch.Insert
insert into dispatch (id, subscription_id, org_id, cycle, currency, file_no, content, format, file_name, file_bytes, file_rows, sha, plain_sha, amount, tax, state, version, tries,
  round_tries, round_at, next_at, last_code, created_at, done_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0, 0, $18, $19, '', $20, null);

-- name: dispatch.Update
update dispatch set state = $3, tries = $4, round_tries = $5, round_at = $6, next_at = $7, last_code = $8, done_at = $9, version = version + 1
where id = $1 and version = $2;

-- name: dispatch.ByID
select id, subscription_id, org_id, cycle, currency, file_no, content, format, file_name, file_bytes, file_rows, sha, plain_sha, amount, tax, state, version, tries, round_tries,
  round_at, next_at, last_code, created_at, done_at
from dispatch where id = $1;

-- name: dispatch.Of
select id, subscription_id, org_id, cycle, currency, file_no, content, format, file_name, file_bytes, file_rows, sha, plain_sha, amount, tax, state, version, tries, round_tries,
  round_at, next_at, last_code, created_at, done_at
from dispatch where subscription_id = $1 and ($2 = '' or cycle = $2) order by created_at desc, cycle desc, currency, file_no desc;

-- name: dispatch.PutTry
insert into dispatch_try (dispatch_id, try_no, began_at, ended_at, status, code, detail) values ($1, $2, $3, $4, $5, $6, $7);

-- name: dispatch.Tries
select dispatch_id, try_no, began_at, ended_at, status, code, detail from dispatch_try where dispatch_id = $1 order by try_no desc;

-- name: dispatch.PutPiece
insert into dispatch_piece (dispatch_id, piece_no, body) values ($1, $2, $3);

-- name: dispatch.Piece
select body from dispatch_piece where dispatch_id = $1 and piece_no = $2;

-- name: dispatch.DropPieces
delete from dispatch_piece where dispatch_id = $1;
