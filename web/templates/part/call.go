package part

import "github.com/a-h/templ"

// FieldOf is a field of a form. It is called rather than copied into each form: the copies were most of what forms weigh.
//
//go:noinline
func FieldOf(f Field) templ.Component { return fieldOf(f) }
