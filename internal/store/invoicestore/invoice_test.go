package invoicestore_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/invoice"
	"huoban/internal/message"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/billstore"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/invoicestore"
	"huoban/internal/store/orgstore"
	"huoban/internal/store/storetest"
)

const yuan = money.Amount(100_000_000)

var (
	noon    = time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
	all     = []scope.Item{scope.ItemInvoiceView, scope.ItemInvoiceRequest, scope.ItemInvoiceReviewView, scope.ItemInvoiceReview, scope.ItemEntityChange}
	partner = scope.Partner("S", "p1", "lin", all, nil)
	rival   = scope.Partner("D", "p2", "mei", all, []string{"R"})
	clerk   = scope.Vendor("V", "p3", "hao", all)
	other   = scope.Vendor("W", "p4", "wu", all)
)

type bell struct{ codes []string }

func (b *bell) Notify(_ context.Context, list ...message.Notice) error {
	for _, n := range list {
		b.codes = append(b.codes, n.Code+" "+n.OrgID+" "+n.Link)
	}
	return nil
}

func (b *bell) Holders(_ context.Context, orgID string, _ scope.Item) ([]string, error) {
	return []string{"clerk of " + orgID}, nil
}

type world struct {
	db   *store.DB
	s    *invoice.Service
	at   *clock.Fixed
	bell *bell
}

