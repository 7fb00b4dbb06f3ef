package registry

import (
	"context"
	"slices"
	"time"

	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
)

// Metadata is the document of our entity for a registration, by its key or the platform's mark. Fault:
// sso.reg.unknown.
func (s *Service) Metadata(ctx context.Context, keyOrType string, signed bool) ([]byte, error) {
	p, ok, err := s.Store.Platform(ctx, keyOrType)
	if err == nil && (!ok || p.ID == keyOrType) {
		p, ok, err = s.Store.PlatformByType(ctx, keyOrType)
	}
	if err != nil {
		return nil, err
	}
	if !ok || p.State == sso.StateDeleted {
		return nil, unknown
	}
	o, err := s.ours(ctx, p)
	if err != nil {
		return nil, err
	}
	return metadata.Build(o, s.Clock.Now(), signed)
}

// HostMetadata is the document of a hosted platform's identity provider. Fault: sso.reg.unknown.
func (s *Service) HostMetadata(ctx context.Context, key string, signed bool) ([]byte, error) {
	h, ok, err := s.HostEntity(ctx, key)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, unknown
	}
	return metadata.Build(oursOfHost(h), s.Clock.Now(), signed)
}

func oursOfHost(h sso.Host) metadata.Ours {
	return metadata.Ours{Role: metadata.RoleIdP, EntityID: h.EntityID, Addresses: []string{h.SSO}, SLO: h.SLO, Keys: h.Keys}
}

// ours is our entity for a registration, at the present address of the portal first.
func (s *Service) ours(ctx context.Context, p Platform) (metadata.Ours, error) {
	keys, err := s.keys(ctx, p.Key)
	o := metadata.Ours{Role: metadata.RoleSP, EntityID: p.EntityID, Addresses: []string{s.ACS(p.Key)}, SLO: s.SLO(p.Key), Keys: keys, SignRequests: p.SignRequests}
	for _, u := range p.ACSURLs {
		if !slices.Contains(o.Addresses, u) {
			o.Addresses = append(o.Addresses, u)
		}
	}
	return o, err
}

// AllMetadata is the document of a partner's entities in a role, or of everybody's; several stand in one signed
// group. As identity provider a partner gets its entity when it is asked for the first time. Faults:
// sso.reg.operator_only, .none.
func (s *Service) AllMetadata(ctx context.Context, sc scope.Scope, partnerID string, role metadata.Role, signed bool) ([]byte, error) {
	if sc.Side() != scope.SideSystem {
		return nil, fault.Denied("sso.reg.operator_only", nil)
	}
	var all []metadata.Ours
	var err error
	if role == metadata.RoleIdP {
		all, err = s.oursAsHost(ctx, sc, partnerID)
	} else {
		all, err = s.oursAsSP(ctx, sc, partnerID)
	}
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	if len(all) == 0 {
		return nil, fault.NotFound("sso.reg.none", nil)
	}
	if len(all) == 1 && partnerID != "" {
		return metadata.Build(all[0], now, signed)
	}
	for _, k := range all[0].Keys {
		if k.Use == sso.KeyUseSign && k.State == sso.KeyStateCurrent {
			return metadata.BuildGroup(s.Base+"/saml/"+string(role), all, k, now, signed)
		}
	}
	return nil, fault.Unavailable("sso.key_missing", fault.Args{"entity": all[0].EntityID})
}

func (s *Service) oursAsSP(ctx context.Context, sc scope.Scope, partnerID string) ([]metadata.Ours, error) {
	list, err := s.List(ctx, sc, partnerID)
	var out []metadata.Ours
	for _, p := range list {
		o, err := s.ours(ctx, p)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, err
}

func (s *Service) oursAsHost(ctx context.Context, sc scope.Scope, partnerID string) ([]metadata.Ours, error) {
	if _, err := s.Host(ctx, sc, partnerID); err != nil {
		return nil, err
	}
	hosts, err := s.Store.Hosts(ctx)
	var out []metadata.Ours
	for _, h := range hosts {
		if partnerID != "" && h.PartnerID != partnerID {
			continue
		}
		e, ok, err := s.HostEntity(ctx, h.Key)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, oursOfHost(e))
		}
	}
	return out, err
}

