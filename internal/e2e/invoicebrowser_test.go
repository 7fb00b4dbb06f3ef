package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"huoban/internal/ledger"
	"huoban/internal/money"
)

// testInvoice takes a paper invoice by cycle from the request over the clerk, the post and the receipt to the return, by
// the pages of both sides alone: what is asked for cannot be asked for again until the return is accepted.
func testInvoice(t *testing.T, w *world, browser context.Context) {
	partner, clerk := newTab(t, browser, w.url, desk), newTab(t, browser, w.url, desk)
	partner.signIn(w.signIn(t, "qiheng-finance"))
	clerk.signIn(w.signIn(t, "hengluo-invoice"))
	invoiceProfile(partner)
	bill, id := draftInvoice(partner)
	again := func() bool { // whether the bill can be asked for
		partner.open("/o/QIHENG/invoices/new")
		return partner.truth(fmt.Sprintf("document.querySelector('input[name=bill][value=%q]:not(:disabled)')", bill))
	}
	if !again() {
		t.Fatal("a draft holds the bill")
	}
	partner.open("/o/QIHENG/invoices/" + id)
	partner.acts("submission", "待审核")

	clerk.open("/o/HENGLUO/invoice-requests/" + id)
	clerk.clean("a request under review")
	clerk.acts("acceptance", "开票中")
	clerk.acts("posting", "待签收", "invoice_number", "00770042", "invoice_code", "033002600111", "courier", "顺路速运", "tracking", "SL00770042")
	partner.open("/o/QIHENG/invoices/" + id)
	if !strings.Contains(partner.text("main"), "SL00770042") {
		t.Error("the partner does not see where its letter is")
	}
	partner.acts("signing", "已开票")
	if again() {
		t.Fatal("an issued bill can be asked for again")
	}
	speak := func(lang string) {
		partner.click(".hb-tools form[action='/preferences/language'] button")
		partner.until("a page in "+lang, fmt.Sprintf("document.readyState === 'complete' && document.documentElement.lang.startsWith(%q)", lang))
	}
	overInvoiced(t, w, id)
	const stuck = "/o/QIHENG/funds/withdrawals/new"
	refused := func(reason, cure string) bool { // whether the form says why not all can be taken out, and leads to the invoice
		partner.open(stuck)
		return strings.Contains(partner.text("main"), reason) &&
			partner.truth(fmt.Sprintf("[...document.querySelectorAll('.hb-check a')].some(a => a.innerText.includes(%q) && a.pathname === '/o/QIHENG/invoices/%s')", cure, id))
	}
	if !refused("不能提现", "查看发票并退票") {
		t.Error("money that is invoiced can be taken out, or nobody says how: " + partner.text("main"))
	}
	partner.clean("taking out what is invoiced")
	speak("en")
	if !refused("cannot be withdrawn", "Open the invoice and return it") {
		t.Error("in English money that is invoiced can be taken out, or nobody says how: " + partner.text("main"))
	}
	partner.clean("taking out what is invoiced, in English")
	partner.open("/o/QIHENG/invoices/" + id)
	if text := partner.text("main"); !strings.Contains(text, "Received; return it whole") || !strings.Contains(text, "Issued") {
		t.Error("the invoice in English: " + text)
	}
	partner.clean("an issued invoice, in English")
	speak("zh")

	partner.open("/o/QIHENG/invoices/" + id)
	partner.acts("return", "退票中", "reason", "抬头更换", "courier", "顺路速运", "tracking", "SL00779942")
	if again() {
		t.Fatal("a return that nobody accepted frees the bill")
	}
	clerk.open("/o/HENGLUO/invoice-requests/" + id)
	if !strings.Contains(clerk.text("main"), "SL00779942") {
		t.Error("the clerk does not see in which letter the invoice comes back")
	}
	clerk.acts("return-approval", "已退票")
	if refused("不能提现", "查看发票并退票") {
		t.Error("a returned invoice still holds money")
	}
	if !again() {
		t.Fatal("a returned bill cannot be asked for again")
	}
	partner.quiet("a partner's invoice")
	clerk.quiet("a clerk's invoice")
}

// types writes into fields of a form, by name.
func (b *tab) types(form string, fields ...string) {
	for i := 0; i < len(fields); i += 2 {
		b.truth(fmt.Sprintf("(e => { e.value = %q; return true; })(document.querySelector(%q))", fields[i+1], form+" [name="+fields[i]+"]"))
	}
}

