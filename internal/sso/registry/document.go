package registry

import (
	"context"
	"crypto/sha256"
	"time"

	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
)

// keep writes a document as a row.
func (s *Service) keep(ctx context.Context, by string, p Platform, l *loaded, state, code string, diff metadata.Diff) (DocumentRow, error) {
	now := s.Clock.Now()
	sum := sha256.Sum256(l.body)
	d := DocumentRow{ID: id.New(), OwnerKind: metadata.RoleIdP, OwnerID: p.ID, SHA256: sum[:], XML: string(l.body), Signer: l.doc.Signer, ValidUntil: l.entity.ValidUntil,
		Cache: l.doc.Cache, ETag: l.etag, FetchedAt: now, State: state, Code: code, Diff: diff}
	if state != DocumentPending {
		d.DecidedBy, d.DecidedAt = by, now
	}
	return d, s.Store.InsertDocument(ctx, d)
}

// apply keeps a document and puts it in force.
func (s *Service) apply(ctx context.Context, sc scope.Scope, p *Platform, l *loaded, diff metadata.Diff) error {
	d, err := s.keep(ctx, sc.Login(), *p, l, DocumentApplied, "", diff)
	if err != nil {
		return err
	}
	return s.inForceFrom(ctx, sc, p, l, d.ID)
}

// inForceFrom puts a kept document in force: its certificates are current, others are removed.
func (s *Service) inForceFrom(ctx context.Context, sc scope.Scope, p *Platform, l *loaded, documentID string) error {
	s.take(p, l)
	p.MetadataID = documentID
	if err := s.save(ctx, p); err != nil {
		return err
	}
	now := s.Clock.Now()
	known, err := s.Store.Certs(ctx, p.ID)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, c := range l.entity.Uses(sso.CertStateCurrent) {
		there[string(c.Use)+c.Fingerprint] = true
		if err := s.Store.PutCert(ctx, CertRow{ID: id.New(), IdPID: p.ID, MetadataID: documentID, Certificate: c}, now); err != nil {
			return err
		}
	}
	for _, c := range known {
		if !there[string(c.Use)+c.Fingerprint] && c.State != sso.CertStateRemoved {
			if err := s.Store.SetCertState(ctx, c.ID, sso.CertStateRemoved); err != nil {
				return err
			}
		}
	}
	if p.Source == SourceURL {
		f := FetchRow{OwnerID: p.ID, NextAt: metadata.Next(now, l.doc.Cache, jitter()), LastOKAt: now}
		if err := s.Store.PutFetch(ctx, f); err != nil {
			return err
		}
	} else if err := s.Store.DropFetch(ctx, p.ID); err != nil {
		return err
	}
	return s.record(ctx, sc, *p, "platform.metadata", map[string]any{"document": documentID, "entity": p.IdPEntityID, "certificates": len(there)})
}

// known is what is in force of a registration, to judge a newer document by.
func (s *Service) known(ctx context.Context, p Platform) (metadata.Known, error) {
	certs, err := s.Store.Certs(ctx, p.ID)
	k := metadata.Known{EntityID: p.IdPEntityID, SSO: p.SSOURL, SLO: p.SLOURL, Answer: p.SLOResponseURL, Pinned: len(p.PinnedSigner) > 0}
	for _, c := range certs {
		if c.State == sso.CertStateCurrent && c.Use != sso.CertUseEncryption {
			k.Signing = append(k.Signing, c.Fingerprint)
		}
	}
	return k, err
}

// Taken is what became of a newer document.
type Taken struct {
	Platform Platform
	Verdict  metadata.Verdict
	Document string // id, where it was kept
	Certs    []metadata.Cert
	Warnings []*fault.Error
}

// Replace gives a registration another document: a text, or what an address gives from now on. Before it is
// active whatever is sound goes; after, the rules of a refresh hold. Faults: sso.reg.unknown, sso.md.*.
func (s *Service) Replace(ctx context.Context, sc scope.Scope, name string, body []byte, address, entity string) (Taken, error) {
	p, err := s.change(ctx, sc, name)
	if err != nil {
		return Taken{}, err
	}
	l, err := s.load(ctx, body, address, entity, p.PinnedSigner)
	if err != nil {
		return Taken{}, err
	}
	if l == nil {
		return Taken{}, fault.Invalid("sso.reg.no_metadata", nil)
	}
	free := p.State == sso.StateDraft || p.State == sso.StateTested
	return s.update(ctx, sc, name, l, free)
}

// update judges a document and does what the verdict says. free: nothing is in force yet.
func (s *Service) update(ctx context.Context, sc scope.Scope, name string, l *loaded, free bool) (Taken, error) {
	var out Taken
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		out = Taken{Certs: l.entity.Certs}
		p, err := s.Find(ctx, sc, name)
		if err != nil {
			return err
		}
		known, err := s.known(ctx, p)
		if err != nil {
			return err
		}
		out.Verdict = metadata.Judge(known, l.entity, l.doc.Signer != "")
		if free && (out.Verdict.Effect == metadata.EffectPending || out.Verdict.Code == metadata.CodeEntityChanged) || free && p.MetadataID == "" {
			out.Verdict.Effect, out.Verdict.Code = metadata.EffectApply, ""
		}
		out.Platform, out.Warnings = p, warnings(l, p)
		return s.follow(ctx, sc, &out, l)
	})
	return out, err
}

