package app

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"huoban/internal/account"
	"huoban/internal/adjustment"
	"huoban/internal/attribution"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/demo"
	"huoban/internal/monthclose"
	"huoban/internal/organisation"
	"huoban/internal/peak"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/source"
)

// step does one step of the plan; done twice it changes nothing the second time.
func (m *demoMaker) step(ctx context.Context, s demo.Step) error {
	switch s.Do {
	case demo.DoFound:
		return m.found(ctx)
	case demo.DoCare:
		return m.care(ctx)
	case demo.DoImport:
		return m.month(ctx, s)
	case demo.DoDraft, demo.DoIssue:
		return m.close(ctx, s)
	case demo.DoRegroup:
		return m.regroup(ctx, s.Cycle)
	case demo.DoLate:
		return m.late(ctx, s.Cycle)
	case demo.DoAdjust:
		return m.adjust(ctx, s.Cycle)
	case demo.DoPropose:
		return m.propose(ctx, s.Cycle)
	case demo.DoPeak, demo.DoRemeter:
		return m.peaks(ctx, s)
	case demo.DoRegister, demo.DoWin, demo.DoCourt:
		if err := m.court(ctx, s); err != nil || s.Do != demo.DoCourt {
			return err
		}
		return m.coupons(ctx)
	case demo.DoVoucher:
		return m.billVouchers(ctx, s.Cycle)
	case demo.DoState:
		return m.state(ctx, s.Cycle)
	case demo.DoInvoice:
		return m.invoice(ctx, s.Cycle)
	case demo.DoFund:
		return m.fund(ctx, s.Cycle)
	case demo.DoCollect:
		return m.collect(ctx)
	}
	return fmt.Errorf("demo: unknown step %q", s.Do)
}

// found makes who there is, what maps to whom and what it costs, before the first line comes, so that no
// line has to move.
func (m *demoMaker) found(ctx context.Context) error {
	for _, o := range m.world.Organisations {
		in := organisation.AddInput{Code: o.Code, Kind: o.Kind, Name: o.Name, ParentCode: o.Parent}
		if _, err := m.app.Organisations.Add(ctx, m.sc, in); err != nil {
			return err
		}
	}
	for _, s := range []source.AddInput{
		{Vendor: demo.Vendor, Name: demo.CloudSource, Dialect: "focus", Zone: "+08:00"},
		{Vendor: demo.Vendor, Name: demo.MarketSource, Dialect: "huoban"},
	} {
		if _, err := m.app.Sources.Add(ctx, m.sc, s); err != nil {
			return err
		}
	}
	for _, c := range m.world.Customers {
		in := organisation.AddInput{Code: c.Code, Kind: organisation.KindCustomer, Name: c.Name}
		if _, err := m.app.Organisations.Add(ctx, m.sc, in); err != nil {
			return err
		}
	}
	if _, err := m.app.Attribution.Import(ctx, m.sc, attribution.ImportInput{File: bytes.NewReader(m.world.MapFile())}); err != nil {
		return err
	}
	vendor, err := m.vendorID(ctx)
	if err != nil {
		return err
	}
	_, err = m.app.Prices.Import(ctx, m.sc, price.ImportInput{VendorID: vendor, File: bytes.NewReader(m.world.PriceFile())})
	if err != nil {
		return err
	}
	return m.people(ctx)
}

func (m *demoMaker) people(ctx context.Context) error {
	for n, p := range m.staff() {
		_, err := m.app.Accounts.AddPerson(ctx, m.sc, account.AddPersonInput{OrgCode: p.Organisation, Login: p.Login, Name: p.Name,
			Roles: []string{p.Role}, Password: demoPassword, KeepPassword: true})
		if err != nil {
			return err
		}
		if n < len(m.world.People) {
			if err := m.reachable(ctx, p, n); err != nil {
				return err
			}
		}
		if p.Supervisor == "" {
			continue
		}
		if err := m.app.Accounts.SetSupervisor(ctx, m.sc, p.Login, p.Supervisor); err != nil {
			return err
		}
	}
	return nil
}

