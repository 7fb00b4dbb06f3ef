package bill_test

import (
	"fmt"
	"testing"

	"huoban/internal/bill"
	"huoban/internal/usage"
)

// BenchmarkBuilder prices lines of 200 groups; memory must not grow with b.N.
func BenchmarkBuilder(b *testing.B) {
	builder, err := bill.NewBuilder(config(false, rule(1, "", "0.85"), rule(2, "R", "0.9")))
	if err != nil {
		b.Fatal(err)
	}
	lines := make([]*usage.Stored, 2000)
	for i := range lines {
		lines[i] = line([]string{"cs", "cr"}[i%2], fmt.Sprintf("%d.%011d", i%7, i*7919), func(l *usage.Stored) { l.Product.Service = fmt.Sprint("service ", i%100) })
	}
	b.ReportAllocs()
	for i := range b.N {
		if err := builder.Add(lines[i%len(lines)]); err != nil {
			b.Fatal(err)
		}
	}
}
