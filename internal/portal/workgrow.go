package portal

import (
	"time"

	"huoban/internal/prospect"
	"huoban/internal/relation"
	"huoban/internal/scope"
	"huoban/web/templates/part"
)

// registrationDuties is what partners submitted and nobody of the vendor decided.
func (h *Handlers) registrationDuties(c *Ctx) ([]duty, error) {
	if h.Prospects == nil || !c.Scope.Has(scope.ItemProspectReview) || !c.Scope.Has(scope.ItemProspectReviewView) {
		return nil, nil
	}
	all, err := h.Prospects.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	var waiting int64
	var oldest time.Time
	for i := range all {
		if all[i].State == prospect.StatePending {
			waiting++
			if oldest.IsZero() || all[i].SubmittedAt.Before(oldest) {
				oldest = all[i].SubmittedAt
			}
		}
	}
	if waiting == 0 {
		return nil, nil
	}
	return []duty{{kind: dutyRegistration, title: c.T("work.registration", "Count", waiting), text: c.T("work.registration_text"), since: oldest,
		cure: part.Link{Text: c.T("work.registration_cure"), Href: c.withQuery(pathRegistrations, "state", string(prospect.StatePending))}}}, nil
}

// prospectDuties are registrations that end soon without an association.
func (h *Handlers) prospectDuties(c *Ctx) ([]duty, error) {
	if h.Prospects == nil || !c.Scope.Has(scope.ItemProspectChange) {
		return nil, nil
	}
	all, err := h.Prospects.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	var out []duty
	soon := h.Clock.Now().AddDate(0, 0, prospect.RemindDays)
	for i := range all {
		p := &all[i]
		if p.State == prospect.StateRegistered && p.ExpiresAt.Before(soon) {
			out = append(out, duty{kind: dutyProspect, title: c.T("work.prospect", "Name", c.personal(p.Name).Text), text: c.T("work.prospect_text"), since: p.DecidedAt, due: p.ExpiresAt,
				cure: part.Link{Text: c.T("work.prospect_cure"), Href: c.at(pathProspects + "/" + p.ID)}})
		}
	}
	return out, nil
}

// relationDuties are the requests of the other side that wait for this person's answer.
func (h *Handlers) relationDuties(c *Ctx) ([]duty, error) {
	if h.Relations == nil || !c.Scope.Has(scope.ItemAssociationChange) || !c.Scope.Has(scope.ItemAssociationView) {
		return nil, nil
	}
	mine := map[scope.Side]relation.State{scope.SidePartner: relation.StateAwaitingPartner, scope.SideCustomer: relation.StateAwaitingCustomer}[c.Scope.Side()]
	all, err := h.Relations.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	var out []duty
	for i := range all {
		if r := &all[i]; r.State == mine {
			out = append(out, duty{kind: dutyRelation, title: c.T("work.relation", "Kind", c.T(r.Kind.Label())), text: c.T("work.relation_text", "Reason", r.Reason), since: r.CreatedAt,
				cure: part.Link{Text: c.T("work.relation_cure"), Href: c.at(pathRelations + "/" + r.ID)}})
		}
	}
	return out, nil
}