// staff is everybody: the table's people and an administrator for each customer.
func (m *demoMaker) staff() []demo.Person {
	all := append([]demo.Person(nil), m.world.People...)
	for _, c := range m.world.Customers {
		all = append(all, demo.Person{Organisation: c.Code, Login: lower(c.Code) + "-admin", Name: c.Name, Role: account.RoleAdmin})
	}
	return all
}

func (m *demoMaker) accounts() []DemoAccount {
	kinds := map[string]organisation.Kind{}
	for _, o := range m.world.Organisations {
		kinds[o.Code] = o.Kind
	}
	var list []DemoAccount
	for _, p := range m.staff() {
		kind := kinds[p.Organisation]
		if kind == "" {
			kind = organisation.KindCustomer
		}
		list = append(list, DemoAccount{p.Login, demoPassword, p.Organisation, p.Role, string(kind)})
	}
	return list
}

// care gives every customer to a manager of its partner; some are handed over half a year later.
func (m *demoMaker) care(ctx context.Context) error {
	managers := map[string][]string{}
	for _, p := range m.world.People {
		if p.Role == account.RoleManager {
			managers[p.Organisation] = append(managers[p.Organisation], p.Login)
		}
	}
	// On the afternoon before, so that 客户消费 counts the whole of the first day.
	const afternoon = -9*time.Hour - 30*time.Minute
	begin, handover := m.world.First.Start(cycle.Zone).Add(afternoon), m.world.Month(m.world.Months/3).Start(cycle.Zone).Add(afternoon)
	for i := range m.world.Customers {
		c := &m.world.Customers[i]
		ctx, sc, err := m.app.Operator(ctx, lower(c.Partner)+"-admin", "demo")
		if err != nil {
			return err
		}
		now, before := m.world.ManagerOf(c, managers[c.Partner])
		org, err := m.app.Organisations.ByCode(ctx, m.sc, c.Code)
		if err != nil {
			return err
		}
		from := begin
		if before != "" {
			if err := m.assign(ctx, sc, customer.AssignInput{CustomerID: org.ID, PersonID: before, From: from}); err != nil {
				return err
			}
			from = handover
		}
		if err := m.assign(ctx, sc, customer.AssignInput{CustomerID: org.ID, PersonID: now, From: from}); err != nil {
			return err
		}
	}
	return nil
}

// assign takes the login in PersonID. What an interrupted run assigned already stays.
func (m *demoMaker) assign(ctx context.Context, sc scope.Scope, in customer.AssignInput) error {
	p, err := m.app.Accounts.PersonByLogin(ctx, in.PersonID)
	if err != nil {
		return err
	}
	in.PersonID = p.ID
	known, err := m.app.Customers.Assignments(ctx, sc)
	if err != nil {
		return err
	}
	for _, a := range known {
		if a.CustomerID == in.CustomerID && a.PersonID == p.ID && a.From.Equal(in.From) {
			return nil
		}
	}
	_, err = m.app.Customers.Assign(ctx, sc, in)
	return err
}

