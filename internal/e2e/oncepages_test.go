package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/app"
	"huoban/internal/creditline"
	"huoban/internal/flow"
	"huoban/internal/foureyes"
	"huoban/internal/money"
	"huoban/internal/portal"
	"huoban/internal/scope"
	"huoban/internal/topup"
	"huoban/internal/withdrawal"
)

// What the pages of the demo offer to be done, and how what they lack is brought about.

// machinesAt are the machines whose entities have pages at an address, beside the one the table names.
var machinesAt = map[string]string{"/payouts/": "withdrawal", "/funds/withdrawals/": "withdrawal", "/invoice-requests/": "invoice", "/registrations/": "prospect"}

// moveOf finds the machine a POST moves an entity of.
func moveOf(path string) (e app.MachineEntry, ok bool) {
	path = strings.NewReplacer("/o/:org", "", "/:cycle/", "/:id/", "/:dispatch/", "/:id/").Replace(path)
	before, noun, ok := strings.Cut(path, "/:id/")
	for rest := ""; ok && strings.Contains(noun, "/"); { // of an entity below another
		_, rest, ok = strings.Cut(noun, "/:id/")
		noun = rest
	}
	if !ok {
		return e, false
	}
	for _, e := range app.Machines {
		d := e.Machine.Describe()
		at, _, _ := strings.Cut(d.Path, "{")
		if (at == before+"/" || machinesAt[before+"/"] == d.Machine) && slices.ContainsFunc(d.Rows, func(r flow.DescribedRow) bool { return r.Noun == noun }) {
			return e, true
		}
	}
	return e, false
}

// onlooker is somebody whose pages are looked through.
type onlooker struct {
	c          *client
	login, org string
}

// lookers see the things of both sides of every act; those of one organisation are two persons. QIHENG is the last, so that
// what is asked of a customer is asked of its customers first, of whom some are looked through too.
var lookers = [][2]string{{"hengluo-admin", "HENGLUO"}, {"hengluo-finance", "HENGLUO"}, {"lanhai-admin", vendor}, {"yanshi-admin", "YANSHI"}, {"guangzhu-admin", "GUANGZHU"}, {"yunxiu-admin", partner}, {"qiheng-admin", "QIHENG"}}

// formsOf are forms of a thing on pages of their own.
var formsOf = map[string][]string{"/invoices": {"/amendment"}, "/contracts": {"/amendment"}, "/prospects": {"/amendment"}}