// newWorld is two vendors, a solution partner S with bills of three cycles, and a distributor D that sells to R.
func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	w := &world{db: db, at: clock.At(noon), bell: &bell{}}
	put := func(table string, pairs ...any) {
		t.Helper()
		var columns, marks []string
		var values []any
		for i := 0; i < len(pairs); i += 2 {
			columns, values = append(columns, pairs[i].(string)), append(values, pairs[i+1])
			marks = append(marks, fmt.Sprintf("$%d", i/2+1))
		}
		err := db.InTx(context.Background(), func(ctx context.Context) error {
			_, err := db.Exec(ctx, store.Query{Name: "test.Put", Text: "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ")"}, values...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range [][3]string{{"V", "vendor", ""}, {"W", "vendor", ""}, {"S", "solution", ""}, {"D", "distributor", ""}, {"R", "reseller", "D"}} {
		var parent any
		if o[2] != "" {
			parent = o[2]
		}
		put("organisation", "id", o[0], "code", o[0], "kind", o[1], "name", "Name "+o[0], "parent_id", parent, "created_at", store.At(noon))
	}
	for _, e := range []string{"e", "e2"} {
		put("contracting_entity", "id", e, "vendor_id", "V", "code", e, "name", "Entity "+e, "is_default", e == "e", "tax_in_due", false)
	}
	for i, b := range []struct{ id, partner, seller, cycle, state, entity string }{{"b8", "S", "V", "2026-08", "issued", "e"}, {"b9", "S", "V", "2026-09", "issued", "e"}, {"b9b", "S", "V", "2026-09", "issued", "e2"},
		{"b10", "S", "V", "2026-10", "issued", "e"}, {"b11", "S", "V", "2026-11", "reviewed", "e"}, {"d8", "D", "V", "2026-08", "issued", "e"}, {"r8", "R", "D", "2026-08", "issued", "e"}} {
		put("bill", "id", b.id, "vendor_id", "V", "partner_id", b.partner, "seller_id", b.seller, "cycle", b.cycle, "currency", "CNY", "entity_id", b.entity, "state", b.state, "version", int64(2), "line_count", int64(1),
			"consumption_e8", int64(1000*yuan)+int64(i), "refund_e8", int64(0), "adjustment_e8", int64(0), "coupon_e8", int64(0), "rounding_e8", -int64(i), "tax_e8", int64(0), "tax_in_due", false, "due_e8", int64(1000*yuan),
			"source_total", "1000", "exact_total", "1000", "tax_exact", "0", "price_seq", int64(1), "code", b.id, "override_note", "", "drafted_at", store.At(noon), "issued_at", store.At(noon))
	}
	log, chain := flowstore.New(db), audit.NewChain(auditstore.New(db), w.at, audit.Key{1})
	w.s = invoice.New(invoice.Deps{Store: invoicestore.New(db), Tx: db, Bills: billstore.New(db), Organisations: organisation.New(orgstore.NewOrganisations(db), db, chain, w.at), People: w.bell, Bell: w.bell,
		Log: log, Audit: chain, Clock: w.at})
	ctx := context.Background()
	for _, sc := range []scope.Scope{partner, rival} {
		title := invoice.Title{Kind: invoice.TitleCompany, Name: "启珩数科有限公司", TaxNo: "91330108MA00DEM06K", Bank: "招商银行", Account: "571900000006688", Address: "江虹路 88 号", Phone: "0571-00006688"}
		if err := w.s.SetTitle(ctx, sc, title, 0); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) draft(t *testing.T, bills ...string) invoice.Request {
	t.Helper()
	r, err := w.s.Draft(context.Background(), partner, invoice.Input{Method: invoice.MethodCycle, Bills: bills, Kind: invoice.KindOrdinary, Medium: invoice.MediumElectronic, Email: "a@b.example"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w *world) do(t *testing.T, sc scope.Scope, id string, d invoice.Deed) invoice.Request {
	t.Helper()
	r, err := w.s.Do(context.Background(), sc, id, d)
	if err != nil {
		t.Fatalf("%s: %v", d.Do, err)
	}
	return r
}

func paper(n int) invoice.Paper {
	return invoice.Paper{Code: "033002600111", Number: fmt.Sprintf("%08d", n), On: "2026-11-20", Courier: "顺路", Tracking: "SL1"}
}

// issued leads a request for one bill to 已开票.
func (w *world) issued(t *testing.T, bills ...string) invoice.Request {
	t.Helper()
	r := w.draft(t, bills...)
	w.do(t, partner, r.ID, invoice.Deed{Do: invoice.ActionSubmit})
	w.do(t, clerk, r.ID, invoice.Deed{Do: invoice.ActionAccept})
	if _, err := w.s.Upload(context.Background(), clerk, r.ID, []byte("<EInvoice/>")); err != nil {
		t.Fatal(err)
	}
	return w.do(t, clerk, r.ID, invoice.Deed{Do: invoice.ActionIssue, Paper: paper(int(r.CreatedAt.Unix()) % 1e6)})
}

func TestLife(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, w := context.Background(), newWorld(t, db)
		r := w.draft(t, "b8", "b9")
		if r.Amount != 2000*yuan || len(r.Parts) != 2 || r.Number != "IV-20261120-0001" {
			t.Fatalf("%+v", r)
		}
		again, err := w.s.Find(ctx, partner, r.ID)
		if err != nil || !slices.Equal(again.Parts, r.Parts) || again.Title.Name != r.Title.Name || again.Amount != r.Amount || !again.CreatedAt.Equal(r.CreatedAt) {
			t.Fatalf("kept %+v, read %+v: %v", r, again, err)
		}
		w.do(t, partner, r.ID, invoice.Deed{Do: invoice.ActionSubmit})
		second := w.draft(t, "b10")
		if second.Number != "IV-20261120-0002" {
			t.Error(second.Number)
		}
		empty := w.draft(t, "b8") // nothing is left of it, which the submission says
		if _, err := w.s.Do(ctx, partner, empty.ID, invoice.Deed{Do: invoice.ActionSubmit}); !fault.HasCode(err, "invoice.amount_taken") {
			t.Fatal(err)
		}
		w.do(t, clerk, r.ID, invoice.Deed{Do: invoice.ActionAccept})
		if _, err := w.s.Do(ctx, clerk, r.ID, invoice.Deed{Do: invoice.ActionIssue, Paper: paper(1)}); !fault.HasCode(err, "invoice.file_missing") {
			t.Fatal(err)
		}
		body := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("0123456789"), 60_000)...)
		body = append(body, "\n%%EOF"...)
		if f, err := w.s.Upload(ctx, clerk, r.ID, body); f != invoice.FormatPDF || err != nil {
			t.Fatal(f, err)
		}
		if _, _, _, err := w.s.Download(ctx, partner, r.ID, invoice.FormatPDF); !fault.HasCode(err, "invoice.file_unknown") {
			t.Fatal("a file of an invoice that is not issued", err)
		}
		w.do(t, clerk, r.ID, invoice.Deed{Do: invoice.ActionIssue, Paper: paper(1)})
		if _, _, got, err := w.s.Download(ctx, partner, r.ID, invoice.FormatPDF); err != nil || !bytes.Equal(got, body) {
			t.Fatal(len(got), err)
		}
		w.do(t, partner, second.ID, invoice.Deed{Do: invoice.ActionSubmit})
		w.do(t, clerk, second.ID, invoice.Deed{Do: invoice.ActionAccept})
		if _, err := w.s.Upload(ctx, clerk, second.ID, body); err != nil {
			t.Fatal(err)
		}
		if _, err := w.s.Do(ctx, clerk, second.ID, invoice.Deed{Do: invoice.ActionIssue, Paper: paper(1)}); !fault.HasCode(err, "invoice.number_taken") {
			t.Fatal(err)
		}
		if len(w.bell.codes) == 0 || !slices.Contains(w.bell.codes, "invoice_issue S /o/S/invoices/"+r.ID) || !slices.Contains(w.bell.codes, "invoice_submit V /o/V/invoice-requests/"+r.ID) {
			t.Error(w.bell.codes)
		}
		changes, err := w.s.History(ctx, r.ID)
		if err != nil || len(changes) != 4 || changes[3].To != string(invoice.StateIssued) {
			t.Errorf("%+v %v", changes, err)
		}
	})
}

// TestByTime: a letter that nobody signs for counts as received after 15 days, or those its vendor had set when it was
// posted, to the second.
func TestByTime(t *testing.T) {
	for _, days := range []int{invoice.SignDays, 9} {
		byTime(t, days)
	}
}

func byTime(t *testing.T, days int) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, w := context.Background(), newWorld(t, db)
		head := scope.Vendor(clerk.OrgID(), "", "head", []scope.Item{scope.ItemEntityChange})
		set := func(days int) {
			t.Helper()
			if err := w.s.SetSetting(ctx, head, invoice.Setting{SignDays: days, Couriers: []invoice.Courier{{Name: "顺丰 速运", Link: "https://sf.example/?no={no}"}, {Name: "EMS"}}}); err != nil {
				t.Fatal(err)
			}
		}
		if days != invoice.SignDays {
			set(days)
		}
		if err := w.s.AddAddress(ctx, partner, invoice.Post{Recipient: "珩月", Phone: "0571-00006688", Region: "浙江省杭州市", Detail: "江虹路 88 号"}); err != nil {
			t.Fatal(err)
		}
		to, err := w.s.Addresses(ctx, partner)
		if err != nil || len(to) != 1 {
			t.Fatal(to, err)
		}
		r, err := w.s.Draft(ctx, partner, invoice.Input{Method: invoice.MethodCycle, Bills: []string{"b8"}, Kind: invoice.KindSpecial, Medium: invoice.MediumPaper, AddressID: to[0].ID})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			sc scope.Scope
			d  invoice.Deed
		}{{partner, invoice.Deed{Do: invoice.ActionSubmit}}, {clerk, invoice.Deed{Do: invoice.ActionAccept}}, {partner, invoice.Deed{Do: invoice.ActionCancel}},
			{clerk, invoice.Deed{Do: invoice.ActionRefuseCancel, Reason: "已开具"}}, {clerk, invoice.Deed{Do: invoice.ActionPost, Paper: paper(7)}}} {
			w.do(t, step.sc, r.ID, step.d)
		}
		set(days + 5) // what is under way keeps its day
		if kept, err := w.s.Setting(ctx, clerk.OrgID()); err != nil || kept.SignDays != days+5 || kept.Follow("顺丰 速运", "A 1") != "https://sf.example/?no=A+1" || kept.Follow("EMS", "1") != "" {
			t.Fatal(kept, err)
		}
		if r, err := w.s.Find(ctx, partner, r.ID); err != nil || !r.Received().Equal(noon.AddDate(0, 0, days)) {
			t.Fatal(r.Received(), err)
		}
		if err := w.s.DropAddress(ctx, partner, to[0].ID); err != nil {
			t.Fatal(err)
		}
		w.at.Set(noon.AddDate(0, 0, days).Add(-time.Second))
		tick := func() invoice.State {
			due, err := flowstore.New(db).Ripe(ctx, w.at.Now(), 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range due {
				if err := w.s.FireDue(ctx, d.Entity, d.Action, scope.System("system"), w.at.Now()); err != nil && d.Machine == invoice.Flow.Machine {
					t.Fatal(err)
				}
			}
			r, err := w.s.Find(ctx, partner, r.ID)
			if err != nil || r.Post.Detail != "江虹路 88 号" {
				t.Fatal(r.Post, err)
			}
			return r.State
		}
		if got := tick(); got != invoice.StatePosted {
			t.Fatal("a second too early", got)
		}
		w.at.Set(w.at.Now().Add(time.Second))
		if err := db.InTx(ctx, func(ctx context.Context) error {
			return w.s.FireDue(ctx, r.ID, string(invoice.ActionSignByTime), scope.System("system"), w.at.Now())
		}); err != nil {
			t.Fatal(err)
		}
		if got := tick(); got != invoice.StateIssued {
			t.Fatal(got)
		}
	})
}

