package expenditurestore

import (
	"context"
	"sync"

	"huoban/internal/store"
	"huoban/internal/usage"
)

// maxProducts bounds the products that are kept: some hundred bytes each.
const maxProducts = 1 << 14

// products are the products lines and sums name, as far as pages show them. A product is named by the hash
// of its content, so that what is kept is true for ever, and it is nobody's own.
type products struct {
	mu    sync.RWMutex
	known map[usage.Hash]*usage.Product
}

func (p *products) get(id usage.Hash) *usage.Product {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.known[id]
}

func (p *products) put(id usage.Hash, x *usage.Product) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxProducts {
		p.known = map[usage.Hash]*usage.Product{}
	}
	p.known[id] = x
}

// product gives service, region and charging mode of a product; it is not to be changed.
func (s *Store) product(ctx context.Context, id usage.Hash) (*usage.Product, error) {
	if known := s.products.get(id); known != nil {
		return known, nil
	}
	x := &usage.Product{}
	found := false
	err := s.db.Cells(ctx, qProduct, []any{id[:]}, func(c store.RowCells) error {
		x.Service, x.Region, x.ChargingMode = c.Text(0), c.Text(1), usage.ChargingMode(c.Text(2))
		found = true
		return nil
	})
	if err == nil && found {
		s.products.put(id, x)
	}
	return x, err
}
