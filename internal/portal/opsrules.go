package portal

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/conformance"
	"huoban/internal/delivery"
	"huoban/internal/i18n"
	"huoban/internal/usage"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

var verdictTone = map[conformance.Verdict]part.Tone{conformance.VerdictPassed: part.Good, conformance.VerdictFailed: part.Bad,
	conformance.VerdictNotCheckable: part.Grey, conformance.VerdictNotApplicable: part.Grey}

var verdicts = []conformance.Verdict{conformance.VerdictFailed, conformance.VerdictPassed, conformance.VerdictNotCheckable, conformance.VerdictNotApplicable}

// deliveryRules lists every rule of the FOCUS report once, narrowed by outcome, level and column.
func (h *Handlers) deliveryRules(c *Ctx) error {
	d, err := h.Deliveries.Find(c.ctx(), c.Scope, c.deliveryRef())
	if err != nil {
		return err
	}
	list, err := h.Deliveries.Conformance(c.ctx(), c.Scope, d.ID)
	if err != nil {
		return err
	}
	outcome, level, column := c.QueryParam("outcome"), c.QueryParam("level"), c.QueryParam("column")
	files, err := h.Deliveries.Store.DeliveryFiles(c.ctx(), d.ID)
	if err != nil {
		return err
	}
	p := opsview.Rules{Header: part.Header{Title: c.T("ops.rules.title"), Tags: []part.Tag{{Text: formatOf(d.Dialect, d.Format)}},
		Crumbs: c.crumbs(part.Link{Text: c.T("ops.deliveries.title"), Href: c.at("/deliveries")}, part.Link{Text: deliveryName(&d), Href: c.deliveryLink(&d, "")}, part.Link{Text: c.T("ops.rules.title")})},
		Filter: rulesFilter(c, list, c.deliveryLink(&d, "/rules"), outcome, level, column)}
	for i := range list {
		r := &list[i]
		if outcome != "" && string(r.Verdict) != outcome || level != "" && r.Level != level || column != "" && r.Column != column {
			continue
		}
		row := opsview.RuleRow{ID: r.Rule, Text: r.Sentence, Level: r.Level, Rows: i18n.Nothing,
			Outcome: part.Status{Text: c.T("ops.verdict." + string(r.Verdict)), Tone: verdictTone[r.Verdict]}}
		if r.Verdict == conformance.VerdictPassed || r.Verdict == conformance.VerdictFailed {
			row.Rows = i18n.Count(r.Failed) + " / " + i18n.Count(r.Checked)
		}
		for _, s := range r.Samples {
			if row.Sample != "" {
				row.Sample += c.T("portal.list.comma")
			}
			row.Sample += placeOf(files, s.File, s.Line) + " " + s.Value
		}
		p.Rows = append(p.Rows, row)
	}
	p.Tool.Count = c.T("ops.rules.shown", "Count", int64(len(p.Rows)), "All", int64(len(list)))
	return c.page(http.StatusOK, p.Page())
}

func placeOf(files []delivery.File, no int, line int64) string {
	i := slices.IndexFunc(files, func(f delivery.File) bool { return f.No == no })
	if i < 0 {
		return strconv.FormatInt(line, 10)
	}
	return files[i].Name + ":" + strconv.FormatInt(line, 10)
}

func rulesFilter(c *Ctx, list []conformance.Result, action, outcome, level, column string) part.Filter {
	any := part.Option{Label: c.T("ops.filter.any")}
	outcomes := part.FilterField{Name: "outcome", Label: c.T("opsview.conform.outcome"), Value: outcome, Options: []part.Option{any}}
	for _, v := range verdicts {
		outcomes.Options = append(outcomes.Options, part.Option{Value: string(v), Label: c.T("ops.verdict." + string(v))})
	}
	seen := map[string]map[string]bool{"level": {}, "column": {}}
	for i := range list {
		seen["level"][list[i].Level], seen["column"][list[i].Column] = true, true
	}
	choice := func(name, label, value string) part.FilterField {
		f := part.FilterField{Name: name, Label: label, Value: value, Options: []part.Option{any}}
		for _, v := range sortedNames(seen[name]) {
			if v != "" {
				f.Options = append(f.Options, part.Option{Value: v, Label: v})
			}
		}
		return f
	}
	return part.Filter{Action: action, Reset: action, Fields: []part.FilterField{outcomes,
		choice("level", c.T("opsview.conform.level"), level), choice("column", c.T("ops.rules.column"), column)}}
}

// changeRef is where the next page of differing rows begins.
type changeRef struct {
	Customer string `json:"c"`
	Start    string `json:"t"`
	Key      []byte `json:"k"`
	Occur    int64  `json:"o"`
}