// TestReturnsOnce: 64 clients accept one return together: one does, the amount is free once, and of 64 who then ask
// for it again one gets it.
func TestReturnsOnce(t *testing.T) {
	const clients = 64
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, w := context.Background(), newWorld(t, db)
		r := w.issued(t, "b8")
		if _, err := w.s.Do(ctx, partner, r.ID, invoice.Deed{Do: invoice.ActionReturn, Reason: "抬头更换", Amount: yuan}); !fault.HasCode(err, "invoice.return_whole") {
			t.Fatal(err)
		}
		drafts := make([]invoice.Request, clients)
		for i := range drafts {
			drafts[i] = w.draft(t, "b8") // of nothing, as long as it is held
		}
		w.do(t, partner, r.ID, invoice.Deed{Do: invoice.ActionReturn, Reason: "抬头更换"})
		if free := w.free(t, "b8"); free != 0 {
			t.Fatal("free before the return is accepted", free)
		}
		together := func(n int, do func(i int) error) (won int) {
			var wg sync.WaitGroup
			var mu sync.Mutex
			for i := range n {
				wg.Go(func() {
					err := do(i)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						won++
					case !fault.Is(err, fault.KindConflict):
						t.Errorf("client %d: %v", i, err)
					}
				})
			}
			wg.Wait()
			return won
		}
		if won := together(clients, func(int) error {
			_, err := w.s.Do(ctx, clerk, r.ID, invoice.Deed{Do: invoice.ActionAcceptReturn})
			return err
		}); won != 1 {
			t.Fatalf("%d clients accepted the return", won)
		}
		if free := w.free(t, "b8"); free != 1000*yuan {
			t.Fatal("freed", free)
		}
		won := together(clients, func(i int) error {
			in := invoice.Input{Method: invoice.MethodCycle, Bills: []string{"b8"}, Kind: invoice.KindOrdinary, Medium: invoice.MediumElectronic, Email: "a@b.example"}
			if _, err := w.s.Amend(ctx, partner, drafts[i].ID, in); err != nil {
				return err
			}
			_, err := w.s.Do(ctx, partner, drafts[i].ID, invoice.Deed{Do: invoice.ActionSubmit})
			return err
		})
		if free := w.free(t, "b8"); won != 1 || free != 0 {
			t.Fatalf("%d requests hold it, %s are free", won, free)
		}
		sum, holding, err := w.s.Held(ctx, "S", "V", "CNY")
		if err != nil || sum != 1000*yuan || len(holding) != 1 {
			t.Fatal(sum, len(holding), err)
		}
	})
}

