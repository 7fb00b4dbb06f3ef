-- name: statement_rule.Versions
select id, partner_id, number, version, seq, ended_seq, coalesce(customer_id, ''), product, base, factor, valid_from, valid_to, created_by, created_at
from statement_rule where partner_id = $1 order by number, version;

-- name: statement_rule.Insert
insert into statement_rule (id, partner_id, number, version, seq, ended_seq, customer_id, product, base, factor, valid_from, valid_to, created_by, created_at)
values ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: statement_rule.End
update statement_rule set ended_seq = $2 where id = $1 and ended_seq = 0;

-- name: statement_head.All
select version, name, address, contact, bank, note, tax_rate, logo_sha, created_by, created_at
from statement_head where partner_id = $1 and ($2 = 0 or version = $2) order by version desc;

-- name: statement_head.Insert
insert into statement_head (partner_id, version, name, address, contact, bank, note, tax_rate, logo_sha, created_by, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: statement_logo.ByHash
select body from statement_logo where partner_id = $1 and sha = $2;

-- name: statement_logo.Put
insert into statement_logo (partner_id, sha, body) values ($1, $2, $3) on conflict (partner_id, sha) do nothing;

-- name: statement.List
-- the ninth argument names the partner who may see what it pays
select s.id, s.partner_id, p.code, p.name, s.customer_id, c.code, s.customer_name, s.bill_id, s.cycle, s.currency, s.state, s.version, s.serial, s.number,
  coalesce(s.replaces_id, ''), coalesce(r.number, ''), s.line_count, s.subtotal_e8, s.tax_rate, s.tax_e8, s.rounding_e8, s.total_e8, s.rule_seq, s.head_version, s.code,
  s.created_by, s.created_at, s.issued_at, s.sent_at, coalesce(k.cost_e8, 0), coalesce(k.source_exact, '0')
from statement s join organisation p on p.id = s.partner_id join organisation c on c.id = s.customer_id
  left join statement r on r.id = s.replaces_id left join statement_cost k on k.statement_id = s.id and k.line_no = 0 and k.partner_id = $9
where (($1 = 'partner' and s.partner_id = $2) or ($1 = 'customer' and s.customer_id = $2 and s.state in ('issued', 'sent', 'withdrawn', 'replaced')))
  and ($3 = '' or s.id = $3) and ($4 = '' or s.cycle = $4) and ($5 = '' or s.customer_id = $5) and ($6 = '' or s.bill_id = $6) and ($7 = '' or s.currency = $7)
  and ($8 = '' or s.state = $8) and ($10 = 0 or s.state in ('issued', 'sent'))
order by s.cycle desc, s.currency, c.code, s.serial, s.id;

-- name: statement.Lines
-- the second argument names the partner who may see what it pays
select l.line_no, l.origin, l.provider, l.product, l.region, l.charging_mode, l.kind, l.corrects_cycle, l.line_count, l.amount_e8,
  coalesce(k.items, ''), coalesce(k.source_exact, '0'), coalesce(k.cost_e8, 0), coalesce(k.rule_number, 0), coalesce(k.rule_version, 0), coalesce(k.base, ''),
  coalesce(k.factor, '0'), coalesce(k.exact, '0')
from statement_line l left join statement_cost k on k.statement_id = l.statement_id and k.line_no = l.line_no and k.partner_id = $2
where l.statement_id = $1 order by l.line_no;

-- name: statement.Insert
insert into statement (id, partner_id, customer_id, customer_name, bill_id, cycle, currency, state, version, serial, number, replaces_id, line_count, subtotal_e8, tax_rate, tax_e8,
  rounding_e8, total_e8, rule_seq, head_version, code, created_by, created_at, issued_at, sent_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '', $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, null, null);

-- name: statement.Set
update statement set state = $4, version = $5, serial = $6, number = $7, issued_at = $8, sent_at = $9 where id = $1 and state = $2 and version = $3;

-- name: statement.LastSerial
select coalesce(max(serial), 0) from statement where partner_id = $1 and cycle = $2;

-- name: statement_file.Get
select body from statement_file where statement_id = $1 and lang = $2;

-- name: statement_file.Keep
insert into statement_file (statement_id, lang, body) values ($1, $2, $3) on conflict (statement_id, lang) do nothing;
