package portal_test

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

func logo(t *testing.T, side int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// upload sends a file as the form of a page does.
func (v *visitor) uploadFile(path, name string, body []byte) reply {
	v.w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	part, err := m.CreateFormFile("file", name)
	v.w.must(err)
	v.w.must2(part.Write(body))
	v.w.must(m.Close())
	req, err := http.NewRequest(http.MethodPost, v.w.url+path, &b)
	v.w.must(err)
	req.Header.Set("Content-Type", m.FormDataContentType())
	return v.send(req, nil)
}

// licence is a whole PDF, as small as one may be.
const licence = "%PDF-1.4\n%%EOF\n"

// rename asks for another name with a licence.
func (v *visitor) rename(file, body, name string, pairs ...string) reply {
	v.w.t.Helper()
	return v.hand("/o/MUSHI/profile/change/paper", "file", map[string]string{file: body}, append([]string{"company", name}, pairs...)...)
}

// A partner asks for a change, the vendor refuses with a reason, the partner corrects it and the vendor approves.
func TestCompanyChange(t *testing.T) {
	w := newWorld(t)
	us, boss := w.visitor("partner"), w.visitor("boss")
	if r := us.post("/o/MUSHI/profile/change/paper", "company", "Mushi Digital"); r.status != http.StatusConflict {
		t.Errorf("nothing changed: %d", r.status)
	}
	if r := us.post("/o/MUSHI/profile/change/paper", "company", "木石数字"); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "营业执照") {
		t.Errorf("another name without licence: %d", r.status)
	}
	if r := us.rename("licence.pdf", "hello", "木石数字"); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "木石数字") {
		t.Errorf("a licence that is none: %d", r.status)
	}
	if r := us.rename("licence.pdf", licence, "木石数字", "company_en", "Mushi Digital", "postal", "演示路 1 号"); r.status != http.StatusSeeOther {
		t.Fatalf("propose: %d %s", r.status, r.body)
	}
	if r := us.rename("licence.pdf", licence, "木石"); r.status != http.StatusConflict {
		t.Errorf("a second change: %d", r.status)
	}
	if page := us.get("/o/MUSHI/profile").body; !strings.Contains(page, "变更审核中") || strings.Contains(page, "演示路") {
		t.Error("what waits holds already, or is not told of")
	}
	if work := boss.get("/o/NOVA/work").body; !strings.Contains(work, "公司信息变更待审核") {
		t.Error("nobody at the vendor is told to review it")
	}
	list := boss.both("/o/NOVA/company-changes")
	at, _ := list.Find("tbody th a").Attr("href")
	if !strings.HasPrefix(at, "/o/NOVA/company-changes/") {
		t.Fatalf("the vendor's list leads to %q", at)
	}
	id := at[strings.LastIndex(at, "/")+1:]
	for who, want := range map[string]int{"stranger": http.StatusNotFound} {
		if r := w.visitor(who).get("/o/OTHER/company-changes/" + id); r.status != want {
			t.Errorf("%s: %d", who, r.status)
		}
		if r := w.visitor(who).get("/o/OTHER/company-changes/" + id + "/paper"); r.status != want {
			t.Errorf("%s takes the licence: %d", who, r.status)
		}
		if r := w.visitor(who).post("/o/OTHER/company-changes/" + id + "/approval"); r.status != want {
			t.Errorf("%s approves: %d", who, r.status)
		}
	}
	for from, v := range map[string]*visitor{at: boss, "/o/MUSHI/company-changes/" + id: us} {
		if r := v.get(from + "/paper"); r.status != http.StatusOK || r.body != licence || r.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(r.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("the licence at %s: %d %s", from, r.status, r.header)
		}
		if page := v.get(from).body; !strings.Contains(page, `href="`+from+`/paper"`) {
			t.Errorf("%s does not lead to the licence", from)
		}
	}
	if r := us.post("/o/MUSHI/company-changes/" + id + "/approval"); r.status != http.StatusNotFound && r.status != http.StatusForbidden {
		t.Errorf("a partner approves its own change: %d", r.status)
	}
	if r := boss.post(at + "/refusal"); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a refusal without reason: %d", r.status)
	}
	if r := boss.post(at+"/refusal", "reason", "地址不完整"); r.status != http.StatusSeeOther {
		t.Fatalf("refuse: %d %s", r.status, r.body)
	}
	if page := us.get("/o/MUSHI/profile").body; !strings.Contains(page, "地址不完整") {
		t.Error("the reason is not shown")
	}
	if bell := us.get("/o/MUSHI/messages").body; !strings.Contains(bell, "公司信息变更未通过：地址不完整") {
		t.Error("the partner is not told")
	}
	if again := us.get("/o/MUSHI/profile/change?from=" + id).body; !strings.Contains(again, "演示路 1 号") {
		t.Error("what was typed is lost")
	}
	if r := us.rename("licence.pdf", licence, "木石数字", "company_en", "Mushi Digital", "postal", "演示市演示路 1 号"); r.status != http.StatusSeeOther {
		t.Fatalf("again: %d %s", r.status, r.body)
	}
	at, _ = boss.both("/o/NOVA/company-changes?state=reviewing").Find("tbody th a").Attr("href")
	if r := boss.post(at + "/approval"); r.status != http.StatusSeeOther {
		t.Fatalf("approve: %d %s", r.status, r.body)
	}
	if r := boss.post(at + "/approval"); r.status != http.StatusConflict {
		t.Errorf("approve again: %d", r.status)
	}
	if page := us.get("/o/MUSHI/profile").body; !strings.Contains(page, "演示市演示路 1 号") {
		t.Error("what was approved does not hold")
	}
	if page := us.get("/o/MUSHI/profile").body; !strings.Contains(page, strings.TrimPrefix(at, "/o/NOVA")+`/paper"`) {
		t.Error("the profile does not lead to the licence that stands")
	}
	if r := us.post("/o/MUSHI/profile/change/paper", "company", "木石数字", "company_en", "Mushi Digital", "postal", "演示市演示路 2 号"); r.status != http.StatusSeeOther {
		t.Errorf("another address without licence: %d", r.status)
	}
	if log := us.get("/o/MUSHI/audit").body; strings.Count(log, "company.download_licence") == 0 {
		t.Error("nobody wrote down who took the licence")
	}
}