// follow does what the verdict says.
func (s *Service) follow(ctx context.Context, sc scope.Scope, out *Taken, l *loaded) error {
	p, v := &out.Platform, out.Verdict
	switch v.Effect {
	case metadata.EffectNothing:
		return s.confirmFresh(ctx, *p, l)
	case metadata.EffectApply:
		next := *p
		next.IdPEntityID = l.entity.ID
		if err := s.mayTake(ctx, next); err != nil {
			return err
		}
		if err := s.apply(ctx, sc, p, l, v.Diff); err != nil {
			return err
		}
		out.Document = p.MetadataID
		if p.State == sso.StateTested {
			return s.fire(ctx, scope.System(sc.Login()), p, ActionRevise, "")
		}
		if !v.Tell || p.State != sso.StateActive {
			return nil
		}
	default:
		state := DocumentPending
		if v.Effect == metadata.EffectRefuse {
			state = DocumentRefused
		}
		if last, err := s.Store.Documents(ctx, p.ID, 1); err != nil {
			return err
		} else if sum := sha256.Sum256(l.body); len(last) == 1 && last[0].State == state && string(last[0].SHA256) == string(sum[:]) {
			out.Document = last[0].ID // seen before: told before
			return nil
		}
		d, err := s.keep(ctx, sc.Login(), *p, l, state, v.Code, v.Diff)
		if err != nil {
			return err
		}
		out.Document = d.ID
		if err := s.record(ctx, sc, *p, "platform.metadata_"+state, map[string]any{"document": d.ID, "code": v.Code}); err != nil {
			return err
		}
	}
	return s.Told(ctx, News{Platform: *p, Code: "sso_metadata_" + string(v.Effect), Once: out.Document,
		Args: fault.Args{"Name": p.Name, "Added": len(v.Diff.Added), "Removed": len(v.Diff.Removed)}})
}

// confirmFresh notes that a document still says the same, with its new end.
func (s *Service) confirmFresh(ctx context.Context, p Platform, l *loaded) error {
	d, ok, err := s.Store.Document(ctx, p.MetadataID)
	if err != nil || !ok {
		return err
	}
	sum := sha256.Sum256(l.body)
	same := string(d.SHA256) == string(sum[:])
	if same && p.Source == l.source && p.MetadataURL == l.url {
		return nil
	}
	if !same {
		kept, err := s.keep(ctx, "system", p, l, DocumentApplied, "", metadata.Diff{})
		if err != nil {
			return err
		}
		p.MetadataID = kept.ID
	}
	p.Source, p.MetadataURL = l.source, l.url
	return s.save(ctx, &p)
}

// Confirm puts a document in force that waits for it. Faults: sso.reg.unknown, sso.md.not_pending, sso.md.*.
func (s *Service) Confirm(ctx context.Context, sc scope.Scope, name, documentID string) (Platform, error) {
	p, err := s.change(ctx, sc, name)
	if err != nil {
		return p, err
	}
	d, ok, err := s.Store.Document(ctx, documentID)
	if err != nil {
		return p, err
	}
	if !ok || d.OwnerID != p.ID || d.State != DocumentPending {
		return p, fault.Conflict("sso.md.not_pending", fault.Args{"document": documentID})
	}
	l := &loaded{body: []byte(d.XML), etag: d.ETag, source: p.Source, url: p.MetadataURL}
	if err := s.parse(l, p.IdPEntityID, p.PinnedSigner); err != nil {
		return p, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if p, err = s.Find(ctx, sc, name); err != nil {
			return err
		}
		won, err := s.Store.DecideDocument(ctx, d.ID, DocumentApplied, sc.Login(), s.Clock.Now())
		if err == nil && !won {
			err = fault.Conflict("sso.md.not_pending", fault.Args{"document": documentID})
		}
		if err != nil {
			return err
		}
		return s.inForceFrom(ctx, sc, &p, l, d.ID)
	})
	return p, err
}

// usable tells whether something of theirs can verify: a signing certificate in force, strong, or weak under a
// waiver.
func usable(certs []sso.Certificate, p Platform, now time.Time) bool {
	for _, c := range certs {
		if c.State != sso.CertStateCurrent || c.Use == sso.CertUseEncryption {
			continue
		}
		g, err := metadata.Read(c.DER, c.Use, now)
		if err != nil {
			continue
		}
		if g.Grade == metadata.GradeGood || g.Grade == metadata.GradeWeak && p.WeakKeyUntil.After(now) {
			return true
		}
	}
	return false
}
