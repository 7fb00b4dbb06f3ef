package sso_test

import (
	"sync"
	"testing"
	"time"

	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
)

// TestSavedBesideLive: the other library has one clock for the program. A saved message that is explained at its
// own instant must not move it under the sign-ins that go on meanwhile.
func TestSavedBesideLive(t *testing.T) {
	sso.UseClock(func() time.Time { return noon })
	defer sso.UseClock(nil)
	var wg sync.WaitGroup
	for i := range 12 {
		now := noon
		if i%4 == 0 {
			now = noon.AddDate(0, 0, -2)
		}
		idp := samltest.NewIdP("a", now)
		reg := idp.Registration("a", base, now)
		wg.Go(func() {
			for range 5 {
				store := book{}
				a := samltest.Answer{IdP: idp, Reg: reg, Now: now, Request: store.open(reg, now)}
				if _, _, err := sso.VerifyPost(t.Context(), reg, a.Post(), store, now); err != nil {
					t.Errorf("at %s: %v", now, err)
				}
				// The same message two days later is old, whatever clock the other one sees.
				if _, _, err := sso.VerifyPost(t.Context(), reg, a.Post(), store, now.AddDate(0, 0, 2)); sso.RefusalOf(err) == nil {
					t.Errorf("at %s, two days late: %v", now, err)
				}
			}
		})
	}
	wg.Wait()
}
