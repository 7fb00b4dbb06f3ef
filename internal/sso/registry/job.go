package registry

import (
	"context"
	"errors"
	"slices"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
)

const (
	leaseFor   = 2 * time.Minute
	fetchBatch = 20
)

var self = scope.System("system")

// Refresh fetches a registration's document now. Faults: sso.reg.unknown, .no_url, sso.md.*.
func (s *Service) Refresh(ctx context.Context, sc scope.Scope, name string) (Taken, error) {
	p, err := s.change(ctx, sc, name)
	if err != nil {
		return Taken{}, err
	}
	if p.Source != SourceURL {
		return Taken{}, fault.Conflict("sso.reg.no_url", nil)
	}
	l, err := s.reload(ctx, p)
	if err != nil {
		return Taken{}, errors.Join(err, s.failed(ctx, p, fault.From(err).Code))
	}
	out, err := s.update(ctx, sc, name, l, false)
	if err != nil {
		return out, errors.Join(err, s.failed(ctx, p, fault.From(err).Code))
	}
	now := s.Clock.Now()
	return out, s.Tx.InTx(ctx, func(ctx context.Context) error {
		return s.Store.PutFetch(ctx, FetchRow{OwnerID: p.ID, NextAt: metadata.Next(now, l.doc.Cache, jitter()), LastOKAt: now, LastCode: out.Verdict.Code})
	})
}

// reload fetches the document of a registration. One that has not changed is read again all the same: its time may
// be over.
func (s *Service) reload(ctx context.Context, p Platform) (*loaded, error) {
	d, _, err := s.Store.Document(ctx, p.MetadataID)
	if err != nil {
		return nil, err
	}
	l := &loaded{source: SourceURL, url: p.MetadataURL}
	if l.body, l.etag, err = s.Fetch.Fetch(ctx, p.MetadataURL, d.ETag); err != nil {
		return nil, err
	}
	if l.body == nil {
		l.body = []byte(d.XML)
	}
	err = s.parse(l, p.IdPEntityID, p.PinnedSigner)
	if fault.HasCode(err, "sso.md.entity_absent") {
		err = s.parse(l, "", p.PinnedSigner) // it names another entity now: judged, and refused with what it says
	}
	return l, err
}

// failed notes that a document could not be got or read; the first failure in a row is told.
func (s *Service) failed(ctx context.Context, p Platform, code string) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		f, ok, err := s.Store.FetchOf(ctx, p.ID)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		if !ok {
			f.OwnerID = p.ID
		}
		f.Failures, f.LastCode, f.LeaseUntil, f.LeaseBy = f.Failures+1, code, time.Time{}, ""
		f.NextAt = metadata.Retry(now, f.Failures, jitter())
		if f.FailingSince.IsZero() {
			f.FailingSince = now
		}
		if err := s.Store.PutFetch(ctx, f); err != nil || f.Failures > 1 {
			return err
		}
		return s.Told(ctx, News{Platform: p, Code: "sso_metadata_failing", Args: fault.Args{"Name": p.Name}, Once: f.FailingSince.Format(time.RFC3339)})
	})
}

// RefreshDue fetches the documents that are due, those alone whose lease this replica gets, and tells how many.
func (s *Service) RefreshDue(ctx context.Context) (int, error) {
	now := s.Clock.Now()
	due, err := s.Store.DueFetches(ctx, now, fetchBatch)
	if err != nil {
		return 0, err
	}
	by, done := id.New(), 0
	var failed error
	for _, f := range due {
		var mine bool
		err := s.Tx.InTx(ctx, func(ctx context.Context) (err error) {
			mine, err = s.Store.Lease(ctx, f.OwnerID, by, now, now.Add(leaseFor))
			return err
		})
		if err != nil || !mine {
			failed = errors.Join(failed, err)
			continue
		}
		err = s.refreshOwner(ctx, f.OwnerID)
		if fault.Is(err, fault.KindInternal) {
			failed = errors.Join(failed, err)
		}
		done++
	}
	return done, failed
}

