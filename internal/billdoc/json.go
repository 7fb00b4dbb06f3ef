package billdoc

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strconv"

	"huoban/internal/bill"
)

// jsonBill is the contract of portal bill --format json: money as decimal strings.
type jsonBill struct {
	Vendor       string `json:"vendor"`
	Partner      string `json:"partner"`
	Seller       string `json:"seller"`
	Cycle        string `json:"cycle"`
	Currency     string `json:"currency"`
	Entity       string `json:"entity"`
	State        string `json:"state"`
	LineCount    int64  `json:"line_count"`
	Consumption  string `json:"consumption"`
	Refund       string `json:"refund"`
	Adjustment   string `json:"adjustment"`
	Coupon       string `json:"coupon"`
	Rounding     string `json:"rounding"`
	Tax          string `json:"tax"`
	TaxExact     string `json:"tax_exact"`
	TaxInDue     bool   `json:"tax_in_due"`
	AmountDue    string `json:"amount_due"`
	SourceTotal  string `json:"source_total"`
	ExactTotal   string `json:"exact_total"`
	Residue      string `json:"residue"`
	Code         string `json:"code"`
	OverrideNote string `json:"override_note"`
}

func toJSON(d *bill.Document) jsonBill {
	return jsonBill{Vendor: d.Vendor.Code, Partner: d.Partner.Code, Seller: d.Seller.Code, Cycle: string(d.Cycle), Currency: d.Currency,
		Entity: d.Entity.Code, State: string(d.State), LineCount: d.LineCount, Consumption: d.Consumption.String(), Refund: d.Refund.String(),
		Adjustment: d.Adjustment.String(), Coupon: d.Coupon.String(), Rounding: d.Rounding.String(), Tax: d.Tax.String(),
		TaxExact: d.TaxExact.String(), TaxInDue: d.TaxInDue, AmountDue: d.Due.String(), SourceTotal: d.SourceTotal.String(),
		ExactTotal: d.ExactTotal.String(), Residue: d.Residue().String(), Code: d.Code, OverrideNote: d.OverrideNote}
}

// splitKey is the name of the list a split stands under.
var splitKey = map[bill.By]string{bill.ByProduct: "products", bill.ByCustomer: "customers", bill.ByLine: "lines"}

// writeJSON streams, so that a bill of any number of lines needs no memory. Codes are never translated.
func writeJSON(ctx context.Context, w io.Writer, docs []bill.Document, o Options) error {
	o.Words = nil
	return writeBills(ctx, w, docs, o, func(d *bill.Document) ([]byte, error) { return marshal(toJSON(d)) })
}

func writeCanonical(ctx context.Context, w io.Writer, docs []bill.Document, o Options) error {
	o.Words, o.Name = nil, nil
	return writeBills(ctx, w, docs, o, func(d *bill.Document) ([]byte, error) { return bytes.TrimSpace(d.Canonical()), nil })
}

func writeBills(ctx context.Context, out io.Writer, docs []bill.Document, o Options, object func(*bill.Document) ([]byte, error)) error {
	w := bufio.NewWriter(out)
	w.WriteString(`{"bills": [`)
	for i := range docs {
		if i > 0 {
			w.WriteByte(',')
		}
		body, err := object(&docs[i])
		if err != nil {
			return err
		}
		w.WriteString("\n")
		if o.By == bill.ByNothing {
			w.Write(body)
			continue
		}
		w.Write(body[:len(body)-1])
		w.WriteString(`,"` + splitKey[o.By] + `": [`)
		if err := writeRows(ctx, w, split(&docs[i], o)); err != nil {
			return err
		}
		w.WriteString("]}")
	}
	w.WriteString("\n]}\n")
	return w.Flush()
}

// writeRows writes a table as objects; counts are numbers, everything else text, empty cells are left out.
func writeRows(ctx context.Context, w *bufio.Writer, t table) error {
	first := true
	return t.rows(ctx, func(row []string) error {
		if !first {
			w.WriteByte(',')
		}
		first = false
		w.WriteString("\n  {")
		some := false
		for i, c := range t.columns {
			if row[i] == "" {
				continue
			}
			if some {
				w.WriteByte(',')
			}
			some = true
			w.WriteString(strconv.Quote(c.name) + ":")
			if c.class == classCount {
				w.WriteString(row[i])
				continue
			}
			text, err := marshal(row[i])
			if err != nil {
				return err
			}
			w.Write(text)
		}
		_, err := w.WriteString("}")
		return err
	})
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}
