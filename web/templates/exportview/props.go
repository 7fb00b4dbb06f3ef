// Package exportview holds the page 导出记录, the files a person asked for.
//
// It owns its markup and props; what a task may do arrives decided.
package exportview

import (
	"github.com/a-h/templ"

	"huoban/web/templates/part"
)

// List is the page, newest first.
type List struct {
	Rules  []string
	Header part.Header
	Flash  *part.Flash
	Tool   part.Tool
	Notes  []string
	People bool   // several persons' exports are listed
	Poll   string // address of this page while a file is being made; "" = nothing moves
	Rows   []Row
	Pager  part.Pager
	Empty  *part.Empty
}

// Row is one asked-for file.
type Row struct {
	ID        string
	Requested string
	Content   string
	Filter    string // in words
	Person    string
	Name      string // of the file, or what stands for it before there is one
	Format    string
	Size      string // rows and bytes, once there is a file
	Code      string // 校验码, which the page the file was asked on shows too
	State     part.Status
	Progress  string
	Expires   string
	Download  string // "" = there is nothing to download
	Retry     *Retry
}

// Retry asks for a failed file again.
type Retry struct {
	Action string
	Hidden []part.Hidden
}

// poll makes the list ask for itself every two seconds while a file is being made; without script one
// reloads.
func (p List) poll() templ.Attributes {
	if p.Poll == "" {
		return templ.Attributes{}
	}
	return templ.Attributes{
		"hx-get": p.Poll, "hx-trigger": "every 2s", "hx-select": "#exports", "hx-swap": "outerHTML", "hx-target": "#exports",
	}
}
