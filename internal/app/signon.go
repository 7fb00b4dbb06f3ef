package app

import (
	"context"
	"encoding/json"
	"net/url"

	"huoban/internal/fault"
	"huoban/internal/hosted"
	"huoban/internal/message"
	"huoban/internal/outbox"
	"huoban/internal/scope"
	"huoban/internal/signon"
	"huoban/internal/store/hostedstore"
	"huoban/internal/store/signonstore"
)

// wireSignOn puts together the jump from partners' platforms; after the queue.
func (a *App) wireSignOn() {
	a.SignOn = signon.New(signon.Deps{Store: signonstore.New(a.DB), Tx: a.DB, Audit: a.Audit, Clock: a.Clock, Sessions: a.Sessions, People: a.Accounts,
		Orgs: a.Organisations, Associations: a.Customers, Queue: a.Queue, Moved: a.tellMoved})
	a.Customers.Ended, a.Organisations.Told = a.SignOn.Left, a.Customers.PartnerSuspended
	a.Worker.Handle(signon.JobBindResult, a.tellBinding)
}

// wireHosted puts together the platforms the portal hosts; after the registry.
func (a *App) wireHosted() {
	a.Hosted = hosted.New(hosted.Deps{Store: hostedstore.New(a.DB), Tx: a.DB, Audit: a.Audit, Clock: a.Clock, People: a.Accounts, Associations: a.Customers,
		Consoles: a.Platforms, Sessions: a.Sessions})
}

// tellMoved rings the bell of those who may change the platform.
func (a *App) tellMoved(ctx context.Context, peer signon.Peer, account, before string) error {
	return a.teller().Tell(ctx, peer.Partner.ID, scope.ItemAccessConfigChange, message.Notice{Category: message.CategorySystem, Code: "sso_nameid_moved",
		Args: fault.Args{"Account": account, "Before": before}, Link: "/support/capability/access-config/" + peer.ID})
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
