-- name: invoice.ByID
SELECT r.id, r.number, r.vendor_id, r.partner_id, r.issuer_id, r.issuer, r.goods, r.entity_id, r.method, r.currency, r.amount_e8, r.kind, r.medium,
  r.title_kind, r.title_version, r.title_name, r.title_tax_no, r.title_bank, r.title_account, r.title_address, r.title_phone,
  coalesce(r.address_id, ''), r.recipient, r.phone, r.region, r.detail, r.postcode, r.email, r.remark, r.courier_ok, r.state, r.version, r.reason,
  r.invoice_code, r.invoice_number, r.invoiced_on, r.courier, r.tracking, r.return_reason, r.red_confirmed, r.person_id, r.login, r.created_at,
  r.submitted_at, r.changed_at, r.return_courier, r.return_tracking, r.sign_by
FROM invoice_request r WHERE r.id = $1
  AND ($2 = 'system' OR $2 = 'partner' AND r.partner_id = $3 OR r.state NOT IN ('draft', 'deleted') AND (r.issuer_id = $3 OR $2 = 'vendor' AND r.vendor_id = $3 AND r.issuer = 'vendor'));

-- name: invoice.OfPartner
SELECT r.id, r.number, r.vendor_id, r.partner_id, r.issuer_id, r.issuer, r.goods, r.entity_id, r.method, r.currency, r.amount_e8, r.kind, r.medium,
  r.title_kind, r.title_version, r.title_name, r.title_tax_no, r.title_bank, r.title_account, r.title_address, r.title_phone,
  coalesce(r.address_id, ''), r.recipient, r.phone, r.region, r.detail, r.postcode, r.email, r.remark, r.courier_ok, r.state, r.version, r.reason,
  r.invoice_code, r.invoice_number, r.invoiced_on, r.courier, r.tracking, r.return_reason, r.red_confirmed, r.person_id, r.login, r.created_at,
  r.submitted_at, r.changed_at, r.return_courier, r.return_tracking, r.sign_by
FROM invoice_request r WHERE r.partner_id = $1 AND r.state <> 'deleted' ORDER BY r.created_at DESC, r.id DESC;

-- name: invoice.OfVendor
SELECT r.id, r.number, r.vendor_id, r.partner_id, r.issuer_id, r.issuer, r.goods, r.entity_id, r.method, r.currency, r.amount_e8, r.kind, r.medium,
  r.title_kind, r.title_version, r.title_name, r.title_tax_no, r.title_bank, r.title_account, r.title_address, r.title_phone,
  coalesce(r.address_id, ''), r.recipient, r.phone, r.region, r.detail, r.postcode, r.email, r.remark, r.courier_ok, r.state, r.version, r.reason,
  r.invoice_code, r.invoice_number, r.invoiced_on, r.courier, r.tracking, r.return_reason, r.red_confirmed, r.person_id, r.login, r.created_at,
  r.submitted_at, r.changed_at, r.return_courier, r.return_tracking, r.sign_by
FROM invoice_request r WHERE r.vendor_id = $1 AND r.issuer = 'vendor' AND r.state NOT IN ('draft','deleted') ORDER BY r.created_at DESC, r.id DESC;

-- name: invoice.Parts
SELECT p.request_id, p.bill_id, p.order_no, p.customer_id, b.cycle, b.due_e8, p.amount_e8
FROM invoice_part p JOIN bill b ON b.id = p.bill_id WHERE p.request_id = $1 ORDER BY p.part_no;

-- name: invoice.PartsOfPartner
SELECT p.request_id, p.bill_id, p.order_no, p.customer_id, b.cycle, b.due_e8, p.amount_e8
FROM invoice_part p JOIN bill b ON b.id = p.bill_id JOIN invoice_request r ON r.id = p.request_id
WHERE r.partner_id = $1 ORDER BY p.request_id, p.part_no;

