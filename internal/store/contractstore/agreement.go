// Package contractstore keeps what partners and vendors agreed on: payment agreements, with the papers that were signed.
//
// It owns the queries of payment_agreement, paper and paper_piece; it does not own the transfers agreements are for.
package contractstore

import (
	"bytes"
	"context"
	"database/sql"
	"embed"

	"huoban/internal/agreement"
	"huoban/internal/fault"
	"huoban/internal/paper"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q           = store.Load(files)
	qAgreement  = q.Get("agreement.ByID")
	qAgreements = q.Get("agreement.List")
	qInsert     = q.Get("agreement.Insert")
	qSet        = q.Get("agreement.Set")
	qPaper      = q.Get("paper.Of")
	qPutPaper   = q.Get("paper.Put")
	qDropPieces = q.Get("paper.DropPieces")
	qPutPiece   = q.Get("paper.PutPiece")
	qPieces     = q.Get("paper.Pieces")
)

// pieceSize is how much of a paper one row holds.
const pieceSize = 512 << 10

// Store implements agreement.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

func (s *Store) agreements(ctx context.Context, q store.Query, args ...any) ([]agreement.Agreement, error) {
	var out []agreement.Agreement
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var a agreement.Agreement
		var created, submitted, decided, ended, changed store.Instant
		err := rows.Scan(&a.ID, &a.Number, &a.VendorID, &a.PartnerID, &a.Kind, &a.PayerKind, &a.Payer, &a.Begins, &a.Ends, &a.Remark, &a.State, &a.Version, &a.CreatedBy, &created, &submitted,
			&a.DecidedBy, &decided, &a.Reason, &ended, &changed)
		a.CreatedAt, a.SubmittedAt, a.DecidedAt, a.EndedAt, a.ChangedAt = created.Time, submitted.Time, decided.Time, ended.Time, changed.Time
		out = append(out, a)
		return err
	})
	return out, err
}

// Agreement finds one.
func (s *Store) Agreement(ctx context.Context, id string) (agreement.Agreement, bool, error) {
	list, err := s.agreements(ctx, qAgreement, id)
	if err != nil || len(list) == 0 {
		return agreement.Agreement{}, false, err
	}
	return list[0], true, nil
}

// Agreements lists what matches, the newest first.
func (s *Store) Agreements(ctx context.Context, f agreement.Filter) ([]agreement.Agreement, error) {
	return s.agreements(ctx, qAgreements, f.VendorID, f.PartnerID, string(f.State), string(f.Kind))
}

// InsertAgreement writes a new one.
func (s *Store) InsertAgreement(ctx context.Context, a agreement.Agreement) error {
	_, err := s.db.Exec(ctx, qInsert, a.ID, a.Number, a.VendorID, a.PartnerID, string(a.Kind), string(a.PayerKind), a.Payer, a.Begins, a.Ends, a.Remark, string(a.State), a.CreatedBy, store.At(a.CreatedAt), store.At(a.SubmittedAt))
	return err
}

// SetAgreement moves one that is still as it was loaded.
func (s *Store) SetAgreement(ctx context.Context, a agreement.Agreement, from agreement.State, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qSet, a.ID, string(from), version, string(a.State), store.At(a.SubmittedAt), a.DecidedBy, store.At(a.DecidedAt), a.Reason, store.At(a.EndedAt), store.At(a.ChangedAt))
	return n == 1, err
}

// PutPaper keeps the paper of a thing in place of an earlier one.
func (s *Store) PutPaper(ctx context.Context, p paper.Paper, body []byte) error {
	if _, err := s.db.Exec(ctx, qPutPaper, p.SubjectID, p.VendorID, p.PartnerID, string(p.Format), p.Bytes, p.SHA, p.By, store.At(p.At)); err != nil {
		return err
	}
	if _, err := s.db.Exec(ctx, qDropPieces, p.SubjectID); err != nil {
		return err
	}
	for no := int64(1); len(body) > 0; no++ {
		n := min(len(body), pieceSize)
		if _, err := s.db.Exec(ctx, qPutPiece, p.SubjectID, no, body[:n]); err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}

// Paper tells of the paper of a thing.
func (s *Store) Paper(ctx context.Context, subjectID string) (p paper.Paper, found bool, err error) {
	err = s.db.Each(ctx, qPaper, []any{subjectID}, func(rows *sql.Rows) error {
		var at store.Instant
		err := rows.Scan(&p.SubjectID, &p.VendorID, &p.PartnerID, &p.Format, &p.Bytes, &p.SHA, &p.By, &at)
		p.At, found = at.Time, true
		return err
	})
	return p, found, err
}

// PaperBody is a paper whole. Fault: paper.none.
func (s *Store) PaperBody(ctx context.Context, subjectID string) ([]byte, error) {
	var out bytes.Buffer
	err := s.db.Each(ctx, qPieces, []any{subjectID}, func(rows *sql.Rows) error {
		var piece []byte
		err := rows.Scan(&piece)
		out.Write(piece)
		return err
	})
	if err == nil && out.Len() == 0 {
		err = fault.NotFound("paper.none", nil)
	}
	return out.Bytes(), err
}
