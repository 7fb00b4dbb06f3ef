package gallery

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/i18n"
	"huoban/web/templates/layout"
)

func eachPage(t *testing.T, fn func(t *testing.T, e Entry, l i18n.Lang, html string, doc *goquery.Document)) {
	t.Helper()
	for _, e := range Entries() {
		for _, l := range i18n.Langs {
			t.Run(e.Name+"/"+string(l), func(t *testing.T) {
				ctx := Context(context.Background(), e, l, layout.ThemeAuto)
				var b strings.Builder
				if err := e.Page(ctx).Render(ctx, &b); err != nil {
					t.Fatal(err)
				}
				doc, err := goquery.NewDocumentFromReader(strings.NewReader(b.String()))
				if err != nil {
					t.Fatal(err)
				}
				fn(t, e, l, b.String(), doc)
			})
		}
	}
}

func TestPagesObeyTheContentSecurityPolicy(t *testing.T) {
	eachPage(t, func(t *testing.T, _ Entry, _ i18n.Lang, _ string, doc *goquery.Document) {
		doc.Find("*").Each(func(_ int, s *goquery.Selection) {
			for _, a := range s.Nodes[0].Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("<%s %s=%q> is inline", s.Nodes[0].Data, a.Key, a.Val)
				}
				if (a.Key == "src" || a.Key == "href" || a.Key == "action") && regexp.MustCompile(`^(https?:)?//|^javascript:`).MatchString(a.Val) &&
					a.Val != "https://example.test/" {
					t.Errorf("%s=%q leaves the host", a.Key, a.Val)
				}
			}
		})
		if n := doc.Find("style").Length() + doc.Find("script:not([src])").Length(); n > 0 {
			t.Errorf("%d inline style or script elements", n)
		}
	})
}

func TestPagesAreWellFormed(t *testing.T) {
	eachPage(t, func(t *testing.T, e Entry, l i18n.Lang, _ string, doc *goquery.Document) {
		ids := map[string]bool{}
		doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
			if id := s.AttrOr("id", ""); ids[id] {
				t.Errorf("id %q stands twice", id)
			} else {
				ids[id] = true
			}
		})
		for _, attr := range []string{"popovertarget", "for", "aria-describedby", "aria-labelledby", "commandfor"} {
			doc.Find("[" + attr + "]").Each(func(_ int, s *goquery.Selection) {
				for _, id := range strings.Fields(s.AttrOr(attr, "")) {
					if !ids[id] {
						t.Errorf("%s=%q names nothing", attr, id)
					}
				}
			})
		}
		if n := doc.Find("h1").Length(); n != 1 {
			t.Errorf("%d h1", n)
		}
		if got := doc.Find("html").AttrOr("lang", ""); got != string(l) {
			t.Errorf("lang = %s", got)
		}
		if !e.Door && doc.Find("a.hb-skip[href='#main']").Length() != 1 {
			t.Error("no way to skip to the content")
		}
		doc.Find("form[method=post]").Each(func(_ int, s *goquery.Selection) {
			if s.AttrOr("action", "") == "" {
				t.Error("a form without address")
			}
		})
	})
}

func TestPagesSpeakOneLanguage(t *testing.T) {
	bare := regexp.MustCompile(`\b(layout|part|signview|billview|opsview|homeview|errview)\.[a-z_]+(\.[a-z_]+)*\b`)
	han := regexp.MustCompile(`\p{Han}+`)
	eachPage(t, func(t *testing.T, _ Entry, l i18n.Lang, _ string, doc *goquery.Document) {
		// What speaks the other language on purpose carries lang; the printed line is data.
		doc.Find("body [lang], .hb-print, head").Remove()
		text := doc.Text()
		doc.Find("[aria-label], [title], [placeholder]").Each(func(_ int, s *goquery.Selection) {
			text += " " + s.AttrOr("aria-label", "") + " " + s.AttrOr("title", "") + " " + s.AttrOr("placeholder", "")
		})
		if m := bare.FindString(text); m != "" {
			t.Errorf("the bare key %s is shown", m)
		}
		if strings.Contains(text, "{{") || strings.Contains(text, "<no value>") {
			t.Error("an argument is missing")
		}
		if l == i18n.En {
			for _, m := range han.FindAllString(strings.ReplaceAll(text, "2026-09、2026-10", ""), -1) {
				t.Errorf("Chinese on the English page: %s", m)
			}
		}
	})
}

func TestHostileTextStaysText(t *testing.T) {
	const evil = `<script>alert(1)</script>"><img src=x onerror=alert(1)>`
	ctx := Context(context.Background(), Entry{Name: "bill-lines"}, i18n.ZhCN, layout.ThemeAuto)
	p := lines(ctx)
	p.Rows[0].Customer, p.Rows[0].Product, p.Rows[0].ID = evil, evil, evil
	p.Rows[1].Why.Title, p.Rows[1].Why.Source.Cells[0].Text, p.Rows[1].Why.Steps[0].Lines[2].Href = evil, evil, "javascript:alert(1)"
	p.Tool.Conditions[1].Text, p.Filter.Fields[0].Value = evil, evil
	var b strings.Builder
	if err := p.Page().Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if doc.Find("script:not([src]), img, [onerror]").Length() != 0 {
		t.Error("hostile text became markup")
	}
	doc.Find("[href]").Each(func(_ int, s *goquery.Selection) {
		if strings.HasPrefix(s.AttrOr("href", ""), "javascript:") {
			t.Error("a script address got through")
		}
	})
}
