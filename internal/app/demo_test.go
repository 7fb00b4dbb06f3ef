package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/demo"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/store/storetest"
)

var (
	demoNow   = time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	smallDemo = DemoSize{Months: 7, Customers: 3}
)

func demoApp(t *testing.T, s Settings) *App {
	t.Helper()
	a, err := Open(context.Background(), s, Options{Clock: clock.StartingAt(demoNow)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// canonicalWorld is every bill of every partner and month, as the canonical export gives it.
func canonicalWorld(t *testing.T, a *App) []byte {
	t.Helper()
	ctx := audit.WithRequest(context.Background(), audit.Request{SystemUser: "test"})
	sc := scope.System("operator")
	orgs, err := a.Organisations.List(ctx, sc)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(orgs, func(x, y organisation.Organisation) int { return strings.Compare(x.Code, y.Code) })
	var out bytes.Buffer
	months := []cycle.Cycle{"2024-09", "2026-04"}
	for c := cycle.Cycle("2026-05"); c <= "2026-11"; c = c.Next() {
		months = append(months, c)
	}
	for _, o := range orgs {
		if !o.Kind.IsPartner() {
			continue
		}
		for _, c := range months {
			docs, err := a.BillsOf(ctx, sc, o, c)
			if err != nil {
				t.Fatal(err)
			}
			for i := range docs {
				out.Write(docs[i].Canonical())
				out.WriteByte('\n')
			}
		}
	}
	return out.Bytes()
}

// TestDemoWorldIsTheSame makes the world on both engines, and once with a kill in the middle.
func TestDemoWorldIsTheSame(t *testing.T) {
	ctx := context.Background()
	whole := demoApp(t, Settings{Addr: "127.0.0.1:0", Data: t.TempDir()})
	accounts, err := whole.DemoWorld(ctx, smallDemo, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := canonicalWorld(t, whole)
	if n := bytes.Count(want, []byte("\n")); n < 30 {
		t.Fatalf("only %d bills", n)
	}
	t.Run("accounts", func(t *testing.T) { checkAccounts(t, whole, accounts) })
	t.Run("stories", func(t *testing.T) { checkStories(t, want) })
	t.Run("figures", func(t *testing.T) { checkFigures(t, whole) })
	t.Run("verify", func(t *testing.T) {
		r, err := whole.Verify(ctx)
		if err != nil || !r.Whole() {
			t.Errorf("%v %v", err, r.Differences)
		}
	})
	t.Run("again", func(t *testing.T) {
		again, err := whole.DemoWorld(ctx, smallDemo, func(p DemoProgress) { t.Errorf("made again: %v", p) })
		if err != nil || !slices.Equal(again, accounts) {
			t.Errorf("%v, %d accounts", err, len(again))
		}
	})
	t.Run("killed", func(t *testing.T) {
		s := Settings{Addr: "127.0.0.1:0", Data: t.TempDir()}
		if got := canonicalWorld(t, killedAndGoneOn(t, s)); !bytes.Equal(got, want) {
			t.Error("a world that was interrupted differs")
		}
	})
	t.Run("postgres", func(t *testing.T) {
		s := Settings{Addr: "127.0.0.1:0", Data: t.TempDir(), DB: storetest.PostgresURL(t)}
		if got := canonicalWorld(t, killedAndGoneOn(t, s)); !bytes.Equal(got, want) {
			t.Error("the world differs between the engines")
		}
	})
}

// killedAndGoneOn stops in the middle of several steps, each time by a new program, then lets it end.
func killedAndGoneOn(t *testing.T, s Settings) *App {
	t.Helper()
	for _, at := range []int{0, 1, 3, 8, 14, 20, 1000} {
		ctx, stop := context.WithCancel(context.Background())
		a, err := Open(ctx, s, Options{Clock: clock.StartingAt(demoNow.Add(time.Duration(at) * time.Hour))})
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.DemoWorld(ctx, smallDemo, func(p DemoProgress) {
			if p.Done == at {
				time.AfterFunc(30*time.Millisecond, stop)
			}
		})
		stop()
		a.Close()
		if at == 1000 {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if err == nil {
			t.Fatalf("step %d was not interrupted", at)
		}
	}
	return demoApp(t, s)
}

// TestDemoWorldAtOddTimes begins a world in the first hour of a month, and before the samples' months.
func TestDemoWorldAtOddTimes(t *testing.T) {
	for _, now := range []string{"2026-11-01T00:10:00+08:00", "2025-03-02T12:00:00+08:00"} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		a, err := Open(context.Background(), Settings{Addr: "127.0.0.1:0", Data: t.TempDir()}, Options{Clock: clock.StartingAt(at)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.DemoWorld(context.Background(), DemoSize{Months: 3, Customers: 1}, nil); err != nil {
			t.Errorf("%s: %v", now, err)
		}
		a.Close()
	}
}

func checkAccounts(t *testing.T, a *App, list []DemoAccount) {
	seen := map[string]bool{}
	for _, x := range list {
		seen[x.Organisation+" "+x.Role] = true
	}
	world, err := demo.New(demo.Options{Now: demoNow, Months: smallDemo.Months, Customers: smallDemo.Customers})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range world.Organisations {
		roles := []string{"admin", "finance", "manager", "supervisor"}
		if o.Kind == organisation.KindVendor {
			roles = []string{"admin", "operations", "finance", "invoice_clerk", "auditor"}
		}
		for _, r := range roles {
			if !seen[o.Code+" "+r] {
				t.Errorf("nobody of %s is %s", o.Code, r)
			}
		}
	}
	for _, c := range world.Customers {
		if !seen[c.Code+" admin"] {
			t.Errorf("nobody of %s", c.Code)
		}
	}
	for _, login := range []string{"lanhai-finance", "yunxiu-finance", "qingyun-admin", "xingzhu-manager"} {
		if !slices.ContainsFunc(list, func(x DemoAccount) bool { return x.Username == login }) {
			t.Errorf("%s is missing", login)
		}
	}
	kept, err := a.readDemoAccounts()
	if err != nil || !slices.Equal(kept, list) {
		t.Errorf("the file holds %d accounts of %d: %v", len(kept), len(list), err)
	}
}

// checkStories wants each kind of adjustment, and each state of a bill.
func checkStories(t *testing.T, canonical []byte) {
	kinds, states := map[string]bool{}, map[string]bool{}
	for dec := json.NewDecoder(bytes.NewReader(canonical)); dec.More(); {
		var b struct {
			State string
			Items []struct{ Adjusts *struct{ Kind string } }
		}
		if err := dec.Decode(&b); err != nil {
			t.Fatal(err)
		}
		states[b.State] = true
		for _, it := range b.Items {
			if it.Adjusts != nil {
				kinds[it.Adjusts.Kind] = true
			}
		}
	}
	for _, k := range []string{"remap", "late", "staff"} {
		if !kinds[k] {
			t.Errorf("no adjustment of kind %s", k)
		}
	}
	for _, s := range []string{"estimate", "draft", "issued"} {
		if !states[s] {
			t.Errorf("no bill in state %s: %v", s, states)
		}
	}
}

func TestDoorWhileMaking(t *testing.T) {
	a := demoApp(t, Settings{Addr: "127.0.0.1:0", BaseURL: "http://localhost", Data: t.TempDir()})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	release, ended := make(chan struct{}), make(chan error, 1)
	told := make(chan struct{})
	go func() {
		ended <- a.ServeAfter(ctx, l, func(_ context.Context, tell func(DemoProgress)) error {
			tell(DemoProgress{Done: 4, Total: 58, Key: "demo.step.import", Cycle: "2025-07"})
			close(told)
			<-release
			return nil
		})
	}()
	<-told
	url := "http://" + l.Addr().String()
	for _, c := range []struct {
		path, accept, language string
		status                 int
		want                   string
	}{
		{"/", "text/html", "zh-CN", 503, "第 5 步，共 58 步：导入 2025-07 的消费明细"},
		{"/o/QIHENG/bills", "text/html", "en", 503, "importing the lines of 2025-07"},
		{"/o/QIHENG/bills", "application/json", "en", 503, `"code":"portal.preparing"`},
		{"/healthz", "", "", 200, "ok"},
		{"/readyz", "", "", 503, "not ready"},
	} {
		status, body, head := fetch(t, url+c.path, c.accept, c.language)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %s", c.path, c.accept, status, body)
		}
		if status == 503 && head.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", c.path)
		}
		if c.accept == "text/html" && head.Get("Refresh") == "" {
			t.Errorf("%s does not ask again", c.path)
		}
	}
	close(release)
	for range 200 {
		if status, _, _ := fetch(t, url+"/readyz", "", ""); status == 200 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if status, body, _ := fetch(t, url+"/login", "text/html", "en"); status != 200 || !strings.Contains(body, `name="password"`) {
		t.Errorf("after all is made: %d", status)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestDoorShutsWhenMakingFails(t *testing.T) {
	a := demoApp(t, Settings{Addr: "127.0.0.1:0", BaseURL: "http://localhost", Data: t.TempDir()})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err = a.ServeAfter(context.Background(), l, func(context.Context, func(DemoProgress)) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func fetch(t *testing.T, url, accept, language string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Language", language)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body), res.Header
}
