package invitation

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/message"
	"huoban/internal/organisation"
	"huoban/internal/prospect"
	"huoban/internal/scope"
)

// Deps is what the service stands on. Secret is the installation's key.
type Deps struct {
	Store         Store
	Tx            Tx
	Log           flow.Log
	Audit         audit.Recorder
	Clock         clock.Clock
	Prospects     *prospect.Service
	Organisations Organisations
	Customers     Customers
	People        People
	Bell          message.Notifier
	Letters       Letters
	Grants        prospect.Grants
	Secret        []byte
}

// Service sends invitations and answers them.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// Token is what stands in the link of an invitation. It is made of the installation's secret, so that the page of
// the invitation can show it again and a copy of the database cannot.
func (s *Service) Token(i *Invitation) string {
	m := hmac.New(sha256.New, s.Secret)
	fmt.Fprintf(m, "invitation\x00%s\x00%d", i.ID, i.Serial)
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:18])
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte("invitation\x00" + token))
	return sum[:]
}

// Path is the address of a link below the portal's.
func Path(token string) string { return "/invite/" + token }

// List gives the invitations inside the scope, the newest first: a partner's own, or those of a 客户经理 and of
// his team. Fault: scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope) ([]Invitation, error) {
	if err := sc.Require(scope.ItemProspectView); err != nil {
		return nil, err
	}
	all, err := s.Store.OfPartner(ctx, sc.OrgID())
	if err != nil || !sc.IsLimited() {
		return all, err
	}
	mine, err := s.team(ctx, sc)
	return slices.DeleteFunc(all, func(i Invitation) bool { return !slices.Contains(mine, i.PersonID) }), err
}

func (s *Service) team(ctx context.Context, sc scope.Scope) ([]string, error) {
	managers, err := s.People.Managers(ctx, sc.OrgID())
	return account.Team(managers, sc.PersonID()), err
}

// Find gives one inside the scope. Faults: invitation.unknown, scope.permission_missing.
func (s *Service) Find(ctx context.Context, sc scope.Scope, invitationID string) (Invitation, error) {
	if err := sc.Require(scope.ItemProspectView); err != nil {
		return Invitation{}, err
	}
	i, err := s.Store.ByID(ctx, invitationID)
	if err != nil {
		return i, err
	}
	seen := sc.Side() == scope.SideSystem || sc.Side() == scope.SidePartner && i.PartnerID == sc.OrgID()
	if seen && sc.IsLimited() {
		mine, err := s.team(ctx, sc)
		if err != nil {
			return Invitation{}, err
		}
		seen = slices.Contains(mine, i.PersonID)
	}
	if !seen {
		return Invitation{}, fault.NotFound("invitation.unknown", nil)
	}
	return i, nil
}

// Tries lists the attempts on an invitation, the newest first.
func (s *Service) Tries(ctx context.Context, i *Invitation) ([]Try, error) {
	return s.Store.TriesOf(ctx, i.ID)
}

// TriesOf lists the attempts on the invitations the scope sees. Faults: those of List.
func (s *Service) TriesOf(ctx context.Context, sc scope.Scope) (map[string][]Try, error) {
	if err := sc.Require(scope.ItemProspectView); err != nil {
		return nil, err
	}
	all, err := s.Store.TriesOfPartner(ctx, sc.OrgID())
	out := map[string][]Try{}
	for _, t := range all {
		out[t.InvitationID] = append(out[t.InvitationID], t)
	}
	return out, err
}

// InviteInput says whom to invite, to which association and how. No registration at all makes a general link.
type InviteInput struct {
	VendorID    string // of a general link; empty is the only one there is
	ProspectIDs []string
	Relation    customer.Kind
	Channel     Channel
}

