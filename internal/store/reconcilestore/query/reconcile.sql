-- name: reconcile.Insert
insert into reconcile_run (id, org_id, person_id, login, key_kind, currency, left_label, right_label, left_rows, right_rows, left_total, right_total, added_rows, added_sum,
  removed_rows, removed_sum, changed_rows, changed_sum, same_rows, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21);

-- name: reconcile.List
select id, org_id, person_id, login, key_kind, currency, left_label, right_label, left_rows, right_rows, left_total, right_total, added_rows, added_sum,
  removed_rows, removed_sum, changed_rows, changed_sum, same_rows, created_at, expires_at
from reconcile_run where ($1 = '' or id = $1) and ($2 = '' or org_id = $2) and ($3 = '' or person_id = $3)
order by created_at desc, id desc;

-- name: reconcile.Rows
select row_no, class, row_key, left_exact, right_exact
from reconcile_row where run_id = $1 and ($2 = '' or class = $2) and row_no > $3 order by row_no limit $4;

-- name: reconcile.RowsBack
select row_no, class, row_key, left_exact, right_exact
from reconcile_row where run_id = $1 and ($2 = '' or class = $2) and row_no < $3 order by row_no desc limit $4;

-- name: reconcile.PurgeRows
delete from reconcile_row where run_id in (select id from reconcile_run where expires_at < $1);

-- name: reconcile.Purge
delete from reconcile_run where expires_at < $1;
