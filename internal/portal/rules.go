package portal

import (
	"strconv"
	"strings"

	"huoban/internal/i18n"
	"huoban/web/templates/part"
)

// rulesAt is where 规则说明 of a page's header leads.
const rulesAt = "#page-rules"

// rules are what a page counts and shows by, in the order of the catalogue. A page without rules of its own has those
// of the one it belongs to: bills.lines has those of bills.
func (c *Ctx) rules() []string {
	for name := strings.TrimSuffix(c.Route.Name, ".names"); ; {
		var out []string
		for n := 1; ; n++ {
			key := "page.rule." + name + "." + strconv.Itoa(n)
			if !i18n.Has(key) {
				break
			}
			out = append(out, c.T(key))
		}
		at := strings.LastIndexByte(name, '.')
		if len(out) > 0 || at < 0 {
			return out
		}
		name = name[:at]
	}
}

// ruled gives a page its rules and the header the way to them.
func (c *Ctx) ruled(header *part.Header, rules *[]string) {
	if *rules = c.rules(); len(*rules) > 0 {
		header.Rules = rulesAt
	}
}

// explained is the word of a state that opens to what it means and what comes next; id tells it from others on the
// page. The words are those of the machine: <machine>.state, .meaning and .next.
func (c *Ctx) explained(machine, id, state string, tone part.Tone) *part.Status {
	return &part.Status{ID: machine + "-" + id, Text: c.T(machine + ".state." + state), Tone: tone, Meaning: c.T(machine + ".meaning." + state), Next: c.T(machine + ".next." + state)}
}
