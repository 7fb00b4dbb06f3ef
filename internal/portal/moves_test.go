package portal

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"huoban/internal/flow"
)

// Every POST that fires an action stands at the noun of its row, and every action of people of a machine with a page has one.
func TestMovesComeFromTheTables(t *testing.T) {
	fired := map[string][]string{}
	machines := map[string]flow.Description{}
	for _, r := range table() {
		if r.machine == nil {
			continue
		}
		d := r.machine.Describe()
		noun := r.Path[strings.LastIndexByte(r.Path, '/')+1:]
		if !slices.ContainsFunc(d.Rows, func(x flow.DescribedRow) bool { return x.Do == r.act && x.Noun == noun }) || r.Method != http.MethodPost {
			t.Errorf("%s %s says it fires %s of %s, whose noun is another", r.Method, r.Path, r.act, d.Machine)
		}
		machines[d.Machine] = d
		fired[d.Machine] = append(fired[d.Machine], r.act)
	}
	if len(machines) < 17 {
		t.Errorf("only %d machines have pages", len(machines))
	}
	for name, d := range machines {
		for _, row := range d.Rows {
			if row.Noun != "" && !slices.Contains(fired[name], row.Do) {
				t.Errorf("no POST fires %s of %s", row.Do, name)
			}
		}
	}
}