func (w *world) free(t *testing.T, billID string) money.Amount {
	t.Helper()
	list, err := w.s.Offers(context.Background(), partner)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(list, func(o invoice.Offer) bool { return o.Bill.ID == billID })
	return list[at].Free
}

// TestNobodyElse: what is another's is not there, neither to read nor to act on.
func TestNobodyElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, w := context.Background(), newWorld(t, db)
		r := w.issued(t, "b8")
		draft := w.draft(t, "b10")
		for name, sc := range map[string]scope.Scope{"another partner": rival, "another vendor": other} {
			if _, err := w.s.Find(ctx, sc, r.ID); !fault.HasCode(err, "invoice.unknown") {
				t.Errorf("%s finds it: %v", name, err)
			}
			if list, err := w.s.List(ctx, sc); len(list) != 0 || err != nil {
				t.Errorf("%s lists %d: %v", name, len(list), err)
			}
			if _, _, _, err := w.s.Download(ctx, sc, r.ID, invoice.FormatXML); !fault.HasCode(err, "invoice.unknown") {
				t.Errorf("%s takes the file: %v", name, err)
			}
			if _, err := w.s.Do(ctx, sc, r.ID, invoice.Deed{Do: invoice.ActionReturn, Reason: "x"}); !fault.HasCode(err, "invoice.unknown") {
				t.Errorf("%s returns it: %v", name, err)
			}
		}
		if _, err := w.s.Find(ctx, clerk, draft.ID); !fault.HasCode(err, "invoice.unknown") {
			t.Error("the vendor sees a draft", err)
		}
		if list, err := w.s.List(ctx, clerk); len(list) != 1 || err != nil {
			t.Error(len(list), err)
		}
		in := invoice.Input{Method: invoice.MethodCycle, Bills: []string{"b8"}, Kind: invoice.KindOrdinary, Medium: invoice.MediumElectronic, Email: "a@b.example"}
		if _, err := w.s.Draft(ctx, rival, in); !fault.HasCode(err, "invoice.bill_unknown") {
			t.Error("another partner's bill", err)
		}
		for _, id := range []string{"b11", "r8", "nobody's"} { // not issued, sold by a distributor, not there
			in.Bills = []string{id}
			if _, err := w.s.Draft(ctx, partner, in); !fault.HasCode(err, "invoice.bill_unknown") {
				t.Errorf("%s: %v", id, err)
			}
		}
		in.Bills, in.AddressID = []string{"d8"}, "nobody's"
		if _, err := w.s.Draft(ctx, rival, in); !fault.HasCode(err, "invoice.address_unknown") {
			t.Error(err)
		}
		in.AddressID, in.Bills = "", []string{"b9", "b9b"}
		mixed, err := w.s.Draft(ctx, partner, in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.s.Do(ctx, partner, mixed.ID, invoice.Deed{Do: invoice.ActionSubmit}); !fault.HasCode(err, "invoice.entities_mixed") {
			t.Error("two entities on one invoice", err)
		}
		if err := w.s.SetDigital(ctx, other, "e", noon); !fault.HasCode(err, "invoice.entity_unknown") {
			t.Error("another vendor's entity", err)
		}
	})
}

