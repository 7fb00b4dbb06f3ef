package gallery

import (
	"bytes"
	"compress/gzip"
	"context"
	"testing"

	"huoban/internal/i18n"
	"huoban/web/templates/layout"
)

// TestPagesStaySmall keeps a page with its frame within what a swapped list may cost on a slow line.
func TestPagesStaySmall(t *testing.T) {
	const limit = 16 << 10
	for _, e := range Entries() {
		ctx := Context(context.Background(), e, i18n.ZhCN, layout.ThemeAuto)
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if err := e.Page(ctx).Render(ctx, z); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes", e.Name, b.Len())
		if b.Len() > limit {
			t.Errorf("%s is %d bytes compressed, more than %d", e.Name, b.Len(), limit)
		}
	}
}

func BenchmarkBillLines(b *testing.B) {
	e := Entry{Name: "bill-lines"}
	ctx := Context(context.Background(), e, i18n.ZhCN, layout.ThemeAuto)
	page := lines(ctx).Page()
	for b.Loop() {
		var out bytes.Buffer
		if err := page.Render(ctx, &out); err != nil {
			b.Fatal(err)
		}
	}
}
