package portal

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"huoban/internal/account"
	"huoban/internal/adjustment"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/export"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/monthclose"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/web/templates/homeview"
	"huoban/web/templates/part"
)

// The kinds of what waits, in the order of the filter.
const (
	dutyClose      = "close"
	dutyUnmapped   = "unmapped"
	dutyQuarantine = "quarantine"
	dutyAdjustment = "adjustment"
	dutyPrice      = "price"
	dutyExport     = "export"
	dutyCert       = "cert"
	dutyAnomaly    = "anomaly"
	dutyTeam       = "team"
	dutyCompany    = "company"
	dutyArrears    = "arrears"
	dutyAgreement  = "agreement"

	dutyRegistration = "registration"
	dutyProspect     = "prospect"
	dutyRelation     = "relation"
	dutyInvoice      = "invoice"
)

// dutyDeliveries is how many of a source's newest deliveries are looked through for quarantined rows.
const dutyDeliveries = 100

// dutySource finds what waits of one kind, for the sides it is asked for; no sides are all.
type dutySource struct {
	kind  string
	sides []scope.Side
	find  func(h *Handlers, c *Ctx) ([]duty, error)
}

// dutySources is the table of what can wait: a new kind is a row here, its words in the catalogue
// (work.kind.<kind>), and a function that finds it for whoever may act on it. The filter of 待办 follows it.
var dutySources = []dutySource{
	{dutyClose, vendors, (*Handlers).closeDuties},
	{dutyUnmapped, vendors, (*Handlers).unmappedDuties},
	{dutyQuarantine, vendors, (*Handlers).quarantineDuties},
	{dutyAdjustment, vendors, (*Handlers).adjustmentDuties},
	{dutyPrice, vendors, (*Handlers).priceDuties},
	{dutyCompany, vendors, (*Handlers).companyDuties},
	{dutyTeam, partners, (*Handlers).teamDuties},
	{dutyArrears, partners, (*Handlers).arrearsDuties},
	{dutyAgreement, partners, (*Handlers).agreementDuties},
	{dutyExport, nil, (*Handlers).exportDuties},
	{dutyCert, partners, (*Handlers).certDuties},
	{dutyCert, vendors, (*Handlers).consoleDuties},
	{dutyAnomaly, partners, (*Handlers).anomalyDuties},
	{dutyRegistration, vendors, (*Handlers).registrationDuties},
	{dutyProspect, partners, (*Handlers).prospectDuties},
	{dutyInvoice, partners, (*Handlers).invoiceDuties},
	{dutyRelation, []scope.Side{scope.SidePartner, scope.SideCustomer}, (*Handlers).relationDuties},
}

// dutyKinds are the kinds that can wait for a side, in the order of the table.
func dutyKinds(side scope.Side) []string {
	var out []string
	for _, d := range dutySources {
		if (d.sides == nil || slices.Contains(d.sides, side)) && !slices.Contains(out, d.kind) {
			out = append(out, d.kind)
		}
	}
	return out
}

// duty is one thing that waits for this person. Since and Due are zero where there is none.
type duty struct {
	kind, title, text string
	cure              part.Link
	since, due        time.Time
}

// workRoutes are 待办, for everybody.
func workRoutes() []Route {
	return []Route{{Method: get, Path: "/o/:org/work", Name: "work", Items: []scope.Item{scope.ItemHomeAccount}, Title: "work.title", NoList: "what waits in other lists, each with a link to it", Do: (*Handlers).workPage}}
}