-- name: invoice.PartsOfVendor
SELECT p.request_id, p.bill_id, p.order_no, p.customer_id, b.cycle, b.due_e8, p.amount_e8
FROM invoice_part p JOIN bill b ON b.id = p.bill_id JOIN invoice_request r ON r.id = p.request_id
WHERE r.vendor_id = $1 ORDER BY p.request_id, p.part_no;

-- name: invoice.LastSerial
SELECT coalesce(max(number), '') FROM invoice_request WHERE vendor_id = $1 AND substr(number, 1, 12) = $2;

-- name: invoice.Insert
INSERT INTO invoice_request (
  id, number, vendor_id, partner_id, issuer_id, issuer, goods, entity_id, method, currency, amount_e8, kind, medium, title_kind, title_version,
  title_name, title_tax_no, title_bank, title_account, title_address, title_phone, address_id, recipient, phone, region, detail, postcode, email,
  remark, courier_ok, state, version, reason, invoice_code, invoice_number, invoiced_on, courier, tracking, return_reason, red_confirmed, person_id,
  login, created_at, submitted_at, changed_at, return_courier, return_tracking, sign_by)
VALUES (
  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31,
  $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48);

-- name: invoice.Set
UPDATE invoice_request SET version = version + 1, state = $4,
  number = $5, vendor_id = $6, issuer_id = $7, issuer = $8, goods = $9, entity_id = $10, method = $11, currency = $12, amount_e8 = $13, kind = $14,
  medium = $15, title_kind = $16, title_version = $17, title_name = $18, title_tax_no = $19, title_bank = $20, title_account = $21,
  title_address = $22, title_phone = $23, address_id = $24, recipient = $25, phone = $26, region = $27, detail = $28, postcode = $29, email = $30,
  remark = $31, courier_ok = $32, reason = $33, invoice_code = $34, invoice_number = $35, invoiced_on = $36, courier = $37, tracking = $38,
  return_reason = $39, red_confirmed = $40, person_id = $41, login = $42, submitted_at = $43, changed_at = $44, return_courier = $45, return_tracking = $46, sign_by = $47
WHERE id = $1 AND state = $2 AND version = $3;

-- name: invoice.DropParts
DELETE FROM invoice_part WHERE request_id = $1;

-- name: invoice.InsertPart
INSERT INTO invoice_part (request_id, part_no, bill_id, order_no, customer_id, amount_e8) VALUES ($1, $2, $3, $4, $5, $6);

-- name: invoice.Claims
-- the states in which a request holds its amounts
SELECT p.bill_id, p.order_no, p.customer_id, CAST(sum(p.amount_e8) AS BIGINT)
FROM invoice_part p JOIN invoice_request r ON r.id = p.request_id
WHERE r.partner_id = $1 AND r.id <> $2
  AND r.state IN ('pending','issuing','cancelling','cancel_refused','posted','issued','returning','return_refused')
GROUP BY p.bill_id, p.order_no, p.customer_id ORDER BY p.bill_id, p.order_no, p.customer_id;

-- name: invoice.NumberTaken
SELECT count(*) FROM invoice_request WHERE issuer_id = $1 AND invoice_code = $2 AND invoice_number = $3 AND id <> $4;

-- name: invoice.Titles
SELECT partner_id, version, kind, name, tax_no, bank, account, address, phone, created_by, created_at
FROM invoice_title WHERE partner_id = $1 ORDER BY version DESC;

