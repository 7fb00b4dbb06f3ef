package registry

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
)

// Limits of what is typed in.
const (
	maxName     = 100
	maxAttr     = 256
	maxNotify   = 1000
	maxReturns  = 50
	maxPlatform = 20 // registrations of one partner
	maxWaiver   = 180 * 24 * time.Hour
)

// The types of association (代售, 顾问销售), in the words of package customer.
const (
	AssociationResale   = "resale"
	AssociationReferral = "referral"
)

var accountType = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{1,63}$`)

// AddInput is a platform to register. Its document is Metadata, or what URL gives; with neither it is a draft
// that waits for one.
type AddInput struct {
	PartnerID         string
	Metadata          []byte
	URL               string
	Entity            string // which entity of a group
	AccountType       string // empty: one is made
	Name              string
	PinSigner         []byte // DER
	Mapping           map[string]string
	FirstEntry        sso.FirstEntry
	Association       string // empty: resale
	AllowIdPInitiated bool
	NotifyURL         string
	Returns           []string
	SharedEntityOK    bool
	WeakKeyUntil      time.Time
	Activate          bool
	DryRun            bool
}

// Added is what became of it.
type Added struct {
	Platform Platform
	Certs    []metadata.Cert
	Warnings []*fault.Error
	New      bool
}

func signSHA256(k *rsa.PrivateKey, data []byte) ([]byte, error) {
	sum := sha256.Sum256(data)
	return rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
}

// loaded is a document that was read and fits.
type loaded struct {
	body   []byte
	etag   string
	doc    metadata.Document
	entity metadata.Entity
	source Source
	url    string
}

// load gets and reads a document; nothing is kept yet.
func (s *Service) load(ctx context.Context, body []byte, address, entity string, pinned []byte) (*loaded, error) {
	l := &loaded{body: body, source: SourceFile}
	if address != "" {
		var err error
		if l.body, l.etag, err = s.Fetch.Fetch(ctx, address, ""); err != nil {
			return nil, err
		}
		l.source, l.url = SourceURL, address
	} else if len(body) == 0 {
		return nil, nil
	}
	return l, s.parse(l, entity, pinned)
}

// parse reads a document of theirs.
func (s *Service) parse(l *loaded, entity string, pinned []byte) (err error) {
	l.doc, l.entity, err = metadata.Parse(l.body, metadata.Options{Role: metadata.RoleIdP, Now: s.Clock.Now(), LocalHTTP: s.localHTTP(), Pinned: pinned, Entity: entity})
	return err
}

// localHTTP: a portal on this machine alone may deal with platforms on it.
func (s *Service) localHTTP() bool { return metadata.LocalBase(s.Base) }

// Usable refuses everything SAML where the portal's address is neither https nor this machine. Fault:
// sso.base_url.
func (s *Service) Usable() error {
	u, err := url.Parse(s.Base)
	if err == nil && (u.Scheme == "https" || s.localHTTP()) {
		return nil
	}
	return fault.Unavailable("sso.base_url", fault.Args{"base": s.Base})
}

// Add registers a platform. Saying again what is registered gives the one there is. Faults: sso.base_url,
// sso.md.*, sso.reg.*.
func (s *Service) Add(ctx context.Context, sc scope.Scope, in AddInput) (Added, error) {
	if err := s.Usable(); err != nil {
		return Added{}, err
	}
	if !see(sc, in.PartnerID, scope.ItemAccessConfigChange) {
		return Added{}, sc.Require(scope.ItemAccessConfigChange)
	}
	if in.WeakKeyUntil.After(s.Clock.Now().Add(maxWaiver)) {
		return Added{}, fault.Invalid("sso.reg.waiver_long", fault.Args{"days": 180})
	}
	l, err := s.load(ctx, in.Metadata, in.URL, in.Entity, in.PinSigner)
	if err != nil {
		return Added{}, err
	}
	p, returns, err := s.draft(sc, in)
	if err != nil {
		return Added{}, err
	}
	out := Added{New: true}
	if l != nil {
		s.take(&p, l)
		out.Certs, out.Warnings = l.entity.Certs, warnings(l, p)
	}
	if known, ok, err := s.same(ctx, in, p); err != nil || ok {
		out.Platform, out.New = known, false
		return out, err
	}
	if err := s.mayTake(ctx, p); err != nil {
		return out, err
	}
	out.Platform = p
	if in.DryRun {
		if in.Activate {
			facts := Facts{HasMetadata: l != nil, UsableKey: l != nil && usable(l.entity.Uses(sso.CertStateCurrent), p, s.Clock.Now()), EntityFree: true}
			_, err = Flow.Decide(p.State, ActionActivateUntested, facts, sc, s.Clock.Now())
		}
		return out, err
	}
	out.Platform, err = s.insert(ctx, sc, p, l, returns, in.Activate)
	return out, err
}

// same finds what a repeated wish has made already.
func (s *Service) same(ctx context.Context, in AddInput, p Platform) (Platform, bool, error) {
	if in.AccountType == "" {
		return Platform{}, false, nil
	}
	known, ok, err := s.Store.PlatformByType(ctx, in.AccountType)
	if err != nil || !ok {
		return Platform{}, false, err
	}
	if known.PartnerID == in.PartnerID && known.IdPEntityID == p.IdPEntityID && known.State != sso.StateDeleted {
		return known, true, nil
	}
	return Platform{}, false, fault.Conflict("sso.reg.type_taken", fault.Args{"type": in.AccountType})
}

// mayTake refuses an entity id that another partner's platform is active under. It does not say whose.
func (s *Service) mayTake(ctx context.Context, p Platform) error {
	if p.IdPEntityID == "" || p.SharedEntityOK {
		return nil
	}
	holders, err := s.Store.EntityHolders(ctx, p.IdPEntityID)
	if err != nil {
		return err
	}
	for _, h := range holders {
		if h.PartnerID != p.PartnerID {
			return fault.Conflict("sso.md.entity_taken", fault.Args{"entity": p.IdPEntityID})
		}
	}
	return nil
}

// draft is the registration as wished, with what is ours made for it.
func (s *Service) draft(sc scope.Scope, in AddInput) (Platform, []sso.Return, error) {
	now := s.Clock.Now()
	p := Platform{ID: id.New(), Version: 1, PartnerID: in.PartnerID, Key: sso.NewToken(), AccountType: in.AccountType, Name: strings.TrimSpace(in.Name), State: sso.StateDraft,
		SignRequests: true, AllowIdPInitiated: in.AllowIdPInitiated, FirstEntry: in.FirstEntry, Association: cmp.Or(in.Association, AssociationResale), MaxAuthnAge: sso.DefaultMaxAuthnAge, Skew: sso.DefaultSkew,
		Mapping: sso.VendorMapping(), NotifyURL: in.NotifyURL, SharedEntityOK: in.SharedEntityOK, WeakKeyUntil: in.WeakKeyUntil, PinnedSigner: in.PinSigner,
		CreatedBy: sc.Login(), CreatedAt: now, UpdatedAt: now}
	p.EntityID, p.ACSURLs = s.address("sp", p.Key, "metadata"), []string{s.ACS(p.Key)}
	if p.AccountType == "" {
		p.AccountType = "HB_" + sso.NewReference()[:6]
	}
	if p.FirstEntry == "" {
		p.FirstEntry = sso.FirstEntryCreate
	}
	if err := setMapping(&p.Mapping, in.Mapping); err != nil {
		return p, nil, err
	}
	var returns []sso.Return
	for _, text := range in.Returns {
		r, err := s.parseReturn(sc, text)
		if err != nil {
			return p, nil, err
		}
		returns = append(returns, r)
	}
	return p, returns, s.checkPlatform(p)
}

// checkPlatform refuses values that could not work.
func (s *Service) checkPlatform(p Platform) error {
	switch {
	case !accountType.MatchString(p.AccountType):
		return fault.Invalid("sso.reg.type_malformed", fault.Args{"type": p.AccountType})
	case !plainText(p.Name, maxName):
		return fault.Invalid("sso.reg.name_malformed", fault.Args{"limit": maxName})
	case p.FirstEntry != sso.FirstEntryCreate && p.FirstEntry != sso.FirstEntryBindOnly && p.FirstEntry != sso.FirstEntryOff:
		return fault.Invalid("sso.reg.first_entry", fault.Args{"value": string(p.FirstEntry)})
	case p.Association != AssociationResale && p.Association != AssociationReferral:
		return fault.Invalid("sso.reg.association", fault.Args{"value": p.Association})
	case p.Skew < 0 || p.Skew > sso.MaxSkew:
		return fault.Invalid("sso.reg.skew", fault.Args{"limit": int(sso.MaxSkew.Seconds())})
	case p.MaxAuthnAge < time.Minute || p.MaxAuthnAge > 30*24*time.Hour:
		return fault.Invalid("sso.reg.authn_age", nil)
	case !plainText(p.AuthnContextMin, maxAttr):
		return fault.Invalid("sso.reg.context", nil)
	case p.NotifyURL != "" && !s.goodAddress(p.NotifyURL):
		return fault.Invalid("sso.reg.notify_url", fault.Args{"value": p.NotifyURL})
	}
	return nil
}

func (s *Service) goodAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxNotify && u.Host != "" && u.User == nil && u.Fragment == "" && plainText(text, maxNotify) && !strings.ContainsAny(text, " \\") &&
		(u.Scheme == "https" || u.Scheme == "http" && s.localHTTP() && metadata.Local(u.Hostname()))
}

func plainText(s string, limit int) bool {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > limit {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
}

// Fields are the fields of ours that an attribute can fill, in the order they are shown.
var Fields = []string{"xAccountId", "xUserId", "xAccountType", "bpId", "name", "mobile", "email"}

// MappingField is the place of a field in a mapping; nil for an unknown one.
func MappingField(m *sso.Mapping, field string) *string {
	switch field {
	case "xAccountId":
		return &m.XAccountID
	case "xUserId":
		return &m.XUserID
	case "xAccountType":
		return &m.AccountType
	case "bpId":
		return &m.BpID
	case "name":
		return &m.Name
	case "mobile":
		return &m.Mobile
	case "email":
		return &m.Email
	}
	return nil
}

func setMapping(m *sso.Mapping, names map[string]string) error {
	for field, name := range names {
		at := MappingField(m, field)
		name = strings.TrimSpace(name)
		if at == nil || !plainText(name, maxAttr) || name == "" && field == "xAccountId" {
			return fault.Invalid("sso.reg.mapping", fault.Args{"field": field, "value": name})
		}
		*at = name
	}
	return nil
}

// parseReturn reads an allowed return address; a partner's own wait for staff.
func (s *Service) parseReturn(sc scope.Scope, text string) (sso.Return, error) {
	r, err := sso.ParseReturn(strings.TrimSpace(text))
	if err != nil || r.Scheme != "https" && !(s.localHTTP() && metadata.Local(r.Host)) {
		return r, fault.Invalid("sso.reg.return_malformed", fault.Args{"value": text})
	}
	r.ID, r.ShortKey, r.State = id.New(), strings.ToLower(sso.NewReference()), sso.ReturnStatePending
	if sc.Side() == scope.SideSystem {
		r.State = sso.ReturnStateApproved
	}
	return r, nil
}

// take fills a registration from a document.
func (s *Service) take(p *Platform, l *loaded) {
	e := l.entity
	p.IdPEntityID, p.SSOURL, p.SSOBinding = e.ID, e.SSO.URL, e.SSO.Binding
	p.SLOURL, p.SLOResponseURL, p.SLOBinding = e.SLO.URL, e.SLO.Response, e.SLO.Binding
	p.Source, p.MetadataURL = l.source, l.url
	if e.WantSigned {
		p.SignRequests = true
	}
	if p.Name == "" {
		if u, err := url.Parse(e.ID); err == nil && u.Host != "" {
			p.Name = u.Hostname()
		}
	}
}

// warnings are what works but should be looked after.
func warnings(l *loaded, p Platform) []*fault.Error {
	var out []*fault.Error
	for _, c := range l.entity.Certs {
		if !c.Signs() {
			continue
		}
		args := fault.Args{"algorithm": c.Algorithm, "bits": c.Bits, "fingerprint": c.Fingerprint[:16], "until": c.NotAfter.Format(time.DateOnly)}
		switch c.Grade {
		case metadata.GradeWeak:
			if p.WeakKeyUntil.IsZero() {
				out = append(out, fault.Conflict("sso.md.weak_key", args))
			}
		case metadata.GradeExpired:
			out = append(out, fault.Conflict("sso.md.expired_key", args))
		case metadata.GradeUnfit:
			out = append(out, fault.Conflict("sso.md.unfit_key", args))
		}
	}
	if l.entity.SLO.URL == "" {
		out = append(out, fault.Conflict("sso.md.no_logout", nil))
	}
	return out
}

// insert writes a registration with its keys, document and returns.
func (s *Service) insert(ctx context.Context, sc scope.Scope, p Platform, l *loaded, returns []sso.Return, activate bool) (Platform, error) {
	var keys []KeyRow
	for _, use := range []sso.KeyUse{sso.KeyUseSign, sso.KeyUseDecrypt} {
		k, err := s.makeKey(metadata.RoleSP, p.Key, use, sso.KeyStateCurrent)
		if err != nil {
			return p, err
		}
		keys = append(keys, k)
	}
	made := p
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		p = made
		if all, err := s.Store.Platforms(ctx, p.PartnerID); err != nil {
			return err
		} else if len(all) >= maxPlatform {
			return fault.Conflict("sso.reg.too_many", fault.Args{"limit": maxPlatform})
		}
		if _, taken, err := s.Store.PlatformByType(ctx, p.AccountType); err != nil {
			return err
		} else if taken {
			return fault.Conflict("sso.reg.type_taken", fault.Args{"type": p.AccountType})
		}
		if err := s.Store.InsertPlatform(ctx, p); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, p.ID, p.State, sc, p.CreatedAt, nil); err != nil {
			return err
		}
		for _, k := range keys {
			if err := s.Store.InsertKey(ctx, k); err != nil {
				return err
			}
		}
		for _, r := range returns {
			if err := s.Store.InsertReturn(ctx, p.ID, r, sc.Login(), p.CreatedAt); err != nil {
				return err
			}
		}
		if err := s.record(ctx, sc, p, "platform.add", map[string]any{"type": p.AccountType, "entity": p.IdPEntityID}); err != nil {
			return err
		}
		if l != nil {
			if err := s.apply(ctx, sc, &p, l, metadata.Diff{}); err != nil {
				return err
			}
		}
		if !activate {
			return nil
		}
		return s.fire(ctx, sc, &p, ActionActivateUntested, "")
	})
	return p, err
}
