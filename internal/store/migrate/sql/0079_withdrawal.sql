-- +goose Up
-- 提现: one request, and what it takes of which incoming entries. The amount is frozen in the ledger meanwhile.
CREATE TABLE withdrawal (
  id {{key}} PRIMARY KEY,
  number {{text}} NOT NULL,
  vendor_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  currency {{text}} NOT NULL,
  entity_id {{key}} NOT NULL,
  kind {{text}} NOT NULL CHECK (kind IN ('original','card','rebate')),
  voluntary {{flag}} NOT NULL,
  amount_e8 {{money}} NOT NULL CHECK (amount_e8 <> 0),
  bank {{text}} NOT NULL,
  branch {{text}} NOT NULL,
  account {{text}} NOT NULL,
  holder {{text}} NOT NULL,
  memo {{text}} NOT NULL,
  login {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('pending','second_review','processing','done','failed','refused','cancelled','returned','deleted')),
  first_by {{text}} NOT NULL,
  reason {{text}} NOT NULL,
  receipt {{text}} NOT NULL,
  due_at {{instant}},
  version {{int}} NOT NULL,
  created_at {{instant}} NOT NULL,
  changed_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX withdrawal_partner ON withdrawal(partner_id, created_at);
CREATE INDEX withdrawal_vendor ON withdrawal(vendor_id, created_at);

CREATE TABLE withdrawal_part (
  withdrawal_id {{key}} NOT NULL REFERENCES withdrawal(id),
  entry_id {{key}} NOT NULL REFERENCES ledger_entry(id),
  way {{text}} NOT NULL CHECK (way IN ('alipay','wechat','unionpay','bank','transfer','trade_mode','rebate')),
  number {{text}} NOT NULL,
  came_at {{instant}} NOT NULL,
  amount_e8 {{money}} NOT NULL CHECK (amount_e8 <> 0),
  PRIMARY KEY (withdrawal_id, entry_id)
) {{clustered}};
