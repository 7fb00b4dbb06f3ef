package portal_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// headsOf are the columns a list shows.
func headsOf(card *goquery.Selection) []string {
	var out []string
	card.Find("thead th").Each(func(_ int, s *goquery.Selection) { out = append(out, shownText(s)) })
	return out
}

// columnsFormOf are the fields of the form that sets the columns, with those switched off left out.
func columnsFormOf(page *goquery.Document, kind string, off ...string) (action string, pairs []string) {
	form := page.Find("#columns-" + strings.ReplaceAll(kind, ".", "-") + " form")
	form.Find("input").Each(func(_ int, s *goquery.Selection) {
		if s.AttrOr("name", "") == "col" && slices.Contains(off, s.AttrOr("value", "")) {
			return
		}
		pairs = append(pairs, s.AttrOr("name", ""), s.AttrOr("value", ""))
	})
	return form.AttrOr("action", ""), pairs
}

// TestListsOnTheScreen: columns, names and pages of lists, each over one world.
func TestListsOnTheScreen(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		late, _ := w.listsWorld()
		t.Run("columns", func(t *testing.T) { testColumns(t, w) })
		t.Run("names", func(t *testing.T) { testMaskedNames(t, w) })
		t.Run("pages", func(t *testing.T) { testPagesGoBack(t, w, late) })
	})
}

// testColumns: which columns a person sees and in which order is kept for the person and the list, stands in
// the address, and is what the file has.
func testColumns(t *testing.T, w *world) {
	boss, other := w.signedIn("boss"), w.signedIn("second-boss")
	const at = "/o/NOVA/adjustments"
	all := headsOf(w.page(at, boss.get(at), http.StatusOK).Find("#list-adjustments"))
	action, pairs := columnsFormOf(w.page(at, boss.get(at), http.StatusOK), "adjustments", "by", "reason")
	r := boss.post(action, append(pairs, "move", "up:amount")...)
	link, err := url.Parse(r.location)
	if r.status != http.StatusSeeOther || err != nil || link.Query().Get("cols") != "number,cycle,partner,customer,amount,state" {
		t.Fatalf("%d %s", r.status, r.location)
	}
	want := []string{all[0], all[1], all[2], all[3], all[6], all[7]}
	for name, page := range map[string]*goquery.Document{"after": w.page("after", boss.get(r.location), http.StatusOK), "later": w.page("later", boss.get(at), http.StatusOK),
		"a colleague with the link": w.page("link", other.get(r.location), http.StatusOK)} {
		if got := headsOf(page.Find("#list-adjustments")); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := headsOf(w.page(at, other.get(at), http.StatusOK).Find("#list-adjustments")); !slices.Equal(got, all) {
		t.Errorf("a colleague has %q", got)
	}
	page := w.page(at, boss.get(at), http.StatusOK)
	_, fields := formIn(page, "adjustments", "csv")
	task := boss.program().post("/o/NOVA/exports", fields...)
	w.work()
	id := strings.Split(strings.SplitAfter(task.body, `"task":"`)[1], `"`)[0]
	head := csvOf(t, boss.file("NOVA", id).body)[0]
	if slices.Contains(head, all[4]) || slices.Contains(head, all[5]) || slices.Index(head, all[6]) < slices.Index(head, all[3]) {
		t.Errorf("the file has %q", head)
	}
	action, pairs = columnsFormOf(page, "adjustments")
	if r := boss.post(action, append(pairs, "reset", "yes")...); r.status != http.StatusSeeOther || strings.Contains(r.location, "cols=") {
		t.Errorf("reset: %d %s", r.status, r.location)
	}
	if got := headsOf(w.page(at, boss.get(at), http.StatusOK).Find("#list-adjustments")); !slices.Equal(got, all) {
		t.Errorf("after the reset %q", got)
	}
	for list, want := range map[string]int{"none": http.StatusNotFound, "": http.StatusNotFound} {
		if r := boss.post("/o/NOVA/columns", "list", list, "order", "a", "col", "a", "next", at); r.status != want {
			t.Errorf("list %q: %d", list, r.status)
		}
	}
	if r := boss.post("/o/NOVA/columns", "list", "adjustments", "order", strings.Repeat("x", 100), "col", "a", "next", at); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a long key: %d", r.status)
	}
}

