package verify

import (
	"context"
	"encoding/json"
	"fmt"

	"huoban/internal/adjustment"
	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

var program = scope.System("system")

// adjustments recomputes every adjustment from the lines it moves and compares it with the chain.
func (s *Service) adjustments(ctx context.Context, r *Report, v Vendor, log *attested) error {
	all, err := s.Adjust.Store.List(ctx, program, adjustment.Filter{VendorID: v.ID})
	if err != nil {
		return err
	}
	for i := range all {
		a := &all[i]
		r.Adjustments++
		log.saw("adjustment", a.ID)
		d := log.adjust[a.ID]
		for column, stored := range map[string]string{"kind": string(a.Kind), "side": string(a.Side), "cycle": string(a.Cycle),
			"corrects": string(a.Corrects), "key": a.Key, "currency": a.Currency, "base": a.Base.String(), "lines": fmt.Sprint(a.LineCount),
			"reason": a.Reason} {
			r.same("adjustment", a.ID, column, stored, d[column])
		}
		again := *a
		again.Prices = nil
		if a.Kind == adjustment.KindStaff {
			again.Prices = adjustment.StaffPrices(a)
			r.same("adjustment", a.ID, "tax_base", a.TaxBase, "0")
			r.same("adjustment", a.ID, "second_person", a.State == adjustment.StateApproved && a.ApprovedBy == a.CreatedBy, false)
		} else if err := s.repriced(ctx, r, a, &again); err != nil {
			return err
		}
		s.comparePrices(r, a, &again)
	}
	return nil
}

func (s *Service) repriced(ctx context.Context, r *Report, a, again *adjustment.Adjustment) error {
	lines, moves, err := s.Store.Moved(ctx, a.ID)
	if err != nil {
		return err
	}
	r.same("adjustment_move", a.ID, "(rows)", moves, len(lines))
	err = s.Adjust.Reprice(ctx, again, func(_ context.Context, fn func(*usage.Stored) error) error {
		for i := range lines {
			if err := fn(&lines[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.same("adjustment", a.ID, "base", a.Base, again.Base)
	r.same("adjustment", a.ID, "tax_base", a.TaxBase, again.TaxBase)
	r.same("adjustment", a.ID, "line_count", a.LineCount, again.LineCount)
	return nil
}

func (s *Service) comparePrices(r *Report, a, again *adjustment.Adjustment) {
	r.same("adjustment_price", a.ID, "(rows)", len(a.Prices), len(again.Prices))
	for i := range min(len(a.Prices), len(again.Prices)) {
		is, was := asFields(a.Prices[i]), asFields(again.Prices[i])
		for column, value := range is {
			r.same("adjustment_price", a.ID, column, value, was[column])
		}
	}
}

// asFields gives the fields of a plain struct by name.
func asFields(v any) map[string]string {
	raw, err := json.Marshal(v)
	if err != nil {
		return map[string]string{"(row)": err.Error()}
	}
	fields, out := map[string]json.RawMessage{}, map[string]string{}
	if err := json.Unmarshal(raw, &fields); err != nil {
		return map[string]string{"(row)": err.Error()}
	}
	for k, f := range fields {
		out[k] = string(f)
	}
	return out
}

// bills computes the issued bills of a cycle again with the book they were made with, and compares
// every figure, every item and the code the chain attests.
func (s *Service) bills(ctx context.Context, r *Report, v Vendor, c cycle.Cycle, log *attested) error {
	kept, err := s.Bills.WithItems(ctx, program, bill.Filter{VendorID: v.ID, Cycle: c})
	if err != nil {
		return err
	}
	seqs := map[int64]map[string]*bill.Document{}
	for i := range kept {
		seq := kept[i].PriceSeq
		if seqs[seq] == nil {
			if seqs[seq], err = s.computed(ctx, v, c, seq, kept); err != nil {
				return err
			}
		}
	}
	for i := range kept {
		d := &kept[i]
		r.Bills++
		month := v.Code + "/" + string(c)
		key := month + "/" + d.Partner.Code + "/" + d.Currency + "/" + d.Entity.Code
		log.saw("bill", key)
		r.same("bill", key, "price_seq", d.PriceSeq, log.books[month])
		r.same("bill", key, "code", d.Code, log.bills[key])
		r.same("bill", key, "code", d.Code, d.ComputeCode())
		again := seqs[d.PriceSeq][d.Partner.ID+d.Currency+d.Entity.ID]
		if again == nil {
			r.add("bill", key, "(row)", "present", "absent")
			continue
		}
		s.compareBill(r, key, d, again)
	}
	for _, docs := range seqs {
		r.same("bill", v.Code+"/"+string(c), "(rows)", len(kept), len(docs))
	}
	return nil
}

func (s *Service) computed(ctx context.Context, v Vendor, c cycle.Cycle, seq int64, kept []bill.Document) (map[string]*bill.Document, error) {
	svc := *s.Compute
	svc.Store = &frozenEntities{Store: s.Compute.Store, kept: kept}
	res, err := svc.ComputeAt(ctx, v.ID, c, seq)
	if err != nil {
		return nil, err
	}
	out := map[string]*bill.Document{}
	for i := range res.Documents {
		d := &res.Documents[i]
		out[d.Partner.ID+d.Currency+d.Entity.ID] = d
	}
	return out, s.paid(ctx, &svc, kept, out)
}

// paid lets the vouchers a kept bill was paid with pay the recomputed one.
func (s *Service) paid(ctx context.Context, svc *bill.Service, kept []bill.Document, out map[string]*bill.Document) error {
	for i := range kept {
		again := out[kept[i].Partner.ID+kept[i].Currency+kept[i].Entity.ID]
		if kept[i].Coupon == 0 || again == nil || s.Vouchers == nil {
			continue
		}
		vouchers, err := s.Vouchers.Replayed(ctx, kept[i].CouponBill())
		if err != nil {
			return err
		}
		one := []bill.Document{*again}
		if _, err := svc.Draw(ctx, one, vouchers); err != nil {
			return err
		}
		*again = one[0]
	}
	return nil
}

func (s *Service) compareBill(r *Report, key string, d, again *bill.Document) {
	for _, f := range []struct {
		column   string
		is, want any
	}{{"seller_id", d.Seller.Code, again.Seller.Code}, {"line_count", d.LineCount, again.LineCount}, {"consumption_e8", d.Consumption, again.Consumption},
		{"refund_e8", d.Refund, again.Refund}, {"adjustment_e8", d.Adjustment, again.Adjustment}, {"coupon_e8", d.Coupon, again.Coupon},
		{"rounding_e8", d.Rounding, again.Rounding}, {"tax_e8", d.Tax, again.Tax}, {"due_e8", d.Due, again.Due},
		{"source_total", d.SourceTotal, again.SourceTotal}, {"exact_total", d.ExactTotal, again.ExactTotal}, {"tax_exact", d.TaxExact, again.TaxExact}} {
		r.same("bill", key, f.column, f.is, f.want)
	}
	r.same("bill_item", key, "(rows)", len(d.Items), len(again.Items))
	for i := range min(len(d.Items), len(again.Items)) {
		r.Items++
		is, want := d.Items[i], again.Items[i]
		a, b := itemFields(&is), itemFields(&want)
		for column := range a {
			r.same("bill_item", fmt.Sprintf("%s #%d", key, is.No), column, a[column], b[column])
		}
	}
}

func itemFields(it *bill.Item) map[string]string {
	f := asFields(struct {
		No                                                              int
		Customer                                                        string
		Origin, Provider, Product, Region, Mode, Kind, Rule, Type, Base string
		Number, Version, Lines                                          int64
		Factor, Source, BaseSum, Exact, Amount                          string
	}{it.No, it.Customer.Code, string(it.Origin), it.Provider, it.Product, it.Region, string(it.Mode), string(it.Kind), it.RuleID,
		string(it.RuleType), string(it.Base), it.RuleNumber, it.RuleVersion, it.LineCount, it.Factor.String(), it.SourceExact.String(),
		it.BaseExact.String(), it.Exact.String(), it.Amount.String()})
	if it.Adjusts != nil {
		f["adjustment_id"] = it.Adjusts.ID
	}
	return f
}

// frozenEntities answers with the contracting entity a bill was issued under, where a partner has only
// one in the cycle: a later change of the vendor's default does not make an issued bill wrong.
type frozenEntities struct {
	bill.Store
	kept []bill.Document
}

// Parties gives the vendor's parties with the entities of the kept bills.
func (f *frozenEntities) Parties(ctx context.Context, vendorID string) (bill.Parties, error) {
	p, err := f.Store.Parties(ctx, vendorID)
	if err != nil {
		return nil, err
	}
	only := map[string]*bill.Document{}
	for i := range f.kept {
		d := &f.kept[i]
		if old, known := only[d.Partner.ID]; known && (old == nil || old.Entity.ID != d.Entity.ID) {
			only[d.Partner.ID] = nil
			continue
		}
		only[d.Partner.ID] = d
	}
	return &frozenParties{p, only}, nil
}

type frozenParties struct {
	bill.Parties
	only map[string]*bill.Document
}

// Entity is the entity of the kept bill, else the one in force.
func (p *frozenParties) Entity(sourceID, partnerID string) (bill.Party, bool, bool) {
	if d := p.only[partnerID]; d != nil {
		return d.Entity, d.TaxInDue, true
	}
	return p.Parties.Entity(sourceID, partnerID)
}
