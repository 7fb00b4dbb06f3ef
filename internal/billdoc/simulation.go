package billdoc

import (
	"encoding/json"
	"io"

	"huoban/internal/bill"
)

type jsonFigures struct {
	LineCount   int64  `json:"line_count"`
	Consumption string `json:"consumption"`
	Refund      string `json:"refund"`
	Adjustment  string `json:"adjustment"`
	Coupon      string `json:"coupon"`
	Rounding    string `json:"rounding"`
	Tax         string `json:"tax"`
	AmountDue   string `json:"amount_due"`
	ExactTotal  string `json:"exact_total"`
	Residue     string `json:"residue"`
}

type jsonComparison struct {
	Partner    string       `json:"partner"`
	Currency   string       `json:"currency"`
	Entity     string       `json:"entity"`
	Before     *jsonFigures `json:"before"`
	After      *jsonFigures `json:"after"`
	Difference string       `json:"difference"` // of the amounts due
}

type jsonFallback struct {
	Rule      string `json:"rule"`
	Base      string `json:"base"`
	Currency  string `json:"currency"`
	LineCount int64  `json:"line_count"`
	Billed    string `json:"billed"`
}

func figuresOf(d *bill.Document) *jsonFigures {
	if d == nil {
		return nil
	}
	return &jsonFigures{d.LineCount, d.Consumption.String(), d.Refund.String(), d.Adjustment.String(), d.Coupon.String(), d.Rounding.String(),
		d.Tax.String(), d.Due.String(), d.ExactTotal.String(), d.Residue().String()}
}

// WriteSimulation writes what portal price simulate --json gives: each bill before and after, and the
// lines whose rule names a column they lack.
func WriteSimulation(w io.Writer, s *bill.Simulation) error {
	out := struct {
		Cycle     string           `json:"cycle"`
		BeforeSeq int64            `json:"before_seq"`
		Bills     []jsonComparison `json:"bills"`
		Fallbacks []jsonFallback   `json:"absent_base"`
	}{Cycle: string(s.Cycle), BeforeSeq: s.OldSeq, Bills: []jsonComparison{}, Fallbacks: []jsonFallback{}}
	for _, c := range s.Bills {
		d, difference := c.New, c.Difference()
		if d == nil {
			d = c.Old
		}
		out.Bills = append(out.Bills, jsonComparison{d.Partner.Code, d.Currency, d.Entity.Code, figuresOf(c.Old), figuresOf(c.New), difference.String()})
	}
	for _, f := range s.Fallbacks {
		out.Fallbacks = append(out.Fallbacks, jsonFallback{bill.RuleName(f.RuleNumber, f.RuleVersion), string(f.Base), f.Currency, f.LineCount, f.Billed.String()})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
