package app

import (
	"context"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// A portal that nobody asks shall be small. After quiet it gives back what it has thrown away and the pages
// of the program it does not need; after longQuiet also connections kept for the next question, and again
// as often while nobody comes, for work in the background leaves something too.
const (
	quiet     = time.Second
	longQuiet = time.Minute
)

// pace counts requests, so that a rest is taken only where nobody waits for an answer.
type pace struct {
	next  http.Handler
	begun atomic.Int64
	ended atomic.Int64
}

func (p *pace) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.begun.Add(1)
	defer p.ended.Add(1)
	p.next.ServeHTTP(w, r)
}

// idle tells how many requests there were, and whether all are answered.
func (p *pace) idle() (count int64, all bool) {
	ended := p.ended.Load()
	count = p.begun.Load()
	return count, count == ended
}

// rest is what resting remembers from one look to the next.
type rest struct {
	seen  int64
	since time.Time // when somebody was last seen asking
	light bool      // rested since then
	long  time.Time // the last long rest, or when somebody was last seen asking
}

// due tells which rest is due now, if any.
func (s *rest) due(count int64, all bool, now time.Time) (light, long bool) {
	if count != s.seen || !all {
		s.seen, s.since, s.light, s.long = count, now, false, now
		return false, false
	}
	if now.Sub(s.since) < quiet {
		return false, false
	}
	if now.Sub(s.long) >= longQuiet {
		s.light, s.long = true, now
		return true, true
	}
	if !s.light {
		s.light = true
		return true, false
	}
	return false, false
}

// resting rests until ctx ends.
func (a *App) resting(ctx context.Context, p *pace) {
	tick := time.NewTicker(quiet / 2)
	defer tick.Stop()
	s := &rest{seen: -1}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			count, all := p.idle()
			light, long := s.due(count, all, now)
			a.take(ctx, light, long)
		}
	}
}

func (a *App) take(ctx context.Context, light, long bool) {
	if long {
		if err := a.DB.Rest(ctx); err != nil && ctx.Err() == nil {
			a.Log.Warn("rest", "error", err.Error())
		}
	}
	if light {
		debug.FreeOSMemory()
		forgetProgram()
	}
}
