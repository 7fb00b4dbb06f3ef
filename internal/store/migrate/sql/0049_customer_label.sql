-- +goose Up
-- 标签: words a partner keeps of a customer.
CREATE TABLE customer_label (
  partner_id {{key}} NOT NULL REFERENCES organisation(id),
  customer_id {{key}} NOT NULL REFERENCES organisation(id),
  label {{text}} NOT NULL,
  created_by {{text}} NOT NULL,
  created_at {{instant}} NOT NULL,
  PRIMARY KEY (partner_id, customer_id, label)
) {{strict}};
