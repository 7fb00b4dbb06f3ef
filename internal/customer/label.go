package customer

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/scope"
)

// The limits of labels (标签).
const (
	MaxLabels = 10 // of one customer
	MaxLabel  = 24 // characters
)

// Label is a word a partner keeps of a customer; letter case tells labels apart.
type Label struct {
	PartnerID, CustomerID, Text string
	By                          string
	At                          time.Time
}

// LabelStore keeps labels.
type LabelStore interface {
	// Labels lists the labels a partner gave, by customer and text.
	Labels(ctx context.Context, partnerID string) ([]Label, error)
	AddLabel(ctx context.Context, l Label) error
	DropLabel(ctx context.Context, partnerID, customerID, text string) error
}

// SplitLabels takes labels apart that were typed with commas, spaces or line ends between them, each once.
func SplitLabels(text string) []string {
	var out []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",，、;；", r) }) {
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out
}

// Labels are the labels of the acting partner's customers by customer; a limited scope sees those of its own.
// Faults: those of Directory.
func (s *Service) Labels(ctx context.Context, sc scope.Scope) (map[string][]string, error) {
	if err := sc.Require(scope.ItemCustomerView); err != nil {
		return nil, err
	}
	if sc.Side() != scope.SidePartner {
		return nil, fault.Denied("customer.not_a_party", nil)
	}
	all, err := s.Store.Labels(ctx, sc.OrgID())
	windows, limited := sc.Windows()
	out := map[string][]string{}
	for _, l := range all {
		if !limited || slices.ContainsFunc(windows, func(w scope.Window) bool { return w.CustomerID == l.CustomerID }) {
			out[l.CustomerID] = append(out[l.CustomerID], l.Text)
		}
	}
	return out, err
}

// LabelInput gives labels to customers and takes others off.
type LabelInput struct {
	CustomerIDs []string
	Add, Remove []string
}

// Validate checks what needs no look-up. Faults: customer.batch_empty, .batch_too_long, .label_empty, .label_malformed.
func (in LabelInput) Validate() error {
	if err := (BatchInput{CustomerIDs: in.CustomerIDs}).Validate(); err != nil {
		return err
	}
	if len(in.Add)+len(in.Remove) == 0 {
		return fault.Invalid("customer.label_empty", nil)
	}
	for _, text := range slices.Concat(in.Add, in.Remove) {
		if n := utf8.RuneCountInString(text); n == 0 || n > MaxLabel || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }) {
			return fault.Invalid("customer.label_malformed", fault.Args{"limit": MaxLabel})
		}
	}
	return nil
}

// LabelStep is what a batch does with the labels of one customer.
type LabelStep struct {
	Entry
	Before, After []string
	Refusal       *fault.Error
}

// Same tells whether nothing changes.
func (x *LabelStep) Same() bool { return slices.Equal(x.Before, x.After) }

// PlanLabels tells what a batch would do, customer by customer, and does nothing. Faults: those of Validate and
// Directory, customer.unknown, scope.permission_missing.
func (s *Service) PlanLabels(ctx context.Context, sc scope.Scope, in LabelInput) ([]LabelStep, error) {
	if err := sc.Require(scope.ItemCustomerLabel); err != nil {
		return nil, err
	}
	if err := in.Validate(); err != nil {
		return nil, err
	}
	all, err := s.Directory(ctx, sc)
	if err != nil {
		return nil, err
	}
	known, err := s.Labels(ctx, sc)
	if err != nil {
		return nil, err
	}
	var out []LabelStep
	for _, id := range in.CustomerIDs {
		i := slices.IndexFunc(all, func(e Entry) bool { return e.CustomerID == id && e.Own(sc.OrgID()) })
		if i < 0 {
			return nil, fault.NotFound("customer.unknown", nil)
		}
		if slices.ContainsFunc(out, func(x LabelStep) bool { return x.CustomerID == id }) {
			continue
		}
		step := LabelStep{Entry: all[i], Before: known[id]}
		for _, text := range slices.Concat(known[id], in.Add) {
			if !slices.Contains(in.Remove, text) && !slices.Contains(step.After, text) {
				step.After = append(step.After, text)
			}
		}
		slices.Sort(step.After)
		if len(step.After) > MaxLabels {
			step.Refusal = fault.Conflict("customer.labels_too_many", fault.Args{"limit": MaxLabels})
		}
		out = append(out, step)
	}
	return out, nil
}

// SetLabels does a batch, all of it or nothing, and gives how many customers changed. Faults: those of PlanLabels,
// customer.labels_too_many.
func (s *Service) SetLabels(ctx context.Context, sc scope.Scope, in LabelInput) (int, error) {
	changed := 0
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		changed = 0
		steps, err := s.PlanLabels(ctx, sc, in)
		if err != nil {
			return err
		}
		for i := range steps {
			x := &steps[i]
			if x.Refusal != nil {
				return x.Refusal
			}
			if x.Same() {
				continue
			}
			if err := s.relabel(ctx, sc, x); err != nil {
				return err
			}
			changed++
		}
		return nil
	})
	return changed, err
}

func (s *Service) relabel(ctx context.Context, sc scope.Scope, x *LabelStep) error {
	for _, text := range x.Before {
		if !slices.Contains(x.After, text) {
			if err := s.Store.DropLabel(ctx, sc.OrgID(), x.CustomerID, text); err != nil {
				return err
			}
		}
	}
	for _, text := range x.After {
		if !slices.Contains(x.Before, text) {
			if err := s.Store.AddLabel(ctx, Label{PartnerID: sc.OrgID(), CustomerID: x.CustomerID, Text: text, By: sc.Login(), At: s.Clock.Now()}); err != nil {
				return err
			}
		}
	}
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: "customer.label", Object: "customer:" + x.CustomerID, Outcome: "done",
		Detail: map[string]any{"before": x.Before, "after": x.After}})
}