func changeAfter(l *usage.Stored) string {
	if l == nil {
		return ""
	}
	b, err := json.Marshal(changeRef{l.CustomerID, l.ChargeStart.UTC().Format(usage.StartText), l.Key[:], l.Occurrence})
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseChangeAfter(text string) (*usage.Stored, error) {
	if text == "" {
		return nil, nil
	}
	var r changeRef
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(b, &r) != nil || len(r.Key) != len(usage.Hash{}) {
		return nil, notFound()
	}
	at, err := time.Parse(usage.StartText, r.Start)
	if err != nil {
		return nil, notFound()
	}
	l := &usage.Stored{CustomerID: r.Customer}
	l.ChargeStart, l.Occurrence = at, r.Occur
	copy(l.Key[:], r.Key)
	return l, nil
}

// deliveryChanges pages through the rows of one cycle that differ from what the delivery replaced.
func (h *Handlers) deliveryChanges(c *Ctx) error {
	d, err := h.Deliveries.Find(c.ctx(), c.Scope, c.deliveryRef())
	if err != nil {
		return err
	}
	src, err := h.Sources.ByID(c.ctx(), c.Scope, d.SourceID)
	if err != nil {
		return err
	}
	slots, err := h.Deliveries.Slots(c.ctx(), c.Scope, d.ID)
	if err != nil {
		return err
	}
	after, err := parseChangeAfter(c.QueryParam("after"))
	if err != nil {
		return err
	}
	chosen, _ := strconv.ParseInt(c.QueryParam("slot"), 10, 64)
	if chosen == 0 && len(slots) > 0 {
		chosen = slots[0].ID
	}
	page, err := h.Deliveries.Diff(c.ctx(), c.Scope, delivery.DiffInput{Delivery: d.ID, Slot: chosen, After: after, Limit: 50})
	if err != nil {
		return err
	}
	files, err := h.Deliveries.Store.DeliveryFiles(c.ctx(), d.ID)
	if err != nil {
		return err
	}
	link := func(slot int64, after string) string {
		return c.withQuery("/deliveries/"+d.ID+"/changes", "slot", strconv.FormatInt(slot, 10), "after", after)
	}
	p := opsview.Changes{Header: part.Header{Title: c.T("ops.changes.title"), Tags: []part.Tag{{Text: deliveryName(&d)}},
		Crumbs: c.crumbs(part.Link{Text: c.T("ops.deliveries.title"), Href: c.at("/deliveries")}, part.Link{Text: deliveryName(&d), Href: c.deliveryLink(&d, "")}, part.Link{Text: c.T("ops.changes.title")})}}
	for _, s := range slots {
		p.Tabs = append(p.Tabs, part.Tab{Text: string(s.Cycle), Href: link(s.ID, ""), Current: s.ID == chosen})
	}
	for i := range page.Rows {
		p.Rows = append(p.Rows, changeRow(c, files, src.Location(), &page.Rows[i]))
	}
	p.Tool.Count = c.T("ops.changes.count", "Count", int64(len(p.Rows)))
	p.Pager.Range = p.Tool.Count
	if after != nil {
		p.Pager.First = link(chosen, "")
	}
	if page.Next != nil {
		p.Pager.Next = link(chosen, changeAfter(page.Next))
	}
	if len(p.Rows) == 0 {
		p.Empty = &part.Empty{Title: c.T("ops.changes.empty"), Text: c.T("ops.changes.empty_text")}
	}
	return c.page(http.StatusOK, p.Page())
}

var diffTone = map[delivery.DiffKind]part.Tone{delivery.DiffAdded: part.Good, delivery.DiffRemoved: part.Bad, delivery.DiffChanged: part.Warn}

func changeRow(c *Ctx, files []delivery.File, zone *time.Location, r *delivery.DiffRow) opsview.Change {
	line := r.Is
	if line == nil {
		line = r.Was
	}
	row := opsview.Change{Kind: part.Tag{Text: c.T("ops.diff." + string(r.Kind)), Tone: diffTone[r.Kind]}, Charged: i18n.DateTimeIn(line.ChargeStart, zone),
		Account: line.Account.SubAccount, Product: strings.TrimSpace(line.Product.Service + " " + line.Product.Region), Place: i18n.Nothing}
	if row.Account == "" {
		row.Account = line.Account.BillingAccount
	}
	if r.Was != nil {
		row.Was = i18n.ExactMoney(r.Was.Billed, r.Was.Currency)
	}
	if r.Is != nil {
		row.Now, row.Place = i18n.ExactMoney(r.Is.Billed, r.Is.Currency), placeOf(files, r.Is.FileNo, r.Is.LineNo)
	}
	return row
}
