package invoicestore

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"huoban/internal/invoice"
	"huoban/internal/store"
)

var (
	qOrdersRead    = q.Get("invoice.OrdersRead")
	qSetOrdersRead = q.Get("invoice.SetOrdersRead")
	qOrderPage     = q.Get("invoice.OrderPage")
	qOrderSearch   = q.Get("invoice.OrderSearch")
	qOrderCount    = q.Get("invoice.OrderCount")
	qOrderByNumber = q.Get("invoice.OrderByNumber")

	orderColumns = []string{"bill_id", "order_no", "customer_id", "customer_code", "customer_name", "product", "line_count", "amount_e8"}
	likely       = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")
)

// OrdersRead tells how many orders of a bill are kept, and whether its lines were read for them.
func (s *Store) OrdersRead(ctx context.Context, billID string) (n int, read bool, err error) {
	err = s.db.Each(ctx, qOrdersRead, []any{billID}, func(rows *sql.Rows) error {
		read = true
		return rows.Scan(&n)
	})
	return n, read, err
}

// KeepOrders keeps the orders of an issued bill, once: two that read it at the same time write the same.
func (s *Store) KeepOrders(ctx context.Context, billID string, list []invoice.Order, at time.Time) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		i := 0
		_, err := s.db.BulkIgnore(ctx, "bill_order", orderColumns, func() ([]any, bool, error) {
			if i == len(list) {
				return nil, false, nil
			}
			o := &list[i]
			i++
			return []any{billID, o.OrderNo, o.Customer.ID, o.Customer.Code, o.Customer.Name, o.Product, o.Lines, int64(o.Amount)}, true, nil
		})
		if err != nil {
			return err
		}
		_, err = s.db.Exec(ctx, qSetOrdersRead, billID, int64(len(list)), store.At(at))
		return err
	})
}

func orderOf(rows *sql.Rows) (o invoice.Order, err error) {
	err = rows.Scan(&o.OrderNo, &o.Customer.ID, &o.Customer.Code, &o.Customer.Name, &o.Product, &o.Lines, &o.Amount)
	return o, err
}

// OrderPage is a stretch of the kept orders of a bill, and how many of them a text takes.
func (s *Store) OrderPage(ctx context.Context, billID string, f invoice.OrderFilter) ([]invoice.Order, int, error) {
	var out []invoice.Order
	total, _, err := s.OrdersRead(ctx, billID)
	if err != nil {
		return nil, 0, err
	}
	query, args := qOrderPage, []any{billID, int64(f.Limit), int64(f.Skip)}
	if f.Text != "" {
		like := "%" + likely.Replace(strings.ToLower(f.Text)) + "%"
		query, args = qOrderSearch, append(args, like)
		if err := s.db.Row(ctx, qOrderCount, "invoice.order_unknown", []any{billID, like}, &total); err != nil {
			return nil, 0, err
		}
	}
	if f.Limit <= 0 || f.Skip >= total {
		return nil, total, nil
	}
	err = s.db.Each(ctx, query, args, func(rows *sql.Rows) error {
		o, err := orderOf(rows)
		out = append(out, o)
		return err
	})
	return out, total, err
}

// OrdersOf gives those of the numbers that the bill has.
func (s *Store) OrdersOf(ctx context.Context, billID string, numbers []string) ([]invoice.Order, error) {
	var out []invoice.Order
	for _, no := range slices.Compact(slices.Sorted(slices.Values(numbers))) {
		err := s.db.Each(ctx, qOrderByNumber, []any{billID, no}, func(rows *sql.Rows) error {
			o, err := orderOf(rows)
			out = append(out, o)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