// Validate checks what needs no look-up. Faults: customer.kind_unknown, invitation.channel_unknown, .batch_too_long,
// .mail_needs_registration.
func (in InviteInput) Validate() error {
	if in.Relation != customer.KindResale && in.Relation != customer.KindReferral {
		return fault.Invalid("customer.kind_unknown", fault.Args{"kind": string(in.Relation)})
	}
	if !slices.Contains(Channels, in.Channel) {
		return fault.Invalid("invitation.channel_unknown", nil)
	}
	if len(in.ProspectIDs) > MaxBatch {
		return fault.Invalid("invitation.batch_too_long", fault.Args{"count": len(in.ProspectIDs), "limit": MaxBatch})
	}
	if in.Channel == ChannelMail && len(in.ProspectIDs) == 0 {
		return fault.Invalid("invitation.mail_needs_registration", nil)
	}
	return nil
}

// Step is what inviting does with one registration.
type Step struct {
	Prospect prospect.Prospect
	Refusal  *fault.Error
}

// Plan tells what Invite would do with each registration, and does nothing. Faults: those of Validate,
// prospect.unknown, invitation.partner_decides, scope.permission_missing.
func (s *Service) Plan(ctx context.Context, sc scope.Scope, in InviteInput) ([]Step, error) {
	if err := mayInvite(sc); err != nil {
		return nil, err
	}
	if err := in.Validate(); err != nil {
		return nil, err
	}
	var out []Step
	for _, prospectID := range in.ProspectIDs {
		p, err := s.Prospects.Find(ctx, sc, prospectID)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(x Step) bool { return x.Prospect.ID == p.ID }) {
			continue
		}
		step := Step{Prospect: p}
		open, err := s.Grants.Open(ctx, p.VendorID, p.PartnerID)
		if err != nil {
			return nil, err
		}
		switch {
		case !open:
			step.Refusal = notGranted()
		case p.State != prospect.StateRegistered:
			step.Refusal = fault.Conflict("invitation.not_registered", nil)
		case in.Channel == ChannelMail && p.Email == "":
			step.Refusal = fault.Conflict("invitation.no_address", nil)
		case in.Channel == ChannelMail && !s.Letters.Ready():
			step.Refusal = fault.Conflict("invitation.mail_off", nil)
		}
		out = append(out, step)
	}
	return out, nil
}

func notGranted() *fault.Error { return fault.Conflict(granted.Code, nil) }

func mayInvite(sc scope.Scope) error {
	if err := sc.Require(scope.ItemProspectChange); err != nil {
		return err
	}
	if sc.Side() != scope.SidePartner {
		return fault.Denied("invitation.partner_decides", nil)
	}
	return nil
}

