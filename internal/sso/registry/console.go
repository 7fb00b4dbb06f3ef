package registry

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
)

// Console is a service provider as it is registered, with what only its list says.
type Console struct {
	sso.Console
	Version         int64
	Source          Source
	MetadataURL     string
	MetadataID      string
	LastAssertionAt time.Time
	CreatedBy       string
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// HostRow is the identity provider entity of a partner whose platform the portal hosts.
type HostRow struct {
	ID, PartnerID, Key, EntityID string
	State                        sso.State
	CreatedAt                    time.Time
}

// ConsoleInput is a console to register. PartnerID empty: every partner's.
type ConsoleInput struct {
	Metadata      []byte
	URL           string
	PartnerID     string
	VendorID      string // who looks after it; a vendor's staff register for themselves
	Name          string
	NameIDFormat  sso.NameIDFormat
	Attributes    []sso.Release
	Encrypt       sso.Encrypt
	RequireSigned bool
	DryRun        bool
}

// ReleaseFields are the fields of ours a console can be given.
var ReleaseFields = []string{"xAccountId", "xUserId", "xAccountType", "bpId", "name", "mobile", "email", "customer", "domainId", "personName"}

// AddConsole registers a console; its entity id is the only one of its kind. Of one that is known, what is said
// changes, a newer document is put in force, and what is not said stays. Faults: sso.base_url, sso.md.*,
// sso.reg.operator_only, .console_taken, .console_foreign, .attribute, organisation.unknown, scope.permission_missing.
func (s *Service) AddConsole(ctx context.Context, sc scope.Scope, in ConsoleInput) (Console, []*fault.Error, error) {
	if err := mayConsoles(sc, scope.ItemConsoleChange); err != nil {
		return Console{}, nil, err
	}
	if err := s.Usable(); err != nil {
		return Console{}, nil, err
	}
	body, etag, doc, e, err := s.loadConsole(ctx, in.Metadata, in.URL, "")
	if err != nil {
		return Console{}, nil, err
	}
	if in.VendorID, err = s.lookedAfter(ctx, sc, in); err != nil {
		return Console{}, nil, err
	}
	known, ok, err := s.Store.ConsoleByEntity(ctx, e.ID)
	if err != nil {
		return Console{}, nil, err
	}
	if ok {
		if err := s.again(ctx, sc, known); err != nil {
			return Console{}, nil, err
		}
		in = in.over(known)
	}
	c, row, warn, err := s.readConsole(sc, in, body, etag, doc, e)
	switch {
	case err != nil:
		return c, nil, err
	case ok:
		c, err = s.renew(ctx, sc, known, c, row, in.DryRun)
		return c, warn, err
	case in.DryRun:
		return c, warn, nil
	}
	return c, warn, s.newConsole(ctx, sc, c, row)
}

// loadConsole reads a text, or what an address gives; entity names the one that is meant in a group.
func (s *Service) loadConsole(ctx context.Context, text []byte, address, entity string) (body []byte, etag string, doc metadata.Document, e metadata.Entity, err error) {
	if body = text; address != "" {
		if body, etag, err = s.Fetch.Fetch(ctx, address, ""); err != nil {
			return nil, "", doc, e, err
		}
	}
	doc, e, err = s.parseConsole(body, entity)
	return body, etag, doc, e, err
}

// over is the wish for a console that is known: what it does not say is as it was.
func (in ConsoleInput) over(known Console) ConsoleInput {
	if in.Name == "" {
		in.Name = known.Name
	}
	if in.NameIDFormat == "" {
		in.NameIDFormat = known.NameIDFormat
	}
	if in.Attributes == nil {
		in.Attributes = known.Attributes
	}
	if in.Encrypt == "" {
		in.Encrypt = known.Encrypt
	}
	if in.VendorID == "" {
		in.VendorID = known.VendorID
	}
	in.RequireSigned = in.RequireSigned || known.RequireSigned
	return in
}

// parseConsole reads a document; entity names the one that is meant in a group.
func (s *Service) parseConsole(body []byte, entity string) (metadata.Document, metadata.Entity, error) {
	return metadata.Parse(body, metadata.Options{Role: metadata.RoleSP, Now: s.Clock.Now(), LocalHTTP: s.localHTTP(), Entity: entity})
}

// readConsole is a console, and the row of its document.
func (s *Service) readConsole(sc scope.Scope, in ConsoleInput, body []byte, etag string, doc metadata.Document, e metadata.Entity) (Console, DocumentRow, []*fault.Error, error) {
	now := s.Clock.Now()
	c, warn, err := console(in, e)
	if err != nil {
		return c, DocumentRow{}, nil, err
	}
	c.ID, c.Version, c.Source, c.MetadataURL, c.MetadataID = id.New(), 1, SourceFile, in.URL, id.New()
	if in.URL != "" {
		c.Source = SourceURL
	}
	c.CreatedBy, c.CreatedAt, c.UpdatedAt = sc.Login(), now, now
	sum := sha256.Sum256(body)
	return c, DocumentRow{ID: c.MetadataID, OwnerKind: metadata.RoleSP, OwnerID: c.ID, SHA256: sum[:], XML: string(body), ValidUntil: e.ValidUntil, Cache: doc.Cache,
		ETag: etag, FetchedAt: now, State: DocumentApplied, DecidedBy: sc.Login(), DecidedAt: now}, warn, nil
}

// console is a console from its document and the wish.
func console(in ConsoleInput, e metadata.Entity) (Console, []*fault.Error, error) {
	c := Console{Console: sso.Console{PartnerID: in.PartnerID, VendorID: in.VendorID, EntityID: e.ID, Name: strings.TrimSpace(in.Name), State: sso.StateActive, SLO: e.SLO.URL,
		SLOResponse: e.SLO.Response, SLOBinding: e.SLO.Binding, RequireSigned: in.RequireSigned || e.WantSigned, NameIDFormat: in.NameIDFormat,
		Attributes: in.Attributes, Encrypt: in.Encrypt, ValidUntil: e.ValidUntil, Certs: e.Uses(sso.CertStateCurrent), Ciphers: e.Ciphers}}
	for _, a := range e.ACS {
		c.ACS = append(c.ACS, sso.Endpoint{Index: a.Index, URL: a.URL, Binding: a.Binding, Default: a.Default})
	}
	if c.Name == "" {
		c.Name = e.ID
	}
	if c.NameIDFormat == "" {
		c.NameIDFormat = sso.NameIDPersistent
	}
	if c.Encrypt == "" {
		c.Encrypt = sso.EncryptOptional
	}
	for _, a := range c.Attributes {
		if a.Name == "" || !plainText(a.Name, maxAttr) || !slices.Contains(ReleaseFields, a.Field) {
			return c, nil, fault.Invalid("sso.reg.attribute", fault.Args{"name": a.Name, "field": a.Field})
		}
	}
	var warn []*fault.Error
	encrypts := slices.ContainsFunc(e.Certs, func(x metadata.Cert) bool {
		return x.Use != sso.CertUseSigning && x.Grade == metadata.GradeGood && x.Algorithm == "RSA"
	})
	if c.Encrypt == sso.EncryptRequired && !encrypts {
		return c, nil, fault.Invalid("sso.reg.no_encryption_key", fault.Args{"entity": c.EntityID})
	}
	if c.RequireSigned && !slices.ContainsFunc(e.Certs, func(x metadata.Cert) bool { return x.Signs() && x.Grade == metadata.GradeGood }) {
		return c, nil, fault.Invalid("sso.reg.no_signing_key", fault.Args{"entity": c.EntityID})
	}
	if c.Encrypt == sso.EncryptOptional && !encrypts {
		warn = append(warn, fault.Conflict("sso.reg.not_encrypted", nil))
	}
	return c, warn, nil
}

// recordConsole writes one line for who looks after a console, and one for the partner whose customers go there.
func (s *Service) recordConsole(ctx context.Context, sc scope.Scope, c Console, action string, detail map[string]any) error {
	orgs := []string{c.VendorID, c.PartnerID}
	if c.VendorID == "" || c.PartnerID == "" {
		orgs = []string{c.VendorID + c.PartnerID}
	}
	for _, orgID := range orgs {
		if err := s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: orgID, Action: action, Object: "console:" + c.EntityID, Detail: detail}); err != nil {
			return err
		}
	}
	return nil
}

