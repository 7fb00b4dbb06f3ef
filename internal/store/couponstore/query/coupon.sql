-- name: coupon.QuotaByID
SELECT id, vendor_id, number, owner_id, coalesce(parent_id, ''), giver_id, kind, currency, value_e8, balance_e8, issued_e8, returned_e8, state, valid_from, valid_to,
  limits, memo, change_e8, proposed_by, decided_by, reason, version, created_at, changed_at
FROM coupon_quota
WHERE id = $1 ORDER BY created_at DESC, number DESC;

-- name: coupon.QuotasOfVendor
SELECT id, vendor_id, number, owner_id, coalesce(parent_id, ''), giver_id, kind, currency, value_e8, balance_e8, issued_e8, returned_e8, state, valid_from, valid_to,
  limits, memo, change_e8, proposed_by, decided_by, reason, version, created_at, changed_at
FROM coupon_quota
WHERE vendor_id = $1 ORDER BY created_at DESC, number DESC;

-- name: coupon.QuotasOfOwner
SELECT id, vendor_id, number, owner_id, coalesce(parent_id, ''), giver_id, kind, currency, value_e8, balance_e8, issued_e8, returned_e8, state, valid_from, valid_to,
  limits, memo, change_e8, proposed_by, decided_by, reason, version, created_at, changed_at
FROM coupon_quota
WHERE owner_id = $1 ORDER BY created_at DESC, number DESC;

-- name: coupon.QuotasOfGiver
SELECT id, vendor_id, number, owner_id, coalesce(parent_id, ''), giver_id, kind, currency, value_e8, balance_e8, issued_e8, returned_e8, state, valid_from, valid_to,
  limits, memo, change_e8, proposed_by, decided_by, reason, version, created_at, changed_at
FROM coupon_quota
WHERE giver_id = $1 ORDER BY created_at DESC, number DESC;

-- name: coupon.ByID
SELECT id, vendor_id, number, coalesce(quota_id, ''), issuer_id, holder_id, level, kind, currency, face_e8, balance_e8, used_e8, returned_e8, state, valid_from, valid_to,
  limits, lock_order, frozen, memo, issued_by, decided_by, reason, used_at, version, created_at, changed_at
FROM coupon
WHERE id = $1 ORDER BY created_at DESC, number DESC;

-- name: coupon.OfVendor
SELECT id, vendor_id, number, coalesce(quota_id, ''), issuer_id, holder_id, level, kind, currency, face_e8, balance_e8, used_e8, returned_e8, state, valid_from, valid_to,
  limits, lock_order, frozen, memo, issued_by, decided_by, reason, used_at, version, created_at, changed_at
FROM coupon
WHERE vendor_id = $1 ORDER BY created_at DESC, number DESC;

-- name: coupon.OfIssuer
SELECT id, vendor_id, number, coalesce(quota_id, ''), issuer_id, holder_id, level, kind, currency, face_e8, balance_e8, used_e8, returned_e8, state, valid_from, valid_to,
  limits, lock_order, frozen, memo, issued_by, decided_by, reason, used_at, version, created_at, changed_at
FROM coupon
WHERE issuer_id = $1 ORDER BY created_at DESC, number DESC;

-- name: coupon.OfHolder
SELECT id, vendor_id, number, coalesce(quota_id, ''), issuer_id, holder_id, level, kind, currency, face_e8, balance_e8, used_e8, returned_e8, state, valid_from, valid_to,
  limits, lock_order, frozen, memo, issued_by, decided_by, reason, used_at, version, created_at, changed_at
FROM coupon
WHERE holder_id = $1 ORDER BY created_at DESC, number DESC;

-- name: coupon.OfQuota
SELECT id, vendor_id, number, coalesce(quota_id, ''), issuer_id, holder_id, level, kind, currency, face_e8, balance_e8, used_e8, returned_e8, state, valid_from, valid_to,
  limits, lock_order, frozen, memo, issued_by, decided_by, reason, used_at, version, created_at, changed_at
FROM coupon
WHERE quota_id = $1 ORDER BY created_at DESC, number DESC;

-- name: coupon.UsesOf
SELECT u.id, u.coupon_id, c.number, u.vendor_id, u.cycle, u.partner_id, u.currency, u.entity_id, coalesce(u.customer_id, ''), coalesce(x.code, ''), u.order_id, u.seq, u.slot_id,
  u.charge_start, u.line_key, u.occurrence, u.part, u.item_no, u.provider, u.service, u.sku, u.region, u.charging_mode, u.line_e8, u.before_e8, u.amount_e8, u.at, u.drafted
FROM coupon_use u JOIN coupon c ON c.id = u.coupon_id LEFT JOIN organisation x ON x.id = u.customer_id
WHERE u.coupon_id = $1 AND NOT u.drafted AND ($2 = '' OR u.order_id = $2) ORDER BY u.cycle, u.at, u.seq, u.id;

