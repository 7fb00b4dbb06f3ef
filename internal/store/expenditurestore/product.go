package expenditurestore

import (
	"context"
	"slices"
	"sync"

	"huoban/internal/expenditure"
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

// dimensions are what a line names by hashes.
type dimensions struct{ product, resource usage.Hash }

// atOnce is how many resources one statement reads.
const atOnce = 20

// name gives lines their products and resources, and reads those that are not known.
func (s *Store) name(ctx context.Context, lines []expenditure.Line, ids []dimensions) (err error) {
	s.products.mu.RLock()
	for i := range lines {
		lines[i].Product = s.products.known[ids[i].product]
	}
	s.products.mu.RUnlock()
	s.resources.mu.RLock()
	for i := range lines {
		lines[i].Resource = s.resources.known[ids[i].resource]
	}
	s.resources.mu.RUnlock()
	var missing []int
	for i := range lines {
		if lines[i].Product == nil {
			if lines[i].Product, err = s.product(ctx, ids[i].product); err != nil {
				return err
			}
		}
		if lines[i].Resource == nil {
			missing = append(missing, i)
		}
	}
	for part := range slices.Chunk(missing, atOnce) {
		if err := s.nameSome(ctx, lines, ids, part); err != nil {
			return err
		}
	}
	return nil
}

// nameSome reads the resources of some lines, at most atOnce.
func (s *Store) nameSome(ctx context.Context, lines []expenditure.Line, ids []dimensions, some []int) error {
	args := make([]any, atOnce)
	for i := range args {
		args[i] = ids[some[min(i, len(some)-1)]].resource[:]
	}
	found := map[usage.Hash]*usage.Resource{}
	err := s.db.Cells(ctx, qResources, args, func(c store.RowCells) error {
		x := &usage.Resource{ID: c.Text(1), Name: c.Text(2), OrderNo: c.Text(3)}
		id := usage.Hash(c.Bytes(0))
		found[id] = x
		s.resources.put(id, x)
		return nil
	})
	for _, i := range some {
		if lines[i].Resource = found[ids[i].resource]; lines[i].Resource == nil {
			lines[i].Resource = &usage.Resource{}
		}
	}
	return err
}
