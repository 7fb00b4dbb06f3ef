// Package clock is the only place that reads the wall clock.
//
// Domain rules take now as a value; services hold a Clock. A clock can be set to start elsewhere
// (PORTAL_CLOCK with --dev), so that a demo or a test can show a month close.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock tells the time, in UTC and whole microseconds (what both engines keep).
type Clock interface{ Now() time.Time }

type system struct{ offset time.Duration }

func (c system) Now() time.Time { return time.Now().Add(c.offset).UTC().Truncate(time.Microsecond) }

// System is the machine's clock.
func System() Clock { return system{} }

// StartingAt is a clock that shows start now and runs on from there.
func StartingAt(start time.Time) Clock { return system{offset: time.Until(start)} }

// Fixed is a clock that stands still until it is set; for tests and deterministic runs. It may be set while others look.
type Fixed struct{ t atomic.Pointer[time.Time] }

// At makes a fixed clock.
func At(t time.Time) *Fixed {
	f := &Fixed{}
	f.Set(t)
	return f
}

// Now gives the set time.
func (f *Fixed) Now() time.Time { return f.t.Load().UTC().Truncate(time.Microsecond) }

// Set moves the clock.
func (f *Fixed) Set(t time.Time) { f.t.Store(&t) }
