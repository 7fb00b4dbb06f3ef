-- +goose Up
-- Finds what an order (订单号) bought; resources charged by use have none and are not in it.
CREATE INDEX resource_dim_order ON resource_dim (order_no) WHERE order_no <> '';
