package registry

import (
	"context"
	"slices"

	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/sso"
)

// mayConsoles says whether the actor has to do with consoles: the operator, and a vendor's staff with the item.
func mayConsoles(sc scope.Scope, items ...scope.Item) error {
	switch sc.Side() {
	case scope.SideSystem:
		return nil
	case scope.SideVendor:
		return sc.Require(items...)
	}
	return fault.Denied("sso.reg.operator_only", nil)
}

// vendorsOf are the vendors a partner deals with.
func (s *Service) vendorsOf(ctx context.Context, partnerID string) ([]string, error) {
	p, err := s.Orgs.ByID(ctx, scope.System("sso"), partnerID)
	if err != nil {
		return nil, err
	}
	list, err := s.Orgs.VendorsOf(ctx, p)
	var out []string
	for _, v := range list {
		out = append(out, v.ID)
	}
	return out, err
}

// lookedAfter is the vendor whose console a new one will be: the actor's own; of the operator's, the one that is
// said, or the only one its partner deals with. Fault: organisation.unknown for a partner the actor does not see.
func (s *Service) lookedAfter(ctx context.Context, sc scope.Scope, in ConsoleInput) (string, error) {
	if in.PartnerID != "" {
		p, err := s.Orgs.ByID(ctx, sc, in.PartnerID)
		if err == nil && !p.Kind.IsPartner() {
			err = fault.Invalid("sso.reg.not_a_partner", fault.Args{"code": p.Code})
		}
		if err != nil {
			return "", err
		}
	}
	switch {
	case sc.Side() == scope.SideVendor:
		return sc.OrgID(), nil
	case in.VendorID != "" || in.PartnerID == "":
		return in.VendorID, nil
	}
	list, err := s.vendorsOf(ctx, in.PartnerID)
	if err != nil || len(list) != 1 {
		return "", err
	}
	return list[0], nil
}

// again: one that is known is registered anew by whoever looks after it; of somebody else's only its entity id shows.
func (s *Service) again(ctx context.Context, sc scope.Scope, known Console) error {
	if sc.Side() == scope.SideSystem || known.VendorID == sc.OrgID() {
		return nil
	}
	seen, err := s.seesConsole(ctx, sc, known)
	if err != nil {
		return err
	}
	if seen {
		return fault.Denied("sso.reg.console_foreign", nil)
	}
	return fault.Conflict("sso.reg.console_taken", fault.Args{"entity": known.EntityID})
}

// seesConsole tells whether the actor may know of a console: a vendor of its own, and of the operator's that serve
// everybody or one of its partners.
func (s *Service) seesConsole(ctx context.Context, sc scope.Scope, c Console) (bool, error) {
	switch {
	case sc.Side() == scope.SideSystem || c.VendorID == sc.OrgID():
		return true, nil
	case c.VendorID != "":
		return false, nil
	case c.PartnerID == "":
		return true, nil
	}
	_, err := s.Orgs.ByID(ctx, sc, c.PartnerID)
	if fault.Is(err, fault.KindNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Changeable tells whether the actor may change a console it sees.
func Changeable(sc scope.Scope, c Console) bool {
	return sc.Side() == scope.SideSystem || sc.Side() == scope.SideVendor && c.VendorID == sc.OrgID() && sc.Has(scope.ItemConsoleChange)
}

// Consoles lists those the actor may see, the oldest first. Faults: sso.reg.operator_only, scope.permission_missing.
func (s *Service) Consoles(ctx context.Context, sc scope.Scope) ([]Console, error) {
	if err := mayConsoles(sc, scope.ItemConsoleView, scope.ItemConsoleChange); err != nil {
		return nil, err
	}
	all, err := s.Store.Consoles(ctx)
	out := all[:0]
	for _, c := range all {
		seen, err := s.seesConsole(ctx, sc, c)
		if err != nil {
			return nil, err
		}
		if seen {
			out = append(out, c)
		}
	}
	return out, err
}

// FindConsole gives a console by id or entity id; one the actor may not see is unknown. Faults:
// sso.reg.operator_only, .console_unknown, scope.permission_missing.
func (s *Service) FindConsole(ctx context.Context, sc scope.Scope, name string) (Console, error) {
	if err := mayConsoles(sc, scope.ItemConsoleView, scope.ItemConsoleChange); err != nil {
		return Console{}, err
	}
	var c Console
	ok := false
	var err error
	for _, find := range []func(context.Context, string) (Console, bool, error){s.Store.ConsoleByID, s.Store.ConsoleByEntity} {
		if ok || err != nil {
			break
		}
		if c, ok, err = find(ctx, name); ok && err == nil {
			ok, err = s.seesConsole(ctx, sc, c)
		}
	}
	if err == nil && !ok {
		return Console{}, fault.NotFound("sso.reg.console_unknown", fault.Args{"entity": name})
	}
	return c, err
}

// changeConsole is FindConsole for who may change it. Fault besides: sso.reg.console_foreign.
func (s *Service) changeConsole(ctx context.Context, sc scope.Scope, name string) (Console, error) {
	c, err := s.FindConsole(ctx, sc, name)
	if err != nil {
		return c, err
	}
	if err := mayConsoles(sc, scope.ItemConsoleChange); err != nil {
		return c, err
	}
	if !Changeable(sc, c) {
		return c, fault.Denied("sso.reg.console_foreign", nil)
	}
	return c, nil
}

// DisableConsole lets no customer go to a console any more, and EnableConsole lets them again; doing it again changes
// nothing. Faults: those of FindConsole, sso.reg.console_foreign.
func (s *Service) DisableConsole(ctx context.Context, sc scope.Scope, name, reason string) (Console, error) {
	return s.setConsoleState(ctx, sc, name, sso.StateDisabled, "console.disable", reason)
}

// EnableConsole lets customers go to a console again.
func (s *Service) EnableConsole(ctx context.Context, sc scope.Scope, name string) (Console, error) {
	return s.setConsoleState(ctx, sc, name, sso.StateActive, "console.enable", "")
}

func (s *Service) setConsoleState(ctx context.Context, sc scope.Scope, name string, to sso.State, action, reason string) (Console, error) {
	if !plainText(reason, maxNotify) {
		return Console{}, fault.Invalid("sso.reg.reason", nil)
	}
	var c Console
	err := s.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		if c, err = s.changeConsole(ctx, sc, name); err != nil || c.State == to {
			return err
		}
		c.State, c.UpdatedAt = to, s.Clock.Now()
		if err := s.writeConsole(ctx, &c); err != nil {
			return err
		}
		var detail map[string]any
		if reason != "" {
			detail = map[string]any{"reason": reason}
		}
		return s.recordConsole(ctx, sc, c, action, detail)
	})
	return c, err
}

