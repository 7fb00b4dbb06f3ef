package monthclose

import (
	"fmt"
	"slices"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
)

// Severity says what a check means for the close.
type Severity string

// The severities.
const (
	SeverityPassed  Severity = "passed"
	SeverityWarning Severity = "warning"
	SeverityBlocker Severity = "blocker"
)

// Label is the key of the severity's text.
func (s Severity) Label() string { return "monthclose.severity." + string(s) }

// Text is the key of the check's sentence.
func (c Check) Text() string { return "fault." + c.Code }

// Check is one thing a close looks at. Code is a fault code for blockers and warnings, and
// "<area>.<claim>" for passed checks; Cure is a key of the catalogue, Command what to type.
type Check struct {
	Code        string
	Severity    Severity
	Args        fault.Args
	Cure        string
	Command     string
	Overridable bool
	Rows        []UnmappedRow
}

// Fault is the check as a refusal, its cure included.
func (c Check) Fault() *fault.Error {
	args := fault.Args{"Command": c.Command}
	for k, v := range c.Args {
		args[k] = v
	}
	return fault.Conflict(c.Code, args)
}

// SourceFacts is what a source delivered for the cycle.
type SourceFacts struct {
	ID, Name    string
	Zone        *time.Location
	From, Until cycle.Cycle // declared; empty is none
	First       cycle.Cycle // first delivered period; empty is never
	Delivered   bool        // an active slot exists
	Final       bool
	Quarantined int64
	Unmapped    []UnmappedKey
	Unspread    int64 // lines waiting for customers to be spread over
}

// Expected tells whether the source owes a delivery for the cycle: from its declared first cycle or
// its first delivered period, to its declared last.
func (s SourceFacts) Expected(c cycle.Cycle) bool {
	from := s.From
	if from == "" {
		from = s.First
	}
	return from != "" && from <= c && (s.Until == "" || c <= s.Until)
}

// UnmappedKey is the lines of one key and currency that no rule gave a customer.
type UnmappedKey struct {
	Key      string
	Currency string
	Lines    int64
	Exact    money.Exact
	Rows     []UnmappedRow // the first few
}

// UnmappedRow is one such line in its file.
type UnmappedRow struct {
	Source, File string
	Line         int64
	Key          string
	Currency     string
	Billed       money.Exact
}

// Gate is everything the refusals are decided from, loaded before.
type Gate struct {
	Vendor     string // code
	Cycle      cycle.Cycle
	Now        time.Time
	State      State
	Sources    []SourceFacts
	Lines      int64 // lines in active slots
	Adjusted   int64 // approved adjustments of the cycle
	Proposed   int64 // adjustments of the cycle still waiting for the second person
	Stale      bool  // the draft is older than what it was computed from
	StaleBy    []string
	OpenBefore []cycle.Cycle
	Strays     int64 // customers with lines but without partner
	Silent     map[string][]string
}

// Checks judges the gate: every blocker, warning and passed check, in a fixed order.
func (g Gate) Checks() []Check {
	var out []Check
	out = append(out, g.monthOver()...)
	expected := 0
	for _, s := range g.Sources {
		if s.Expected(g.Cycle) {
			expected++
			out = append(out, g.final(s))
		}
		if s.Expected(g.Cycle) || s.Delivered {
			out = append(out, g.mapped(s)...)
			out = append(out, g.quarantine(s))
		}
	}
	if expected == 0 && g.Lines == 0 && g.Adjusted == 0 {
		out = append(out, Check{Code: "monthclose.nothing_to_close", Severity: SeverityBlocker, Cure: "fault.monthclose.nothing_to_close.cure",
			Args: fault.Args{"Vendor": g.Vendor, "Cycle": string(g.Cycle)}, Command: "portal import PATH --source NAME"})
	}
	if g.Proposed > 0 {
		out = append(out, Check{Code: "monthclose.adjustment_undecided", Severity: SeverityBlocker, Overridable: true,
			Cure: "fault.monthclose.adjustment_undecided.cure", Args: fault.Args{"Count": g.Proposed},
			Command: fmt.Sprintf("portal adjustment list --vendor %s --cycle %s", g.Vendor, g.Cycle)})
	}
	if c := g.fresh(); c != nil {
		out = append(out, *c)
	}
	return append(out, g.warnings()...)
}

