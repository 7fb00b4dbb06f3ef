package sso_test

import (
	"fmt"
	"testing"

	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
)

// TestAttacks walks the table. Each row must be refused with its code, by a step of its layer; each control in
// between accepted, so that no row passes because everything is refused.
func TestAttacks(t *testing.T) {
	rows := samltest.Attacks()
	if len(rows) < 220 {
		t.Fatalf("only %d rows", len(rows))
	}
	for i, row := range rows {
		t.Run(fmt.Sprintf("%03d %s %s", i, row.No, row.Name), func(t *testing.T) {
			store := book{}
			w := samltest.NewWorld(base, noon, func(r sso.Request) { store[r.ID] = r })
			reg, post := row.Build(w)
			now := noon.Add(row.After)
			got, steps, err := sso.VerifyPost(t.Context(), reg, post, store, now)
			if row.Code == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got.XAccountID == "" || got.XAccountID == samltest.Evil {
					t.Errorf("accepted %+v", got)
				}
				return
			}
			r := sso.RefusalOf(err)
			if r == nil || r.Code != row.Code {
				t.Fatalf("refused with %v, want %s", err, row.Code)
			}
			if at := layerOf(r.Step); at != row.Layer {
				t.Errorf("refused in %s (%s), want %s", at, r.Step, row.Layer)
			}
			if got.AssertionID != "" || got.XAccountID != "" {
				t.Errorf("refused and yet read: %+v", got)
			}
			if last := steps[len(steps)-1]; len(steps) != len(sso.ACSSteps()) || last.Outcome != sso.OutcomeSkipped {
				t.Errorf("steps %+v", last)
			}
			if _, err := sso.Examine(t.Context(), reg, post, store, now); err != nil {
				t.Errorf("examined: %v", err)
			}
		})
	}
}

func layerOf(step string) sso.Layer {
	for _, s := range sso.ACSSteps() {
		if s.Name == step {
			return s.Layer
		}
	}
	return ""
}

// TestDeeperLocks takes away the first lock of a row: a deeper one has to refuse, or what the attacker wants to
// be believed is not what is read.
func TestDeeperLocks(t *testing.T) {
	ran := map[string]int{}
	for i, row := range samltest.Attacks() {
		for _, name := range []string{"shape", "bytes"} {
			if name == "shape" && !row.NoShape || name == "bytes" && !row.NoBytes {
				continue
			}
			ran[name]++
			t.Run(fmt.Sprintf("%03d %s %s without %s", i, row.No, row.Name, name), func(t *testing.T) {
				store := book{}
				w := samltest.NewWorld(base, noon, func(r sso.Request) { store[r.ID] = r })
				reg, post := row.Build(w)
				got, err := sso.VerifyWithout(t.Context(), reg, post, store, noon, name == "shape", name == "bytes")
				if err != nil {
					return
				}
				if got.XAccountID != "acc-1" || got.NameID.Value != "name-1" {
					t.Errorf("believed %q %q", got.XAccountID, got.NameID.Value)
				}
			})
		}
	}
	if ran["shape"] < 25 || ran["bytes"] < 20 {
		t.Errorf("ran %v", ran)
	}
}
