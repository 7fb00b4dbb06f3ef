// Package anomalystore keeps what was said of unusual consumption.
//
// It owns the queries of anomaly_note; what is unusual follows from figures and is not kept. Invariant: every query
// names the partner.
package anomalystore

import (
	"context"
	"embed"

	"huoban/internal/anomaly"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	set  = store.Load(files)
	qOf  = set.Get("note.Of")
	qPut = set.Get("note.Put")
	_    = anomaly.Store((*Store)(nil))
)

// Store keeps notes.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Notes are those of a partner in a cycle.
func (s *Store) Notes(ctx context.Context, partnerID string, at cycle.Cycle) ([]anomaly.Note, error) {
	var out []anomaly.Note
	err := s.db.Cells(ctx, qOf, []any{partnerID, string(at)}, func(c store.RowCells) (err error) {
		n := anomaly.Note{PartnerID: partnerID, Cycle: at, CustomerID: c.Text(0), Currency: c.Text(1), Kind: anomaly.Kind(c.Text(2)), Subject: c.Text(3), Text: c.Text(4),
			Person: expenditure.Person{ID: c.Text(5), Login: c.Text(6), Name: c.Text(7)}}
		n.At, err = c.Time(8)
		out = append(out, n)
		return err
	})
	return out, err
}

// Put keeps a note; one of the same mark is replaced.
func (s *Store) Put(ctx context.Context, n anomaly.Note) error {
	_, err := s.db.Exec(ctx, qPut, n.PartnerID, n.CustomerID, string(n.Cycle), n.Currency, string(n.Kind), n.Subject, n.Text, n.Person.ID, store.At(n.At))
	return err
}
