package portal_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// handOver sends a file of points as the form does.
func (v *visitor) handOver(path, source, body string, dry bool) reply {
	v.w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	v.w.must(m.WriteField("source", source))
	if dry {
		v.w.must(m.WriteField("dry_run", "true"))
	}
	part, err := m.CreateFormFile("files", "points.csv")
	v.w.must(err)
	v.w.must2(part.Write([]byte(body)))
	v.w.must(m.Close())
	req, err := http.NewRequest(http.MethodPost, v.w.url+path, &b)
	v.w.must(err)
	req.Header.Set("Content-Type", m.FormDataContentType())
	return v.send(req, nil)
}

// TestPeakImports: points are tried, imported once, looked at with what could not be read, and taken back; another
// vendor finds nothing of it.
func TestPeakImports(t *testing.T) {
	w := issuedWorld(t, "")
	const path = "/o/NOVA/peak-imports"
	boss := w.visitor("boss")
	if r := boss.get(path); r.status != http.StatusOK || !strings.Contains(r.body, path+"/new") {
		t.Fatalf("the list: %d", r.status)
	}
	body := "time,customer,product,resource_id,usage_type,unit,value\n" +
		"2026-01-05T00:00:00+08:00,s1,CDN,cdn-1,95Peak,Mbps,10\n2026-01-05T00:05:00+08:00,s1,CDN,cdn-1,95Peak,Mbps,30\n2026-01-05T00:10:00+08:00,s1,CDN,cdn-1,95Peak,Mbps,-1\n"
	count := func() int { return strings.Count(boss.get(path).body, path+"/0") }
	if r := boss.handOver(path, "nova", body, true); r.status != http.StatusOK || !strings.Contains(r.body, "试算：2 个点") || !strings.Contains(r.body, "带宽不能小于 0") || count() != 0 {
		t.Fatalf("tried: %d, %d imports\n%s", r.status, count(), r.body[max(0, strings.Index(r.body, "<main")):])
	}
	for range 2 {
		if r := boss.handOver(path, "nova", body, false); r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, path+"?done=") || count() != 1 {
			t.Fatalf("imported: %d %s, %d imports", r.status, r.location, count())
		}
	}
	for _, bad := range [][2]string{{"no-such-source", body}, {"nova", "a,b\n1,2\n"}} {
		if r := boss.handOver(path, bad[0], bad[1], false); r.status != http.StatusUnprocessableEntity || count() != 1 {
			t.Errorf("%q: %d", bad[0], r.status)
		}
	}
	at := w.page(path, boss.get(path), http.StatusOK).Find("td a[href^='"+path+"/'], th a[href^='"+path+"/']").Last().AttrOr("href", "")
	if r := boss.get(at); r.status != http.StatusOK || !strings.Contains(r.body, "带宽不能小于 0") || !strings.Contains(r.body, at+"/reversal") {
		t.Fatalf("%s: %d", at, r.status)
	}
	stranger := w.visitor("stranger")
	foreign := strings.Replace(at, "/o/NOVA/", "/o/OTHER/", 1)
	if r := stranger.get(foreign); r.status != http.StatusNotFound {
		t.Errorf("another vendor reads it: %d", r.status)
	}
	if r := stranger.post(foreign + "/reversal"); r.status != http.StatusNotFound {
		t.Errorf("another vendor takes it back: %d", r.status)
	}
	if r := w.visitor("partner").handOver(path, "nova", body, false); r.status != http.StatusForbidden && r.status != http.StatusNotFound {
		t.Errorf("who may not import: %d", r.status)
	}
	for range 2 {
		if r := boss.post(at + "/reversal"); r.status != http.StatusSeeOther {
			t.Fatalf("taken back: %d", r.status)
		}
	}
	if r := boss.get(at); strings.Contains(r.body, at+"/reversal") || !strings.Contains(r.body, "已撤回") {
		t.Error("it is still in force")
	}
}
