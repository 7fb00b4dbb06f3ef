package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"huoban/internal/agreement"
	"huoban/internal/contract"
	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/topup"
)

// demoScan is a page of paper as a scanner gives it: one blank sheet with a line of text.
func demoScan(text string) []byte {
	var b strings.Builder
	b.WriteString("%PDF-1.4\n")
	at := make([]int, 0, 5)
	stream := "BT /F1 14 Tf 72 770 Td (" + text + ") Tj ET"
	for i, body := range []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
		fmt.Sprintf("<</Length %d>>stream\n%s\nendstream", len(stream), stream), "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj%s endobj\n", i+1, body)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return []byte(b.String())
}

// agreements lets others pay for a partner of the demo: one agreement is in force and a transfer came under it, one waits
// for review, one was refused, one covered a single day; and one transfer is held because it has none. Done twice it
// changes nothing.
func (m *demoMaker) agreements(pctx, dctx context.Context, partner, desk scope.Scope) error {
	known, err := m.app.Agreements.List(pctx, partner, agreement.Filter{})
	if err != nil || len(known) > 0 {
		return err
	}
	own, err := m.app.TopUps.OpenAccount(pctx, demoClerk(partner.OrgID(), demoFunder), desk.OrgID())
	if err != nil {
		return err
	}
	now := m.clock.Now().In(cycle.Zone)
	day := func(after int) string { return now.AddDate(0, 0, after).Format(time.DateOnly) }
	line := func(ref, payer string, amount money.Amount) topup.BankLine {
		return topup.BankLine{Ref: "DEMO-PAYER-" + ref, PaidOn: day(-1), Currency: "CNY", Amount: amount * money.Unit, PayerName: payer, PayerAccount: "6225000000002" + ref, AccountNo: own.Number, Purpose: "代付充值"}
	}
	if _, err := m.app.TopUps.Import(dctx, desk, []topup.BankLine{line("301", "启珩控股集团有限公司", 42_000), line("302", "苏州云帆科技有限公司", 6_800), line("303", "上海启珩信息技术有限公司", 15_000)}); err != nil {
		return err
	}
	for _, x := range []struct {
		in     agreement.Input
		do     []agreement.Action
		reason string
	}{
		{agreement.Input{Kind: agreement.KindStanding, Payer: "启珩控股集团有限公司", Begins: day(-7), Ends: day(357), Remark: "母公司统一付款"}, []agreement.Action{agreement.ActionSubmit, agreement.ActionApprove}, ""},
		{agreement.Input{Kind: agreement.KindStanding, Payer: "上海启珩信息技术有限公司", Begins: day(-2), Ends: day(180), Remark: "子公司代付华东项目费用"}, []agreement.Action{agreement.ActionSubmit}, ""},
		{agreement.Input{Kind: agreement.KindStanding, Payer: "深圳前海盛泰供应链有限公司", Begins: day(0), Ends: day(364)}, []agreement.Action{agreement.ActionSubmit, agreement.ActionRefuse}, "扫描件缺少被委托方公章，请补盖后重新上传"},
		{agreement.Input{Kind: agreement.KindSingle, Payer: "广州启珩数据服务有限公司", Begins: day(-3)}, nil, ""},
	} {
		x.in.VendorID, x.in.PayerKind = desk.OrgID(), agreement.PayerCompany
		a, err := m.app.Agreements.Make(pctx, partner, x.in)
		if err == nil && x.do != nil {
			err = m.app.Agreements.Sign(pctx, partner, a.ID, demoScan("Payment agreement "+a.Number))
		}
		for i, do := range x.do {
			if err != nil {
				break
			}
			if i == 0 {
				_, err = m.app.Agreements.Do(pctx, partner, a.ID, do, "")
			} else {
				_, err = m.app.Agreements.Do(dctx, desk, a.ID, do, x.reason)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// contracts gives a partner of the demo a contract in force of which an item was paid, one that was refused, one under review, a
// draft, and one on paper. Done twice it changes nothing.
func (m *demoMaker) contracts(pctx, dctx context.Context, partner, desk scope.Scope) error {
	known, err := m.app.Contracts.List(pctx, partner, contract.Filter{})
	if err != nil || len(known) > 0 {
		return err
	}
	now := m.clock.Now().In(cycle.Zone)
	day := func(after int) string { return now.AddDate(0, 0, after).Format(time.DateOnly) }
	input := func(title, begins, ends, plan string) contract.Input {
		return contract.Input{VendorID: desk.OrgID(), Title: title, Currency: "CNY", Begins: begins, Ends: ends, Plan: plan}
	}
	first, err := m.app.Contracts.Make(pctx, partner, input("2026 年度技术支持服务", day(-60), day(304), day(-30)+" 18000.00\n"+day(30)+" 18000.00\n"+day(120)+" 24000.00"), true)
	if err != nil {
		return err
	}
	if _, err := m.app.Contracts.Do(dctx, desk, first.ID, contract.ActionApprove, ""); err != nil {
		return err
	}
	clerk := scope.Partner(partner.OrgID(), "", partner.Login(), []scope.Item{scope.ItemContractView, scope.ItemContractChange}, nil) // who needs no code
	if _, err := m.app.Contracts.Pay(pctx, clerk, first.ID, 1); err != nil {
		return err
	}
	refused, err := m.app.Contracts.Make(pctx, partner, input("数据库托管运维", day(0), day(364), day(10)+" 9600.00\n"+day(190)+" 9600.00"), true)
	if err != nil {
		return err
	}
	if _, err := m.app.Contracts.Do(dctx, desk, refused.ID, contract.ActionRefuse, "第 2 期付款时间与双方约定不符，请改为服务满 90 天后支付"); err != nil {
		return err
	}
	if _, err := m.app.Contracts.Make(pctx, partner, input("华东区迁移实施服务", day(0), day(180), day(20)+" 36000.00\n"+day(90)+" 36000.00"), true); err != nil {
		return err
	}
	if _, err := m.app.Contracts.Make(pctx, partner, input("安全加固专项", day(15), day(200), day(45)+" 12800.00"), false); err != nil {
		return err
	}
	in := input("伙伴合作框架协议", day(-200), day(530), day(-100)+" 50000.00")
	in.PartnerID, in.PaperNo = partner.OrgID(), "HL-2026-0417"
	paper, err := m.app.Contracts.Make(dctx, desk, in, true)
	if err != nil {
		return err
	}
	return m.app.Contracts.Sign(dctx, desk, paper.ID, demoScan("Framework contract "+in.PaperNo))
}
