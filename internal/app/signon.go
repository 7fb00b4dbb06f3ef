package app

import (
	"huoban/internal/signon"
	"huoban/internal/store/signonstore"
)

// wireSignOn puts together the jump from partners' platforms; after the queue.
func (a *App) wireSignOn() {
	a.SignOn = signon.New(signon.Deps{Store: signonstore.New(a.DB), Tx: a.DB, Audit: a.Audit, Clock: a.Clock, Sessions: a.Sessions, People: a.Accounts,
		Orgs: a.Organisations, Associations: a.Customers, Queue: a.Queue})
	a.Customers.Ended = a.SignOn.Left
}
