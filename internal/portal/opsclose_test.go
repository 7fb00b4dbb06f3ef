package portal_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/message"
)

func TestClose(t *testing.T) {
	for _, program := range []bool{false, true} {
		w := newWorld(t)
		boss := w.visitor("boss")
		at := boss.imported(focus("s1 VM 1.5", "s2 VM 2.25"))
		home := boss.both("/o/NOVA")
		if !strings.Contains(home.Find(".hb-duties").Text(), "3.75") {
			t.Error("home does not show what is unmapped")
		}
		w.refusedClose(boss)
		w.mapped()
		if r := boss.post(at+"/finality", "cycle", "2026-01"); r.status != http.StatusSeeOther {
			t.Fatalf("final: %d", r.status)
		}
		for _, step := range []struct{ noun, state string }{{"freeze", "frozen"}, {"thaw", "open"}, {"freeze", "frozen"}, {"draft", "draft"}, {"discard", "open"},
			{"freeze", "frozen"}, {"draft", "draft"}, {"review", "reviewed"}, {"issue", "issued"}} {
			v := *boss
			v.json = program
			r := v.withKey(cycleKey()).post("/o/NOVA/closes/2026-01/" + step.noun)
			if r.status != http.StatusOK && r.status != http.StatusSeeOther {
				t.Fatalf("%s: %d %s", step.noun, r.status, text(r.body))
			}
			if program && !strings.Contains(r.body, `"state":"`+step.state+`"`) {
				t.Errorf("%s: %s", step.noun, r.body)
			}
			boss.both("/o/NOVA/closes/2026-01")
			boss.both("/o/NOVA/closes/2026-01?check=full")
		}
		if r := boss.post("/o/NOVA/closes/2026-01/discard"); r.status != http.StatusConflict {
			t.Errorf("an issued cycle is discarded: %d", r.status)
		}
		doc := boss.both("/o/NOVA/closes")
		if !strings.Contains(doc.Find("tbody").Text(), "$3.75") {
			t.Errorf("closes show %q", doc.Find("tbody").Text())
		}
		boss.both("/o/NOVA")
		partner := w.visitor("partner").both("/o/MUSHI")
		if !strings.Contains(partner.Find("tbody").First().Text(), "$3.75") {
			t.Errorf("the partner's home shows %q", partner.Find("tbody").First().Text())
		}
		if r := boss.post(at+"/reversal", "reason", "too late"); r.status != http.StatusConflict {
			t.Errorf("a delivery of an issued cycle is reverted: %d", r.status)
		}
	}
}

var keys int

func cycleKey() string {
	keys++
	return "close-" + time.Unix(int64(keys), 0).UTC().Format("150405")
}

// refusedClose wants every reason at once, each with its cure, in page and JSON.
func (w *world) refusedClose(boss *visitor) {
	w.t.Helper()
	doc := w.page("freeze refused", boss.post("/o/NOVA/closes/2026-01/freeze"), http.StatusConflict)
	if n := doc.Find(".hb-refusal li").Length(); n != 3 { // two keys without customer, no final delivery
		w.t.Errorf("%d reasons: %s", n, doc.Find(".hb-refusal").Text())
	}
	var p struct {
		Code    string
		Reasons []struct{ Code, Message, Cure string }
	}
	r := boss.program().post("/o/NOVA/closes/2026-01/freeze")
	w.must(json.Unmarshal([]byte(r.body), &p))
	if r.status != http.StatusConflict || len(p.Reasons) != 3 {
		w.t.Errorf("%d %s", r.status, r.body)
	}
	for _, one := range p.Reasons {
		if one.Cure == "" || one.Message == "" {
			w.t.Errorf("%s has no cure", one.Code)
		}
	}
}

