package ssoview

import (
	"github.com/a-h/templ"

	"huoban/web/templates/part"
)

// Access is a page of a partner's registrations of its sales platform: all of them, or one.
type Access struct {
	Header   part.Header
	Flash    *part.Flash
	Refusal  *part.Refusal
	Conflict *part.Conflict
	Steps    []part.Step
	Notes    []string
	Buttons  []part.Button
	Sheets   []Sheet
	Rules    []string
}

// Sheet is a card of facts, findings, rows and forms, whichever there are.
type Sheet struct {
	ID      string
	Title   string
	Width   string // of twelve columns: "w5", "w7"; empty is all
	Tags    []part.Tag
	Empty   *part.Empty
	Items   []part.Item
	Checks  []part.Check
	Rows    *Rows
	Buttons []part.Button
	Forms   []Form
	Notes   []string
	Raw     string // as it came
	Picture *Picture
	Links   []part.Link // where else to go
}

// Picture is a small one, such as a logo.
type Picture struct{ Src, Alt string }

// Form is one that is sent by itself. Upload carries files.
type Form struct {
	Action string
	Submit string
	Upload bool
	Quiet  bool // not the button that is meant to be pressed
	Hidden []part.Hidden
	Fields []part.Field
}

// Rows is a table; the first cell of a row names it.
type Rows struct {
	Heads []string
	Rows  [][]Cell
}

// Cell is one of a row.
type Cell struct {
	Text   string
	Note   string // below it, small
	Href   string
	Mono   bool
	Status *part.Status
	Form   *Form
}

func (f Form) attrs() templ.Attributes {
	if !f.Upload {
		return nil
	}
	return templ.Attributes{"enctype": "multipart/form-data"}
}
