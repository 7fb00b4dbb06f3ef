package peak

import (
	"context"
	"unicode"
	"unicode/utf8"

	"huoban/internal/attribution"
	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/usage"
)

// owners tell whose a row is: by the customer's code, or by the account as the source's rules have it that day.
type owners struct {
	codes    map[string]string
	rules    *attribution.Resolver
	accounts map[[2]string]string // account and date → customer
}

func (s *Service) owners(ctx context.Context, sc scope.Scope, src *source.Source) (owners, error) {
	o := owners{codes: map[string]string{}, accounts: map[[2]string]string{}}
	all, err := s.Organisations.List(ctx, sc)
	if err != nil {
		return o, err
	}
	for _, x := range all {
		if x.Kind == organisation.KindCustomer {
			o.codes[x.Code] = x.ID
		}
	}
	o.rules, _, err = s.Rules.Resolver(ctx, src.ID)
	return o, err
}

func (o *owners) of(x *row) (string, error) {
	if code := x.cells[colCustomer]; len(code) > 0 {
		if owner := o.codes[string(code)]; owner != "" {
			return owner, nil
		}
		return "", wrong(colCustomer, code, "peak.customer_unknown")
	}
	account := x.cells[colAccount]
	k := [2]string{string(account), x.date}
	owner, known := o.accounts[k]
	if !known {
		day, err := cycle.ParseDay(x.date)
		if err != nil {
			return "", err
		}
		owner, _ = o.rules.Resolve(&usage.Line{Account: usage.Account{SubAccount: k[0]}, ChargeStart: day})
		o.accounts[k] = owner
	}
	if owner == "" || owner == usage.CustomerSpread {
		return "", wrong(colAccount, account, "peak.account_unmapped")
	}
	return owner, nil
}

// clean tells whether a cell may stand on a page.
func clean(cell []byte) bool {
	if !utf8.Valid(cell) {
		return false
	}
	for _, r := range string(cell) {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

// opt writes a figure that may be absent.
type opt struct{ *money.Exact }

func (o opt) String() string {
	if o.Exact == nil {
		return ""
	}
	return o.Exact.String()
}