func TestCloseOverride(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("boss")
	boss.imported(focus("s1 VM 1.5"))
	w.mapped()
	doc := boss.both("/o/NOVA/closes/2026-01")
	if doc.Find("#do-freeze-dialog textarea[name=override]").Length() != 1 {
		t.Error("the administrator is not asked for a reason")
	}
	if n := w.visitor("auditor").both("/o/NOVA/closes/2026-01").Find("form[method=post][action*=closes]").Length(); n != 0 {
		t.Errorf("the auditor has %d actions", n)
	}
	if r := boss.post("/o/NOVA/closes/2026-01/freeze", "override", "the cloud is late"); r.status != http.StatusSeeOther {
		t.Errorf("%d %s", r.status, text(r.body))
	}
	if !strings.Contains(boss.both("/o/NOVA/closes/2026-01").Text(), "the cloud is late") {
		t.Error("the reason is not shown")
	}
}

func TestDeadlines(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("boss")
	boss.imported(focus("s1 VM 1.5"))
	for _, at := range []struct {
		hour, minute   int
		remind, banner bool
	}{{8, 59, false, false}, {9, 0, true, false}, {11, 59, true, false}, {12, 0, true, true}} {
		w.clock.Set(time.Date(2026, 2, 5, at.hour, at.minute, 0, 0, cycle.Zone))
		doc := w.visitor("boss").both("/o/NOVA")
		if got := strings.Contains(doc.Find(".hb-duties").Text(), "账期 2026-01 出账"); got != at.remind {
			t.Errorf("%02d:%02d reminder %v", at.hour, at.minute, got)
		}
		if got := strings.Contains(doc.Text(), "现已逾期"); got != at.banner {
			t.Errorf("%02d:%02d banner %v", at.hour, at.minute, got)
		}
	}
}

func TestMessages(t *testing.T) {
	for _, program := range []bool{false, true} {
		w := newWorld(t)
		boss, stranger := w.visitor("boss"), w.visitor("stranger")
		w.notify("boss", "NOVA", 3)
		doc := boss.both("/o/NOVA/messages")
		if n := doc.Find("tbody tr").Length(); n != 3 {
			t.Fatalf("%d messages", n)
		}
		mark := doc.Find("tbody form").First().AttrOr("action", "")
		if r := stranger.post(strings.Replace(mark, "NOVA", "OTHER", 1)); r.status != http.StatusNotFound {
			t.Errorf("somebody else's message is marked: %d", r.status)
		}
		v := *boss
		v.json = program
		for range 2 {
			if r := v.withKey("m-1").post(mark); r.status >= 400 {
				t.Errorf("mark: %d %s", r.status, r.body)
			}
		}
		if n := boss.both("/o/NOVA/messages?unread=yes").Find("tbody tr").Length(); n != 2 {
			t.Errorf("%d unread", n)
		}
		if r := v.post("/o/NOVA/messages/reading"); r.status >= 400 {
			t.Errorf("mark all: %d", r.status)
		}
		if n := boss.both("/o/NOVA/messages?unread=yes").Find("tbody tr").Length(); n != 0 {
			t.Errorf("%d unread after all", n)
		}
		boss.both("/o/NOVA/messages?category=bill&done=read")
	}
}

func (w *world) notify(login, org string, n int) {
	w.t.Helper()
	ctx := context.Background()
	p, err := w.app.Accounts.PersonByLogin(ctx, login)
	w.must(err)
	o, err := w.app.Organisations.ByCode(ctx, operator, org)
	w.must(err)
	var notices []message.Notice
	for i := range n {
		notices = append(notices, message.Notice{OrgID: o.ID, PersonID: p.ID, Category: message.CategoryBill, Code: "bill_issued",
			Args: fault.Args{"Cycle": string(cycle.Must("2026-01").Add(i)), "Vendor": "<b>Nova</b>"}, Link: "/o/" + org + "/bills"})
	}
	w.must(w.app.DB.InTx(ctx, func(ctx context.Context) error { return w.app.Messages.Notify(ctx, notices...) }))
}
