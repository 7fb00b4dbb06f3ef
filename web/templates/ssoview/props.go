// Package ssoview holds the pages between a partner's platform and the portal: arrival, leading on, leaving, the
// refusal, and what a customer sees of its partner.
//
// It owns their markup and props. It does not own any rule; a refusal says the same whatever was wrong.
package ssoview

import "huoban/web/templates/part"

// Arrive is the first page of a customer nobody knows yet. Nothing is made before a button is pressed.
type Arrive struct {
	Action  string
	Partner string
	Create  bool        // an account may be made
	Data    []part.Item // what came with the customer
	May     []string    // what the partner may do once linked
	Bind    string      // the account that signed in here and would be linked; "" = none yet
	Error   string
}

// Continue asks before one customer's session gives way to another's.
type Continue struct {
	Action  string
	Partner string
	As      string
	Now     string
}

// Send leads the browser on with a form or to an address, by itself where scripts run, by a button everywhere.
type Send struct {
	Title  string
	Text   string
	Button string
	Action string // of a form; empty = Href
	Method string
	Fields []part.Hidden
	Href   string
	Stay   *part.Link
}

// Refused tells a customer that the sign-in did not come about, and the reference under which staff find why.
type Refused struct {
	Title   string
	Text    string
	Partner string // only where the address named it
	When    string
	Ref     string
}

// Leave offers the two ways out.
type Leave struct {
	Header   part.Header
	Partner  string
	Reaches  bool // the platform can be told
	Here     string
	Anywhere string
}

// Left says what was reached.
type Left struct {
	Rows []part.Check
}

// Partner is what a customer sees of its partner.
type Partner struct {
	Header part.Header
	Flash  *part.Flash
	Facts  []part.Item
	May    []string
	Links  []LinkRow
	Trail  []part.Event
	All    part.Link // the whole of it
	Empty  *part.Empty
	Asked  []Asked
}

// LinkRow is one account of the platform.
type LinkRow struct{ Account, User, Platform, Since, How, State string }

// Asked is a request to change or end the association, with what the reader may answer.
type Asked struct {
	Title   string
	Href    string
	Status  part.Status
	Facts   []part.Item
	Buttons []part.Button
}