// ConsoleByEntity is the console of an entity, for a request that names it.
func (s *Service) ConsoleByEntity(ctx context.Context, entityID string) (sso.Console, bool, error) {
	c, ok, err := s.Store.ConsoleByEntity(ctx, entityID)
	return c.Console, ok, err
}

// ConsoleByID is a console by id, for one that a host is already known to serve.
func (s *Service) ConsoleByID(ctx context.Context, consoleID string) (sso.Console, bool, error) {
	c, ok, err := s.Store.ConsoleByID(ctx, consoleID)
	return c.Console, ok, err
}

// ConsolesOf are the consoles that customers of a hosted platform can go to now, by name.
func (s *Service) ConsolesOf(ctx context.Context, h sso.Host) ([]sso.Console, error) {
	all, err := s.Store.Consoles(ctx)
	var out []sso.Console
	for _, c := range all {
		if h.Serves(c.Console, s.Clock.Now()) == nil && len(c.Endpoints()) > 0 {
			out = append(out, c.Console)
		}
	}
	sorted.By(out, func(a, b sso.Console) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// Host gives the identity provider entity of a partner, made when it is asked for the first time; none for no
// partner.
func (s *Service) Host(ctx context.Context, sc scope.Scope, partnerID string) (HostRow, error) {
	if partnerID == "" {
		return HostRow{}, nil
	}
	h, ok, err := s.Store.HostOf(ctx, partnerID)
	if err != nil || ok {
		return h, err
	}
	h = HostRow{ID: id.New(), PartnerID: partnerID, Key: sso.NewToken(), State: sso.StateActive, CreatedAt: s.Clock.Now()}
	h.EntityID = s.address("idp", h.Key, "metadata")
	k, err := s.makeKey(metadata.RoleIdP, h.Key, sso.KeyUseSign, sso.KeyStateCurrent)
	if err != nil {
		return h, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		known, ok, err := s.Store.HostOf(ctx, partnerID)
		if err != nil || ok {
			h = known
			return err
		}
		if err := s.Store.InsertHost(ctx, h); err != nil {
			return err
		}
		if err := s.Store.InsertKey(ctx, k); err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: partnerID, Action: "host.add", Object: "host:" + h.Key})
	})
	return h, err
}