// acts presses a button of the action bar, fills its dialog and confirms it.
func (b *tab) acts(noun, state string, fields ...string) {
	b.t.Helper()
	b.click(fmt.Sprintf(`div:has(> dialog form[action$="/%s"]) > button`, noun))
	form := fmt.Sprintf(`dialog[open] form[action$="/%s"]`, noun)
	b.until("the question of "+noun, fmt.Sprintf("document.querySelector(%q)", form))
	b.types(form, fields...)
	b.click(form + " button[type=submit]")
	b.until(state, fmt.Sprintf("document.readyState === 'complete' && location.search.includes('done=') && document.querySelector('main .hb-status')?.innerText.includes(%q)", state))
}

// invoiceProfile gives a partner title and address.
func invoiceProfile(partner *tab) {
	partner.open("/o/QIHENG/invoices/profile")
	partner.types(`form[action$="/invoices/profile"]`, "title_kind", "company", "title_name", "启珩数科（杭州）有限公司", "tax_no", "91310115MA00DEM225")
	partner.click(`form[action$="/invoices/profile"] button`)
	partner.until("the title", "location.search.includes('done=invoice_title') && document.readyState === 'complete'")
	partner.types(`form[action$="/invoices/addresses"]`, "recipient", "珩月", "phone", "0571-00006688", "region", "浙江省杭州市滨江区", "detail", "江虹路 90 号")
	partner.click(`form[action$="/invoices/addresses"] button`)
	partner.until("the address", "location.search.includes('done=invoice_address') && document.readyState === 'complete'")
	partner.clean("title and addresses")
}

// draftInvoice asks for an invoice on paper for the first bill there is.
func draftInvoice(partner *tab) (bill, id string) {
	partner.open("/o/QIHENG/invoices/new")
	bill = value[string](partner, "document.querySelector('input[name=bill]:not(:disabled)').value")
	partner.clean("asking for an invoice")
	partner.click(fmt.Sprintf("input[name=bill][value=%q]", bill))
	partner.click("button[name=step]")
	partner.until("how to invoice", "document.readyState === 'complete' && document.querySelector('form [name=medium]')")
	partner.clean("how to invoice")
	partner.truth("(f => { f.elements.medium.value = 'paper'; f.elements.address.selectedIndex = 1; return true; })([...document.querySelectorAll('.hb-card form[method=post]')].pop())")
	partner.click(`.hb-card form[method=post] button.btn-primary`)
	partner.until("the preview", "location.search.includes('done=invoice_draft') && document.readyState === 'complete'")
	partner.clean("the preview of an invoice")
	path, _, _ := strings.Cut(partner.where(), "?")
	return bill, path[strings.LastIndex(path, "/")+1:]
}

// overInvoiced refunds to the partner of a request so much of what it spent that its invoices stand for a hundred yuan
// that nothing was bought for.
func overInvoiced(t *testing.T, w *world, id string) {
	t.Helper()
	ctx := w.asTest()
	var partnerID, vendorID string
	if err := w.app.DB.Writer().QueryRowContext(ctx, "SELECT partner_id, vendor_id FROM invoice_request WHERE id = $1", id).Scan(&partnerID, &vendorID); err != nil {
		t.Fatal(err)
	}
	held, list, err := w.app.Invoices.Held(ctx, partnerID, vendorID, "CNY")
	if err != nil || len(list) == 0 || list[0].ID != id {
		t.Fatal("the newest request is another", err)
	}
	spent, err := w.app.Ledger.Spent(ctx, vendorID, partnerID, "CNY")
	if err != nil {
		t.Fatal(err)
	}
	back := max(spent-held, 0) + 100*money.Unit
	if _, err = w.app.Ledger.Post(ctx, ledger.Entry{VendorID: vendorID, Type: ledger.TypeRefund, Detail: ledger.DetailBillRefund, Key: "refund " + id, Number: "TK-1", Actor: "operator", Memo: "test",
		Lines: []ledger.Line{{Account: ledger.Of(vendorID, partnerID, ledger.KindBalance, "CNY"), Amount: back}, {Account: ledger.Counter(vendorID, ledger.KindBank, "CNY"), Amount: -back}}}); err != nil {
		t.Fatal(err)
	}
}