// furnish makes what the demo lacks.
func (o *repeater) furnish() {
	o.w.register(o.T, partner)
	o.w.hostPlatform(o.T, partner)
	for _, p := range o.people {
		if p.org == "QIHENG" || p.org == "YANSHI" {
			o.w.subscribe(o.T, p.c, p.org)
			p.c.post("/o/"+p.org+"/exports", "list", "customers", "format", "csv")
		}
	}
	o.w.app.TopUps.Gateways = []topup.Gateway{topup.Simulator{}}
	ctx, op := o.w.asTest(), scope.System("operator")
	must := func(err error) {
		o.Helper()
		if err != nil {
			o.Fatal(err)
		}
	}
	seller, err := o.w.app.Organisations.ByCode(ctx, op, "HENGLUO")
	must(err)
	buyer, err := o.w.app.Organisations.ByCode(ctx, op, "GUANGZHU")
	must(err)
	boss := scope.Vendor(seller.ID, "", "hengluo-admin", []scope.Item{scope.ItemLimitChange, scope.ItemLedgerView, scope.ItemRemittance})
	_, err = o.w.app.FourEyes.Set(ctx, boss, foureyes.SetInput{Kind: foureyes.KindWithdrawal, Currency: "CNY", Amount: "100"})
	must(err)
	proposer := scope.Vendor(seller.ID, "", "hengluo-finance", []scope.Item{scope.ItemCreditChange})
	for _, currency := range []string{"USD", "EUR", "JPY"} {
		_, err := o.w.app.Credits.Propose(ctx, proposer, creditline.Input{PartnerID: buyer.ID, Currency: currency, Line: 1000 * money.Unit})
		must(err)
	}
	payer := scope.Partner(buyer.ID, "", "guangzhu-finance", []scope.Item{scope.ItemFundsView, scope.ItemFundsChange}, nil)
	for i, amount := range []money.Amount{400, 100, 200, 300, 60_000, 70_000} { // the first is claimed by a form
		line := topup.BankLine{Ref: fmt.Sprint("TWICE-", i), PaidOn: "2026-07-07", Currency: "CNY", Amount: amount * money.Unit, PayerName: buyer.Name, PayerAccount: "6222000000001616"}
		_, err := o.w.app.TopUps.Import(ctx, boss, []topup.BankLine{line})
		must(err)
		if i > 0 {
			_, err = o.w.app.TopUps.MakeClaim(ctx, payer, topup.ClaimInput{VendorID: seller.ID, Currency: "CNY", Amount: line.Amount, PaidOn: line.PaidOn, PayerName: line.PayerName, PayerTail: "1616"})
			must(err)
		}
	}
	o.exec("UPDATE invoice_request SET state = 'issuing' WHERE id = (SELECT MAX(id) FROM invoice_request WHERE vendor_id = $1 AND medium = 'electronic' AND state = 'issued')", seller.ID)
	o.exec("UPDATE invoice_request SET state = 'refused' WHERE id IN (SELECT id FROM invoice_request WHERE vendor_id = $1 AND state = 'issued' ORDER BY id LIMIT 2)", seller.ID)
	pctx, taker, err := o.w.app.Operator(ctx, "qiheng-finance", "test")
	must(err)
	for _, amount := range []string{"10.00", "11.00", "12.00", "13.00", "210.00", "220.00"} {
		st, err := o.w.app.Withdrawals.Standing(pctx, taker, seller.ID, "CNY")
		must(err)
		_, err = o.w.app.Withdrawals.Apply(pctx, taker, withdrawal.Input{VendorID: seller.ID, Currency: "CNY", Kind: withdrawal.KindOriginal, Takes: []withdrawal.Take{{EntryID: st.Sources[0].EntryID, Amount: amount}}})
		must(err)
	}
}

func (o *repeater) exec(query string, args ...any) {
	o.Helper()
	if _, err := o.w.app.DB.Writer().ExecContext(o.Context(), query, args...); err != nil {
		o.Fatal(err)
	}
}

// look follows links, a few of every route that has to do with an act, and collects the forms.
func (o *repeater) look() {
	o.Helper()
	parts := map[string]bool{"/o/:org": true}
	for _, r := range o.routes {
		parts[strings.Join(strings.SplitN(r.Path, "/", 5)[:min(4, strings.Count(r.Path, "/")+1)], "/")] = true
	}
	for _, p := range o.people {
		asked, met := map[string]int{}, map[string]bool{}
		for queue := []string{"/o/" + p.org}; len(queue) > 0; queue = queue[1:] {
			u, err := url.Parse(queue[0])
			if err != nil {
				o.Fatal(err)
			}
			r, ok := routeOf(u.Path)
			area := strings.Join(strings.SplitN(r.Path, "/", 5)[:min(4, strings.Count(r.Path, "/")+1)], "/")
			if !ok || !parts[area] || asked[r.Name] >= 4 || asked[r.Name] >= 2 && !namesThing(r) || !strings.HasPrefix(u.Path, "/o/"+p.org) {
				continue
			}
			asked[r.Name]++
			for _, href := range o.visit(p, queue[0]) {
				href, _, _ = strings.Cut(href, "#")
				if !met[href] {
					met[href] = true
					queue = append(queue, href)
				}
			}
		}
	}
}

// visit collects the forms of a page, and gives its links.
func (o *repeater) visit(p *onlooker, at string) []string {
	got := p.c.get(at)
	if got.status != http.StatusOK || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
		return nil
	}
	doc := got.page(o.T)
	doc.Find("form[method='post']").Each(func(_ int, s *goquery.Selection) {
		action := s.AttrOr("action", "")
		name := bestRoute(o.posts, action)
		if strings.HasPrefix(action, "/o/"+p.org+"/") && name != "" {
			o.offers[name] = slices.Insert(o.offers[name], 0, offer{p, at, action, s.Find("input[type=file]").AttrOr("name", ""), fieldsOf(doc, s)})
		}
	})
	return doc.Find("a[href^='/o/']").Map(attr("href"))
}