-- name: coupon.UsesOfOrder
SELECT u.id, u.coupon_id, c.number, u.vendor_id, u.cycle, u.partner_id, u.currency, u.entity_id, coalesce(u.customer_id, ''), coalesce(x.code, ''), u.order_id, u.seq, u.slot_id,
  u.charge_start, u.line_key, u.occurrence, u.part, u.item_no, u.provider, u.service, u.sku, u.region, u.charging_mode, u.line_e8, u.before_e8, u.amount_e8, u.at, u.drafted
FROM coupon_use u JOIN coupon c ON c.id = u.coupon_id LEFT JOIN organisation x ON x.id = u.customer_id
WHERE u.vendor_id = $1 AND u.cycle = '' AND u.partner_id = $2 AND u.order_id = $3 AND u.customer_id = $4 ORDER BY u.at, u.id;

-- name: coupon.UsesOfBill
SELECT u.id, u.coupon_id, c.number, u.vendor_id, u.cycle, u.partner_id, u.currency, u.entity_id, coalesce(u.customer_id, ''), coalesce(x.code, ''), u.order_id, u.seq, u.slot_id,
  u.charge_start, u.line_key, u.occurrence, u.part, u.item_no, u.provider, u.service, u.sku, u.region, u.charging_mode, u.line_e8, u.before_e8, u.amount_e8, u.at, u.drafted
FROM coupon_use u JOIN coupon c ON c.id = u.coupon_id LEFT JOIN organisation x ON x.id = u.customer_id
WHERE u.vendor_id = $1 AND u.cycle = $2 AND u.partner_id = $3 AND u.currency = $4 AND u.entity_id = $5 ORDER BY u.seq, u.id;

-- name: coupon.UsesOfVendor
SELECT u.id, u.coupon_id, c.number, u.vendor_id, u.cycle, u.partner_id, u.currency, u.entity_id, coalesce(u.customer_id, ''), coalesce(x.code, ''), u.order_id, u.seq, u.slot_id,
  u.charge_start, u.line_key, u.occurrence, u.part, u.item_no, u.provider, u.service, u.sku, u.region, u.charging_mode, u.line_e8, u.before_e8, u.amount_e8, u.at, u.drafted
FROM coupon_use u JOIN coupon c ON c.id = u.coupon_id LEFT JOIN organisation x ON x.id = u.customer_id
WHERE u.vendor_id = $1 AND NOT u.drafted ORDER BY u.cycle, u.at, u.seq, u.id;

-- name: coupon.NextNumbers
SELECT coalesce((SELECT max(q.number) FROM coupon_quota q WHERE q.vendor_id = $1), 0) + 1, coalesce((SELECT max(c.number) FROM coupon c WHERE c.vendor_id = $1), 0) + 1;

-- name: coupon.RipeQuotas
SELECT id, vendor_id, number, owner_id, coalesce(parent_id, ''), giver_id, kind, currency, value_e8, balance_e8, issued_e8, returned_e8, state, valid_from, valid_to,
  limits, memo, change_e8, proposed_by, decided_by, reason, version, created_at, changed_at
FROM coupon_quota WHERE state IN ('normal','adjusting','frozen') AND valid_to <= $1 ORDER BY valid_to, number LIMIT $2;

-- name: coupon.InsertQuota
INSERT INTO coupon_quota (id, vendor_id, number, owner_id, parent_id, giver_id, kind, currency, value_e8, balance_e8, issued_e8, returned_e8, state, valid_from, valid_to,
  limits, memo, change_e8, proposed_by, decided_by, reason, version, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 0, 0, $10, $11, $12, $13, $14, 0, $15, '', '', 1, $16, $16);

-- name: coupon.SetQuota
UPDATE coupon_quota SET state = $4, value_e8 = $5, balance_e8 = $6, issued_e8 = $7, change_e8 = $8, proposed_by = $9, decided_by = $10, reason = $11, changed_at = $12,
  version = version + 1
WHERE id = $1 AND state = $2 AND version = $3;

-- name: coupon.Draw
UPDATE coupon_quota SET balance_e8 = balance_e8 - $2, issued_e8 = issued_e8 + $2, changed_at = $3, version = version + 1
WHERE id = $1 AND state = 'normal' AND balance_e8 >= $2;

-- name: coupon.Return
UPDATE coupon_quota SET balance_e8 = balance_e8 + $2, returned_e8 = returned_e8 + $2, changed_at = $3, version = version + 1 WHERE id = $1;

-- name: coupon.Ripe
SELECT id, vendor_id, number, coalesce(quota_id, ''), issuer_id, holder_id, level, kind, currency, face_e8, balance_e8, used_e8, returned_e8, state, valid_from, valid_to,
  limits, lock_order, frozen, memo, issued_by, decided_by, reason, used_at, version, created_at, changed_at
FROM coupon WHERE state = 'usable' AND valid_to <= $1 ORDER BY valid_to, number LIMIT $2;

