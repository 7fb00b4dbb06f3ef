-- name: peak.ByContent
SELECT i.id, i.vendor_id, i.source_id, s.name, i.number, i.name, i.content_sha, i.state, i.actor, i.received_at, i.points, i.resources, i.days, i.replaced, i.quarantined
FROM peak_import i JOIN source s ON s.id = i.source_id WHERE i.vendor_id = $1 AND i.content_sha = $2 AND i.state = 'active' ORDER BY i.number DESC;

-- name: peak.Imports
SELECT i.id, i.vendor_id, i.source_id, s.name, i.number, i.name, i.content_sha, i.state, i.actor, i.received_at, i.points, i.resources, i.days, i.replaced, i.quarantined
FROM peak_import i JOIN source s ON s.id = i.source_id WHERE ($1 = '' OR i.vendor_id = $1) AND i.state <> 'staging' ORDER BY i.number DESC, i.id DESC LIMIT $2;

-- name: peak.ImportByID
SELECT i.id, i.vendor_id, i.source_id, s.name, i.number, i.name, i.content_sha, i.state, i.actor, i.received_at, i.points, i.resources, i.days, i.replaced, i.quarantined
FROM peak_import i JOIN source s ON s.id = i.source_id WHERE i.id = $1;

-- name: peak.ImportInsert
INSERT INTO peak_import (id, vendor_id, source_id, number, name, content_sha, state, actor, received_at, points, resources, days, replaced, quarantined)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: peak.ImportUpdate
UPDATE peak_import SET number = $2, state = $3, points = $4, resources = $5, days = $6, replaced = $7, quarantined = $8 WHERE id = $1;

-- name: peak.Staging
SELECT id FROM peak_import WHERE vendor_id = $1 AND state = 'staging' ORDER BY id;

-- name: peak.ImportDrop
DELETE FROM peak_import WHERE id = $1 AND state = 'staging';

-- name: peak.DaysDrop
DELETE FROM peak_day WHERE import_id = $1;

-- name: peak.PricesDrop
DELETE FROM peak_price WHERE import_id = $1;

-- name: peak.BadDrop
DELETE FROM peak_quarantine WHERE import_id = $1;

-- name: peak.Overtaken
SELECT COUNT(*) FROM (SELECT 1 AS one FROM peak_day WHERE import_id = $1 AND replaced_by IS NOT NULL LIMIT 1) d;

-- name: peak.Series
SELECT id, vendor_id, customer_id, product, resource, name, region, usage_type, unit FROM peak_series WHERE vendor_id = $1 ORDER BY id;

-- name: peak.DayPut
INSERT INTO peak_day (series_id, day, import_id, live, replaced_by, points) VALUES ($1, $2, $3, $4, NULL, $5)
ON CONFLICT (series_id, day, import_id) DO UPDATE SET points = excluded.points;

-- name: peak.StagedDay
SELECT points FROM peak_day WHERE series_id = $1 AND day = $2 AND import_id = $3;

-- name: peak.Overtake
UPDATE peak_day SET live = $2, replaced_by = $1
WHERE live = $3 AND import_id <> $1 AND EXISTS (SELECT 1 FROM peak_day n WHERE n.series_id = peak_day.series_id AND n.day = peak_day.day AND n.import_id = $1);

-- name: peak.Enforce
UPDATE peak_day SET live = $2 WHERE import_id = $1;

-- name: peak.Restore
UPDATE peak_day SET live = $2, replaced_by = NULL WHERE replaced_by = $1;

-- name: peak.Touched
SELECT DISTINCT series_id, SUBSTR(day, 1, 7) FROM peak_day WHERE import_id = $1 OR replaced_by = $1 ORDER BY 1, 2;

-- name: peak.MonthPut
INSERT INTO peak_month (series_id, cycle, points, effective, days, dropped, billing, peak, unit_price, discount, currency, guaranteed, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (series_id, cycle) DO UPDATE SET points = excluded.points, effective = excluded.effective, days = excluded.days, dropped = excluded.dropped,
  billing = excluded.billing, peak = excluded.peak, unit_price = excluded.unit_price, discount = excluded.discount, currency = excluded.currency,
  guaranteed = excluded.guaranteed, changed_at = excluded.changed_at;

-- name: peak.MonthDrop
DELETE FROM peak_month WHERE series_id = $1 AND cycle = $2;

-- name: peak.PricePut
INSERT INTO peak_price (series_id, cycle, import_id, unit_price, discount, currency, guaranteed) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: peak.PriceOf
SELECT p.unit_price, p.discount, p.currency, p.guaranteed FROM peak_price p JOIN peak_import i ON i.id = p.import_id
WHERE p.series_id = $1 AND p.cycle = $2 ORDER BY CASE i.state WHEN 'staging' THEN 0 ELSE 1 END, i.number DESC LIMIT 1;

-- name: peak.Days
SELECT d.day, d.points, i.number, COALESCE((SELECT MAX(o.number) FROM peak_day b JOIN peak_import o ON o.id = b.import_id
  WHERE b.series_id = d.series_id AND b.day = d.day AND b.replaced_by = d.import_id), 0)
FROM peak_day d JOIN peak_import i ON i.id = d.import_id
WHERE d.series_id = $1 AND d.day >= $2 AND d.day < $3 AND d.live = $4 ORDER BY d.day;

-- name: peak.Months
SELECT s.id, s.vendor_id, s.customer_id, s.product, s.resource, s.name, s.region, s.usage_type, s.unit,
  m.cycle, m.points, m.effective, m.days, m.dropped, m.billing, m.peak, m.unit_price, m.discount, m.currency, m.guaranteed, m.changed_at
FROM peak_month m JOIN peak_series s ON s.id = m.series_id
WHERE m.cycle = $1 AND ($2 = '' OR s.id = $2) AND s.customer_id IN (SELECT a.customer_id FROM association a JOIN organisation o ON o.id = a.partner_id
    WHERE (o.id = $3 OR o.parent_id = $3) AND a.state IN ('active', 'ended') UNION ALL SELECT me.id FROM organisation me WHERE me.id = $3)
ORDER BY s.customer_id, s.product, s.resource, s.usage_type, s.id;

-- name: peak.BadRows
SELECT file, line_no, name, value, code, args, raw FROM peak_quarantine WHERE import_id = $1 ORDER BY number LIMIT $2;
