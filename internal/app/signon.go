package app

import (
	"context"
	"encoding/json"
	"net/url"

	"huoban/internal/hosted"
	"huoban/internal/outbox"
	"huoban/internal/signon"
	"huoban/internal/store/hostedstore"
	"huoban/internal/store/signonstore"
)

// wireSignOn puts together the jump from partners' platforms; after the queue.
func (a *App) wireSignOn() {
	a.SignOn = signon.New(signon.Deps{Store: signonstore.New(a.DB), Tx: a.DB, Audit: a.Audit, Clock: a.Clock, Sessions: a.Sessions, People: a.Accounts,
		Orgs: a.Organisations, Associations: a.Customers, Queue: a.Queue})
	a.Customers.Ended = a.SignOn.Left
	a.Worker.Handle(signon.JobBindResult, a.tellBinding)
}

// wireHosted puts together the platforms the portal hosts; after the registry.
func (a *App) wireHosted() {
	a.Hosted = hosted.New(hosted.Deps{Store: hostedstore.New(a.DB), Tx: a.DB, Audit: a.Audit, Clock: a.Clock, People: a.Accounts, Associations: a.Customers,
		Consoles: a.Platforms, Sessions: a.Sessions})
}

// tellBinding repeats a binding result from here, for customers who close the window. The partner's address is
// judged at the moment of the connection, whatever its name stood for before.
func (a *App) tellBinding(ctx context.Context, j outbox.Job, _ outbox.Progress) error {
	var r signon.BindResult
	if err := json.Unmarshal(j.Payload, &r); err != nil {
		return outbox.Permanent(err)
	}
	return a.outside.Post(ctx, r.URL, url.Values{"bindRequest": {r.BindRequest}, "SigAlg": {r.SigAlg}, "Signature": {r.Signature}})
}
