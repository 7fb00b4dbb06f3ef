package expenditure

import (
	"context"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Place is where a line stands, and what tells it from others of its number.
type Place struct {
	usage.Place
	Cycle    cycle.Cycle
	Currency string
	Product  string
	Charged  time.Time
}

// Hit is a customer or a line that was looked for; of a customer Place is nil.
type Hit struct {
	Customer Party
	Place    *Place
	Number   string // of the line
	Cursor   string // a list of the customer's lines after it begins with the line
}

// Lines are looked for by number in this and the two cycles before, and there only as long as not more than
// maxLooked of them have to be read: they are not ordered by it.
const (
	findMonths = 3
	maxLooked  = 200_000
)

var lineNumber = regexp.MustCompile(`^([0-9A-F]{8})(?:-([0-9]{1,6}))?$`)

// Find looks for customers by name, code or account and for lines by number, at most limit of each. What is not
// in scope is not found. Fault: scope.permission_missing.
func (s *Service) Find(ctx context.Context, sc scope.Scope, text string, now cycle.Cycle, limit int) (customers, lines []Hit, err error) {
	text = strings.TrimSpace(text)
	err = s.Tx.InRead(ctx, func(ctx context.Context) error {
		v, err := s.view(ctx, sc, Filter{Cycle: now})
		if err != nil {
			return err
		}
		if customers, err = v.customers(ctx, strings.ToLower(text), now, limit); err != nil {
			return err
		}
		lines = nil
		if m := lineNumber.FindStringSubmatch(strings.ToUpper(text)); m != nil {
			lines, err = v.byNumber(ctx, m[1], m[2], now, limit)
		}
		return err
	})
	return customers, lines, err
}

func (v *view) customers(ctx context.Context, text string, now cycle.Cycle, limit int) ([]Hit, error) {
	if text == "" || v.sc.Side() != scope.SidePartner {
		return nil, nil
	}
	owners, err := v.s.Store.OfAccount(ctx, v.sc, now.Add(1-findMonths), now, text)
	if err != nil {
		return nil, err
	}
	var out []Hit
	for _, p := range v.people.Customers {
		if len(out) < limit && (strings.Contains(strings.ToLower(p.Code+"\n"+p.Name), text) || slices.Contains(owners, p.ID)) {
			out = append(out, Hit{Customer: p})
		}
	}
	return out, nil
}

func (v *view) byNumber(ctx context.Context, number, nth string, now cycle.Cycle, limit int) ([]Hit, error) {
	begins, err := hex.DecodeString(number)
	if err != nil {
		return nil, err
	}
	var out []Hit
	looked := int64(0)
	for i := range findMonths {
		at := now.Add(-i)
		weight, err := v.s.Store.Weight(ctx, v.sc, at)
		if err != nil {
			return nil, err
		}
		if looked += weight; looked > maxLooked {
			break
		}
		places, err := v.s.Store.ByNumber(ctx, v.sc, at, begins)
		if err != nil {
			return nil, err
		}
		for k := range places {
			p := &places[k]
			j := slices.IndexFunc(v.all, func(x Span) bool { return x.Customer.ID == p.CustomerID && x.covers(p.Charged) })
			if j < 0 || nth != "" && nth != strconv.FormatInt(p.Occurrence+1, 10) || len(out) == limit {
				continue
			}
			row := LineRow{Key: p.Key, Occur: p.Occurrence}
			out = append(out, Hit{Customer: v.all[j].Customer, Place: p, Number: row.Number(),
				Cursor: cursor{Customer: p.CustomerID, Slot: p.SlotID, Start: p.Start, Key: p.Key[:], Occur: p.Occurrence - 1}.String()})
		}
	}
	return out, nil
}
