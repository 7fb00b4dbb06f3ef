package growview

import "github.com/a-h/templ"

// Page is the form, called rather than copied into each of its handlers.
//
//go:noinline
func (p Form) Page() templ.Component { return p.page() }

// Page is the thing with all about it, called rather than copied.
//
//go:noinline
func (p Detail) Page() templ.Component { return p.page() }
