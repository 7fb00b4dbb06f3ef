package ingest_test

import (
	"testing"

	"huoban/internal/ingest"
)

// TestOrderNumbers: a line keeps the order a thing was bought by; what is charged by use has only the number of a
// deduction there, which is no order. Without an order a resource is what it was before orders were kept.
func TestOrderNumbers(t *testing.T) {
	head := "line_id,cycle,charge_start,product,category,currency,billed,order_no,resource_id\n"
	own := ingest.Source{Dialect: "huoban"}
	bought := one(t, own, head+"1,2026-07,2026-07-01,盘,purchase,CNY,10,CS2607010001,r1\n")
	without := one(t, own, head+"1,2026-07,2026-07-01,盘,purchase,CNY,10,,r1\n")
	old := one(t, own, "line_id,cycle,charge_start,product,category,currency,billed,resource_id\n1,2026-07,2026-07-01,盘,purchase,CNY,10,r1\n")
	if bought.Resource.OrderNo != "CS2607010001" || without.Resource.OrderNo != "" || old.Resource.OrderNo != "" {
		t.Errorf("%q %q %q", bought.Resource.OrderNo, without.Resource.OrderNo, old.Resource.OrderNo)
	}
	if without.Resource.Hash() != old.Resource.Hash() || bought.Resource.Hash() == old.Resource.Hash() {
		t.Error("the identity of a resource follows its order, and nothing else")
	}
	for _, c := range []struct{ mode, want string }{{"包年/包月", "CS2607010002"}, {"按需", ""}} {
		l := one(t, ingest.Source{Dialect: "huawei-bill-detail"}, detailHead+detailLine("2026-07", "消费", c.mode, "CS2607010002", "2026-07-05 10:00:00 GMT+08:00", "", "10"))
		if l.Resource.OrderNo != c.want {
			t.Errorf("%s: order %q, want %q", c.mode, l.Resource.OrderNo, c.want)
		}
	}
}
