package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/company"
	"huoban/internal/demo"
	"huoban/internal/news"
	"huoban/internal/scope"
)

// DemoProgress is how far the making of the demo world is. Key is a message key.
type DemoProgress struct {
	Done, Total int
	Key         string
	Cycle       string
}

// demoMark remembers what was begun, so that a killed start goes on where it was: the same moment and
// size give the same world.
type demoMark struct {
	Now       time.Time `json:"now"`
	Months    int       `json:"months"`
	Customers int       `json:"customers"`
	Steps     int       `json:"steps_done"`
	Whole     bool      `json:"whole"`
}

// DemoSize narrows the demo world, for tests; zero values are the full one.
type DemoSize struct{ Months, Customers int }

// DemoWorld makes everything the demo shows, the invented world and the two sample vendors, and gives
// who can sign in. On a database that holds anything else it gives the accounts of an earlier demo, or
// nothing. One that was interrupted is completed. tell may be nil.
func (a *App) DemoWorld(ctx context.Context, size DemoSize, tell func(DemoProgress)) ([]DemoAccount, error) {
	unlock, err := a.lockDemo(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	mark, begun, err := a.readDemoMark()
	if err != nil {
		return nil, err
	}
	if mark.Whole {
		return a.readDemoAccounts()
	}
	empty, err := a.Setup.Needed(ctx)
	if err != nil {
		return nil, err
	}
	if !begun && !empty {
		return a.readDemoAccounts()
	}
	if !begun {
		mark = demoMark{Now: a.Clock.Now(), Months: size.Months, Customers: size.Customers}
		if err := a.writeDemoMark(mark); err != nil {
			return nil, err
		}
	}
	if tell == nil {
		tell = func(DemoProgress) {}
	}
	m, err := a.demoMaker(ctx, mark, tell)
	if err != nil {
		return nil, err
	}
	defer m.app.Close()
	list, err := m.run(audit.WithRequest(ctx, audit.Request{SystemUser: "demo"}))
	if err != nil {
		return nil, err
	}
	if err := a.writeDemoAccounts(list); err != nil {
		return nil, err
	}
	m.mark.Whole = true
	return list, a.writeDemoMark(m.mark)
}

// DemoPending tells whether a demo is still to be made, or to be completed.
func (a *App) DemoPending(ctx context.Context) (bool, error) {
	mark, begun, err := a.readDemoMark()
	if err != nil || begun {
		return !mark.Whole, err
	}
	return a.Setup.Needed(ctx)
}

func (a *App) demoMarkFile() string { return a.DataFile("demo-world.json") }

func (a *App) readDemoMark() (demoMark, bool, error) {
	var m demoMark
	body, err := os.ReadFile(a.demoMarkFile())
	if errors.Is(err, fs.ErrNotExist) {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	return m, true, json.Unmarshal(body, &m)
}

// writeDemoMark replaces the file whole, so that a kill leaves the old one or the new.
func (a *App) writeDemoMark(m demoMark) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	next := a.demoMarkFile() + ".next"
	if err := os.WriteFile(next, append(body, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, a.demoMarkFile())
}

// demoMaker lives through the plan: its own portal over the same database, whose clock stands at the
// time of each step, so that deliveries, closes and messages carry the dates they would have had.
type demoMaker struct {
	owner *App
	app   *App
	clock *clock.Fixed
	world *demo.World
	mark  demoMark
	plan  []demo.Step
	files *demoFiles
	sc    scope.Scope
	tell  func(DemoProgress)
}

func (a *App) demoMaker(ctx context.Context, mark demoMark, tell func(DemoProgress)) (*demoMaker, error) {
	world, err := demo.New(demo.Options{Now: mark.Now, Months: mark.Months, Customers: mark.Customers})
	if err != nil {
		return nil, err
	}
	m := &demoMaker{owner: a, clock: clock.At(mark.Now), world: world, mark: mark, plan: world.Plan(), sc: scope.System("operator"), tell: tell}
	m.app, err = Open(ctx, a.Settings, Options{Log: a.Log, Clock: m.clock})
	return m, err
}

func (m *demoMaker) run(ctx context.Context) ([]DemoAccount, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	dir, err := os.MkdirTemp("", "portal-demo-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	m.files = prepareFiles(ctx, dir, m.world, m.plan[min(m.mark.Steps, len(m.plan)):])
	defer m.files.wait()
	defer stop()
	total := len(m.plan) + 1
	for m.mark.Steps < len(m.plan) {
		s := m.plan[m.mark.Steps]
		m.tell(DemoProgress{Done: m.mark.Steps, Total: total, Key: "demo.step." + string(s.Do), Cycle: string(s.Cycle)})
		m.clock.Set(s.At)
		if err := m.step(ctx, s); err != nil {
			return nil, err
		}
		m.mark.Steps++
		if err := m.owner.writeDemoMark(m.mark); err != nil {
			return nil, err
		}
	}
	m.tell(DemoProgress{Done: len(m.plan), Total: total, Key: "demo.step.samples"})
	m.clock.Set(m.mark.Now)
	samples, err := m.app.demoSamples(ctx)
	if err != nil {
		return nil, err
	}
	if err := m.fund(ctx, ""); err != nil { // the bills of the sample vendors
		return nil, err
	}
	if err := m.collect(ctx); err != nil {
		return nil, err
	}
	if err := m.organise(ctx); err != nil {
		return nil, err
	}
	if err := m.announce(ctx); err != nil {
		return nil, err
	}
	if err := m.companies(ctx); err != nil {
		return nil, err
	}
	if err := m.invoicesNow(ctx); err != nil {
		return nil, err
	}
	if err := m.tidy(ctx); err != nil {
		return nil, err
	}
	if _, err := m.app.timer().Tick(ctx); err != nil {
		return nil, err
	}
	return append(m.accounts(), samples...), m.host(ctx)
}

// companies lets two partners be found by strangers, one with a logo, and asks for one change of address; done twice
// it changes nothing.
func (m *demoMaker) companies(ctx context.Context) error {
	for i, code := range []string{"GUANGZHU", "QIHENG"} {
		at := slices.IndexFunc(m.world.Organisations, func(o demo.Organisation) bool { return o.Code == code })
		if at < 0 {
			continue
		}
		asPartner, sc, err := m.app.Operator(ctx, lower(code)+"-admin", "demo")
		if err != nil {
			return err
		}
		org, err := m.app.Organisations.ByCode(asPartner, sc, code)
		if err != nil {
			return err
		}
		say := company.Open{Intro: "演示环境中的虚构伙伴：" + org.Name, Website: "https://" + lower(code) + ".example", Listed: true}
		if err := m.app.Company.SaveOpen(asPartner, sc, org, say); err != nil {
			return err
		}
		if i > 0 {
			continue
		}
		if err := m.app.Company.SetLogo(asPartner, sc, org, demo.Logo()); err != nil {
			return err
		}
		changes, err := m.app.Company.Changes(asPartner, sc)
		if err != nil || len(changes) > 0 {
			return err
		}
		if _, err := m.app.Company.Propose(asPartner, sc, org, company.Reviewed{Name: org.Name, NameEN: "Guangzhu Digital Distribution", Address: "虚构市演示路 1 号"}, demoScan("Business licence of Guangzhu Digital Distribution")); err != nil {
			return err
		}
	}
	return nil
}

// announce lets the vendor tell its partners, and everybody, what holds in this world.
func (m *demoMaker) announce(ctx context.Context) error {
	ctx, sc, err := m.app.Operator(ctx, lower(demo.Vendor)+"-operations", "demo")
	if err != nil {
		return err
	}
	known, err := m.app.News.Written(ctx, sc)
	if err != nil {
		return err
	}
	for _, in := range []news.In{
		{Audience: news.AudienceAll, TitleZH: "这是演示环境", TitleEN: "This is a demo",
			BodyZH: "组织、人员、客户与金额均为虚构，由同一份计划生成，因此各页可以互相核对。\n您所做的修改只保存在本环境。",
			BodyEN: "Organisations, people, customers and amounts are invented. One plan makes them all, so the pages can be checked against each other.\nWhat you change stays in this installation."},
		{Audience: news.AudiencePartners, TitleZH: "伙伴账单每月 5 日 12:00 前出具", TitleEN: "Partner bills are issued by 12:00 on the 5th",
			BodyZH: "上月账单在每月 5 日 12:00（GMT+08:00）前出具；出具前主页与账单页显示估算值，以终稿为准。",
			BodyEN: "The bill of a month is issued by 12:00 (GMT+08:00) on the 5th of the next. Until then the front page and the bill show an estimate; the final bill is what counts."},
	} {
		if slices.ContainsFunc(known, func(i news.Item) bool { return i.TitleZH == in.TitleZH }) {
			continue
		}
		if _, err := m.app.News.Publish(ctx, sc, in); err != nil {
			return err
		}
	}
	return nil
}

// organise gives one partner a role of its own, somebody who is invited to it, and persons its customers may
// call; done twice it changes nothing.
func (m *demoMaker) organise(ctx context.Context) error {
	const code = "GUANGZHU"
	if !slices.ContainsFunc(m.world.Organisations, func(o demo.Organisation) bool { return o.Code == code }) {
		return nil
	}
	ctx, sc, err := m.app.Operator(ctx, "guangzhu-admin", "demo")
	if err != nil {
		return err
	}
	known, err := m.app.Accounts.ListRoles(ctx, sc, code)
	if err != nil {
		return err
	}
	role := account.Role{Code: "bill_reader", Name: "账单查阅", Items: []scope.Item{scope.ItemBillView, scope.ItemBillExplain, scope.ItemExpenditureView, scope.ItemExpenditureCustomers}}
	if !slices.ContainsFunc(known, func(r account.Role) bool { return r.Code == role.Code }) {
		if err := m.app.Accounts.SaveRole(ctx, sc, code, role); err != nil {
			return err
		}
	}
	in := account.InviteInput{Login: "guangzhu-newcomer", Name: "简舒宁", Phone: "020-5550 0107", Roles: []string{role.Code}}
	if _, err := m.app.Accounts.Invite(ctx, sc, in); err != nil {
		return err
	}
	for _, login := range []string{"guangzhu-admin", "guangzhu-supervisor"} {
		p, err := m.app.Accounts.PersonByLogin(ctx, login)
		if err != nil {
			return err
		}
		if err := m.app.Accounts.SetCustomerContact(ctx, sc, p.ID, true); err != nil {
			return err
		}
		if p.Phone != "" {
			continue
		}
		if err := m.app.Accounts.SetContact(ctx, sc, login, account.Contact{Name: p.Name, Phone: map[string]string{"guangzhu-admin": "020-5550 0101", "guangzhu-supervisor": "020-5550 0103"}[login]}); err != nil {
			return err
		}
	}
	return nil
}

// host lets the portal be the sales platform of one partner; done twice it changes nothing.
func (m *demoMaker) host(ctx context.Context) error {
	if len(m.world.Customers) == 0 {
		return nil
	}
	org, err := m.app.Organisations.ByCode(ctx, m.sc, m.world.Customers[0].Partner)
	if err != nil {
		return err
	}
	if _, err = m.app.Platforms.Host(ctx, m.sc, org.ID); err != nil {
		return err
	}
	return m.consoles(ctx, org.ID)
}

// demoFiles writes the files of the next months while the current one is imported.
type demoFiles struct {
	ready chan demoFile
	done  chan struct{}
}

type demoFile struct {
	cycle         string
	cloud, market string
	err           error
}

func prepareFiles(ctx context.Context, dir string, w *demo.World, plan []demo.Step) *demoFiles {
	f := &demoFiles{ready: make(chan demoFile, 1), done: make(chan struct{})}
	go func() {
		defer close(f.done)
		for _, s := range plan {
			if s.Do != demo.DoImport {
				continue
			}
			one := demoFile{cycle: string(s.Cycle), cloud: filepath.Join(dir, demo.CloudSource+"-"+string(s.Cycle)+".csv.gz"),
				market: filepath.Join(dir, demo.MarketSource+"-"+string(s.Cycle)+".csv")}
			one.err = errors.Join(writeTo(one.cloud, func(b *bytes.Buffer) error { return w.CloudFile(b, s.Cycle, w.Until(s.Cycle)) }),
				writeTo(one.market, func(b *bytes.Buffer) error { return w.MarketFile(b, s.Cycle, false) }))
			select {
			case f.ready <- one:
			case <-ctx.Done():
				return
			}
		}
	}()
	return f
}

func (f *demoFiles) wait() { <-f.done }

func writeTo(path string, fill func(*bytes.Buffer) error) error {
	var buf bytes.Buffer
	if err := fill(&buf); err != nil {
		return err
	}
	return os.WriteFile(path, buf.Bytes(), 0o600)
}