// Blockers are the checks that stop the close.
func Blockers(checks []Check) []Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c Check) bool { return c.Severity != SeverityBlocker })
}

// Warnings are those that do not.
func Warnings(checks []Check) []Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c Check) bool { return c.Severity != SeverityWarning })
}

// Refusal is the blockers as one fault, monthclose.refused, or nil.
func Refusal(checks []Check) error {
	var reasons []*fault.Error
	for _, c := range Blockers(checks) {
		reasons = append(reasons, c.Fault())
	}
	if len(reasons) == 0 {
		return nil
	}
	return fault.Refused("monthclose.refused", reasons)
}

// monthOver asks the zone whose month ends last: of the expected sources, or of all that delivered.
func (g Gate) monthOver() []Check {
	end, zone, by := g.Cycle.End(cycle.Zone), cycle.Zone, ""
	first := true
	for _, s := range g.Sources {
		if !s.Expected(g.Cycle) && !s.Delivered {
			continue
		}
		if e := g.Cycle.End(s.Zone); first || e.After(end) {
			end, zone, by, first = e, s.Zone, s.Name, false
		}
	}
	c := Check{Code: "monthclose.check.month_over", Severity: SeverityPassed, Args: fault.Args{"End": end.In(zone).Format("2006-01-02 15:04 -07:00"), "Source": by}}
	if !g.Cycle.Over(g.Now, zone) {
		c.Code, c.Severity, c.Overridable, c.Cure = "monthclose.month_not_over", SeverityBlocker, true, "fault.monthclose.month_not_over.cure"
		c.Command = g.command("")
	}
	return []Check{c}
}

func (g Gate) command(extra string) string {
	return fmt.Sprintf("portal close --vendor %s --cycle %s%s", g.Vendor, g.Cycle, extra)
}

func (g Gate) final(s SourceFacts) Check {
	c := Check{Code: "monthclose.check.source_final", Severity: SeverityPassed, Args: fault.Args{"Source": s.Name, "Cycle": string(g.Cycle)}}
	if s.Final {
		return c
	}
	c.Code, c.Severity, c.Overridable, c.Cure = "monthclose.source_not_final", SeverityBlocker, true, "fault.monthclose.source_not_final.cure"
	c.Command = fmt.Sprintf("portal import PATH --source %s --final=%s", s.Name, g.Cycle)
	if !s.Delivered {
		c.Code, c.Cure = "monthclose.source_missing", "fault.monthclose.source_missing.cure"
	}
	return c
}

func (g Gate) mapped(s SourceFacts) []Check {
	if len(s.Unmapped) == 0 && s.Unspread == 0 {
		return []Check{{Code: "monthclose.check.rows_mapped", Severity: SeverityPassed, Args: fault.Args{"Source": s.Name}}}
	}
	var out []Check
	for _, u := range s.Unmapped[:min(len(s.Unmapped), NamedKeys)] {
		c := Check{Code: "monthclose.rows_unmapped", Severity: SeverityBlocker, Overridable: true, Cure: "fault.monthclose.rows_unmapped.cure", Rows: u.Rows,
			Args: fault.Args{"Source": s.Name, "Key": u.Key, "Count": u.Lines, "Amount": u.Exact.String(), "Currency": u.Currency,
				"File": "", "Line": int64(0), "Template": fmt.Sprintf("%s,%s,CUSTOMER,PARTNER,resale,,", s.Name, csvCell(u.Key))},
			Command: "portal map import FILE.csv"}
		if len(u.Rows) > 0 {
			c.Args["File"], c.Args["Line"] = u.Rows[0].File, u.Rows[0].Line
		}
		if u.Key == "" {
			c.Code, c.Cure = "monthclose.rows_without_key", "fault.monthclose.rows_without_key.cure"
			c.Args["Template"] = fmt.Sprintf("%s,ChargeCategory=Tax,CUSTOMER,PARTNER,resale,,", s.Name)
		}
		out = append(out, c)
	}
	if len(s.Unmapped) > NamedKeys {
		out = append(out, g.moreUnmapped(s)...)
	}
	if s.Unspread > 0 {
		out = append(out, Check{Code: "monthclose.rows_unspread", Severity: SeverityBlocker, Overridable: true, Cure: "fault.monthclose.rows_unspread.cure",
			Args: fault.Args{"Source": s.Name, "Count": s.Unspread}, Command: "portal map import FILE.csv"})
	}
	return out
}

