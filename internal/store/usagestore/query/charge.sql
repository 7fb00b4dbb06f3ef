-- name: charge.Lines
select kind || '|' || billed || '|' || coalesce(list, '') || '|' || coalesce(contracted, '') || '|' || customer_id || '|' || currency,
  charge_start, account_id, product_id
from usage_line
where slot_id = $1
order by slot_id, customer_id, charge_start, line_key, occurrence;

-- name: charge.Accounts
select distinct account_id from usage_summary where slot_id = $1;

-- name: charge.Products
select distinct product_id from usage_summary where slot_id = $1;
