package subscription

import (
	"context"

	"huoban/internal/cycle"
)

// MonthOf is what the data of a cycle are for a partner.
type MonthOf struct {
	Cycle  cycle.Cycle
	Mark   string // names the deliveries that count; another one is other data
	Issued bool   // every vendor among them has issued the cycle
}

// Made is what the files of a cycle were made of last, and how often they were looked at.
type Made struct {
	Mark string
	No   int64
}

// Store keeps subscriptions; internal/store/subscriptionstore implements it. Writing needs a running transaction.
type Store interface {
	Insert(ctx context.Context, s *Subscription) error
	// Update writes every changeable field if the version still is s.Version, and raises it.
	Update(ctx context.Context, s *Subscription) (won bool, err error)
	// ByID answers not_found "subscription.unknown".
	ByID(ctx context.Context, id string) (Subscription, error)
	// OfOrg are an organisation's that are not ended; On are those of everybody that are switched on.
	OfOrg(ctx context.Context, orgID string) ([]Subscription, error)
	On(ctx context.Context) ([]Subscription, error)

	// Months are the cycles between two with deliveries that hold something of the partner's customers.
	Months(ctx context.Context, orgID string, from, to cycle.Cycle) ([]MonthOf, error)
	// Made are the data a subscription's files were made of, by cycle; PutMade notes those of one.
	Made(ctx context.Context, subscriptionID string) (map[cycle.Cycle]Made, error)
	PutMade(ctx context.Context, subscriptionID string, c cycle.Cycle, m Made) error

	InsertDispatch(ctx context.Context, d *Dispatch) error
	UpdateDispatch(ctx context.Context, d *Dispatch) (won bool, err error)
	// Dispatch answers not_found "subscription.dispatch_unknown".
	Dispatch(ctx context.Context, id string) (Dispatch, error)
	// Dispatches are a subscription's, the newest first; of one cycle where it is named.
	Dispatches(ctx context.Context, subscriptionID string, c cycle.Cycle) ([]Dispatch, error)
	PutTry(ctx context.Context, t Try) error
	Tries(ctx context.Context, dispatchID string) ([]Try, error)

	PutPiece(ctx context.Context, dispatchID string, no int64, body []byte) error
	Piece(ctx context.Context, dispatchID string, no int64) ([]byte, error)
	DropPieces(ctx context.Context, dispatchID string) error
}
