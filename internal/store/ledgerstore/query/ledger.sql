-- name: ledger.Account
SELECT vendor_id, coalesce(partner_id, ''), coalesce(customer_id, ''), kind, currency, balance_e8, line_e8, seq, last_at, created_at FROM ledger_account WHERE id = $1;

-- name: ledger.Open
INSERT INTO ledger_account (id, vendor_id, partner_id, customer_id, kind, currency, balance_e8, line_e8, seq, last_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, NULL, $7);

-- name: ledger.Move
UPDATE ledger_account SET balance_e8 = $3, seq = $4, last_at = $5 WHERE id = $1 AND seq = $2;

-- name: ledger.SetLine
UPDATE ledger_account SET line_e8 = $3 WHERE id = $1 AND seq = $2;

-- name: ledger.ByKey
SELECT id, type, detail, key, reference, number, coalesce(customer_id, ''), memo, actor, posted_at FROM ledger_entry WHERE vendor_id = $1 AND key = $2;

-- name: ledger.LinesOf
SELECT a.vendor_id, coalesce(a.partner_id, ''), coalesce(a.customer_id, ''), a.kind, a.currency, l.amount_e8, l.after_e8
FROM ledger_line l JOIN ledger_account a ON a.id = l.account_id WHERE l.entry_id = $1 ORDER BY l.line_no;