-- name: invoice.InsertTitle
INSERT INTO invoice_title (partner_id, version, kind, name, tax_no, bank, account, address, phone, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: invoice.Addresses
SELECT id, partner_id, recipient, phone, region, detail, postcode, created_by, created_at
FROM invoice_address WHERE partner_id = $1 AND retired = $2 ORDER BY created_at DESC, id DESC;

-- name: invoice.AddressByID
SELECT id, partner_id, recipient, phone, region, detail, postcode, created_by, created_at
FROM invoice_address WHERE partner_id = $1 AND id = $2 AND retired = $3;

-- name: invoice.InsertAddress
INSERT INTO invoice_address (id, partner_id, recipient, phone, region, detail, postcode, retired, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: invoice.RetireAddress
UPDATE invoice_address SET retired = $3 WHERE partner_id = $1 AND id = $2;

-- name: invoice.Files
SELECT format, bytes, sha, uploaded_by, uploaded_at FROM invoice_file WHERE request_id = $1 ORDER BY format;

-- name: invoice.PutFile
INSERT INTO invoice_file (request_id, format, bytes, sha, uploaded_by, uploaded_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (request_id, format) DO UPDATE SET bytes = excluded.bytes, sha = excluded.sha, uploaded_by = excluded.uploaded_by, uploaded_at = excluded.uploaded_at;

-- name: invoice.DropPieces
DELETE FROM invoice_piece WHERE request_id = $1 AND format = $2;

-- name: invoice.PutPiece
INSERT INTO invoice_piece (request_id, format, piece_no, body) VALUES ($1, $2, $3, $4);

-- name: invoice.Pieces
SELECT body FROM invoice_piece WHERE request_id = $1 AND format = $2 ORDER BY piece_no;

-- name: invoice.Digital
SELECT entity_id, from_at FROM invoice_digital WHERE vendor_id = $1 ORDER BY entity_id;

-- name: invoice.SetDigital
-- touches nothing where the entity is another vendor's
INSERT INTO invoice_digital (entity_id, vendor_id, from_at, set_by, set_at)
SELECT e.id, e.vendor_id, $3, $4, $5 FROM contracting_entity e WHERE e.vendor_id = $1 AND e.id = $2
ON CONFLICT (entity_id) DO UPDATE SET from_at = excluded.from_at, set_by = excluded.set_by, set_at = excluded.set_at;

-- name: invoice.DropDigital
DELETE FROM invoice_digital WHERE vendor_id = $1 AND entity_id = $2;

-- name: invoice.Setting
SELECT sign_days, couriers FROM invoice_setting WHERE vendor_id = $1;

-- name: invoice.SaveSetting
INSERT INTO invoice_setting (vendor_id, sign_days, couriers, set_by, set_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (vendor_id) DO UPDATE SET sign_days = excluded.sign_days, couriers = excluded.couriers, set_by = excluded.set_by, set_at = excluded.set_at;

-- name: invoice.OrdersRead
SELECT order_count FROM bill_order_read WHERE bill_id = $1;

-- name: invoice.SetOrdersRead
INSERT INTO bill_order_read (bill_id, order_count, read_at) VALUES ($1, $2, $3) ON CONFLICT (bill_id) DO NOTHING;

-- name: invoice.OrderPage
-- what is skipped is skipped in the index
SELECT o.order_no, o.customer_id, o.customer_code, o.customer_name, o.product, o.line_count, o.amount_e8
FROM (SELECT order_no FROM bill_order WHERE bill_id = $1 ORDER BY customer_code, order_no LIMIT $2 OFFSET $3) p
JOIN bill_order o ON o.bill_id = $1 AND o.order_no = p.order_no ORDER BY o.customer_code, o.order_no;

-- name: invoice.OrderSearch
SELECT order_no, customer_id, customer_code, customer_name, product, line_count, amount_e8 FROM bill_order
WHERE bill_id = $1 AND (lower(order_no) LIKE $4 ESCAPE '!' OR lower(customer_code) LIKE $4 ESCAPE '!' OR lower(customer_name) LIKE $4 ESCAPE '!' OR lower(product) LIKE $4 ESCAPE '!')
ORDER BY customer_code, order_no LIMIT $2 OFFSET $3;

-- name: invoice.OrderCount
SELECT count(*) FROM bill_order
WHERE bill_id = $1 AND (lower(order_no) LIKE $2 ESCAPE '!' OR lower(customer_code) LIKE $2 ESCAPE '!' OR lower(customer_name) LIKE $2 ESCAPE '!' OR lower(product) LIKE $2 ESCAPE '!');

-- name: invoice.OrderByNumber
SELECT order_no, customer_id, customer_code, customer_name, product, line_count, amount_e8 FROM bill_order WHERE bill_id = $1 AND order_no = $2;
