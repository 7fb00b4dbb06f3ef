-- +goose Up
-- The orders of an issued bill as its lines carry their numbers, summed once when they are first asked for; a bill that
-- was read has a row in bill_order_read, whether its lines carry numbers or not.
CREATE TABLE bill_order (
  bill_id {{key}} NOT NULL REFERENCES bill(id),
  order_no {{text}} NOT NULL,
  customer_id {{key}} NOT NULL,
  customer_code {{text}} NOT NULL,
  customer_name {{text}} NOT NULL,
  product {{text}} NOT NULL,
  line_count {{int}} NOT NULL,
  amount_e8 {{money}} NOT NULL,
  PRIMARY KEY (bill_id, order_no)
) {{clustered}};
CREATE INDEX bill_order_customer ON bill_order(bill_id, customer_code, order_no);

CREATE TABLE bill_order_read (
  bill_id {{key}} PRIMARY KEY REFERENCES bill(id),
  order_count {{int}} NOT NULL,
  read_at {{instant}} NOT NULL
) {{strict}};

-- Whose part of a bill a request takes: of a customer's cycle, or the customer of an order; empty for a whole bill.
ALTER TABLE invoice_part ADD COLUMN customer_id {{text}} NOT NULL DEFAULT '';

-- 退票寄回: the letter in which the partner sends a paper invoice back.
ALTER TABLE invoice_request ADD COLUMN return_courier {{text}} NOT NULL DEFAULT '';
ALTER TABLE invoice_request ADD COLUMN return_tracking {{text}} NOT NULL DEFAULT '';
