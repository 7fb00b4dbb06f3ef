package delivery

import (
	"context"
	"errors"
	"io"

	"huoban/internal/ingest"
	"huoban/internal/source"
	"huoban/internal/usage"
)

type rowAt struct {
	file int
	line int64
}

// Rekey reads the kept files of these slots' deliveries again and gives their lines the value of the
// source's key column. It runs inside the transaction that changes the column.
func (s *Service) Rekey(ctx context.Context, src *source.Source, slots []usage.Slot) error {
	byDelivery := map[string][]usage.Slot{}
	var order []string
	for _, slot := range slots {
		if byDelivery[slot.DeliveryID] == nil {
			order = append(order, slot.DeliveryID)
		}
		byDelivery[slot.DeliveryID] = append(byDelivery[slot.DeliveryID], slot)
	}
	for _, deliveryID := range order {
		keys, err := s.keysOf(ctx, src, deliveryID)
		if err != nil {
			return err
		}
		for _, slot := range byDelivery[deliveryID] {
			if err := s.rekeySlot(ctx, src, slot, keys); err != nil {
				return err
			}
		}
	}
	return nil
}

// keysOf reads the key of every row of a delivery; equal keys share their text.
func (s *Service) keysOf(ctx context.Context, src *source.Source, deliveryID string) (map[rowAt]string, error) {
	files, err := s.Store.DeliveryFiles(ctx, deliveryID)
	if err != nil {
		return nil, err
	}
	keys, texts := map[rowAt]string{}, map[string]string{}
	for _, f := range files {
		part, err := s.keptPart(ctx, f)
		if err != nil {
			return nil, err
		}
		r, err := ingest.NewReader(part, src.Reading())
		if err != nil {
			return nil, err
		}
		for {
			l, _, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				r.Close()
				return nil, err
			}
			if l == nil {
				continue
			}
			key, ok := texts[l.Account.SourceKey]
			if !ok {
				key = l.Account.SourceKey
				texts[key] = key
			}
			keys[rowAt{f.No, l.LineNo}] = key
		}
		r.Close()
	}
	return keys, nil
}

func (s *Service) rekeySlot(ctx context.Context, src *source.Source, slot usage.Slot, keys map[rowAt]string) error {
	diffs := map[usage.SummaryKey]usage.Sum{}
	err := s.Store.EachLine(ctx, []int64{slot.ID}, func(l *usage.Stored) error {
		key, ok := keys[rowAt{l.FileNo, l.LineNo}]
		if !ok || key == l.Account.SourceKey {
			return nil
		}
		sum, err := l.Sum(src.Base)
		if err != nil {
			return err
		}
		k := l.SummaryKey()
		l.Account.SourceKey = key
		account := l.Account.Hash()
		if err := s.Store.SetLineAccount(ctx, l, account, l.Account); err != nil {
			return err
		}
		for _, step := range []struct {
			account usage.Hash
			sum     usage.Sum
		}{{k.AccountID, sum.Neg()}, {account, sum}} {
			k.AccountID = step.account
			total := diffs[k]
			if err := total.Add(step.sum); err != nil {
				return err
			}
			diffs[k] = total
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.Store.AddToSummaries(ctx, diffs)
}