// TestDigital: from the day an entity changed on, it issues nothing but 数电票.
func TestDigital(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, w := context.Background(), newWorld(t, db)
		if err := w.s.SetDigital(ctx, clerk, "e", noon); err != nil {
			t.Fatal(err)
		}
		r := w.draft(t, "b8")
		w.at.Set(noon.Add(-time.Second))
		buttons, err := w.s.Allowed(ctx, partner, r)
		if err != nil || !buttons[0].Enabled {
			t.Fatal("a second before", buttons, err)
		}
		w.at.Set(noon)
		if _, err := w.s.Do(ctx, partner, r.ID, invoice.Deed{Do: invoice.ActionSubmit}); !fault.HasCode(err, "invoice.medium_refused") {
			t.Fatal(err)
		}
		in := invoice.Input{Method: invoice.MethodAmount, PoolBill: "b9", Amount: 1500 * yuan, Kind: invoice.KindSpecial, Medium: invoice.MediumDigital, Email: "a@b.example"}
		if r, err = w.s.Amend(ctx, partner, r.ID, in); err != nil || len(r.Parts) != 2 || r.Parts[0].BillID != "b8" || r.Parts[0].Amount != 1000*yuan || r.Parts[1].Amount != 500*yuan {
			t.Fatalf("the oldest first: %+v %v", r.Parts, err)
		}
		in.Amount = 3000*yuan + 1e6 // e2 is another pool
		if _, err := w.s.Draft(ctx, partner, in); !fault.HasCode(err, "invoice.amount_beyond") {
			t.Fatal(err)
		}
		w.do(t, partner, r.ID, invoice.Deed{Do: invoice.ActionSubmit})
		if free := w.free(t, "b9"); free != 500*yuan {
			t.Fatal(free)
		}
		if err := w.s.SetDigital(ctx, clerk, "e", time.Time{}); err != nil {
			t.Fatal(err)
		}
		if from, err := w.s.Digital(ctx, clerk); len(from) != 0 || err != nil {
			t.Error(from, err)
		}
	})
}
