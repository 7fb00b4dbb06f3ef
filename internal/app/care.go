package app

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/backup"
	"huoban/internal/store/closestore"
	"huoban/internal/store/migrate"
	"huoban/internal/store/transfer"
	"huoban/internal/verify"
)

// VerifyAudit walks the audit chain and compares it with the heads kept apart.
func (a *App) VerifyAudit(ctx context.Context) (audit.Report, error) {
	heads, err := audit.ReadHeads(a.Settings.HeadsFile())
	if err != nil {
		return audit.Report{}, err
	}
	return audit.Verify(ctx, a.AuditStore, a.Key, heads)
}

// Verify recomputes everything from the kept files.
func (a *App) Verify(ctx context.Context) (*verify.Report, error) {
	heads, err := audit.ReadHeads(a.Settings.HeadsFile())
	if err != nil {
		return nil, err
	}
	s := &verify.Service{Store: closestore.NewVerify(a.DB, a.Usage), Sources: a.Sources, Rules: a.Usage, Prices: a.BillStore, Bills: a.BillStore,
		Reader: a.Usage, Compute: a.Bills, Adjust: a.Adjustments, Chain: a.AuditStore, Key: a.Key, Heads: heads, Vouchers: a.Coupons}
	var report *verify.Report
	err = a.DB.InRead(ctx, func(ctx context.Context) error { // one snapshot: an import meanwhile is no difference
		report, err = s.Run(ctx)
		return err
	})
	return report, err
}

// PublishHead writes the head of the audit chain to the second file, so that a cut tail shows.
func (a *App) PublishHead(ctx context.Context) error {
	_, err := audit.NewPublisher(a.AuditStore, a.Clock, a.Settings.HeadsFile()).Publish(ctx)
	return err
}

// Backup writes the whole database to a new file while it is in use.
func (a *App) Backup(ctx context.Context, file string) (backup.Manifest, error) {
	return backup.Backup(ctx, a.DB, file, a.Clock.Now())
}

// Restore fills an empty database from a backup. The key file is not part of it: it must lie in the
// data folder, because a chain cannot be continued under another key.
func Restore(ctx context.Context, s Settings, file string) (backup.Manifest, error) {
	if err := makeFolder(s.Data); err != nil {
		return backup.Manifest{}, err
	}
	db, err := store.Open(ctx, s.Target())
	if err != nil {
		return backup.Manifest{}, unopened(err)
	}
	defer db.Close()
	return backup.Restore(ctx, file, db)
}

// MoveTo copies everything into an empty database of either engine and proves it.
func (a *App) MoveTo(ctx context.Context, target string) (transfer.Result, error) {
	to, err := store.Open(ctx, target)
	if err != nil {
		return transfer.Result{}, unopened(err)
	}
	defer to.Close()
	if _, err := migrate.Up(ctx, to); err != nil {
		return transfer.Result{}, err
	}
	return transfer.Copy(ctx, a.DB, to)
}

// Explained turns what an engine answered to work outside the services (opening, migrating, copying)
// into a fault that says what to do.
func Explained(err error) error { return store.Classify(err) }

// Finding is one thing the doctor noticed.
type Finding struct {
	Code  string     `json:"code"`
	Level string     `json:"level"`
	Args  fault.Args `json:"args,omitempty"`
}

// Doctor looks at database, key file and audit heads.
func (a *App) Doctor(ctx context.Context, deep bool) ([]Finding, error) {
	list, err := a.DB.Doctor(ctx, deep)
	if err != nil {
		return nil, err
	}
	out := []Finding{}
	for _, f := range list {
		out = append(out, Finding{f.Code, string(f.Level), f.Args})
	}
	st, err := os.Stat(a.Settings.KeyFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		out = append(out, Finding{"doctor.key_missing", "bad", fault.Args{"path": a.Settings.KeyFile()}})
	case err == nil && st.Mode().Perm()&0o077 != 0:
		out = append(out, Finding{"doctor.key_open", "bad", fault.Args{"path": a.Settings.KeyFile()}})
	}
	if err := a.Platforms.Usable(); err != nil {
		out = append(out, Finding{"doctor.sso_base", "warn", fault.Args{"base": a.Settings.Base()}})
	}
	head, err := auditstore.New(a.DB).Head(ctx)
	if err != nil {
		return nil, err
	}
	if heads, err := audit.ReadHeads(a.Settings.HeadsFile()); err == nil && len(heads) == 0 && head.Seq > 0 {
		out = append(out, Finding{"doctor.heads_missing", "warn", fault.Args{"path": a.Settings.HeadsFile()}})
	}
	return out, nil
}
