// Package fault is the one error type that crosses package borders.
//
// It owns the kinds of failure and their stable codes; it does not own sentences: a code and its
// arguments are translated at the edge (portal, api, cmd). An error that is not a *fault.Error is
// always an internal error whose detail is hidden from the user.
package fault

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"syscall"
)

// Kind says what sort of failure it is and so which HTTP status and exit code it becomes.
type Kind string

// The kinds of failure.
const (
	KindInvalid         Kind = "invalid"         // 422: the input is wrong; Fields may say where
	KindUnauthenticated Kind = "unauthenticated" // 401
	KindDenied          Kind = "denied"          // 403
	KindNotFound        Kind = "not_found"       // 404: absent or not visible to the actor, alike
	KindConflict        Kind = "conflict"        // 409: somebody was first, or the state does not allow it
	KindLimited         Kind = "limited"         // 429
	KindUnavailable     Kind = "unavailable"     // 503: try again
	KindInternal        Kind = "internal"        // 500
)

// Args are the named arguments of a code's sentence.
type Args map[string]any

// Error is a failure with a stable code. Code has the form "<area>.<reason>".
type Error struct {
	Kind   Kind
	Code   string
	Args   Args
	Fields map[string]string // form field → code of its own reason
	Reason []*Error          // several refusals reported at once, each with its own cure
	cause  error
}

// New makes a fault.
func New(kind Kind, code string, args Args) *Error { return &Error{Kind: kind, Code: code, Args: args} }

// Invalid is bad input.
func Invalid(code string, args Args) *Error { return New(KindInvalid, code, args) }

// NotFound is an absent thing, or one the actor may not know of.
func NotFound(code string, args Args) *Error { return New(KindNotFound, code, args) }

// Conflict is a lost race or an action the state does not allow.
func Conflict(code string, args Args) *Error { return New(KindConflict, code, args) }

// Denied is a missing permission.
func Denied(code string, args Args) *Error { return New(KindDenied, code, args) }

// Unavailable is a failure that may pass.
func Unavailable(code string, args Args) *Error { return New(KindUnavailable, code, args) }

// Refused gathers several reasons into one conflict.
func Refused(code string, reasons []*Error) *Error {
	return &Error{Kind: KindConflict, Code: code, Reason: reasons}
}

// Because attaches the cause, for the log only.
func (e *Error) Because(cause error) *Error { e.cause = cause; return e }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Error is the text for logs and developers, never for users.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Code)
	keys := make([]string, 0, len(e.Args))
	for k := range e.Args {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Fprintf(&b, " %s=%v", k, e.Args[k])
	}
	for _, r := range e.Reason {
		b.WriteString("; ")
		b.WriteString(r.Error())
	}
	if e.cause != nil {
		b.WriteString(": ")
		b.WriteString(e.cause.Error())
	}
	return b.String()
}

// From finds the fault in err; an error without one becomes an internal fault.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var f *Error
	if errors.As(err, &f) {
		return f
	}
	if code := ofSystem(err); code != "" {
		return Unavailable(code, nil).Because(err)
	}
	return New(KindInternal, "internal", nil).Because(err)
}

// ofSystem is the code of what the operating system refuses for reasons an operator can cure.
func ofSystem(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "store.disk_full"
	case errors.Is(err, syscall.EFBIG), errors.Is(err, syscall.EIO):
		return "store.disk_error"
	case errors.Is(err, syscall.EROFS):
		return "store.read_only"
	}
	return ""
}

// Is tells whether err is a fault of that kind.
func Is(err error, kind Kind) bool { return err != nil && From(err).Kind == kind }

// HasCode tells whether err, or one of its gathered reasons, carries the code.
func HasCode(err error, code string) bool {
	if err == nil {
		return false
	}
	f := From(err)
	if f.Code == code {
		return true
	}
	for _, r := range f.Reason {
		if r.Code == code {
			return true
		}
	}
	return false
}
