package part

import (
	"context"
	"strings"
	"testing"

	"github.com/a-h/templ"
)

// TestMarkupEscapesAsTemplatesDo: what is written by hand is as harmless as what templates write.
func TestMarkupEscapesAsTemplatesDo(t *testing.T) {
	var every strings.Builder
	for r := rune(0); r < 0x250; r++ {
		every.WriteRune(r)
	}
	for _, text := range []string{"", "plain", every.String(), `"><script>alert('1')</script>&amp;`, "\xff<\xfe>", "客户 & 伙伴"} {
		var b strings.Builder
		if err := Write(func(m *Markup) { m.Text(text) }).Render(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		if want := templ.EscapeString(text); b.String() != want {
			t.Errorf("%q is written as %q, templates write %q", text, b.String(), want)
		}
	}
	var b strings.Builder
	if err := Write(func(m *Markup) { m.Link(`javascript:alert("1")`) }).Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	if b.String() != string(templ.FailedSanitizationURL) {
		t.Errorf("an address that runs something is written as %q", b.String())
	}
}

// TestMarkupGivesErrorsOn: a component that fails fails all, and nothing is written.
func TestMarkupGivesErrorsOn(t *testing.T) {
	var b strings.Builder
	ctx, stop := context.WithCancel(context.Background())
	stop()
	err := Write(func(m *Markup) {
		m.Raw("<p>")
		m.Put(Amount(Money{Text: "1"})) // a template refuses to render for a request that is gone
		m.Raw("</p>")
	}).Render(ctx, &b)
	if err == nil || b.Len() > 0 {
		t.Errorf("%v, %q", err, b.String())
	}
}