// workPage lists everything that waits for the person, the most urgent first.
func (h *Handlers) workPage(c *Ctx) error {
	kind := c.QueryParam("kind")
	kinds := dutyKinds(c.Scope.Side())
	if kind != "" && !slices.Contains(kinds, kind) {
		return notFound()
	}
	all, err := h.duties(c)
	if err != nil {
		return err
	}
	field := part.FilterField{Name: "kind", Label: c.T("work.kind"), Value: kind, Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, k := range kinds {
		if k == kind || slices.ContainsFunc(all, func(d duty) bool { return d.kind == k }) {
			field.Options = append(field.Options, part.Option{Value: k, Label: c.T("work.kind." + k)})
		}
	}
	if kind != "" {
		all = slices.DeleteFunc(all, func(d duty) bool { return d.kind != kind })
	}
	title := c.T("work.title")
	p := homeview.Work{Pages: messageTabs(c, "/work"), Header: part.Header{Title: title, Crumbs: []part.Link{{Text: title}}},
		Filter: part.Filter{Action: c.at("/work"), Reset: c.at("/work"), Fields: []part.FilterField{field}},
		Tool:   part.Tool{Count: c.T("work.count", "Count", int64(len(all))), Refresh: c.withQuery("/work", "kind", kind)}, Rows: dutyRows(c, h.Clock.Now(), all)}
	c.ruled(&p.Header, &p.Rules)
	if len(all) == 0 {
		p.Empty = &part.Empty{Title: c.T("work.empty"), Text: c.T("work.empty_text")}
	}
	return c.page(http.StatusOK, p.Page())
}

// duties is what waits for a person who may act on it: what is late, then what is due, then the oldest.
func (h *Handlers) duties(c *Ctx) ([]duty, error) {
	var out []duty
	for _, source := range dutySources {
		if source.sides != nil && !slices.Contains(source.sides, c.Scope.Side()) {
			continue
		}
		more, err := source.find(h, c)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	last := time.Unix(1<<40, 0)
	key := func(at time.Time) time.Time {
		if at.IsZero() {
			return last
		}
		return at
	}
	sorted.By(out, func(a, b duty) int { return cmp.Or(key(a.due).Compare(key(b.due)), key(a.since).Compare(key(b.since))) })
	return out, nil
}

// dutyRows say how long each waits and what time is left.
func dutyRows(c *Ctx, now time.Time, all []duty) []homeview.Duty {
	var out []homeview.Duty
	for _, d := range all {
		row := homeview.Duty{Kind: c.T("work.kind." + d.kind), Title: d.title, Text: d.text, Cure: d.cure, Due: c.T("work.no_due")}
		if !d.since.IsZero() {
			row.Since = c.T("work.since", "At", i18n.Moment(c.ctx(), d.since), "Count", days(now.Sub(d.since)))
		}
		switch left := d.due.Sub(now); {
		case d.due.IsZero():
		case left < 0:
			row.Due, row.Tone = c.T("work.late", "At", i18n.Moment(c.ctx(), d.due), "Count", days(-left)), part.Bad
		default:
			row.Due, row.Tone = c.T("work.left", "At", i18n.Moment(c.ctx(), d.due), "Count", days(left)), part.Warn
		}
		out = append(out, row)
	}
	return out
}

func days(d time.Duration) int64 { return int64(d / (24 * time.Hour)) }

// closeDuties are the cycles to be issued by now.
func (h *Handlers) closeDuties(c *Ctx) ([]duty, error) {
	if !c.Scope.Has(scope.ItemCloseView) {
		return nil, nil
	}
	list, err := h.Closes.Deadlines(c.ctx(), c.Org.ID)
	if err != nil {
		return nil, err
	}
	var out []duty
	for _, d := range list {
		st, err := h.Closes.Status(c.ctx(), c.Scope, d.VendorID, d.Cycle)
		if err != nil {
			return nil, err
		}
		text := c.T("close.state." + string(st.Close.State))
		if n := len(monthclose.Blockers(st.Checks)); n > 0 {
			text += c.T("portal.list.comma") + c.T("ops.close.blockers", "Count", n)
		}
		out = append(out, duty{kind: dutyClose, title: c.T("work.close", "Cycle", string(d.Cycle)), text: text, since: d.Cycle.End(cycle.Zone), due: d.ReadyBy,
			cure: part.Link{Text: c.T("ops.check.open"), Href: c.at("/closes/" + string(d.Cycle))}})
	}
	return out, nil
}

// unmappedDuties is one row a cycle with lines nobody owns.
func (h *Handlers) unmappedDuties(c *Ctx) ([]duty, error) {
	if !c.Scope.Has(scope.ItemMapChange) {
		return nil, nil
	}
	known, err := h.knownCycles(c)
	if err != nil {
		return nil, err
	}
	var out []duty
	for _, k := range known {
		if k.State == monthclose.StateIssued {
			continue
		}
		list, err := h.Attribution.Unmapped(c.ctx(), k.VendorID, k.Cycle, homeBills)
		if err != nil {
			return nil, err
		}
		var lines int64
		sums := map[string]money.Exact{}
		var sources []string
		for _, u := range list {
			lines += u.LineCount
			sums[u.Currency] = sums[u.Currency].Add(u.Billed)
			for _, key := range u.Keys {
				if !slices.Contains(sources, key.Source) {
					sources = append(sources, key.Source)
				}
			}
		}
		if lines == 0 {
			continue
		}
		var totals []string
		for _, currency := range sortedNames(sums) {
			totals = append(totals, exactMoney(sums[currency], currency).Text)
		}
		out = append(out, duty{kind: dutyUnmapped, title: c.T("work.unmapped", "Cycle", string(k.Cycle), "Count", lines), text: c.T("work.unmapped_text", "Totals", join(totals, c.T("portal.list.comma")), "Sources", join(sources, c.T("portal.list.comma"))),
			due: k.Cycle.BillReady(), cure: part.Link{Text: c.T("work.unmapped_cure"), Href: c.at("/closes/" + string(k.Cycle) + "#checks")}})
	}
	return out, nil
}

// quarantineDuties is one row a delivery with rows that could not be read.
func (h *Handlers) quarantineDuties(c *Ctx) ([]duty, error) {
	if !c.Scope.Has(scope.ItemDeliveryView) || !c.Scope.Has(scope.ItemQuarantineResolve) {
		return nil, nil
	}
	list, err := h.Sources.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	var out []duty
	for i := range list {
		deliveries, err := h.Deliveries.List(c.ctx(), c.Scope, list[i].Name, dutyDeliveries)
		if err != nil {
			return nil, err
		}
		for j := range deliveries {
			d := &deliveries[j]
			if d.Quarantined == 0 {
				continue
			}
			open, err := h.Deliveries.Quarantine(c.ctx(), c.Scope, delivery.QuarantineFilter{DeliveryID: d.ID, State: "open", Limit: quarantineShown + 1})
			if err != nil {
				return nil, err
			}
			if len(open) == 0 {
				continue
			}
			out = append(out, duty{kind: dutyQuarantine, title: c.T("work.quarantine", "Delivery", deliveryName(d)), text: c.T("work.quarantine_text", "Count", d.Quarantined),
				since: d.ReceivedAt, cure: part.Link{Text: c.T("work.quarantine_cure"), Href: c.deliveryLink(d, "")}})
		}
	}
	return out, nil
}

// adjustmentDuties are entries of somebody else that this person may decide.
func (h *Handlers) adjustmentDuties(c *Ctx) ([]duty, error) {
	if !c.Scope.Has(scope.ItemAdjustmentApprove) || !c.Scope.Has(scope.ItemAdjustmentView) {
		return nil, nil
	}
	list, err := h.Adjustments.List(c.ctx(), c.Scope, adjustment.Filter{VendorID: c.Org.ID, State: adjustment.StateProposed})
	if err != nil {
		return nil, err
	}
	limits, err := h.FourEyes.Of(c.ctx(), c.Org.ID)
	if err != nil {
		return nil, err
	}
	var out []duty
	for i := range list {
		a := &list[i]
		if a.CreatedBy == c.Scope.Login() && !adjustment.FactsOf(a, limits).One {
			continue
		}
		out = append(out, duty{kind: dutyAdjustment, title: c.T("work.adjustment", "Cycle", string(a.Corrects), "Amount", exactMoney(a.Base, a.Currency).Text),
			text: c.T("work.adjustment_text", "Who", a.CreatedBy, "Reason", a.Reason), since: a.CreatedAt, due: a.Cycle.BillReady(),
			cure: part.Link{Text: c.T("work.adjustment_cure"), Href: c.at("/adjustments?state=" + string(adjustment.StateProposed))}})
	}
	return out, nil
}

// priceDuties is one row for the drafts of price rules.
func (h *Handlers) priceDuties(c *Ctx) ([]duty, error) {
	if !c.Scope.Has(scope.ItemPriceView) || !c.Scope.Has(scope.ItemPriceChange) {
		return nil, nil
	}
	drafts, err := h.Prices.Drafts(c.ctx(), c.Scope, c.Org.ID)
	if err != nil || len(drafts) == 0 {
		return nil, err
	}
	oldest := drafts[0].CreatedAt
	for i := range drafts {
		if drafts[i].CreatedAt.Before(oldest) {
			oldest = drafts[i].CreatedAt
		}
	}
	return []duty{{kind: dutyPrice, title: c.T("work.price", "Count", int64(len(drafts))), text: c.T("work.price_text"), since: oldest,
		cure: part.Link{Text: c.T("work.price_cure"), Href: c.at("/prices/simulation")}}}, nil
}

// exportDuties are one's own files that could not be made and can be tried again.
func (h *Handlers) exportDuties(c *Ctx) ([]duty, error) {
	if !c.Scope.Has(scope.ItemExportOwn, scope.ItemExportAll) {
		return nil, nil
	}
	page, err := h.Exports.List(c.ctx(), c.Scope, export.Cursor{}, export.MaxPage)
	if err != nil {
		return nil, err
	}
	var failed int64
	var oldest time.Time
	for i := range page.Tasks {
		t := &page.Tasks[i]
		if t.State != export.StateFailed || t.PersonID != c.Scope.PersonID() {
			continue
		}
		failed++
		if oldest.IsZero() || t.RequestedAt.Before(oldest) {
			oldest = t.RequestedAt
		}
	}
	if failed == 0 {
		return nil, nil
	}
	return []duty{{kind: dutyExport, title: c.T("work.export", "Count", failed), text: c.T("work.export_text"), since: oldest,
		cure: part.Link{Text: c.T("work.export_cure"), Href: c.at("/exports")}}}, nil
}

// teamDuties are customers nobody looks after and managers without a 主管, for whoever places them.
func (h *Handlers) teamDuties(c *Ctx) ([]duty, error) {
	if c.Scope.IsLimited() || !c.Scope.Has(scope.ItemAssignmentChange) {
		return nil, nil
	}
	return c.who.placing.get(h.Clock.Now(), func() ([]duty, error) { return h.toPlace(c) })
}

func (h *Handlers) toPlace(c *Ctx) ([]duty, error) {
	all, err := h.Customers.Directory(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	var out []duty
	var loose int64
	var since time.Time
	now := h.Clock.Now()
	for i := range all {
		if e := &all[i]; e.Own(c.Org.ID) && e.Manager.ID == "" && e.InForce(now) {
			loose++
			if since.IsZero() || !e.From.IsZero() && e.From.Before(since) {
				since = e.From
			}
		}
	}
	if loose > 0 {
		out = append(out, duty{kind: dutyTeam, title: c.T("work.unassigned", "Count", loose), text: c.T("work.unassigned_text"), since: since,
			cure: part.Link{Text: c.T("assignments.assign"), Href: c.at(pathAssignments + "/new")}})
	}
	if !c.Scope.Has(scope.ItemStaffChange) {
		return out, nil
	}
	people, err := h.Accounts.Members(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	orphans, bosses := int64(0), false
	for i := range people {
		if isOrphan(&people[i]) && people[i].State == account.PersonActive {
			orphans++
		}
		bosses = bosses || slices.Contains(people[i].Roles, account.RoleSupervisor)
	}
	if orphans > 0 && bosses {
		out = append(out, duty{kind: dutyTeam, title: c.T("work.orphans", "Count", orphans), text: c.T("work.orphans_text"),
			cure: part.Link{Text: c.T("members.supervise"), Href: c.withQuery(pathMembers, "state", "orphan")}})
	}
	return out, nil
}