// testMaskedNames: customers' names are masked until the eye of their column is used, which is recorded; a
// file is masked in any case.
func testMaskedNames(t *testing.T, w *world) {
	boss := w.signedIn("boss")
	for _, x := range []struct{ path, card string }{{"/mapping?source=nova", "#rules"}, {"/adjustments", "#list-adjustments"}, {"/prices", "#rules"}} {
		at := "/o/NOVA" + x.path
		page := w.page(at, boss.get(at), http.StatusOK)
		if names := page.Find(x.card + " tbody").Text(); strings.Contains(names, "客户s") {
			t.Errorf("%s shows names: %s", at, names)
		}
		eye := page.Find(x.card+" thead form").AttrOr("action", "")
		if eye == "" {
			t.Fatalf("%s has no eye", at)
		}
		open := w.page(eye, boss.post(eye), http.StatusOK)
		if x.path != "/prices" && !strings.Contains(open.Find(x.card+" tbody").Text(), "客户s") {
			t.Errorf("%s shows no names: %s", eye, open.Find(x.card+" tbody").Text())
		}
		if open.Find(x.card+" .hb-pager a, "+x.card+" .hb-tool a").FilterFunction(func(_ int, a *goquery.Selection) bool { return strings.Contains(a.AttrOr("href", ""), "/names") }).Length() != 0 {
			t.Errorf("%s leads on to the clear names", eye)
		}
		if r := w.signedIn("stranger").post(eye); r.status != http.StatusNotFound {
			t.Errorf("a stranger: %d", r.status)
		}
		if r := boss.get(eye); r.status == http.StatusOK {
			t.Errorf("%s opens by its address alone", eye)
		}
	}
	if n := shownOn(w.page("audit", boss.get("/o/NOVA/audit?action=column.reveal"), http.StatusOK)).rows; n != 3 {
		t.Errorf("%d entries of the eye, want 3", n)
	}
}

// testPagesGoBack: from any page the one before is reached, and leads to the same rows again.
func testPagesGoBack(t *testing.T, w *world, late string) {
	boss := w.signedIn("boss")
	for _, x := range []struct{ path, card string }{{"/audit", "#entries"}, {"/deliveries/" + late + "/rules", "#list-delivery-rules"},
		{"/deliveries/nova~1/changes", "#list-delivery-changes"}} {
		link := func(page *goquery.Document, text string) string {
			return page.Find(x.card+" .hb-pager a").FilterFunction(func(_ int, a *goquery.Selection) bool { return strings.TrimSpace(a.Text()) == text }).AttrOr("href", "")
		}
		var seen []string
		page := w.page(x.path, boss.get("/o/NOVA"+x.path), http.StatusOK)
		for len(seen) < 4 {
			seen = append(seen, page.Find(x.card+" tbody").Text())
			next := link(page, "下一页")
			if next == "" {
				break
			}
			page = w.page(next, boss.get(next), http.StatusOK)
		}
		if len(seen) == 4 {
			seen = append(seen, page.Find(x.card+" tbody").Text())
		}
		if len(seen) < 2 {
			t.Errorf("%s has %d pages", x.path, len(seen))
		}
		for i := len(seen) - 1; i > 0; i-- {
			prev := link(page, "上一页")
			if prev == "" {
				t.Fatalf("%s: no way back from page %d", x.path, i+1)
			}
			page = w.page(prev, boss.get(prev), http.StatusOK)
			if got := page.Find(x.card + " tbody").Text(); got != seen[i-1] {
				t.Errorf("%s: page %d came back as %.80s, not %.80s", x.path, i, got, seen[i-1])
			}
		}
		if link(page, "上一页") != "" {
			t.Errorf("%s: something stands before the first page", x.path)
		}
	}
}
