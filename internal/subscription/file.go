package subscription

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Reader gives what was consumed; expenditure.Service does.
type Reader interface {
	Summarise(ctx context.Context, sc scope.Scope, f expenditure.Filter) (*expenditure.Summary, error)
	EachLine(ctx context.Context, sc scope.Scope, f expenditure.Filter, fn func(*expenditure.LineRow) error) (*expenditure.Totals, error)
}

// The columns of the files, for ever: a program reads them. A column may be added at the end.
var (
	SummaryColumns = []string{"bill_cycle", "customer_code", "customer_name", "association_type", "product", "charging_mode", "lines", "consumption", "refund", "adjustment",
		"discount", "tax", "amount", "currency"}
	LineColumns = []string{"bill_cycle", "line_number", "occurrence", "charged_at", "customer_code", "customer_name", "association_type", "manager", "product", "resource_id", "resource_name",
		"region", "charging_mode", "bill_type", "shared", "list_amount", "amount", "currency"}
)

// written is what a file turned out to be.
type written struct {
	rows        int64
	amount, tax money.Exact
	met         map[string]bool // codes of the customers it holds
}

// wording masks names; a program tells customers apart by their codes.
type wording struct{ mask func(string) string }

func (w wording) summary(ctx context.Context, r Reader, sc scope.Scope, f expenditure.Filter, row func([]string) error) (written, error) {
	out := written{met: map[string]bool{}}
	s, err := r.Summarise(ctx, sc, f)
	if err != nil {
		return out, err
	}
	for i := range s.Rows {
		x := &s.Rows[i]
		out.rows, out.amount, out.tax = out.rows+1, out.amount.Add(x.Amount()), out.tax.Add(x.Tax)
		out.met[x.Customer.Code] = true
		err := row([]string{string(f.Cycle), x.Customer.Code, w.mask(x.Customer.Name), string(x.Relation), x.Product, string(x.Mode), strconv.FormatInt(x.Lines, 10),
			x.Consumption.String(), x.Refund.String(), x.Adjustment.String(), x.Discount.String(), x.Tax.String(), x.Amount().String(), f.Currency})
		if err != nil {
			return out, err
		}
	}
	if !out.amount.Equal(s.Total.Amount()) || !out.tax.Equal(s.Total.Tax) {
		return out, fault.Unavailable("export.changed_meanwhile", nil)
	}
	return out, nil
}

func (w wording) lines(ctx context.Context, r Reader, sc scope.Scope, f expenditure.Filter, row func([]string) error) (written, error) {
	out := written{met: map[string]bool{}}
	t, err := r.EachLine(ctx, sc, f, func(x *expenditure.LineRow) error {
		l := x.Line
		if out.rows++; l.Kind == usage.KindTax {
			out.tax = out.tax.Add(l.Billed)
		} else {
			out.amount = out.amount.Add(l.Billed)
		}
		out.met[x.Customer.Code] = true
		shared, list := "0", ""
		if x.Spread {
			shared = "1"
		}
		if l.Listed {
			list = l.List.String()
		}
		return row([]string{string(f.Cycle), hex.EncodeToString(x.Key[:]), strconv.FormatInt(x.Occur, 10), l.ChargeStart.UTC().Format(time.RFC3339Nano), x.Customer.Code, w.mask(x.Customer.Name), string(x.Relation),
			x.Manager.Number(), l.Product.Service, l.Resource.ID, l.Resource.Name, l.Product.Region, string(l.Product.ChargingMode), string(l.Kind), shared, list, l.Billed.String(), l.Currency})
	})
	if err == nil && (!out.amount.Equal(t.Amount) || !out.tax.Equal(t.Tax)) {
		err = fault.Unavailable("export.changed_meanwhile", nil)
	}
	return out, err
}

// write makes the file of a dispatch and fills in what it turned out to be.
func (s *Service) write(ctx context.Context, sc scope.Scope, d *Dispatch) (written, error) {
	if err := s.Tx.InTx(ctx, func(ctx context.Context) error { return s.Store.DropPieces(ctx, d.ID) }); err != nil {
		return written{}, err
	}
	k := &export.Cutter{Sum: sha256.New()}
	k.Put = func(no int64, piece []byte) error {
		if k.Bytes+int64(len(piece)) > MaxBytes {
			return fault.Invalid("subscription.too_large", fault.Args{"limit": MaxBytes >> 20})
		}
		return s.Tx.InTx(ctx, func(ctx context.Context) error { return s.Store.PutPiece(ctx, d.ID, no, piece) })
	}
	plain := sha256.New()
	var out io.Writer = k
	var packed *gzip.Writer
	if d.Format == FormatGzip {
		packed = gzip.NewWriter(k) // no name and no time: the same text is the same bytes
		out = packed
	}
	table := csv.NewWriter(io.MultiWriter(out, plain))
	columns, fill := SummaryColumns, wording{s.Mask}.summary
	if d.Content == ContentLines {
		columns, fill = LineColumns, wording{s.Mask}.lines
	}
	if err := table.Write(columns); err != nil {
		return written{}, err
	}
	w, err := fill(ctx, s.Reader, sc, expenditure.Filter{Cycle: d.Cycle, Currency: d.Currency}, table.Write)
	if err != nil {
		return w, err
	}
	table.Flush()
	if err := table.Error(); err != nil {
		return w, err
	}
	if packed != nil {
		if err := packed.Close(); err != nil {
			return w, err
		}
	}
	if err := k.Flush(); err != nil {
		return w, err
	}
	d.Bytes, d.Rows, d.Amount, d.Tax = k.Bytes, w.rows, w.amount.String(), w.tax.String()
	d.SHA, d.Plain = hex.EncodeToString(k.Sum.Sum(nil)), hex.EncodeToString(plain.Sum(nil))
	return w, nil
}

// fileName names a version for ever, so that one name never holds two contents.
func fileName(s *Subscription, c cycle.Cycle, currency string, no int64) string {
	return fmt.Sprintf("consumption-%s-%s-%s-v%d-%s.%s", s.Content, c, currency, no, shortOf(s.ID), s.Format)
}

// shortOf is the end of a key, which differs where its beginning is a time.
func shortOf(id string) string {
	return id[max(0, len(id)-8):]
}