// Certs lists their certificates, with what each is good for.
func (s *Service) Certs(ctx context.Context, p Platform) ([]CertRow, error) {
	return s.Store.Certs(ctx, p.ID)
}

// Documents are the newest documents of a registration, whether they were taken or not, without their text. Fault:
// sso.reg.unknown.
func (s *Service) Documents(ctx context.Context, sc scope.Scope, name string, limit int) ([]DocumentRow, error) {
	p, err := s.Find(ctx, sc, name)
	if err != nil {
		return nil, err
	}
	return s.Store.Documents(ctx, p.ID, limit)
}

// ReturnsOf are the addresses a registration may return to, and those that wait for staff. Fault: sso.reg.unknown.
func (s *Service) ReturnsOf(ctx context.Context, sc scope.Scope, name string) ([]sso.Return, error) {
	p, err := s.Find(ctx, sc, name)
	if err != nil {
		return nil, err
	}
	return s.Store.Returns(ctx, p.ID)
}

// Refusals are the newest refused messages of a registration. Fault: sso.reg.unknown.
func (s *Service) Refusals(ctx context.Context, sc scope.Scope, name string, limit int) ([]Refusal, error) {
	p, err := s.Find(ctx, sc, name)
	if err != nil {
		return nil, err
	}
	return s.Store.Refusals(ctx, p.ID, limit)
}

// SignIns are the newest accepted messages of a registration. Fault: sso.reg.unknown.
func (s *Service) SignIns(ctx context.Context, sc scope.Scope, name string, limit int) ([]SignIn, error) {
	p, err := s.Find(ctx, sc, name)
	if err != nil {
		return nil, err
	}
	return s.Store.SignIns(ctx, p.ID, limit)
}

// Refusal finds a refusal by its reference; that of another partner's registration, and one of no registration, is
// unknown to a partner. Fault: sso.refusal_unknown.
func (s *Service) Refusal(ctx context.Context, sc scope.Scope, ref string) (Refusal, error) {
	r, ok, err := s.Store.RefusalByRef(ctx, ref)
	if err != nil {
		return r, err
	}
	if !ok || sc.Side() != scope.SideSystem && (r.PartnerID == "" || !see(sc, r.PartnerID, scope.ItemAccessConfigView, scope.ItemAccessConfigChange)) {
		return Refusal{}, fault.NotFound("sso.refusal_unknown", nil)
	}
	return r, nil
}

// Use is what a list says of a registration.
type Use struct {
	Seen
	CertDaysLeft *int // of the certificate that lasts longest; nil without any
	CertEnds     time.Time
}

// Use tells how a registration is used and how long its certificates last.
func (s *Service) Use(ctx context.Context, p Platform) (Use, error) {
	now := s.Clock.Now()
	seen, err := s.Store.SeenOf(ctx, p.ID, now.Add(-24*time.Hour))
	if err != nil {
		return Use{}, err
	}
	u := Use{Seen: seen}
	certs, err := s.Store.Certs(ctx, p.ID)
	for _, c := range certs {
		if c.State == sso.CertStateCurrent && c.Use != sso.CertUseEncryption {
			left := int(c.NotAfter.Sub(now).Hours() / 24)
			if u.CertDaysLeft == nil || left > *u.CertDaysLeft {
				u.CertDaysLeft, u.CertEnds = &left, c.NotAfter
			}
		}
	}
	return u, err
}

// Examine runs every check on a saved answer to a registration, as it would have been judged at the instant; the
// zero one is now. Fault: sso.reg.unknown.
func (s *Service) Examine(ctx context.Context, sc scope.Scope, name string, post sso.Post, at time.Time) (sso.Examined, error) {
	p, err := s.Find(ctx, sc, name)
	if err != nil {
		return sso.Examined{}, err
	}
	reg, err := s.registration(ctx, p)
	if err != nil {
		return sso.Examined{}, err
	}
	if at.IsZero() {
		at = s.Clock.Now()
	}
	return sso.Examine(ctx, reg, post, s.Store, at)
}
