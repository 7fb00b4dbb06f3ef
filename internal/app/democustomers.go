package app

import (
	"context"
	"slices"

	"huoban/internal/audit"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/reconcile"
)

// demoTidy is what somebody set up to have the work at hand.
var demoTidy = []struct {
	login  string
	labels []string // given in turn to the customers, every other of whom has the next one too
	views  [][3]string
	months int // the latest issued month is compared with the one so many before it
}{
	{"qiheng-admin", []string{"重点客户", "制造业", "续约在即", "出海业务"}, [][3]string{{"/customers", "代售客户", "relation=resale"}, {"/dashboards/expenditure", "按客户看趋势", "by=customer&tab=trend"},
		{"/expenditure/lines", "退款明细", "kind=refund"}}, 1},
	{"guangzhu-admin", []string{"战略客户", "教育行业", "新客跟进"}, [][3]string{{"/customers", "顾问销售客户", "relation=referral"}, {"/dashboards/expenditure", "按客户经理看分布", "by=manager&tab=share"}}, 1},
	{"guangzhu-manager", nil, [][3]string{{"/dashboards/expenditure", "我的客户", "by=customer"}, {"/expenditure/lines", "包年包月", "mode=subscription"}}, 0},
}

// tidy gives customers labels, people views of their own, and two partners a comparison of two months; done twice it
// changes nothing.
func (m *demoMaker) tidy(ctx context.Context) error {
	for _, x := range demoTidy {
		if _, err := m.app.Accounts.PersonByLogin(ctx, x.login); err != nil {
			continue // in a smaller world
		}
		ctx, sc, err := m.app.Operator(ctx, x.login, "demo")
		if err != nil {
			return err
		}
		if len(x.labels) > 0 {
			if err := m.label(ctx, x.login, x.labels); err != nil {
				return err
			}
		}
		for _, v := range x.views {
			err := m.app.DB.InTx(ctx, func(ctx context.Context) error {
				known := false
				err := m.app.views.Views(ctx, sc.PersonID(), func(orgID, path, name, _ string) {
					known = known || orgID == sc.OrgID() && path == v[0] && name == v[1]
				})
				if err != nil || known {
					return err
				}
				if err := m.app.views.SetView(ctx, sc.PersonID(), sc.OrgID(), v[0], v[1], v[2]); err != nil {
					return err
				}
				return m.app.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: "list.view", Object: "list:" + v[0], Detail: map[string]any{"name": v[1], "query": v[2]}})
			})
			if err != nil {
				return err
			}
		}
		known, err := m.app.Reconcile.List(ctx, sc)
		if err != nil {
			return err
		}
		if x.months == 0 || len(known) > 0 {
			continue
		}
		last := cycle.Of(m.clock.Now(), cycle.Zone).Add(-1)
		_, err = m.app.Reconcile.Compare(ctx, sc, reconcile.Input{Left: reconcile.Side{Cycle: last.Add(-x.months)}, Right: reconcile.Side{Cycle: last}, Key: reconcile.KeyResource})
		if err != nil {
			return err
		}
	}
	return nil
}

// label gives the customers of somebody's partner labels in turn.
func (m *demoMaker) label(ctx context.Context, login string, labels []string) error {
	ctx, sc, err := m.app.Operator(ctx, login, "demo")
	if err != nil {
		return err
	}
	have, err := m.app.Customers.Labels(ctx, sc)
	if err != nil || len(have) > 0 {
		return err
	}
	all, err := m.app.Customers.Directory(ctx, sc)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(e customer.Entry) bool { return !e.Own(sc.OrgID()) })
	of := map[string][]string{}
	for i := range all {
		of[labels[i%len(labels)]] = append(of[labels[i%len(labels)]], all[i].Customer.ID)
		if i%2 == 0 {
			of[labels[(i+1)%len(labels)]] = append(of[labels[(i+1)%len(labels)]], all[i].Customer.ID)
		}
	}
	for _, text := range labels {
		for some := range slices.Chunk(of[text], 50) {
			if _, err := m.app.Customers.SetLabels(ctx, sc, customer.LabelInput{CustomerIDs: some, Add: []string{text}}); err != nil {
				return err
			}
		}
	}
	return nil
}
