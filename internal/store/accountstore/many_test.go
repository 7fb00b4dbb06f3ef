package accountstore_test

import (
	"context"
	"fmt"
	"testing"

	"huoban/internal/customer"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

// Mapping a new source makes a customer and an association for each of its accounts, in one
// transaction; a thousand must not be felt.
func TestThousandNewCustomers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		v, err := w.orgs.EnsureVendor(w.ctx, operator, "ACME")
		w.must(err)
		p, err := w.orgs.EnsurePartner(w.ctx, operator, "P1", v.ID)
		w.must(err)
		for range 2 {
			w.must(db.InTx(w.ctx, func(ctx context.Context) error {
				for i := range 1000 {
					c, err := w.orgs.EnsureCustomer(ctx, operator, fmt.Sprintf("%012d", i), "")
					if err != nil {
						return err
					}
					_, err = w.customers.Associate(ctx, operator, customer.AssociateInput{CustomerID: c.ID, PartnerID: p.ID, Kind: customer.KindResale})
					if err != nil {
						return err
					}
				}
				return nil
			}))
		}
		book, err := w.customers.Book(w.ctx)
		w.must(err)
		if n := len(book.CustomersOf(p.ID)); n != 1000 {
			t.Errorf("%d customers", n)
		}
	})
}
