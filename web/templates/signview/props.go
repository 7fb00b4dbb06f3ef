// Package signview holds the pages at the door and those of one's own account: sign-in, second step,
// change of password, first set-up, list of sessions.
//
// It owns their markup and props. It does not own any rule: errors arrive as ready sentences, and a
// page never says whether a login name exists.
package signview

import "huoban/web/templates/part"

// SignIn is the sign-in form: POST Action with username, password, next.
type SignIn struct {
	Action string // "/login"
	Login  string // kept after a failure
	Next   string
	Error  string
	Note   *part.Flash // "you were signed out", "the link has expired"
}

func (p SignIn) fields() []part.Field {
	return []part.Field{
		{Name: "username", Value: p.Login, Autocomplete: "username", Required: true, Focus: p.Login == ""},
		{Name: "password", Type: "password", Error: p.Error, Autocomplete: "current-password", Required: true, Focus: p.Login != ""},
	}
}

// SecondStep asks for the code of the authenticator: POST Action with code, next.
type SecondStep struct {
	Action string
	Next   string
	Error  string
	Back   string // "" = "/login"
}

// Password is the change of password, forced at the first sign-in or wished: POST Action with current
// (unless Forced), password, repeat.
type Password struct {
	Action       string
	Forced       bool
	Rules        []string // what the new one must have, in words
	CurrentError string
	Error        string
	RepeatError  string
	Next         string
}

// SetUp is the first page of an empty portal, reached by the one-time link: POST Action with every
// field. The fields come in sections (organisation, administrator, first source).
type SetUp struct {
	Action   string
	Error    string
	Sections []Section
}

// Section is a titled group of fields.
type Section struct {
	Title  string
	Text   string
	Fields []part.Field
}

// Totp switches the second step on or off. With Secret the person is enrolling: POST Action with code.
type Totp struct {
	On     bool
	Secret string // shown grouped, for typing into an authenticator
	URI    string // otpauth address, for devices that open it
	Action string
	Error  string
}

// Sessions lists where the person is signed in.
type Sessions struct {
	Header    part.Header
	Flash     *part.Flash
	Rows      []Session
	EndOthers string // POST address; "" = this is the only one
	Totp      *Totp
	Consoles  []Consoled // what consoles are given without a question
}

// Session is one of them.
type Session struct {
	Device  string
	Address string
	Since   string
	Seen    string
	Current bool
	End     string // POST address
}

// Consoled is a console that is given what it is granted whenever the person goes there.
type Consoled struct {
	Name   string
	Since  string
	Forget string // POST takes it back
}

// Confirm asks a signed-in person to show again who it is: at the partner's platform, or by password and second step.
type Confirm struct {
	Action, Next string
	Partner      string // whose platform; "" = here
	Password     bool
	Code         bool
	Error        string
}

// Welcome is the page behind a one-time link: POST Action with password and repeat.
type Welcome struct {
	Action      string
	Title, Text string
	Login       string
	Rules       []string
	Error       string
	RepeatError string
}