// month imports the two files of a month; a month that is over is declared final.
func (m *demoMaker) month(ctx context.Context, s demo.Step) error {
	var f demoFile
	select {
	case f = <-m.files.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	if f.err != nil || f.cycle != string(s.Cycle) {
		return fmt.Errorf("demo: files of %s for %s: %w", f.cycle, s.Cycle, f.err)
	}
	for name, path := range map[string]string{demo.CloudSource: f.cloud, demo.MarketSource: f.market} {
		in := delivery.Input{Source: name, Paths: []string{path}}
		if s.Final {
			in.Final.Cycles = []cycle.Cycle{s.Cycle}
		}
		if _, err := m.app.Deliveries.Import(ctx, m.sc, in); err != nil {
			return err
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

func (m *demoMaker) vendorID(ctx context.Context) (string, error) {
	o, err := m.app.Organisations.ByCode(ctx, m.sc, demo.Vendor)
	return o.ID, err
}

func (m *demoMaker) close(ctx context.Context, s demo.Step) error {
	vendor, err := m.vendorID(ctx)
	if err != nil {
		return err
	}
	_, err = m.app.Closes.Run(ctx, m.sc, monthclose.Input{VendorID: vendor, Cycle: s.Cycle, Issue: s.Do == demo.DoIssue})
	return err
}

// regroup corrects the mapping from an issued month on, which makes pairs of adjustment lines.
func (m *demoMaker) regroup(ctx context.Context, c cycle.Cycle) error {
	file := m.world.RegroupFile(c)
	if file == nil {
		return nil
	}
	_, err := m.app.Attribution.Import(ctx, m.sc, attribution.ImportInput{File: bytes.NewReader(file)})
	return err
}

// late delivers an order of an issued month.
func (m *demoMaker) late(ctx context.Context, c cycle.Cycle) error {
	var buf bytes.Buffer
	if err := m.world.MarketFile(&buf, c, true); err != nil || m.world.Customer("HAITANG") == nil {
		return err
	}
	dir, err := os.MkdirTemp("", "portal-demo-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, demo.MarketSource+"-"+string(c)+"-late.csv")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		return err
	}
	_, err = m.app.Deliveries.Import(ctx, m.sc, delivery.Input{Source: demo.MarketSource, Paths: []string{path}})
	return err
}

// peaks delivers the five-minute points of a month, or its corrected day.
func (m *demoMaker) peaks(ctx context.Context, s demo.Step) error {
	var buf bytes.Buffer
	rows, err := m.world.PeakFile(&buf, s.Cycle, s.Do == demo.DoRemeter)
	if err != nil || rows == 0 {
		return err
	}
	dir, err := os.MkdirTemp("", "portal-demo-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, demo.CloudSource+"-95peak-"+string(s.Cycle)+".csv")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		return err
	}
	_, err = m.app.Peaks.Import(ctx, m.sc, peak.Input{Source: demo.CloudSource, Paths: []string{path}})
	return err
}

// adjust enters an adjustment and has a second person approve it.
func (m *demoMaker) adjust(ctx context.Context, c cycle.Cycle) error {
	what, ok := m.world.Adjusted()
	if !ok {
		return nil
	}
	a, err := m.enter(ctx, c, what)
	if err != nil || a.State != adjustment.StateProposed {
		return err
	}
	ctx, second, err := m.app.Operator(ctx, "hengluo-finance", "demo")
	if err != nil {
		return err
	}
	_, err = m.app.Adjustments.Approve(ctx, second, a.ID)
	return err
}

// propose enters an adjustment that waits for the second person.
func (m *demoMaker) propose(ctx context.Context, c cycle.Cycle) error {
	what, ok := m.world.Waiting()
	if !ok {
		return nil
	}
	_, err := m.enter(ctx, c, what)
	return err
}

// enter proposes an adjustment unless an interrupted run has entered it.
func (m *demoMaker) enter(ctx context.Context, c cycle.Cycle, what demo.Case) (adjustment.Adjustment, error) {
	none := adjustment.Adjustment{}
	vendor, err := m.vendorID(ctx)
	if err != nil {
		return none, err
	}
	partner, err := m.app.Organisations.ByCode(ctx, m.sc, what.Partner)
	if err != nil {
		return none, err
	}
	org, err := m.app.Organisations.ByCode(ctx, m.sc, what.Customer)
	if err != nil {
		return none, err
	}
	known, err := m.app.Adjustments.List(ctx, m.sc, adjustment.Filter{VendorID: vendor})
	if err != nil {
		return none, err
	}
	for _, a := range known {
		if a.Kind == adjustment.KindStaff && a.Corrects == c && a.Reason == what.Reason {
			return a, nil
		}
	}
	ctx, first, err := m.app.Operator(ctx, "hengluo-operations", "demo")
	if err != nil {
		return none, err
	}
	return m.app.Adjustments.Propose(ctx, first, adjustment.Proposal{VendorID: vendor, PartnerID: partner.ID, CustomerID: org.ID, Corrects: c,
		Currency: "CNY", Amount: what.Amount, Reason: what.Reason})
}
