-- name: charge.Lines
select customer_id, charge_start, account_id, product_id, kind, currency, billed
from usage_line
where slot_id = $1 and customer_id >= $2 and customer_id < $3;

-- name: charge.Wide
select customer_id, charge_start, account_id, product_id, kind, currency, billed, list, contracted
from usage_line
where slot_id = $1 and customer_id >= $2 and customer_id < $3;

-- name: charge.Groups
select customer_id, min(charge_start), account_id, product_id, kind, currency, string_agg(billed, ','), max(charge_start)
from usage_line
where slot_id = $1 and customer_id >= $2 and customer_id < $3
group by customer_id, account_id, product_id, kind, currency;

-- name: charge.Customers
select customer_id, cast(sum(line_count) as bigint), max(line_count) from usage_summary where slot_id = $1 group by customer_id order by customer_id;

-- name: charge.Accounts
select id, provider from account_dim where id in (select account_id from usage_summary where slot_id = $1);

-- name: charge.Products
select id, service, sku, region, charging_mode from product_dim where id in (select product_id from usage_summary where slot_id = $1);
