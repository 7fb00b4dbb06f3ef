package usagestore_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"huoban/internal/delivery"
	_ "huoban/internal/ingest/workbook"
	"huoban/internal/source"
)

const huaweiSamples = samples + "huawei/"

// customerBill: three files of one archive are one month, and the same archive again is nothing new.
func TestHuaweiPartnerBill(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		src := w.source(source.AddInput{Name: "hw", Dialect: "huawei-partner-bill"})
		if src.Mode != "snapshot" || src.Base != "billed" {
			t.Errorf("%+v", src)
		}
		in := delivery.Input{Paths: []string{huaweiSamples + "customerBill_202410.tar.gz"}}
		w.imports("hw", in)
		w.wantTotals(src.VendorID, "2024-10", map[string]string{" USD": "60 26396.636955"})
		before := w.counts()
		if r := w.imports("hw", in); !r.SameContent || r.Added+r.Removed+r.Changed != 0 || w.counts() != before {
			t.Errorf("again: %+v", r)
		}
		w.auto("hw", "P1")
		got := w.totals(src.VendorID, "2024-10")
		if len(got) != 7 || got[" USD"] != "" {
			t.Errorf("%v", got)
		}
	})
}

// A transaction whose amount was corrected shows as changed, not as removed and added.
func TestHuaweiDetailChanged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		src := w.source(source.AddInput{Name: "hw", Dialect: "huawei-bill-detail"})
		body, err := os.ReadFile(huaweiSamples + "partner_bill_detail_202410.csv")
		w.must(err)
		w.imports("hw", delivery.Input{Paths: []string{w.raw("a.csv", string(body))}})
		w.wantTotals(src.VendorID, "2024-10", map[string]string{" USD": "40 16022.435942"})
		lines := strings.SplitAfter(string(body), "\r\n")
		cells := strings.Split(lines[1], ",")
		amount := cells[len(cells)-4]
		lines[1] = strings.Replace(lines[1], ","+amount+",", ",1,", 1)
		r := w.imports("hw", delivery.Input{Paths: []string{w.raw("b.csv", strings.Join(lines, ""))}})
		if r.Added != 0 || r.Removed != 0 || r.Changed != 1 {
			t.Errorf("added %d, removed %d, changed %d", r.Added, r.Removed, r.Changed)
		}
	})
}

// A line of a workbook opens to its row, by the number the sheet shows.
func TestHuaweiWorkbook(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		src := w.source(source.AddInput{Name: "hw", Dialect: "huawei-bill-detail"})
		r := w.imports("hw", delivery.Input{Paths: []string{huaweiSamples + "partner_bill_detail_202411.xlsx"}})
		w.wantTotals(src.VendorID, "2024-11", map[string]string{" USD": "40 16837.613456"})
		if r.Quarantined != 0 {
			t.Errorf("%+v", r)
		}
		slots, err := w.store.ActiveSlots(context.Background(), src.VendorID, "2024-11")
		w.must(err)
		o, err := w.del.Original(context.Background(), slots[0].ID, 1, 3)
		w.must(err)
		if len(o.Cells) != 30 || o.Cells[1].Column != "Billing Cycle" || o.Cells[1].Text != "2024-11" || o.Cells[19].Text != "CS241100000001" {
			t.Errorf("%+v", o)
		}
	})
}

// A corrected row of customerBill keeps the month its file's name gave.
func TestHuaweiCorrection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		src := w.source(source.AddInput{Name: "hw", Dialect: "huawei-partner-bill"})
		row := "c1,00301,hws.service.type.obs,hws.resource.type.obs,ap-southeast-1,1,3.5,"
		text := "客户ID,产品ID,产品类型编码,资源类型编码,云服务区编码,计费模式,官网页面价,客户消费金额(USD)\n" + row + "3\n" + row + "oops\n"
		r := w.imports("hw", delivery.Input{Paths: []string{w.raw("customerBill_202410_0001.csv", text)}})
		if r.Quarantined != 1 || r.Added != 1 {
			t.Fatalf("%+v", r)
		}
		var out bytes.Buffer
		w.must(w.del.ExportQuarantine(ctx, operator, "hw/1", nil, &out))
		fixed := strings.ReplaceAll(out.String(), "3.5,oops", "3.5,0.25")
		if _, err := w.del.Retry(ctx, operator, "hw/1", strings.NewReader(fixed)); err != nil {
			t.Fatal(err)
		}
		w.wantTotals(src.VendorID, "2024-10", map[string]string{" USD": "2 3.25"})
	})
}