// Roll takes the next step of every rollover of ours whose time has come, and tells how many.
func (s *Service) Roll(ctx context.Context) (int, error) {
	now := s.Clock.Now()
	list, err := s.Store.RollingKeys(ctx, now.Add(PublishAt))
	if err != nil {
		return 0, err
	}
	done := 0
	var failed error
	for _, e := range list {
		rows, err := s.Store.Keys(ctx, e.Key)
		if err != nil {
			return done, errors.Join(failed, err)
		}
		due := slices.ContainsFunc([]sso.KeyUse{sso.KeyUseSign, sso.KeyUseDecrypt}, func(use sso.KeyUse) bool {
			of := ofUse(rows, use)
			_, at := NextPhase(of, now)
			return len(of) > 0 && !now.Before(at)
		})
		if !due {
			continue
		}
		partnerID, err := s.ownerOf(ctx, e)
		if err != nil {
			return done, errors.Join(failed, err)
		}
		err = s.rotate(ctx, self, e, partnerID, PhaseNone, false)
		if err != nil && !fault.HasCode(err, "sso.key.too_early") && !fault.Is(err, fault.KindConflict) {
			failed = errors.Join(failed, err)
			continue
		}
		done++
	}
	return done, failed
}

func (s *Service) ownerOf(ctx context.Context, e EntityRef) (string, error) {
	if e.Kind == metadata.RoleIdP {
		h, _, err := s.Store.HostByKey(ctx, e.Key)
		return h.PartnerID, err
	}
	p, _, err := s.Store.Platform(ctx, e.Key)
	return p.PartnerID, err
}

// Warn speaks of every certificate of theirs and of consoles that comes to its end, once for each of metadata.Warnings and once
// a day afterwards, and tells how many it spoke of.
func (s *Service) Warn(ctx context.Context) (int, error) {
	now := s.Clock.Now()
	ending, err := s.Store.EndingCerts(ctx, now.Add(time.Duration(metadata.Warnings[0]+1)*24*time.Hour))
	if err != nil {
		return 0, err
	}
	told, err := s.warnConsoles(ctx)
	if err != nil {
		return told, err
	}
	for _, c := range ending {
		days, due := metadata.DueWarning(c.NotAfter, now, c.WarnedDays, !c.WarnedAt.IsZero())
		if !due {
			continue
		}
		err := s.Tx.InTx(ctx, func(ctx context.Context) error {
			p, ok, err := s.Store.Platform(ctx, c.IdPID)
			if err != nil || !ok {
				return err
			}
			won, err := s.Store.WarnCert(ctx, c, days, now)
			if err != nil || !won {
				return err
			}
			code := "sso_cert_ends"
			if days < 0 {
				code = "sso_cert_over"
			}
			left := int(c.NotAfter.Sub(now).Hours() / 24)
			args := fault.Args{"Name": p.Name, "Days": left, "Until": cycle.Day(c.NotAfter), "Fingerprint": c.Fingerprint[:16]}
			if err := s.Told(ctx, News{Platform: p, Code: code, Args: args, Once: c.ID + "/" + cycle.Day(now)}); err != nil {
				return err
			}
			told++
			return s.record(ctx, self, p, "platform.cert_warned", map[string]any{"fingerprint": c.Fingerprint, "days": left})
		})
		if err != nil {
			return told, err
		}
	}
	return told, nil
}

// KeepAddresses adds the portal's present address to every registration that was made under another.
func (s *Service) KeepAddresses(ctx context.Context) error {
	if s.Usable() != nil {
		return nil
	}
	all, err := s.Store.Platforms(ctx, "")
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.State == sso.StateDeleted || slices.Contains(p.ACSURLs, s.ACS(p.Key)) {
			continue
		}
		err := s.Tx.InTx(ctx, func(ctx context.Context) error {
			now, ok, err := s.Store.Platform(ctx, p.ID)
			if err != nil || !ok || slices.Contains(now.ACSURLs, s.ACS(p.Key)) {
				return err
			}
			now.ACSURLs = append(now.ACSURLs, s.ACS(p.Key))
			if err := s.save(ctx, &now); err != nil {
				return err
			}
			return s.record(ctx, self, now, "platform.address", map[string]any{"acs": s.ACS(p.Key)})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
