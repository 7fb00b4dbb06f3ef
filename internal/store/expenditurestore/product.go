package expenditurestore

import (
	"context"
	"sync"

	"huoban/internal/store"
	"huoban/internal/usage"
)

// maxKept bounds the products and the resources that are kept: some hundred bytes each.
const maxKept = 1 << 14

// kept are the products or resources that lines and sums name, as far as pages show them. Each is named by
// the hash of its content, so that what is kept is true for ever, and it is nobody's own.
type kept[T any] struct {
	mu    sync.RWMutex
	known map[usage.Hash]*T
}

func (k *kept[T]) get(id usage.Hash) *T {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.known[id]
}

func (k *kept[T]) put(id usage.Hash, x *T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil || len(k.known) >= maxKept {
		k.known = map[usage.Hash]*T{}
	}
	k.known[id] = x
}

// product gives service, region and charging mode of a product; it is not to be changed.
func (s *Store) product(ctx context.Context, id usage.Hash) (*usage.Product, error) {
	if known := s.products.get(id); known != nil {
		return known, nil
	}
	return s.readProduct(ctx, id)
}

func (s *Store) readProduct(ctx context.Context, id usage.Hash) (*usage.Product, error) {
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

// atOnce is how many resources one statement reads.
const atOnce = 20

// nameResources gives lines the id and name of their resources, and reads those that are not known.
func (s *Store) nameResources(ctx context.Context, lines []usage.Stored) error {
	for len(lines) > 0 {
		n := min(len(lines), atOnce)
		if err := s.nameSome(ctx, lines[:n]); err != nil {
			return err
		}
		lines = lines[n:]
	}
	return nil
}

func (s *Store) nameSome(ctx context.Context, lines []usage.Stored) error {
	var missing [atOnce]bool
	var some []byte // one of those missing
	for i := range lines {
		if known := s.resources.get(lines[i].ResourceID); known != nil {
			lines[i].Resource = *known
			continue
		}
		missing[i], some = true, lines[i].ResourceID[:]
	}
	if some == nil {
		return nil
	}
	args := make([]any, atOnce)
	for i := range args {
		if args[i] = some; i < len(lines) && missing[i] {
			args[i] = lines[i].ResourceID[:]
		}
	}
	found := map[usage.Hash]*usage.Resource{}
	err := s.db.Cells(ctx, qResources, args, func(c store.RowCells) error {
		x := &usage.Resource{ID: c.Text(1), Name: c.Text(2)}
		id := usage.Hash(c.Bytes(0))
		found[id] = x
		s.resources.put(id, x)
		return nil
	})
	for i := range lines {
		if x := found[lines[i].ResourceID]; missing[i] && x != nil {
			lines[i].Resource = *x
		}
	}
	return err
}
