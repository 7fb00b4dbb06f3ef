package invoice

import (
	"context"
	"net/url"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/scope"
)

// The bounds of a vendor's setting.
const (
	LeastSignDays = 3
	MostSignDays  = 90
	MaxCouriers   = 20
	maxCourier    = 60
	maxLink       = 300
)

// TrackingMark stands in a courier's link for the number of a letter.
const TrackingMark = "{no}"

// Courier carries letters; Link is the page where one is followed, with TrackingMark for its number, or empty.
type Courier struct{ Name, Link string }

// Setting is how a vendor sends paper invoices.
type Setting struct {
	SignDays int // how long a letter may be under way before it counts as signed for
	Couriers []Courier
}

// Follow is the page where a letter is followed; empty where its courier has none.
func (s *Setting) Follow(courier, number string) string {
	for _, c := range s.Couriers {
		if c.Name == courier && c.Link != "" && number != "" {
			return strings.ReplaceAll(c.Link, TrackingMark, url.QueryEscape(number))
		}
	}
	return ""
}

// CourierText writes couriers as ReadCouriers reads them.
func CourierText(list []Courier) string {
	var b strings.Builder
	for _, c := range list {
		b.WriteString(strings.TrimSpace(c.Name+" "+c.Link) + "\n")
	}
	return b.String()
}

// ReadCouriers reads lines of a name and, after a blank, a link. Faults: invoice.courier_line, .couriers_many.
func ReadCouriers(lines string) ([]Courier, error) {
	var out []Courier
	known := map[string]bool{}
	for n, line := range strings.Split(strings.ReplaceAll(lines, "\r\n", "\n"), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		c := Courier{Name: words[0]}
		if last := words[len(words)-1]; len(words) > 1 && strings.Contains(last, "://") {
			c.Link, words = last, words[:len(words)-1]
		}
		c.Name = strings.Join(words, " ")
		if !text(c.Name, 1, maxCourier, false) || strings.Contains(c.Name, "://") || known[c.Name] || c.Link != "" && !followable(c.Link) {
			return nil, fault.Invalid("invoice.courier_line", fault.Args{"line": n + 1, "mark": TrackingMark})
		}
		known[c.Name] = true
		out = append(out, c)
	}
	if len(out) > MaxCouriers {
		return nil, fault.Invalid("invoice.couriers_many", fault.Args{"limit": MaxCouriers})
	}
	return out, nil
}

// followable tells whether a link leads to a page of the number and nowhere else than to its own host.
func followable(link string) bool {
	before, _, marked := strings.Cut(link, TrackingMark)
	u, err := url.Parse(strings.ReplaceAll(link, TrackingMark, "0"))
	if err != nil || !marked || len(link) > maxLink || !text(link, 1, maxLink, false) {
		return false
	}
	host, err := url.Parse(before)
	return err == nil && u.Scheme == "https" && u.Host != "" && host.Host == u.Host && u.User == nil
}

// Setting is that of a vendor; who never set it has the usual days and no couriers.
func (s *Service) Setting(ctx context.Context, vendorID string) (Setting, error) {
	out, found, err := s.Store.Setting(ctx, vendorID)
	if err == nil && !found {
		out = Setting{SignDays: SignDays}
	}
	return out, err
}

// SetSetting changes that of the acting vendor; letters that are under way keep their day. Faults: invoice.sign_days,
// .couriers_many, scope.permission_missing.
func (s *Service) SetSetting(ctx context.Context, sc scope.Scope, in Setting) error {
	switch err := sc.Require(scope.ItemEntityChange); {
	case err != nil:
		return err
	case in.SignDays < LeastSignDays || in.SignDays > MostSignDays:
		return fault.Invalid("invoice.sign_days", fault.Args{"least": LeastSignDays, "most": MostSignDays})
	case len(in.Couriers) > MaxCouriers:
		return fault.Invalid("invoice.couriers_many", fault.Args{"limit": MaxCouriers})
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.SaveSetting(ctx, sc.OrgID(), in, sc.Login(), s.Clock.Now()); err != nil {
			return err
		}
		return s.keep(ctx, sc, "invoice.setting", "organisation:"+sc.OrgID(), map[string]any{"sign_days": in.SignDays, "couriers": CourierText(in.Couriers)})
	})
}

// Received is when a posted letter counts as received.
func (r *Request) Received() time.Time {
	if r.SignBy.IsZero() {
		return r.ChangedAt.AddDate(0, 0, SignDays)
	}
	return r.SignBy
}