func bestRoute(routes []portal.RouteInfo, path string) string {
	name, best := "", 99
	for _, r := range routes {
		if n := matchRoute(r.Path, path); n >= 0 && n < best {
			name, best = r.Name, n
		}
	}
	return name
}

// revisit looks again at the pages of what was acted on, of both sides.
func (o *repeater) revisit(addresses ...string) {
	seen := map[string]bool{}
	for _, address := range addresses {
		address, _, _ = strings.Cut(address, "?")
		parts := strings.Split(address, "/")
		at := slices.IndexFunc(parts, uuid.MatchString)
		if len(parts) < 4 {
			continue
		}
		list, thing := "/"+strings.Join(parts[3:], "/"), ""
		if at > 3 {
			list, thing = "/"+strings.Join(parts[3:at], "/"), "/"+parts[at]
		}
		for _, pair := range [][2]string{{list, list}, {"/payouts", "/funds/withdrawals"}, {"/invoice-requests", "/invoices"}, {"/registrations", "/prospects"}} {
			if pair[0] != list && pair[1] != list {
				continue
			}
			for _, to := range pair {
				seen[to+thing] = true
				for _, form := range formsOf[to] {
					seen[to+thing+form] = thing != ""
				}
				if strings.HasPrefix(to, "/roles/") {
					seen[to+"/edit"] = true
				}
			}
		}
	}
	maps.DeleteFunc(seen, func(_ string, wanted bool) bool { return !wanted })
	for _, p := range o.people {
		for _, to := range sorted(seen) {
			o.visit(p, "/o/"+p.org+to)
		}
	}
}

// force puts things into a state the move begins in, one after the other, until one can be moved.
func (o *repeater) force(r portal.RouteInfo, e app.MachineEntry) {
	noun := r.Path[strings.LastIndexByte(r.Path, '/')+1:]
	d := e.Machine.Describe()
	var ids []string
	for name := range o.count("SELECT id, COUNT(*) FROM "+e.Table+" GROUP BY id HAVING COUNT(*) > $1", 0) {
		ids = append(ids, name)
	}
	slices.Sort(ids)
	for _, row := range d.Rows {
		for _, from := range row.From {
			for i := len(ids) - 1; i >= 0 && i > len(ids)-9 && row.Noun == noun; i-- {
				if _, err := o.w.app.DB.Writer().ExecContext(o.Context(), "UPDATE "+e.Table+" SET "+e.Column+" = $1 WHERE id = $2", from, ids[i]); err != nil {
					continue // it cannot be in this state beside others
				}
				o.exec("UPDATE page_version SET n = n + 1")
				delete(o.offers, r.Name)
				before, _, _ := strings.Cut(strings.TrimPrefix(r.Path, "/o/:org"), "/:id")
				o.revisit("/o/x"+before+"/"+ids[i], "/o/x"+before)
				if o.route(r); o.done[r.Name] > 0 {
					return
				}
			}
		}
	}
}

// fieldsOf is what a browser would send of a form that nobody filled, with the first choice where one has to be made. The
// boxes one may tick stand under "@" and their name.
func fieldsOf(doc *goquery.Document, form *goquery.Selection) url.Values {
	v := url.Values{}
	all := form.Find("input, select, textarea")
	if name := form.AttrOr("id", ""); name != "" {
		all = all.AddSelection(doc.Find("[form='" + name + "']"))
	}
	all.Each(func(_ int, s *goquery.Selection) {
		name, kind := s.AttrOr("name", ""), s.AttrOr("type", goquery.NodeName(s))
		_, required := s.Attr("required")
		switch {
		case name == "" || kind == "file":
		case kind == "select":
			choice := s.Find("option[selected]")
			if choice.Length() == 0 || choice.AttrOr("value", "") == "" && required {
				choice = s.Find("option[value]:not([value=''])")
			}
			v.Set(name, choice.First().AttrOr("value", ""))
		case kind == "textarea":
			text := s.Text()
			if text == "" && required {
				text = "twice"
			}
			v.Set(name, text)
		case kind == "checkbox" || kind == "radio":
			v.Add("@"+name, s.AttrOr("value", "on"))
			if _, on := s.Attr("checked"); on || required && v.Get(name) == "" {
				v.Add(name, s.AttrOr("value", "on"))
			}
		default:
			v.Add(name, s.AttrOr("value", ""))
		}
	})
	return v
}