// HostEntity is what a request to a hosted platform is answered as; false when there is none under the key.
func (s *Service) HostEntity(ctx context.Context, key string) (sso.Host, bool, error) {
	h, ok, err := s.Store.HostByKey(ctx, key)
	return s.host(ctx, h, ok, err)
}

// HostEntityOf is the same for the partner whose platform it is.
func (s *Service) HostEntityOf(ctx context.Context, partnerID string) (sso.Host, bool, error) {
	h, ok, err := s.Store.HostOf(ctx, partnerID)
	return s.host(ctx, h, ok, err)
}

// Hosted is a partner's hosted platform as the partner sees it: every console its customers may go to, those that are
// disabled too, and the newest messages that were refused.
type Hosted struct {
	Host     sso.Host
	Keys     []KeyStatus // ours, of its entity
	Consoles []ConsoleStatus
	Refusals []Refusal
}

// HostedOf gives it; false for a partner without, and for whoever may not see it.
func (s *Service) HostedOf(ctx context.Context, sc scope.Scope, partnerID string, refusals int) (Hosted, bool, error) {
	if !see(sc, partnerID, scope.ItemAccessConfigView, scope.ItemAccessConfigChange) {
		return Hosted{}, false, nil
	}
	h, ok, err := s.HostEntityOf(ctx, partnerID)
	if err != nil || !ok {
		return Hosted{}, false, err
	}
	all, err := s.Store.Consoles(ctx)
	if err != nil {
		return Hosted{}, false, err
	}
	out := Hosted{Host: h}
	var served []Console
	for _, c := range all {
		if c.PartnerID == partnerID || c.PartnerID == "" && (c.VendorID == "" || slices.Contains(h.Vendors, c.VendorID)) {
			served = append(served, c)
		}
	}
	if out.Keys, err = s.keyStatus(ctx, h.Key); err != nil {
		return out, false, err
	}
	if out.Consoles, err = s.statuses(ctx, served); err != nil {
		return out, false, err
	}
	out.Refusals, err = s.Store.Refusals(ctx, h.ID, refusals)
	return out, err == nil, err
}

// HostEntityByID is the same by id.
func (s *Service) HostEntityByID(ctx context.Context, hostID string) (sso.Host, bool, error) {
	all, err := s.Store.Hosts(ctx)
	i := slices.IndexFunc(all, func(h HostRow) bool { return h.ID == hostID })
	if err != nil || i < 0 {
		return sso.Host{}, false, err
	}
	return s.host(ctx, all[i], true, nil)
}

func (s *Service) host(ctx context.Context, h HostRow, ok bool, err error) (sso.Host, bool, error) {
	if err != nil || !ok || h.State != sso.StateActive {
		return sso.Host{}, false, err
	}
	suspended, err := s.Orgs.Suspended(ctx, h.PartnerID)
	if err != nil {
		return sso.Host{}, false, err
	}
	vendors, err := s.vendorsOf(ctx, h.PartnerID)
	if err != nil {
		return sso.Host{}, false, err
	}
	keys, err := s.keys(ctx, h.Key)
	return sso.Host{ID: h.ID, PartnerID: h.PartnerID, PartnerActive: !suspended, Vendors: vendors, Key: h.Key, EntityID: h.EntityID, SSO: s.address("idp", h.Key, "sso"),
		SLO: s.address("idp", h.Key, "slo"), Keys: keys}, err == nil, err
}