// Strangers find who is listed, with its logo, and nothing of who is not.
func TestPartnerSearch(t *testing.T) {
	w := newWorld(t)
	us, guest := w.visitor("partner"), w.nobody()
	if r := us.uploadFile("/o/MUSHI/profile/logo", "logo.svg", []byte("<svg/>")); r.status != http.StatusUnprocessableEntity {
		t.Errorf("an SVG: %d", r.status)
	}
	if r := us.uploadFile("/o/MUSHI/profile/logo", "logo.png", make([]byte, 2<<20)); r.status != http.StatusUnprocessableEntity {
		t.Errorf("too large: %d", r.status)
	}
	if r := us.uploadFile("/o/MUSHI/profile/logo", "logo.png", logo(t, 64)); r.status != http.StatusSeeOther {
		t.Fatalf("upload: %d %s", r.status, r.body)
	}
	src, _ := us.both("/o/MUSHI/profile").Find("img.hb-logo").Attr("src")
	if r := us.get(src); r.status != http.StatusOK || r.header.Get("Content-Type") != "image/png" {
		t.Errorf("the own logo: %d %s", r.status, r.header.Get("Content-Type"))
	}
	public := "/partners/logos/" + src[strings.LastIndex(src, "/")+1:]
	if r := guest.get(public); r.status != http.StatusNotFound {
		t.Errorf("the logo of somebody not listed: %d", r.status)
	}
	if r := w.visitor("boss").get(strings.Replace(src, "MUSHI", "NOVA", 1)); r.status == http.StatusOK {
		t.Error("another organisation's page shows the logo")
	}
	if page := guest.get("/partners").body; strings.Contains(page, "Mushi") {
		t.Error("somebody not listed is found")
	}
	if r := us.post("/o/MUSHI/profile", "intro", "云上伙伴\n<b>", "website", "https://mushi.example", "hotline", "020-5550 0101", "listed", "true"); r.status != http.StatusSeeOther {
		t.Fatalf("save: %d %s", r.status, r.body)
	}
	doc := w.page("partners", guest.get("/partners?q=云上"), http.StatusOK)
	found := doc.Find(".hb-found li")
	if link, _ := found.Find("a").Attr("href"); found.Length() != 1 || link != "https://mushi.example" || !strings.Contains(found.Text(), "Mushi Digital") || !strings.Contains(found.Text(), "<b>") {
		t.Errorf("%d found: %s", found.Length(), found.Text())
	}
	if r := guest.get(public); r.status != http.StatusOK || r.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the logo of somebody listed: %d", r.status)
	}
	if doc := w.page("partners", guest.get("/partners?q=nobody"), http.StatusOK); doc.Find(".hb-found li").Length() != 0 {
		t.Error("a word nobody has finds somebody")
	}
	w.must2(w.app.Organisations.Suspend(t.Context(), operator, "MUSHI", "test"))
	if page := guest.get("/partners").body; strings.Contains(page, "Mushi") {
		t.Error("a suspended partner is found")
	}
}
