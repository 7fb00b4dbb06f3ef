package layout

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"huoban/internal/i18n"
)

// TestKeptFrameIsTheFrame: a frame that was made for one page stands around all others as one made anew
// would, whatever differs between them.
func TestKeptFrameIsTheFrame(t *testing.T) {
	nav := full().Nav
	kept := &Kept{Nav: func() Nav { return nav }}
	show := func(ctx context.Context, e Env, p Page) string {
		t.Helper()
		var b strings.Builder
		if err := Frame(p).Render(templ.WithChildren(With(ctx, e), templ.Raw("<h1>T</h1>")), &b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	quiet := full()
	quiet.Bars, quiet.Unread, quiet.Person, quiet.Path = nil, 0, `<b>"P"`, "/o/A/b?y=<2>&z='3'"
	marked := full()
	marked.BellMark, marked.BarsMark = "the bell", "the bars"
	searched := full()
	searched.Query = "what was searched"
	dark := full()
	dark.Theme, dark.Compact, dark.NoShortcuts = ThemeDark, true, true
	for range 2 { // made, then kept
		for i, e := range []Env{full(), quiet, marked, searched, dark} {
			for _, p := range []Page{{Title: "T"}, {Title: `<T> & "more"`, Print: "<printed>", Notes: []string{"n", "<m>"}}, {Title: "W", Wide: true}} {
				for _, l := range i18n.Langs {
					ctx := i18n.With(context.Background(), l)
					want := show(ctx, e, p)
					around := e
					around.Around, around.Nav = kept, Nav{}
					if diff := cmp.Diff(want, show(ctx, around, p)); diff != "" {
						t.Error(fmt.Sprintf("environment %d, page %q, %s (-anew +kept):\n", i, p.Title, l) + diff)
					}
				}
			}
		}
	}
	if len(kept.frames) != 8 { // two languages, two looks, wide or not
		t.Errorf("%d frames are kept", len(kept.frames))
	}
}
