// Package hostedview holds the pages of a hosted sales platform: its sign-in, what is handed over to a console, the
// choice of consoles, and what stands in the way.
//
// It owns their markup and props. It does not own any rule; a sign-in never says whether a login name exists.
package hostedview

import "huoban/web/templates/part"

// SignIn is the platform's own sign-in form: POST Action with username, password, next.
type SignIn struct {
	Partner string
	Console string // where it leads to; "" = the platform itself
	Action  string
	Login   string // kept after a failure
	Next    string
	Error   string
	Cancel  string // address that takes the question back; "" = none
}

func (p SignIn) fields() []part.Field {
	return []part.Field{
		{Name: "username", Value: p.Login, Autocomplete: "username", Required: true, Focus: p.Login == ""},
		{Name: "password", Type: "password", Error: p.Error, Autocomplete: "current-password", Required: true, Focus: p.Login != ""},
	}
}

var signLabels = []string{"signview.signin.login", "signview.signin.password"}

func labelled(f part.Field, label string) part.Field {
	f.Label = label
	return f
}

// Consent shows what a console gets before it gets it for the first time. Nothing leaves before a button is pressed.
type Consent struct {
	Action  string
	Partner string
	Console string
	Host    string // where the console is
	As      string
	Data    []part.Item
	Name    string // how the customer is named there, in words
	Sealed  bool   // encrypted on its way
}

// Stop says why it does not go on, and what can be done.
type Stop struct {
	Title  string
	Text   string
	Other  *part.Link // to sign in as somebody else
	Cancel string     // address that takes the question back; "" = none
	Back   *part.Link
}

// Choice is the platform behind its door: where a customer can go.
type Choice struct {
	Header   part.Header
	Customer string
	Own      *part.Link // the customer's own pages here
	Consoles []Console
	Leave    string // POST signs out here and of every console
	Flash    *part.Flash
}

// Console is one place to go to.
type Console struct {
	Name   string
	Host   string
	Action string // POST leads there
	Known  string // since when the choice is remembered; "" = the customer is asked first
	Forget string // POST withdraws it
}

// Leaving goes round the consoles a session visited; with Back it is over.
type Leaving struct {
	Title  string
	Text   string
	Rows   []part.Check
	Button string
	Href   string // where the console is asked, or a form: Action and Fields
	Action string
	Fields []part.Hidden
	Again  string // looks whether the console has answered
	Skip   string // POST goes on without it
	Back   *part.Link
}
