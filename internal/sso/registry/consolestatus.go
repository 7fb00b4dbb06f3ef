package registry

import (
	"context"
	"slices"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
)

// ConsoleWarning is the last time somebody was told of a certificate of a console.
type ConsoleWarning struct {
	ConsoleID, Fingerprint string
	Days                   int
	At                     time.Time
}

// ConsoleStatus is what a list says of a console beside its settings.
type ConsoleStatus struct {
	Console
	CertEnds     time.Time    // when the first kind of its certificates is over; zero without any
	CertDaysLeft *int         // until then
	Waits        *DocumentRow // a document that was fetched and not taken
	Failing      *FetchRow    // its document could not be got or read last time
}

// ConsoleStatuses lists the consoles the actor may see with how long their certificates last and what became of their
// documents. Faults: those of Consoles.
func (s *Service) ConsoleStatuses(ctx context.Context, sc scope.Scope) ([]ConsoleStatus, error) {
	all, err := s.Consoles(ctx, sc)
	if err != nil {
		return nil, err
	}
	return s.statuses(ctx, all)
}

// ConsoleStatus is the same of one. Faults: those of FindConsole.
func (s *Service) ConsoleStatus(ctx context.Context, sc scope.Scope, name string) (ConsoleStatus, error) {
	c, err := s.FindConsole(ctx, sc, name)
	if err != nil {
		return ConsoleStatus{}, err
	}
	out, err := s.statuses(ctx, []Console{c})
	if err != nil {
		return ConsoleStatus{}, err
	}
	return out[0], nil
}

func (s *Service) statuses(ctx context.Context, all []Console) ([]ConsoleStatus, error) {
	waiting, err := s.Store.WaitingDocuments(ctx, metadata.RoleSP)
	if err != nil {
		return nil, err
	}
	failing, err := s.Store.FailingFetches(ctx)
	if err != nil {
		return nil, err
	}
	now, out := s.Clock.Now(), []ConsoleStatus{}
	for _, c := range all {
		x := ConsoleStatus{Console: c, CertEnds: certEnds(c.Certs)}
		if !x.CertEnds.IsZero() {
			left := daysLeft(x.CertEnds, now)
			x.CertDaysLeft = &left
		}
		if i := slices.IndexFunc(waiting, func(d DocumentRow) bool { return d.OwnerID == c.ID }); i >= 0 {
			x.Waits = &waiting[i]
		}
		if i := slices.IndexFunc(failing, func(f FetchRow) bool { return f.OwnerID == c.ID }); i >= 0 {
			x.Failing = &failing[i]
		}
		out = append(out, x)
	}
	return out, nil
}

// certEnds is when the first of the two kinds of certificates is over: of each kind the one that lasts longest counts.
func certEnds(certs []sso.Certificate) time.Time {
	var first time.Time
	for _, use := range []sso.CertUse{sso.CertUseSigning, sso.CertUseEncryption} {
		var last time.Time
		for _, c := range certs {
			if (c.Use == use || c.Use == "") && c.NotAfter.After(last) {
				last = c.NotAfter
			}
		}
		if !last.IsZero() && (first.IsZero() || last.Before(first)) {
			first = last
		}
	}
	return first
}

func daysLeft(end, now time.Time) int {
	left := int(end.Sub(now).Hours() / 24)
	if end.Before(now) {
		left--
	}
	return left
}

// ConsoleDocuments are the newest documents of a console, with what became of them. Faults: those of FindConsole.
func (s *Service) ConsoleDocuments(ctx context.Context, sc scope.Scope, name string, limit int) ([]DocumentRow, error) {
	c, err := s.FindConsole(ctx, sc, name)
	if err != nil {
		return nil, err
	}
	return s.Store.Documents(ctx, c.ID, limit)
}

// GradedCerts are certificates as a page judges them, at this instant.
func (s *Service) GradedCerts(list []sso.Certificate) []metadata.Cert {
	var out []metadata.Cert
	for _, c := range list {
		if x, err := metadata.Read(c.DER, c.Use, s.Clock.Now()); err == nil {
			out = append(out, x)
		}
	}
	return out
}

// warnConsoles speaks of every certificate of a console in use that comes to its end, as Warn does of those of
// partners' platforms, and tells how many it spoke of.
func (s *Service) warnConsoles(ctx context.Context) (int, error) {
	all, err := s.Store.Consoles(ctx)
	if err != nil {
		return 0, err
	}
	given, err := s.Store.ConsoleWarnings(ctx)
	if err != nil {
		return 0, err
	}
	now, told := s.Clock.Now(), 0
	for _, c := range all {
		if c.State != sso.StateActive {
			continue
		}
		met := map[string]bool{}
		for _, x := range c.Certs {
			if met[x.Fingerprint] {
				continue
			}
			met[x.Fingerprint] = true
			i := slices.IndexFunc(given, func(w ConsoleWarning) bool { return w.ConsoleID == c.ID && w.Fingerprint == x.Fingerprint })
			before := 0
			if i >= 0 {
				before = given[i].Days
			}
			days, due := metadata.DueWarning(x.NotAfter, now, before, i >= 0)
			if !due {
				continue
			}
			n, err := s.warnConsole(ctx, c, x, days, now)
			if told += n; err != nil {
				return told, err
			}
		}
	}
	return told, nil
}

// warnConsole speaks of one, unless another replica just did.
func (s *Service) warnConsole(ctx context.Context, c Console, x sso.Certificate, days int, now time.Time) (told int, err error) {
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		told = 0
		won, err := s.Store.WarnConsole(ctx, ConsoleWarning{ConsoleID: c.ID, Fingerprint: x.Fingerprint, Days: days, At: now})
		if err != nil || !won {
			return err
		}
		code, left := "sso_console_cert_ends", daysLeft(x.NotAfter, now)
		if days < 0 {
			code = "sso_console_cert_over"
		}
		args := fault.Args{"Name": c.Name, "Days": left, "Until": cycle.Day(x.NotAfter), "Fingerprint": x.Fingerprint[:16]}
		if err := s.Told(ctx, News{Console: &c, Code: code, Args: args, Once: c.ID + "/" + x.Fingerprint + "/" + cycle.Day(now)}); err != nil {
			return err
		}
		told = 1
		return s.recordConsole(ctx, self, c, "console.cert_warned", map[string]any{"fingerprint": x.Fingerprint, "days": left})
	})
	return told, err
}