// NamedKeys is how many unmapped keys of a source are named one by one; the rest is one sum per
// currency.
const NamedKeys = 20

func (g Gate) moreUnmapped(s SourceFacts) []Check {
	at := map[string]int{}
	var sums []UnmappedKey
	keys := map[string]int64{}
	for _, u := range s.Unmapped[NamedKeys:] {
		i, known := at[u.Currency]
		if !known {
			i, at[u.Currency] = len(sums), len(sums)
			sums = append(sums, UnmappedKey{Currency: u.Currency})
		}
		keys[u.Currency]++
		sums[i].Lines += u.Lines
		sums[i].Exact = sums[i].Exact.Add(u.Exact)
	}
	var out []Check
	for _, u := range sums {
		out = append(out, Check{Code: "monthclose.more_unmapped", Severity: SeverityBlocker, Overridable: true, Cure: "fault.monthclose.more_unmapped.cure",
			Args:    fault.Args{"Source": s.Name, "Keys": keys[u.Currency], "Count": u.Lines, "Amount": u.Exact.String(), "Currency": u.Currency},
			Command: fmt.Sprintf("portal map auto --source %s --partner PARTNER --association resale", s.Name)})
	}
	return out
}

func (g Gate) quarantine(s SourceFacts) Check {
	c := Check{Code: "monthclose.check.quarantine_empty", Severity: SeverityPassed, Args: fault.Args{"Source": s.Name}}
	if s.Quarantined > 0 {
		c.Code, c.Severity, c.Overridable, c.Cure = "monthclose.rows_quarantined", SeverityBlocker, true, "fault.monthclose.rows_quarantined.cure"
		c.Args["Count"] = s.Quarantined
		c.Command = "portal quarantine list"
	}
	return c
}

// fresh refuses a draft computed from something else than what is there now; no override helps,
// because what would be issued is not what the lines say.
func (g Gate) fresh() *Check {
	if g.State != StateDraft && g.State != StateReviewed {
		return nil
	}
	c := &Check{Code: "monthclose.check.draft_fresh", Severity: SeverityPassed}
	if g.Stale {
		c.Code, c.Severity, c.Cure, c.Command = "monthclose.draft_stale", SeverityBlocker, "fault.monthclose.draft_stale.cure", g.command(" --redraft")
		c.Args = fault.Args{"Cycle": string(g.Cycle)}
	}
	return c
}

func (g Gate) warnings() []Check {
	var out []Check
	for _, s := range g.Sources {
		if days := g.Silent[s.ID]; len(days) > 0 {
			out = append(out, Check{Code: "monthclose.days_without_lines", Severity: SeverityWarning, Cure: "fault.monthclose.days_without_lines.cure",
				Args: fault.Args{"Source": s.Name, "Count": len(days), "First": days[0], "Last": days[len(days)-1]}})
		}
	}
	for _, c := range g.OpenBefore {
		out = append(out, Check{Code: "monthclose.earlier_open", Severity: SeverityWarning, Cure: "fault.monthclose.earlier_open.cure",
			Args: fault.Args{"Cycle": string(c)}, Command: fmt.Sprintf("portal close --vendor %s --cycle %s", g.Vendor, c)})
	}
	if g.Strays > 0 {
		out = append(out, Check{Code: "monthclose.customers_without_partner", Severity: SeverityWarning,
			Cure: "fault.monthclose.customers_without_partner.cure", Args: fault.Args{"Count": g.Strays}})
	}
	return out
}

// csvCell quotes a value as a CSV file needs it.
func csvCell(s string) string {
	for _, r := range s {
		if r == ',' || r == '"' || r == '\n' || r == '\r' {
			out := `"`
			for _, q := range s {
				if q == '"' {
					out += `"`
				}
				out += string(q)
			}
			return out + `"`
		}
	}
	return s
}
