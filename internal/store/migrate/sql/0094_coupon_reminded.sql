-- +goose Up
-- Owners are told once that a quota or a voucher ends soon.
ALTER TABLE coupon_quota ADD COLUMN reminded {{flag}} NOT NULL DEFAULT FALSE;
ALTER TABLE coupon ADD COLUMN reminded {{flag}} NOT NULL DEFAULT FALSE;
