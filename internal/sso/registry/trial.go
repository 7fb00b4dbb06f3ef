package registry

import (
	"context"
	"encoding/json"
	"time"

	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
	"huoban/internal/sso"
)

// testKept is how long the result of a test can be read: it holds a person's data.
const testKept = 24 * time.Hour

// TestRow is the result of a test as it is kept.
type TestRow struct {
	ID, PlatformID, RequestID string
	At, ExpiresAt             time.Time
	Passed                    bool
	Code                      string // of the first failed step
	PlatformVersion           int64
	Sealed                    []byte
	KEKID                     string
}

// Test is the result of a test laid open.
type Test struct {
	TestRow
	Report TestReport
}

// TestReport is what a test's answer said and how every step judged it.
type TestReport struct {
	Steps   []sso.StepResult
	Failed  int
	Claimed sso.Accepted
	Would   string // what a sign-in with it would come to; empty for a failed one
	XML     string
}

// RequestByRelay finds the request whose own RelayState came back; an answer that cannot be read still says so much.
func (s *Service) RequestByRelay(ctx context.Context, relayID string) (sso.Request, bool, error) {
	if relayID == "" {
		return sso.Request{}, false, nil
	}
	return s.Store.RequestByRelay(ctx, relayID)
}

// Tested keeps the result of a test, sealed and for a day; one that passed makes a draft tested. What was kept for
// longer goes.
func (s *Service) Tested(ctx context.Context, reg sso.Registration, requestID string, x sso.Examined, would string) (Test, error) {
	now := s.Clock.Now()
	t := Test{TestRow: TestRow{ID: id.New(), PlatformID: reg.ID, RequestID: requestID, At: now, ExpiresAt: now.Add(testKept), Passed: x.First == nil, PlatformVersion: reg.Version},
		Report: TestReport{Steps: x.Steps, Failed: x.Failed, Claimed: x.Accepted, Would: would, XML: string(x.XML)}}
	t.Report.Claimed.Request = sso.Request{}
	if x.First != nil {
		t.Code = x.First.Code
	}
	text, err := json.Marshal(t.Report)
	if err != nil {
		return t, err
	}
	if t.Sealed, t.KEKID, err = s.Seal(text, testPurpose(t.ID)); err != nil {
		return t, err
	}
	return t, s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.PurgeTests(ctx, now); err != nil {
			return err
		}
		if err := s.Store.InsertTest(ctx, t.TestRow); err != nil {
			return err
		}
		p, ok, err := s.Store.Platform(ctx, reg.ID)
		if err != nil || !ok {
			return err
		}
		if err := s.record(ctx, scope.System("sso"), p, "platform.test", map[string]any{"passed": t.Passed, "code": t.Code}); err != nil {
			return err
		}
		// A registration that was changed meanwhile was not what the answer was judged by.
		if !t.Passed || p.State != sso.StateDraft || p.Version != reg.Version {
			return nil
		}
		return s.fire(ctx, scope.System("sso"), &p, ActionPassTest, "")
	})
}

func testPurpose(testID string) string { return "sso.test." + testID }

// Tests are the newest results of a registration that are still kept, without what they say. Fault:
// sso.reg.unknown.
func (s *Service) Tests(ctx context.Context, sc scope.Scope, name string, limit int) ([]TestRow, error) {
	p, err := s.Find(ctx, sc, name)
	if err != nil {
		return nil, err
	}
	return s.Store.Tests(ctx, p.ID, s.Clock.Now(), limit)
}

// Test opens a result of the registration; whoever could start a test may read it. Faults: sso.reg.unknown,
// .test_unknown.
func (s *Service) Test(ctx context.Context, sc scope.Scope, name, testID string) (Test, error) {
	p, err := s.change(ctx, sc, name)
	if err != nil {
		return Test{}, err
	}
	row, ok, err := s.Store.Test(ctx, testID, s.Clock.Now())
	if err != nil {
		return Test{}, err
	}
	if !ok || row.PlatformID != p.ID {
		return Test{}, fault.NotFound("sso.reg.test_unknown", nil)
	}
	text, err := s.Open(row.Sealed, row.KEKID, testPurpose(row.ID))
	if err != nil {
		return Test{}, err
	}
	t := Test{TestRow: row}
	return t, json.Unmarshal(text, &t.Report)
}
