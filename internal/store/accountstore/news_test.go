package accountstore_test

import (
	"slices"
	"testing"
	"time"

	"huoban/internal/customer"
	"huoban/internal/news"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/newsstore"
	"huoban/internal/store/storetest"
)

// An announcement reaches those of its audience who deal with the vendor: directly, through a distributor, or as a
// customer of one of these; nobody else, not before its first day and not after its last.
func TestAnnouncements(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		board := &news.Board{Store: newsstore.New(db), Tx: db, Audit: w.chain, Clock: w.clock}
		w.associate("c1", "jingxiao", customer.KindResale, "", "")
		staff := w.scope(w.person("yunfan", "ops", "operations"), "yunfan")
		now := w.clock.Now()
		publish := func(title string, audience news.Audience, from, to time.Time) string {
			i, err := board.Publish(w.ctx, staff, news.In{Audience: audience, TitleZH: title, TitleEN: title, BodyZH: "正文\n第二段", BodyEN: "text", StartsAt: from, EndsAt: to})
			w.must(err)
			return i.ID
		}
		all := publish("all", news.AudienceAll, time.Time{}, time.Time{})
		publish("partners", news.AudiencePartners, time.Time{}, now.Add(time.Hour))
		publish("resellers", news.AudienceResellers, time.Time{}, time.Time{})
		publish("customers", news.AudienceCustomers, now.Add(time.Hour), time.Time{})
		seen := func(code string) []string {
			org := w.org[code]
			side := map[organisation.Kind]scope.Scope{organisation.KindVendor: scope.Vendor(org.ID, "x", "x", nil), organisation.KindCustomer: scope.Customer(org.ID, "x", "x", nil)}
			sc, ok := side[org.Kind]
			if !ok {
				sc = scope.Partner(org.ID, "x", "x", nil, nil)
			}
			list, err := board.Current(w.ctx, sc, org)
			w.must(err)
			var out []string
			for i := range list {
				out = append(out, list[i].TitleEN)
			}
			slices.Sort(out)
			return out
		}
		check := func(when string, want map[string][]string) {
			t.Helper()
			for code, titles := range want {
				if got := seen(code); !slices.Equal(got, titles) {
					t.Errorf("%s: %s sees %v, want %v", when, code, got, titles)
				}
			}
		}
		check("at once", map[string][]string{"zongdai": {"all", "partners"}, "jingxiao": {"all", "partners", "resellers"}, "c1": {"all"}, "c2": nil, "other": nil, "yunfan": {"all", "partners", "resellers"}})
		w.clock.Set(now.Add(time.Hour))
		check("an hour later", map[string][]string{"zongdai": {"all"}, "jingxiao": {"all", "resellers"}, "c1": {"all", "customers"}, "c2": nil})
		stranger := w.scope(w.person("other", "spy", "admin"), "other")
		w.refused(board.Withdraw(w.ctx, stranger, all), "news.unknown")
		w.must(board.Withdraw(w.ctx, staff, all))
		w.must(board.Withdraw(w.ctx, staff, all))
		check("withdrawn", map[string][]string{"zongdai": nil, "c1": {"customers"}})
		for code, in := range map[string]news.In{
			"news.title_malformed":   {Audience: news.AudienceAll, TitleZH: "a\nb", TitleEN: "x", BodyZH: "x", BodyEN: "x"},
			"news.body_malformed":    {Audience: news.AudienceAll, TitleZH: "x", TitleEN: "x", BodyZH: "", BodyEN: "x"},
			"news.audience_unknown":  {Audience: "friends", TitleZH: "x", TitleEN: "x", BodyZH: "x", BodyEN: "x"},
			"news.ends_before_start": {Audience: news.AudienceAll, TitleZH: "x", TitleEN: "x", BodyZH: "x", BodyEN: "x", EndsAt: now},
		} {
			_, err := board.Publish(w.ctx, staff, in)
			w.refused(err, code)
		}
		_, err := board.Publish(w.ctx, w.scope(w.person("yunfan", "au", "auditor"), "yunfan"), news.In{})
		w.refused(err, "scope.permission_missing")
	})
}
