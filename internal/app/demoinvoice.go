package app

import (
	"context"
	"encoding/xml"
	"fmt"
	"slices"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/demo"
	"huoban/internal/invoice"
	"huoban/internal/scope"
)

// demoBuyer is a partner of the demo that asks for invoices.
type demoBuyer struct {
	partner string
	title   invoice.Title
	post    invoice.Post
	asks    map[int]demoAsk // at the time, by how many cycles before the running one
	now     map[int]demoAsk // today
}

// demoAsk is what becomes of its request for a cycle.
type demoAsk struct {
	kind   invoice.Kind
	medium invoice.Medium
	ends   invoice.State
}

var demoBuyers = []demoBuyer{
	{partner: "QIHENG", title: invoice.Title{Kind: invoice.TitleCompany, Name: "启珩数科有限公司", TaxNo: "91330108MA00DEM06K", Bank: "招商银行杭州滨江支行", Account: "571900000006688", Address: "杭州市滨江区江虹路 88 号 6 层", Phone: "0571-00006688"},
		post: invoice.Post{Recipient: "珩月", Phone: "0571-00006688", Region: "浙江省杭州市滨江区", Detail: "江虹路 88 号 6 层", Postcode: "310052"},
		asks: map[int]demoAsk{8: {invoice.KindOrdinary, invoice.MediumElectronic, invoice.StateIssued}, 7: {invoice.KindOrdinary, invoice.MediumElectronic, invoice.StateReturned},
			6: {invoice.KindSpecial, invoice.MediumPaper, invoice.StateIssued}, 5: {invoice.KindSpecial, invoice.MediumPaper, invoice.StateRefused},
			4: {invoice.KindOrdinary, invoice.MediumElectronic, invoice.StateReturnRefused}, 3: {invoice.KindSpecial, invoice.MediumPaper, invoice.StateCancelled}, 2: {invoice.KindOrdinary, invoice.MediumElectronic, invoice.StateIssued}},
		now: map[int]demoAsk{9: {invoice.KindSpecial, invoice.MediumPaper, invoice.StatePosted}, 10: {invoice.KindOrdinary, invoice.MediumElectronic, invoice.StatePending}, 11: {invoice.KindSpecial, invoice.MediumPaper, invoice.StateDraft}}},
	{partner: "GUANGZHU", title: invoice.Title{Kind: invoice.TitleCompany, Name: "广渚数字分销有限公司", TaxNo: "91440106MA00DEM14C", Bank: "工商银行广州天河支行", Account: "360200000001616", Address: "广州市天河区珠江东路 16 号", Phone: "020-00001616"},
		post: invoice.Post{Recipient: "邝静仪", Phone: "020-00001616", Region: "广东省广州市天河区", Detail: "珠江东路 16 号", Postcode: "510623"},
		asks: map[int]demoAsk{5: {invoice.KindSpecial, invoice.MediumPaper, invoice.StateIssued}, 4: {invoice.KindOrdinary, invoice.MediumElectronic, invoice.StateIssued},
			3: {invoice.KindOrdinary, invoice.MediumElectronic, invoice.StateIssued}, 2: {invoice.KindSpecial, invoice.MediumPaper, invoice.StateIssued}},
		now: map[int]demoAsk{6: {invoice.KindOrdinary, invoice.MediumElectronic, invoice.StateIssuing}}},
}

// invoice lets partners ask for invoices of a cycle, and the vendor's clerk answer. What an interrupted run did stays.
func (m *demoMaker) invoice(ctx context.Context, c cycle.Cycle) error {
	return m.ask(ctx, c, func(b *demoBuyer) map[int]demoAsk { return b.asks })
}

// invoicesNow lets partners ask for older cycles today, so that something waits.
func (m *demoMaker) invoicesNow(ctx context.Context) error {
	for _, c := range m.world.Over() {
		if err := m.ask(ctx, c, func(b *demoBuyer) map[int]demoAsk { return b.now }); err != nil {
			return err
		}
	}
	return nil
}

func (m *demoMaker) ask(ctx context.Context, c cycle.Cycle, of func(*demoBuyer) map[int]demoAsk) error {
	over := m.world.Over()
	left := len(over) - slices.Index(over, c)
	if err := m.couriers(ctx); err != nil {
		return err
	}
	_, clerk, err := m.app.Operator(ctx, lower(demo.Vendor)+"-invoice", "demo")
	if err != nil {
		return err
	}
	for i := range demoBuyers {
		b := &demoBuyers[i]
		ask, asks := of(b)[left]
		if !asks || m.owned(b.partner) == 0 {
			continue
		}
		if err := m.invoiceOf(ctx, c, b, ask, clerk); err != nil {
			return fmt.Errorf("demo: invoice of %s for %s: %w", c, b.partner, err)
		}
	}
	return nil
}

// couriers says once by whom the vendor of the demo sends letters.
func (m *demoMaker) couriers(ctx context.Context) error {
	ctx, sc, err := m.app.Operator(ctx, lower(demo.Vendor)+"-admin", "demo")
	if err != nil {
		return err
	}
	known, err := m.app.Invoices.Setting(ctx, sc.OrgID())
	if err != nil || len(known.Couriers) > 0 {
		return err
	}
	return m.app.Invoices.SetSetting(ctx, sc, invoice.Setting{SignDays: invoice.SignDays, Couriers: []invoice.Courier{{Name: "顺路速运", Link: "https://shunlu.example/track?no=" + invoice.TrackingMark}, {Name: "邮政特快"}}})
}

