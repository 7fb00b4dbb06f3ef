-- name: organisation.ByID
SELECT id, code, kind, name, parent_id, created_at FROM organisation WHERE id = $1;

-- name: organisation.ByCode
SELECT id, code, kind, name, parent_id, created_at FROM organisation WHERE code = $1;

-- name: organisation.Insert
INSERT INTO organisation (id, code, kind, name, parent_id, created_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: organisation.All
SELECT id, code, kind, name, parent_id, created_at FROM organisation ORDER BY kind, code;

-- name: organisation.VisibleToVendor
-- itself, the partners that deal with it, their resellers, and the customers it mapped or entered
SELECT o.id, o.code, o.kind, o.name, o.parent_id, o.created_at FROM organisation o
WHERE o.id = $1
   OR EXISTS (SELECT 1 FROM partnership p WHERE p.vendor_id = $1 AND p.partner_id = o.id)
   OR EXISTS (SELECT 1 FROM partnership p WHERE p.vendor_id = $1 AND p.partner_id = o.parent_id AND o.kind = 'reseller')
   OR o.kind = 'customer' AND (
      EXISTS (SELECT 1 FROM vendor_customer v WHERE v.vendor_id = $1 AND v.customer_id = o.id)
      OR o.id IN (SELECT m.org_id FROM map_rule m JOIN source s ON s.id = m.source_id WHERE s.vendor_id = $1)
      OR EXISTS (SELECT 1 FROM source s WHERE s.vendor_id = $1 AND (s.default_org_id = o.id OR s.loose_org_id = o.id)))
ORDER BY o.kind, o.code;

-- name: organisation.VisibleToPartner
-- itself, its resellers, its distributor, the vendors it deals with, and customers associated at any
-- time with itself or its resellers
SELECT o.id, o.code, o.kind, o.name, o.parent_id, o.created_at FROM organisation o
WHERE o.id = $1 OR o.parent_id = $1
   OR o.id = (SELECT me.parent_id FROM organisation me WHERE me.id = $1)
   OR EXISTS (SELECT 1 FROM partnership p JOIN organisation me ON me.id = $1
              WHERE p.vendor_id = o.id AND (p.partner_id = $1 AND me.kind <> 'reseller'))
   OR o.kind = 'customer' AND o.id IN (
      SELECT a.customer_id FROM association a JOIN organisation b ON b.id = a.partner_id
      WHERE a.state IN ('active','ended') AND (b.id = $1 OR b.parent_id = $1))
ORDER BY o.kind, o.code;

-- name: organisation.VisibleToCustomer
-- itself and the partners it is or was associated with
SELECT o.id, o.code, o.kind, o.name, o.parent_id, o.created_at FROM organisation o
WHERE o.id = $1 OR o.id IN (SELECT a.partner_id FROM association a WHERE a.customer_id = $1)
ORDER BY o.kind, o.code;

-- name: organisation.Resellers
SELECT id, code, kind, name, parent_id, created_at FROM organisation
WHERE parent_id = $1 AND kind = 'reseller' ORDER BY code;

-- name: organisation.VendorsOf
SELECT o.id, o.code, o.kind, o.name, o.parent_id, o.created_at
FROM partnership p JOIN organisation o ON o.id = p.vendor_id WHERE p.partner_id = $1 ORDER BY o.code;

-- name: vendor_customer.Add
INSERT INTO vendor_customer (vendor_id, customer_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: partnership.One
SELECT vendor_id, partner_id, entity_id, created_at FROM partnership WHERE vendor_id = $1 AND partner_id = $2;

-- name: partnership.OfVendor
SELECT vendor_id, partner_id, entity_id, created_at FROM partnership WHERE vendor_id = $1 ORDER BY partner_id;

-- name: partnership.Add
INSERT INTO partnership (vendor_id, partner_id, entity_id, created_at) VALUES ($1, $2, $3, $4);

-- name: partnership.SetEntity
UPDATE partnership SET entity_id = $3 WHERE vendor_id = $1 AND partner_id = $2;

-- name: entity.OfVendor
SELECT id, vendor_id, code, name, is_default, tax_in_due FROM contracting_entity WHERE vendor_id = $1 ORDER BY code;

-- name: entity.Insert
INSERT INTO contracting_entity (id, vendor_id, code, name, is_default, tax_in_due) VALUES ($1, $2, $3, $4, $5, $6);

-- name: entity.ClearDefault
UPDATE contracting_entity SET is_default = $2 WHERE vendor_id = $1 AND is_default;

-- name: entity.MakeDefault
UPDATE contracting_entity SET is_default = $3 WHERE vendor_id = $1 AND id = $2;

-- name: suspension.All
SELECT org_id, reason, created_by, created_at FROM suspension ORDER BY created_at, org_id;

-- name: suspension.Set
INSERT INTO suspension (org_id, reason, created_by, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: suspension.End
DELETE FROM suspension WHERE org_id = $1;