// Invite makes the invitations, all or none; a registration's earlier link stops opening. Faults: those of Plan,
// invitation.not_registered, .no_address, .mail_off, prospect.vendor_unknown, .not_granted.
func (s *Service) Invite(ctx context.Context, sc scope.Scope, in InviteInput) ([]Invitation, error) {
	var out []Invitation
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		out = nil
		steps, err := s.Plan(ctx, sc, in)
		if err != nil {
			return err
		}
		if len(steps) == 0 {
			vendor, err := s.vendor(ctx, sc, in.VendorID)
			if err != nil {
				return err
			}
			if open, err := s.Grants.Open(ctx, vendor, sc.OrgID()); err != nil || !open {
				if err == nil {
					err = notGranted()
				}
				return err
			}
			one, err := s.send(ctx, sc, Invitation{VendorID: vendor, Relation: in.Relation, Channel: in.Channel})
			out = append(out, one)
			return err
		}
		for i := range steps {
			if steps[i].Refusal != nil {
				return steps[i].Refusal
			}
			p := &steps[i].Prospect
			if err := s.supersede(ctx, sc, p.ID, ""); err != nil {
				return err
			}
			one := Invitation{VendorID: p.VendorID, ProspectID: p.ID, Relation: in.Relation, Channel: in.Channel}
			if in.Channel == ChannelMail {
				one.Address = p.Email
			}
			if one, err = s.send(ctx, sc, one); err != nil {
				return err
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

func (s *Service) vendor(ctx context.Context, sc scope.Scope, vendorID string) (string, error) {
	vendors, err := s.Prospects.Vendors(ctx, sc)
	if err != nil {
		return "", err
	}
	if vendorID == "" && len(vendors) == 1 {
		return vendors[0].ID, nil
	}
	if !slices.ContainsFunc(vendors, func(o organisation.Organisation) bool { return o.ID == vendorID }) {
		return "", fault.Invalid("prospect.vendor_unknown", nil)
	}
	return vendorID, nil
}

// supersede withdraws what opens for a registration besides one.
func (s *Service) supersede(ctx context.Context, sc scope.Scope, prospectID, besides string) error {
	open, err := s.Store.OpenOf(ctx, prospectID)
	if err != nil {
		return err
	}
	for _, i := range open {
		if i.ID == besides {
			continue
		}
		if _, err := s.fire(ctx, scope.System(sc.Login()), i, ActionWithdraw, func(*Invitation) {}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) send(ctx context.Context, sc scope.Scope, i Invitation) (Invitation, error) {
	now := s.Clock.Now()
	i.ID, i.PartnerID, i.PersonID, i.Label = id.New(), sc.OrgID(), sc.PersonID(), sc.Login()
	i.State, i.Serial, i.Version, i.CreatedAt, i.ChangedAt, i.SentAt, i.ExpiresAt = StateSent, 1, 1, now, now, now, (flow.Due{Days: Days}).At(now, -1)
	if err := s.Store.Insert(ctx, i, hashOf(s.Token(&i))); err != nil {
		return i, err
	}
	if err := Flow.Begin(ctx, s.Log, i.ID, i.State, sc, now, nil); err != nil {
		return i, err
	}
	if err := s.record(ctx, sc, i, "invitation.send", nil); err != nil {
		return i, err
	}
	return i, s.mail(ctx, &i)
}

// mail sends the letter of an invitation by mail.
func (s *Service) mail(ctx context.Context, i *Invitation) error {
	if i.Channel != ChannelMail {
		return nil
	}
	args, err := s.LetterArgs(ctx, i.PartnerID, i.PersonID, i.Relation, i.ExpiresAt)
	if err != nil {
		return err
	}
	return s.Letters.Send(ctx, fmt.Sprintf("invitation/%s/%d", i.ID, i.Serial), i.Address, args, Path(s.Token(i)))
}

// LetterArgs are the arguments of the letter, for sending it and for showing it before.
func (s *Service) LetterArgs(ctx context.Context, partnerID, personID string, relation customer.Kind, until time.Time) (fault.Args, error) {
	partner, err := s.Organisations.ByID(ctx, self(), partnerID)
	if err != nil {
		return nil, err
	}
	args := fault.Args{"Partner": partner.Name, "Relation": string(relation), "Until": until.In(cycle.Zone).Format("2006-01-02 15:04"), "Person": ""}
	if personID != "" {
		p, err := s.People.PersonByID(ctx, personID)
		if err != nil {
			return nil, err
		}
		args["Person"] = p.Name
	}
	return args, nil
}

func self() scope.Scope { return scope.System("invitation") }

// Do resends or withdraws. A link sent again is another one; the old one stops opening. Faults: invitation.unknown,
// those of the guards, invitation.mail_off, .no_address.
func (s *Service) Do(ctx context.Context, sc scope.Scope, invitationID string, do Action) (Invitation, error) {
	var out Invitation
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		i, err := s.Find(ctx, sc, invitationID)
		if err != nil {
			return err
		}
		if do != ActionResend && do != ActionWithdraw {
			return fault.NotFound("invitation.unknown", nil)
		}
		address := i.Address
		if do == ActionResend && i.Channel == ChannelMail {
			if address, err = s.address(ctx, &i); err != nil {
				return err
			}
		}
		out, err = s.fire(ctx, sc, i, do, func(n *Invitation) {
			if do == ActionResend {
				now := s.Clock.Now()
				n.Serial, n.SentAt, n.ExpiresAt, n.Reason, n.Address = i.Serial+1, now, (flow.Due{Days: Days}).At(now, -1), "", address
			}
		})
		if err != nil || do != ActionResend {
			return err
		}
		if i.ProspectID != "" {
			if err := s.supersede(ctx, sc, i.ProspectID, i.ID); err != nil {
				return err
			}
		}
		return s.mail(ctx, &out)
	})
	return out, err
}

// address is where a mail goes now: the contact of a registration may have been corrected.
func (s *Service) address(ctx context.Context, i *Invitation) (string, error) {
	if !s.Letters.Ready() {
		return "", fault.Conflict("invitation.mail_off", nil)
	}
	p, err := s.Prospects.Find(ctx, self(), i.ProspectID)
	if err == nil && p.Email == "" {
		err = fault.Conflict("invitation.no_address", nil)
	}
	return p.Email, err
}

// FireDue is the flow.FireDue of this machine.
func (s *Service) FireDue(ctx context.Context, entity, action string, who scope.Scope, _ time.Time) error {
	i, err := s.Store.ByID(ctx, entity)
	if err != nil {
		return err
	}
	_, err = s.fire(ctx, who, i, Action(action), func(n *Invitation) {
		if n.Reason == "" {
			n.Reason = ReasonLinkExpired
		}
	})
	return err
}

func (s *Service) facts(ctx context.Context, i *Invitation) (Facts, error) {
	f := Facts{PartnerID: i.PartnerID, Registered: true, Over: i.Over(s.Clock.Now())}
	var err error
	if f.Granted, err = s.Grants.Open(ctx, i.VendorID, i.PartnerID); err != nil {
		return f, err
	}
	if i.ProspectID != "" {
		p, err := s.Prospects.Find(ctx, self(), i.ProspectID)
		if err != nil {
			return f, err
		}
		f.Registered = p.State == prospect.StateRegistered
	}
	return f, nil
}

func (s *Service) fire(ctx context.Context, sc scope.Scope, i Invitation, do Action, change func(*Invitation)) (Invitation, error) {
	facts, err := s.facts(ctx, &i)
	if err != nil {
		return i, err
	}
	now := s.Clock.Now()
	next := i
	next.ChangedAt = now
	change(&next)
	err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: i.ID, State: i.State, Version: i.Version, Do: do, Facts: facts, Who: sc, Now: now},
		func(ctx context.Context, to State) (bool, error) {
			next.State, next.Version = to, i.Version+1
			return s.Store.Set(ctx, next, hashOf(s.Token(&next)), i.State, i.Version)
		})
	if err != nil {
		return i, err
	}
	if do == ActionFail { // a refusal gives no more time
		if err := s.Log.ClearDue(ctx, Flow.Machine, i.ID); err != nil {
			return next, err
		}
		if err := s.Log.AddDue(ctx, []flow.DueChange{{Machine: Flow.Machine, Entity: i.ID, Action: string(ActionExpire), At: i.ExpiresAt}}); err != nil {
			return next, err
		}
	}
	return next, s.record(ctx, sc, next, "invitation."+string(do), nil)
}

// Allowed lists what the actor may do, with reasons where not.
func (s *Service) Allowed(ctx context.Context, sc scope.Scope, i *Invitation) ([]flow.Button, error) {
	facts, err := s.facts(ctx, i)
	if err != nil {
		return nil, err
	}
	return Flow.Allowed(i.State, facts, sc, s.Clock.Now()), nil
}

// History is what happened to one, the oldest first.
func (s *Service) History(ctx context.Context, invitationID string) ([]flow.Change, error) {
	return s.Log.History(ctx, Flow.Machine, invitationID)
}

func (s *Service) record(ctx context.Context, sc scope.Scope, i Invitation, action string, more map[string]any) error {
	detail := map[string]any{"channel": string(i.Channel), "relation": string(i.Relation), "state": string(i.State), "serial": i.Serial}
	if i.ProspectID != "" {
		detail["prospect"] = i.ProspectID
	}
	if i.Reason != "" {
		detail["reason"] = string(i.Reason)
	}
	for k, v := range more {
		detail[k] = v
	}
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: i.PartnerID, Action: action, Object: "invitation:" + i.ID, Outcome: "done", Detail: detail})
}
