package attribution

import (
	"sort"
	"strings"
	"time"

	"huoban/internal/source"
	"huoban/internal/usage"
)

// Resolver answers for one state of a source's rules. It is read-only and may be shared.
type Resolver struct {
	explicit []explicitColumn
	plain    map[string][]Rule

	defaultOrg string
	loose      source.Loose
	looseOrg   string
}

type explicitColumn struct {
	name    string
	byValue map[string][]Rule
}

// NewResolver takes the rules in force of the source.
func NewResolver(src *source.Source, rules []Rule) *Resolver {
	r := &Resolver{plain: map[string][]Rule{}, defaultOrg: src.DefaultOrgID, loose: src.Loose, looseOrg: src.LooseOrgID}
	columns := map[string]map[string][]Rule{}
	for _, rule := range rules {
		if rule.Kind != KeyExplicit {
			r.plain[rule.Key] = append(r.plain[rule.Key], rule)
			continue
		}
		name, value, _ := strings.Cut(rule.Key, "=")
		if columns[name] == nil {
			columns[name] = map[string][]Rule{}
		}
		columns[name][value] = append(columns[name][value], rule)
	}
	for name, byValue := range columns {
		r.explicit = append(r.explicit, explicitColumn{name, byValue})
	}
	sort.Slice(r.explicit, func(i, j int) bool { return r.explicit[i].name < r.explicit[j].name })
	return r
}

// Resolve finds the customer of a line and the rule that named it; the rule is empty where the
// source's default or its target for loose lines decided. Order: explicit rules (by name of column),
// SubAccountId, the key column, then the loose target for a line that has neither, then the default.
func (r *Resolver) Resolve(l *usage.Line) (customerID, ruleID string) {
	c, rule := r.find(l)
	if rule == nil {
		return c, ""
	}
	return c, rule.ID
}

// Key names what decided: the key of the rule, or else the line's own sub-account or key.
func (r *Resolver) Key(l *usage.Line) string {
	if _, rule := r.find(l); rule != nil {
		return rule.Key
	}
	return PlainKey(l)
}

// PlainKey is the key a plain rule for the line would have: its sub-account, else its source key.
func PlainKey(l *usage.Line) string {
	if l.Account.SubAccount != "" {
		return l.Account.SubAccount
	}
	return l.Account.SourceKey
}

func (r *Resolver) find(l *usage.Line) (string, *Rule) {
	for _, col := range r.explicit {
		if v := l.Column(col.name); v != "" {
			if rule := covering(col.byValue[v], l.ChargeStart); rule != nil {
				return rule.OrgID, rule
			}
		}
	}
	for _, key := range [2]string{l.Account.SubAccount, l.Account.SourceKey} {
		if key == "" {
			continue
		}
		if rule := covering(r.plain[key], l.ChargeStart); rule != nil {
			return rule.OrgID, rule
		}
	}
	if l.Account.SubAccount == "" && l.Account.SourceKey == "" {
		switch r.loose {
		case source.LooseSpread:
			return usage.CustomerSpread, nil
		case source.LooseOrganisation:
			return r.looseOrg, nil
		}
	}
	return r.defaultOrg, nil
}

// Steady tells whether every line of these accounts gets one answer whatever its time and other
// columns, and which.
func (r *Resolver) steady(a *usage.Account) (customerID, ruleID string, ok bool) {
	if len(r.explicit) > 0 {
		return "", "", false
	}
	for _, key := range [2]string{a.SubAccount, a.SourceKey} {
		for _, rule := range r.plain[key] {
			if key != "" && !(rule.From.IsZero() && rule.To.IsZero()) {
				return "", "", false
			}
		}
	}
	c, id := r.Resolve(&usage.Line{Account: *a})
	return c, id, true
}

func covering(rules []Rule, at time.Time) *Rule {
	for i := range rules {
		if (rules[i].From.IsZero() || !at.Before(rules[i].From)) && (rules[i].To.IsZero() || at.Before(rules[i].To)) {
			return &rules[i]
		}
	}
	return nil
}
