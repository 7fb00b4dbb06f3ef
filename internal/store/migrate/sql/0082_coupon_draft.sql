-- +goose Up
-- What vouchers will pay stands with the draft of a bill and counts once it is issued.
ALTER TABLE coupon_use ADD COLUMN drafted {{flag}} NOT NULL DEFAULT FALSE;
