package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/url"
	"sync"

	"huoban/internal/portal"
	"huoban/internal/sso/samltest"
)

// What forms with a file bring; the n-th is another than the one before.

func onceScan(_ *repeater, n int) (string, []byte) {
	return "scan.pdf", fmt.Appendf(nil, "%%PDF-1.4\n%% sheet %d\n%%%%EOF\n", n)
}

func onceStatement(_ *repeater, n int) (string, []byte) {
	return "bank.csv", fmt.Appendf(nil, "交易流水号,交易日期,币种,贷方金额,对方户名,对方账号,收款账号,摘要\nONCE-%d,2026-07-07,CNY,12.34,无名公司,6222000000009999,,货款\n", n)
}

func onceMonth(o *repeater, n int) (string, []byte) { return "november.csv", november(o.T, n) }

func oncePrices(_ *repeater, n int) (string, []byte) {
	return "prices.csv", fmt.Appendf(nil, "partner,type,base,factor\n"+partner+",normal,billed,0.8%d\n", n+1)
}

func oncePicture(o *repeater, n int) (string, []byte) {
	o.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	m.Set(n, n, color.White)
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		o.Fatal(err)
	}
	return "logo.png", b.Bytes()
}

func onceMap(_ *repeater, n int) (string, []byte) {
	return "map.csv", fmt.Appendf(nil, "source,key,customer,partner,association,valid_from,valid_to\nlanhai-focus,twice-%d,TWICE%d,%s,resale,,\n", n, n, partner)
}

func oncePoints(o *repeater, _ int) (string, []byte) { return "points.csv", o.w.points(o.T) }

func oncePlatform(_ *repeater, n int) (string, []byte) {
	return "idp.xml", samltest.NewIdP(fmt.Sprint("shop-twice-", n), today).Metadata()
}

// bring sends a form with a file twice at the same time and once more: what it brings is there once.
func (o *repeater) bring(r portal.RouteInfo, a deed, f offer, fields url.Values) {
	o.Helper()
	what := r.Name + " at " + f.action + " by " + f.login
	name, body := a.file(o, o.done[r.Name])
	var pairs []string
	for field, list := range fields {
		for _, value := range list {
			pairs = append(pairs, field, value)
		}
	}
	send := func() reply { return f.c.hand(f.action, f.file, name, body, pairs...) }
	before := o.trace()
	var both [2]reply
	var wait sync.WaitGroup
	for i := range both {
		wait.Go(func() { both[i] = send() })
	}
	wait.Wait()
	after := o.trace()
	taken := 0
	for _, x := range both {
		switch x.status {
		case http.StatusSeeOther:
			taken++
		case http.StatusConflict: // the other was first
		default:
			o.why[r.Name] = refusal(o.T, x)
			return
		}
	}
	if taken == 0 || after == before {
		o.why[r.Name] = fmt.Sprintf("nothing was written: %d and %d", both[0].status, both[1].status)
		return
	}
	o.done[r.Name]++
	o.spent[fields.Get("idempotency_key")] = true
	o.single(what, false, a, before, after)
	again := send()
	if then := o.trace(); again.status >= http.StatusInternalServerError || then != after {
		o.Errorf("%s a third time: %d, %+v, then %+v", what, again.status, after, then)
	}
	o.revisit(f.action, f.page, both[0].location(), both[1].location())
}