func (m *demoMaker) invoiceOf(ctx context.Context, c cycle.Cycle, b *demoBuyer, ask demoAsk, clerk scope.Scope) error {
	ctx, sc, err := m.app.Operator(ctx, lower(b.partner)+"-finance", "demo")
	if err != nil {
		return err
	}
	s := m.app.Invoices
	known, err := s.List(ctx, sc)
	if err != nil || slices.ContainsFunc(known, func(r invoice.Request) bool { return r.Parts[0].Cycle == c }) {
		return err
	}
	t, _, err := s.TitleOf(ctx, sc)
	if err != nil {
		return err
	}
	if err := s.SetTitle(ctx, sc, b.title, t.Version); err != nil {
		return err
	}
	if err := s.AddAddress(ctx, sc, b.post); err != nil {
		return err
	}
	to, err := s.Addresses(ctx, sc)
	if err != nil {
		return err
	}
	offers, err := s.Offers(ctx, sc)
	if err != nil {
		return err
	}
	in := invoice.Input{Method: invoice.MethodCycle, Kind: ask.kind, Medium: ask.medium, AddressID: to[0].ID, Email: "finance@" + lower(b.partner) + ".example", CourierOK: true}
	for i := range offers {
		if o := &offers[i]; o.Bill.Cycle == c && o.Free > 0 && len(o.Why) == 0 && (len(in.Bills) == 0) {
			in.Bills = append(in.Bills, o.Bill.ID)
		}
	}
	if len(in.Bills) == 0 {
		return nil
	}
	r, err := s.Draft(ctx, sc, in)
	if err != nil {
		return err
	}
	return m.lead(ctx, r, ask.ends, sc, clerk)
}

// demoWays are the steps to where a request ends, in order.
var demoWays = map[invoice.State][]invoice.Action{
	invoice.StatePending:       {invoice.ActionSubmit},
	invoice.StateRefused:       {invoice.ActionSubmit, invoice.ActionRefuse},
	invoice.StateIssuing:       {invoice.ActionSubmit, invoice.ActionAccept},
	invoice.StateCancelled:     {invoice.ActionSubmit, invoice.ActionAccept, invoice.ActionCancel, invoice.ActionAgreeCancel},
	invoice.StatePosted:        {invoice.ActionSubmit, invoice.ActionAccept, invoice.ActionPost},
	invoice.StateIssued:        {invoice.ActionSubmit, invoice.ActionAccept, invoice.ActionIssue},
	invoice.StateReturned:      {invoice.ActionSubmit, invoice.ActionAccept, invoice.ActionIssue, invoice.ActionReturn, invoice.ActionAcceptReturn},
	invoice.StateReturnRefused: {invoice.ActionSubmit, invoice.ActionAccept, invoice.ActionIssue, invoice.ActionReturn, invoice.ActionRefuseReturn},
}

var demoReasons = map[invoice.Action]string{invoice.ActionRefuse: "开户银行与备案信息不一致，请核对后重新提交", invoice.ActionReturn: "抬头需要更换，申请整张退回", invoice.ActionRefuseReturn: "发票已入账，请先冲销后再退"}

// lead takes a request through its steps; each side does its own.
func (m *demoMaker) lead(ctx context.Context, r invoice.Request, ends invoice.State, partner, clerk scope.Scope) error {
	way := demoWays[ends]
	if r.Medium == invoice.MediumPaper && ends == invoice.StateIssued {
		way = []invoice.Action{invoice.ActionSubmit, invoice.ActionAccept, invoice.ActionPost, invoice.ActionSign}
	}
	byPartner := []invoice.Action{invoice.ActionSubmit, invoice.ActionCancel, invoice.ActionSign, invoice.ActionReturn}
	for n, do := range way {
		m.clock.Set(m.clock.Now().Add(47 * time.Minute))
		if at := m.mark.Now; m.clock.Now().After(at) {
			m.clock.Set(at)
		}
		sc := clerk
		if slices.Contains(byPartner, do) {
			sc = partner
		}
		on := m.clock.Now().In(cycle.Zone)
		d := invoice.Deed{Do: do, Reason: demoReasons[do], RedConfirmed: true}
		if do == invoice.ActionIssue || do == invoice.ActionPost {
			d.Paper = invoice.Paper{Code: "033002600111", Number: r.Number[len(r.Number)-4:] + on.Format("0102"), On: on.Format(time.DateOnly)}
		}
		switch do {
		case invoice.ActionPost:
			d.Paper.Courier, d.Paper.Tracking = "顺路速运", "SL"+on.Format("20060102")+r.Number[len(r.Number)-4:]
		case invoice.ActionIssue:
			file, err := demoInvoiceFile(&r, &d.Paper)
			if err == nil {
				_, err = m.app.Invoices.Upload(ctx, clerk, r.ID, file)
			}
			if err != nil {
				return err
			}
		}
		next, err := m.app.Invoices.Do(ctx, sc, r.ID, d)
		if err != nil {
			return fmt.Errorf("%s (step %d): %w", do, n+1, err)
		}
		r = next
	}
	return nil
}

// demoInvoiceFile is the invoice of a request as a small document of its figures.
func demoInvoiceFile(r *invoice.Request, p *invoice.Paper) ([]byte, error) {
	type document struct {
		XMLName                                            xml.Name `xml:"EInvoice"`
		Code, Number, IssuedOn, Request, Buyer, BuyerTaxNo string
		Content, Total, Currency                           string
	}
	return xml.MarshalIndent(document{Code: p.Code, Number: p.Number, IssuedOn: p.On, Request: r.Number, Buyer: r.Title.Name, BuyerTaxNo: r.Title.TaxNo, Content: "云服务费", Total: r.Amount.String(), Currency: r.Currency}, "", " ")
}
