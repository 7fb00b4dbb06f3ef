package sso

import (
	"context"
	"slices"
	"time"
)

// ConsoleSLOSteps is the path of a console's logout message at a hosted platform, for documents and pages.
func ConsoleSLOSteps() []Step { return append([]Step(nil), consoleSLOSteps...) }

// consoleSLOSteps are those of a platform's message; but one address serves many consoles, and the message says
// whose keys it is to be held against.
var consoleSLOSteps = func() []Step {
	at := slices.IndexFunc(sloSteps, func(s Step) bool { return s.Name == "verifyLogout" })
	return slices.Insert(slices.Clone(sloSteps), at, Step{"checkConsole", LayerMsg, []string{CodeSLOIssuer}, (*check).leavingConsole})
}()

// VerifyConsoleLogout judges a message at a host's logout address, and tells whose it is. The replay row and the
// sessions are the caller's.
func VerifyConsoleLogout(ctx context.Context, host Host, post Post, consoles Consoles, lookup Lookup, now time.Time) (LogoutMessage, Console, []StepResult, error) {
	c := &check{ctx: ctx, host: host, skewSet: host.SkewAllowed, post: post, consoles: consoles, lookup: lookup, now: now}
	results, err := c.run(consoleSLOSteps, false)
	if err != nil {
		return LogoutMessage{}, c.question.Console, results, err
	}
	return c.logout, c.question.Console, results, nil
}

// leavingConsole finds the console a logout message is of. One that was disabled may still end its sessions.
func (c *check) leavingConsole() *Refusal {
	who, plain := issuerOf(c.root)
	if !plain || who == "" {
		return &Refusal{Code: CodeSLOIssuer, Expected: "Issuer"}
	}
	con, found, err := c.consoles.ConsoleByEntity(c.ctx, who)
	if err != nil {
		c.err = err
		return nil
	}
	if !found || con.State == StateDeleted || con.PartnerID != "" && con.PartnerID != c.host.PartnerID {
		return &Refusal{Code: CodeSLOIssuer, Seen: who}
	}
	c.question.Console, c.partner = con, c.host.Logout(con)
	c.certs, c.weakUntil = con.Certs, con.WeakKeyUntil
	return nil
}
