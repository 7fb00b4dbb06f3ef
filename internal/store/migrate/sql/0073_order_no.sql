-- +goose Up
-- 订单号: the order a resource was bought by, where the export names it; empty for what is charged by use.
ALTER TABLE resource_dim ADD COLUMN order_no {{text}} NOT NULL DEFAULT '';
