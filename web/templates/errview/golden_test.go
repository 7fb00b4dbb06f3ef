package errview

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"huoban/internal/i18n"
	"huoban/web/templates/part"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden keeps what stands inside the frame of the pages that answer for something else.
func TestGolden(t *testing.T) {
	home := &part.Link{Text: "H", Href: "/"}
	for name, page := range map[string]templ.Component{
		"403":     Denied{Item: "BPC_ITEM_FINANCE_090100", Role: "R", Helpers: "A, B", Button: home}.Page(),
		"404":     NotFound{Button: home}.Page(),
		"500":     Failed{RequestID: "0193-7ae2", Button: home}.Page(),
		"refused": Refused{Text: "<T>", Reasons: []string{"1", "2"}, Button: home}.Page(),
	} {
		for _, l := range i18n.Langs {
			t.Run(name+"/"+string(l), func(t *testing.T) {
				var b strings.Builder
				if err := page.Render(i18n.With(context.Background(), l), &b); err != nil {
					t.Fatal(err)
				}
				doc, err := goquery.NewDocumentFromReader(strings.NewReader(b.String()))
				if err != nil {
					t.Fatal(err)
				}
				doc.Find(".hb-foot").Remove()
				html, err := doc.Find("main").Html()
				if err != nil {
					t.Fatal(err)
				}
				got := strings.ReplaceAll(html, "><", ">\n<") + "\n"
				path := filepath.Join("testdata", name+"."+string(l)+".html")
				if *update {
					if err := os.MkdirAll("testdata", 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", path, diff)
				}
			})
		}
	}
}
