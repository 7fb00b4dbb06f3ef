-- +goose Up
-- 关联模式变更 and 解除关联: what one side asks and the other agrees to.
CREATE TABLE relation_request (
  id {{key}} PRIMARY KEY,
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  association_id {{key}} NOT NULL REFERENCES association(id),
  kind {{text}} NOT NULL CHECK (kind IN ('switch','dissolve')),
  from_kind {{text}} NOT NULL,
  to_kind {{text}} NOT NULL,
  asked_by {{text}} NOT NULL CHECK (asked_by IN ('partner','customer')),
  login {{text}} NOT NULL,
  takes_effect {{text}} NOT NULL CHECK (takes_effect IN ('consent','next_month')),
  reason {{text}} NOT NULL,
  state {{text}} NOT NULL CHECK (state IN ('awaiting_customer','awaiting_partner','agreed','refused','withdrawn')),
  effective_at {{instant}},
  decided_at {{instant}},
  decided_by {{text}} NOT NULL,
  answer {{text}} NOT NULL,
  version {{int}} NOT NULL,
  created_at {{instant}} NOT NULL,
  changed_at {{instant}} NOT NULL
) {{strict}};
CREATE INDEX relation_request_customer ON relation_request(customer_id);
CREATE INDEX relation_request_partner ON relation_request(partner_id);