-- name: ledger.InsertEntry
INSERT INTO ledger_entry (id, vendor_id, type, detail, key, reference, number, customer_id, memo, actor, posted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: ledger.InsertLine
INSERT INTO ledger_line (account_id, seq, entry_id, line_no, amount_e8, after_e8, posted_at) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: ledger.Accounts
SELECT vendor_id, coalesce(partner_id, ''), coalesce(customer_id, ''), kind, currency, balance_e8, line_e8, seq, last_at, created_at FROM ledger_account
WHERE vendor_id = $1 AND ($2 = '' OR partner_id = $2) ORDER BY coalesce(partner_id, ''), currency, kind, coalesce(customer_id, '');

-- name: ledger.OfPartner
SELECT vendor_id, coalesce(partner_id, ''), coalesce(customer_id, ''), kind, currency, balance_e8, line_e8, seq, last_at, created_at FROM ledger_account
WHERE partner_id = $1 ORDER BY vendor_id, currency, kind, coalesce(customer_id, '');

-- name: ledger.OfCustomer
SELECT vendor_id, coalesce(partner_id, ''), coalesce(customer_id, ''), kind, currency, balance_e8, line_e8, seq, last_at, created_at FROM ledger_account
WHERE customer_id = $1 ORDER BY vendor_id, currency, coalesce(partner_id, '');

-- name: ledger.Older
SELECT e.id, l.seq, l.posted_at, e.type, e.detail, e.reference, e.number, coalesce(e.customer_id, ''), e.memo, e.actor, l.amount_e8, l.after_e8
FROM ledger_line l JOIN ledger_entry e ON e.id = l.entry_id
WHERE l.account_id = $1 AND l.posted_at >= $2 AND l.posted_at < $3 AND l.seq <= $4 AND ($5 = '' OR e.type = $5) AND ($6 = '' OR e.detail = $6)
  AND ($7 = 0 OR $7 = 1 AND l.amount_e8 > 0 OR $7 = 2 AND l.amount_e8 < 0) AND ($8 = '' OR e.customer_id = $8) AND ($9 = 0 OR l.seq < $9)
ORDER BY l.seq DESC LIMIT $10;

-- name: ledger.Newer
SELECT e.id, l.seq, l.posted_at, e.type, e.detail, e.reference, e.number, coalesce(e.customer_id, ''), e.memo, e.actor, l.amount_e8, l.after_e8
FROM ledger_line l JOIN ledger_entry e ON e.id = l.entry_id
WHERE l.account_id = $1 AND l.posted_at >= $2 AND l.posted_at < $3 AND l.seq <= $4 AND ($5 = '' OR e.type = $5) AND ($6 = '' OR e.detail = $6)
  AND ($7 = 0 OR $7 = 1 AND l.amount_e8 > 0 OR $7 = 2 AND l.amount_e8 < 0) AND ($8 = '' OR e.customer_id = $8) AND l.seq > $9
ORDER BY l.seq LIMIT $10;

-- name: ledger.Totals
SELECT count(*), coalesce(sum(CASE WHEN l.amount_e8 > 0 THEN l.amount_e8 ELSE 0 END), 0), coalesce(sum(CASE WHEN l.amount_e8 < 0 THEN -l.amount_e8 ELSE 0 END), 0),
  coalesce(max(l.seq), 0), max(l.posted_at)
FROM ledger_line l JOIN ledger_entry e ON e.id = l.entry_id
WHERE l.account_id = $1 AND l.posted_at >= $2 AND l.posted_at < $3 AND l.seq <= $4 AND ($5 = '' OR e.type = $5) AND ($6 = '' OR e.detail = $6)
  AND ($7 = 0 OR $7 = 1 AND l.amount_e8 > 0 OR $7 = 2 AND l.amount_e8 < 0) AND ($8 = '' OR e.customer_id = $8);

-- name: ledger.Before
SELECT after_e8 FROM ledger_line WHERE account_id = $1 AND posted_at < $2 ORDER BY seq DESC LIMIT 1;

-- name: ledger.AdjustOlder
SELECT e.id, l.line_no, l.posted_at, e.type, a.vendor_id, a.partner_id, a.customer_id, a.currency, l.amount_e8, e.number, e.memo, e.actor
FROM ledger_account a JOIN ledger_line l ON l.account_id = a.id JOIN ledger_entry e ON e.id = l.entry_id
WHERE a.partner_id = $1 AND a.kind = 'allocated' AND ($2 = '' OR a.customer_id = $2) AND e.type IN ('allocate', 'reclaim', 'unbind') AND ($3 = '' OR e.type = $3)
  AND l.posted_at >= $4 AND l.posted_at < $5 AND ($6 = '' OR e.id = $6) AND (l.posted_at, e.id, l.line_no) <= ($7, $8, $9)
  AND (l.posted_at, e.id, l.line_no) < ($10, $11, $12)
ORDER BY l.posted_at DESC, e.id DESC, l.line_no DESC LIMIT $13;

-- name: ledger.AdjustNewer
SELECT e.id, l.line_no, l.posted_at, e.type, a.vendor_id, a.partner_id, a.customer_id, a.currency, l.amount_e8, e.number, e.memo, e.actor
FROM ledger_account a JOIN ledger_line l ON l.account_id = a.id JOIN ledger_entry e ON e.id = l.entry_id
WHERE a.partner_id = $1 AND a.kind = 'allocated' AND ($2 = '' OR a.customer_id = $2) AND e.type IN ('allocate', 'reclaim', 'unbind') AND ($3 = '' OR e.type = $3)
  AND l.posted_at >= $4 AND l.posted_at < $5 AND ($6 = '' OR e.id = $6) AND (l.posted_at, e.id, l.line_no) <= ($7, $8, $9)
  AND (l.posted_at, e.id, l.line_no) > ($10, $11, $12)
ORDER BY l.posted_at, e.id, l.line_no LIMIT $13;

-- name: ledger.AdjustTotals
SELECT a.currency, count(*), sum(l.amount_e8)
FROM ledger_account a JOIN ledger_line l ON l.account_id = a.id JOIN ledger_entry e ON e.id = l.entry_id
WHERE a.partner_id = $1 AND a.kind = 'allocated' AND ($2 = '' OR a.customer_id = $2) AND e.type IN ('allocate', 'reclaim', 'unbind') AND ($3 = '' OR e.type = $3)
  AND l.posted_at >= $4 AND l.posted_at < $5 AND ($6 = '' OR e.id = $6) AND (l.posted_at, e.id, l.line_no) <= ($7, $8, $9)
GROUP BY a.currency ORDER BY a.currency;

-- name: ledger.Sums
SELECT a.vendor_id, coalesce(a.partner_id, ''), coalesce(a.customer_id, ''), a.kind, a.currency, a.balance_e8, a.line_e8, a.seq, a.last_at, a.created_at,
  (SELECT count(*) FROM ledger_line l WHERE l.account_id = a.id),
  (SELECT coalesce(sum(CASE WHEN l.amount_e8 < 0 THEN -l.amount_e8 ELSE 0 END), 0) FROM ledger_line l WHERE l.account_id = a.id),
  (SELECT coalesce(sum(CASE WHEN l.amount_e8 > 0 THEN l.amount_e8 ELSE 0 END), 0) FROM ledger_line l WHERE l.account_id = a.id),
  coalesce((SELECT l.after_e8 FROM ledger_line l WHERE l.account_id = a.id AND l.seq = a.seq), 0)
FROM ledger_account a WHERE a.vendor_id = $1
ORDER BY coalesce(a.partner_id, ''), a.currency, a.kind, coalesce(a.customer_id, '');