-- name: coupon.Pairs
SELECT DISTINCT issuer_id, holder_id FROM coupon WHERE state = 'usable' AND level = 'customer' ORDER BY issuer_id, holder_id;

-- name: coupon.Set
UPDATE coupon SET state = $4, balance_e8 = $5, used_e8 = $6, returned_e8 = $7, lock_order = $8, frozen = $9, decided_by = $10, reason = $11, used_at = $12, changed_at = $13,
  version = version + 1
WHERE id = $1 AND state = $2 AND version = $3;

-- name: coupon.Records
SELECT r.id, r.vendor_id, r.org_id, coalesce(r.other_id, ''), coalesce(o.name, ''), r.operation, coalesce(r.quota_id, ''), coalesce(q.number, 0), coalesce(r.coupon_id, ''),
  coalesce(c.number, 0), coalesce(r.customer_id, ''), coalesce(x.code, ''), coalesce(x.name, ''), r.amount_e8, r.currency, r.code, r.operator, r.remark, r.at
FROM coupon_record r LEFT JOIN organisation o ON o.id = r.other_id LEFT JOIN coupon_quota q ON q.id = r.quota_id LEFT JOIN coupon c ON c.id = r.coupon_id
  LEFT JOIN organisation x ON x.id = r.customer_id
WHERE r.org_id = $1 AND ($2 = '' OR r.quota_id = $2) AND ($3 = '' OR r.coupon_id = $3)
ORDER BY r.at DESC, r.id DESC;

-- name: coupon.Planned
SELECT u.id, u.coupon_id, c.number, u.vendor_id, u.cycle, u.partner_id, u.currency, u.entity_id, coalesce(u.customer_id, ''), coalesce(x.code, ''), u.order_id, u.seq, u.slot_id,
  u.charge_start, u.line_key, u.occurrence, u.part, u.item_no, u.provider, u.service, u.sku, u.region, u.charging_mode, u.line_e8, u.before_e8, u.amount_e8, u.at, u.drafted
FROM coupon_use u JOIN coupon c ON c.id = u.coupon_id LEFT JOIN organisation x ON x.id = u.customer_id
WHERE u.vendor_id = $1 AND u.cycle = $2 AND u.drafted ORDER BY c.number, u.seq, u.id;

-- name: coupon.IssuePlan
UPDATE coupon_use SET drafted = FALSE, at = $3 WHERE vendor_id = $1 AND cycle = $2 AND drafted;

-- name: coupon.RemovePlan
DELETE FROM coupon_use WHERE vendor_id = $1 AND cycle = $2 AND drafted;

-- name: coupon.UsesOfPartner
SELECT u.id, u.coupon_id, c.number, u.vendor_id, u.cycle, u.partner_id, u.currency, u.entity_id, coalesce(u.customer_id, ''), coalesce(x.code, ''), u.order_id, u.seq, u.slot_id,
  u.charge_start, u.line_key, u.occurrence, u.part, u.item_no, u.provider, u.service, u.sku, u.region, u.charging_mode, u.line_e8, u.before_e8, u.amount_e8, u.at, u.drafted
FROM coupon_use u JOIN coupon c ON c.id = u.coupon_id LEFT JOIN organisation x ON x.id = u.customer_id
WHERE u.partner_id = $1 AND u.cycle = $2 AND NOT u.drafted ORDER BY u.seq, u.id;

-- name: coupon.Recall
UPDATE coupon_quota SET balance_e8 = balance_e8 - $2, returned_e8 = returned_e8 - $2, changed_at = $3, version = version + 1
WHERE id = $1 AND balance_e8 >= $2 AND returned_e8 >= $2;

-- name: coupon.EndingQuotas
SELECT id, vendor_id, number, owner_id, coalesce(parent_id, ''), giver_id, kind, currency, value_e8, balance_e8, issued_e8, returned_e8, state, valid_from, valid_to,
  limits, memo, change_e8, proposed_by, decided_by, reason, version, created_at, changed_at
FROM coupon_quota WHERE state = 'normal' AND balance_e8 > 0 AND valid_to < $1 AND NOT reminded ORDER BY valid_to, number;

-- name: coupon.EndingCoupons
SELECT id, vendor_id, number, coalesce(quota_id, ''), issuer_id, holder_id, level, kind, currency, face_e8, balance_e8, used_e8, returned_e8, state, valid_from, valid_to,
  limits, lock_order, frozen, memo, issued_by, decided_by, reason, used_at, version, created_at, changed_at
FROM coupon WHERE state = 'usable' AND balance_e8 > 0 AND valid_to < $1 AND NOT reminded ORDER BY valid_to, number;

-- name: coupon.RemindedQuota
UPDATE coupon_quota SET reminded = TRUE WHERE id = $1;

-- name: coupon.RemindedCoupon
UPDATE coupon SET reminded = TRUE WHERE id = $1;
