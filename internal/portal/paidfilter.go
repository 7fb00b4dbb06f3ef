package portal

import (
	"strings"

	"huoban/web/templates/part"
)

// paidFilter narrows what came by bank, and claims of it: by what it names and by the day it was paid on.
type paidFilter struct{ text, from, to string }

// paidFilterOf reads the filter. Fault: what dayParam refuses.
func paidFilterOf(c *Ctx) (paidFilter, error) {
	if _, _, err := daySpan(c); err != nil {
		return paidFilter{}, err
	}
	return paidFilter{text: strings.ToLower(strings.TrimSpace(c.QueryParam("q"))), from: c.QueryParam("from"), to: c.QueryParam("to")}, nil
}

// takes tells whether what was paid on a day and is named so is within the filter.
func (f paidFilter) takes(day string, names ...string) bool {
	return (f.from == "" || day >= f.from) && (f.to == "" || day <= f.to) &&
		strings.Contains(strings.ToLower(strings.Join(names, "\n")), f.text)
}

func (f paidFilter) narrow(c *Ctx, s *sheet) {
	for _, name := range []string{"q", "from", "to"} {
		s.narrowed(name, c.QueryParam(name))
	}
}

// paidFields are the fields of the filter; what says what the text is looked for in.
func paidFields(c *Ctx, what string) []part.FilterField {
	return []part.FilterField{{Name: "q", Label: what, Value: c.QueryParam("q")},
		{Name: "from", Label: c.T("claims.paid_from"), Value: c.QueryParam("from"), Hint: "2026-10-01"}, {Name: "to", Label: c.T("claims.paid_to"), Value: c.QueryParam("to"), Hint: "2026-10-31"}}
}
