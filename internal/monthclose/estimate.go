package monthclose

import (
	"context"
	"fmt"
	"sync"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/scope"
)

// estimates keeps the newest estimate of each cycle in this process, under the version of what it was
// computed from.
type estimates struct {
	mu   sync.Mutex
	kept map[string]*estimate
}

type estimate struct {
	once    sync.Mutex
	version string
	docs    []bill.Document
}

func (e *estimates) at(key string) *estimate {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.kept == nil {
		e.kept = map[string]*estimate{}
	}
	if e.kept[key] == nil {
		e.kept[key] = &estimate{}
	}
	return e.kept[key]
}

// Estimate is the bills of a cycle as the lines stand: computed by the builder of the close and kept
// until lines, attribution, prices or adjustments change. For a drafted or issued cycle it is the
// kept bills. The caller shows only what its scope sees.
// Faults: monthclose.vendor_unknown, those of bill.Builder.
func (s *Service) Estimate(ctx context.Context, sc scope.Scope, vendorID string, c cycle.Cycle) ([]bill.Document, error) {
	ctx = scope.AsSystem(ctx, "estimate") // a vendor's bills are computed together, and shown to whom they concern
	cl, err := s.Store.Load(ctx, vendorID, c)
	if err != nil {
		return nil, err
	}
	var docs []bill.Document
	if cl.State.Stage() != StageEstimate {
		docs, err = s.kept(ctx, vendorID, c)
	} else {
		docs, err = s.estimate(ctx, vendorID, c)
	}
	if err != nil {
		return nil, err
	}
	var out []bill.Document
	for i := range docs {
		if sc.SeesBill(vendorID, docs[i].Seller.ID, docs[i].Partner.ID) {
			out = append(out, docs[i])
		}
	}
	return out, nil
}

func (s *Service) estimate(ctx context.Context, vendorID string, c cycle.Cycle) ([]bill.Document, error) {
	e := s.estimates.at(vendorID + "/" + string(c))
	e.once.Lock()
	defer e.once.Unlock()
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		version, err := s.dataVersion(ctx, vendorID, c)
		if err != nil || version == e.version {
			return err
		}
		res, err := s.Compute.Compute(ctx, vendorID, c)
		if fault.HasCode(err, "bill.vendor_unknown") {
			return fault.NotFound("monthclose.vendor_unknown", nil)
		}
		if err != nil {
			return err
		}
		e.version, e.docs = version, res.Documents
		return nil
	})
	return e.docs, err
}

// dataVersion changes whenever an estimate of the cycle could.
func (s *Service) dataVersion(ctx context.Context, vendorID string, c cycle.Cycle) (string, error) {
	data, err := s.Store.Fingerprint(ctx, vendorID, c)
	if err != nil {
		return "", err
	}
	seq, err := s.Books.Seq(ctx, vendorID)
	return fmt.Sprintf("%s/%d", data, seq), err
}