// writeConsole writes a console over the one of its version, and raises that. Fault: sso.reg.changed.
func (s *Service) writeConsole(ctx context.Context, c *Console) error {
	won, err := s.Store.UpdateConsole(ctx, *c)
	if err == nil && !won {
		err = fault.Conflict("sso.reg.changed", nil)
	}
	c.Version++
	return err
}

// ConsoleSettings are what is said of a console, and not by its metadata.
type ConsoleSettings struct {
	Name          string
	NameIDFormat  sso.NameIDFormat
	Attributes    []sso.Release
	Encrypt       sso.Encrypt
	RequireSigned bool
}

// SetConsole gives a console other settings; its document stays. A console whose metadata asks for signed requests
// must sign them whatever is said. Faults: those of changeConsole, sso.reg.attribute, .no_signing_key,
// .no_encryption_key, sso.md.*.
func (s *Service) SetConsole(ctx context.Context, sc scope.Scope, name string, in ConsoleSettings) (Console, []*fault.Error, error) {
	known, err := s.changeConsole(ctx, sc, name)
	if err != nil {
		return known, nil, err
	}
	d, _, err := s.Store.Document(ctx, known.MetadataID)
	if err != nil {
		return known, nil, err
	}
	_, e, err := s.parseConsole([]byte(d.XML), known.EntityID)
	if err != nil {
		return known, nil, err
	}
	if !slices.Contains(nameFormats, in.NameIDFormat) || !slices.Contains(encryptions, in.Encrypt) {
		return known, nil, fault.Invalid("request.malformed", nil)
	}
	c, warn, err := console(ConsoleInput{PartnerID: known.PartnerID, VendorID: known.VendorID, Name: in.Name, NameIDFormat: in.NameIDFormat, Attributes: in.Attributes,
		Encrypt: in.Encrypt, RequireSigned: in.RequireSigned}, e)
	if err != nil {
		return known, nil, err
	}
	c = known.with(c)
	c.Source, c.MetadataURL, c.MetadataID = known.Source, known.MetadataURL, known.MetadataID
	if sameConsole(known, c) {
		return known, warn, nil
	}
	c.UpdatedAt = s.Clock.Now()
	return c, warn, s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.writeConsole(ctx, &c); err != nil {
			return err
		}
		return s.recordConsole(ctx, sc, c, "console.settings", settingsDetail(c))
	})
}

var (
	nameFormats = []sso.NameIDFormat{sso.NameIDPersistent, sso.NameIDTransient, sso.NameIDEmail}
	encryptions = []sso.Encrypt{sso.EncryptOff, sso.EncryptOptional, sso.EncryptRequired}
)

// settingsDetail says in the log what customers hand over from now on, and how.
func settingsDetail(c Console) map[string]any {
	given := []string{}
	for _, a := range c.Attributes {
		given = append(given, a.Name+"="+a.Field)
	}
	return map[string]any{"name_id": string(c.NameIDFormat), "attributes": given, "encrypt": string(c.Encrypt), "require_signed": c.RequireSigned}
}

// with is another reading of a known console under its old id: the names its customers have there stay.
func (c Console) with(next Console) Console {
	next.ID, next.Version, next.State = c.ID, c.Version, c.State
	next.CreatedBy, next.CreatedAt, next.LastAssertionAt, next.WeakKeyUntil = c.CreatedBy, c.CreatedAt, c.LastAssertionAt, c.WeakKeyUntil
	return next
}

// ReplaceConsole gives a console another document of the same entity: a text, or what an address gives from now on.
// Faults: those of changeConsole, sso.reg.no_metadata, sso.md.*.
func (s *Service) ReplaceConsole(ctx context.Context, sc scope.Scope, name string, text []byte, address string) (Console, error) {
	known, err := s.changeConsole(ctx, sc, name)
	if err != nil {
		return known, err
	}
	if len(text) == 0 && address == "" {
		return known, fault.Invalid("sso.reg.no_metadata", nil)
	}
	body, etag, doc, e, err := s.loadConsole(ctx, text, address, known.EntityID)
	if err != nil {
		return known, err
	}
	if e.ID != known.EntityID {
		return known, fault.Conflict("sso.md.entity_changed", nil)
	}
	in := ConsoleInput{URL: address, PartnerID: known.PartnerID}.over(known)
	c, row, _, err := s.readConsole(sc, in, body, etag, doc, e)
	if err != nil {
		return known, err
	}
	state := known.State
	if c, err = s.renew(ctx, sc, known, c, row, true); err != nil || c.MetadataID == known.MetadataID {
		return c, err
	}
	c.State = state
	return c, s.putConsole(ctx, sc, c, row, "console.metadata")
}
