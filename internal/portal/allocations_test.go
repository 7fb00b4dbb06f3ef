package portal_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestAllocationsFromAFile: a file is checked row by row and moves nothing; its rows stand in the form to be mended, also
// when one of them or the whole file is refused, and are executed from there.
func TestAllocationsFromAFile(t *testing.T) {
	w := demoWorld(t)
	v := w.actor("qiheng-admin")
	const at = "/o/QIHENG/funds/allocations"
	free := func() string { return w.page(at, v.get(at), http.StatusOK).Find("main").Text() }
	form := []string{"vendor", "HENGLUO", "currency", "CNY", "type", "allocate", "text", "YUQIAO,1,typed before"}
	before := free()
	if page := w.page("batch", v.get(at+"/batch"), http.StatusOK); page.Find("form[enctype='multipart/form-data'] input[type=file][name=file]").Length() != 1 || page.Find("a[href$='/allocations.csv'], a[href$='/allocations.xlsx']").Length() != 2 {
		t.Error("the page asks for no file or offers no template")
	}
	rows := "\ufeff客户编码,金额,备注\r\nYUQIAO,0.02,\"一月, 二月\"\r\nNOBODY,5,\r\nYUQIAO,1.234,\r\n"
	r := v.hand(at+"/batch", "file", map[string]string{"rows.csv": rows}, append(form, "do", "move")...)
	page := w.page("a file", r, http.StatusOK)
	if text := page.Find("textarea[name=text]").Text(); strings.TrimSpace(text) != "YUQIAO,0.02,\"一月, 二月\"\nNOBODY,5,\nYUQIAO,1.234," {
		t.Errorf("the form holds %q", text)
	}
	if n := page.Find("button[name=do][value=move]").Length(); n != 0 || page.Find(".hb-stack .hb-dot.bad, .hb-checks .bad").Length() == 0 && strings.Count(page.Text(), "不可执行") == 0 {
		t.Errorf("two rows are wrong; %d buttons to execute", n)
	}
	r = v.hand(at+"/batch", "file", map[string]string{"rows.csv": "a,b\r\n1,2\r\n"}, form...)
	if page := w.page("no such columns", r, http.StatusUnprocessableEntity); !strings.Contains(page.Text(), "客户编码") || page.Find("textarea[name=text]").Text() != "YUQIAO,1,typed before" {
		t.Errorf("what was typed is lost: %q", page.Find("textarea[name=text]").Text())
	}
	if after := free(); after != before {
		t.Error("a file moved money")
	}
	if r := v.hand(at+"/batch", "file", nil, "vendor", "HENGLUO", "currency", "CNY", "type", "allocate", "text", "YUQIAO,0.02,\"一月, 二月\"", "do", "move"); r.status != http.StatusSeeOther {
		t.Fatalf("the mended rows: %d %s", r.status, text(r.body))
	}
	if records := w.page("records", v.get("/o/QIHENG/funds/adjustments"), http.StatusOK).Find("main").Text(); !strings.Contains(records, "一月, 二月") {
		t.Error("the movement is not among the records")
	}
}
