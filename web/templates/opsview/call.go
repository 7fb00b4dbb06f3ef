package opsview

import "github.com/a-h/templ"

// Page is the board, called rather than copied into each of its many handlers.
//
//go:noinline
func (p Board) Page() templ.Component { return p.page() }
