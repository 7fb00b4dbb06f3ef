package ingest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/ingest"
	_ "huoban/internal/ingest/workbook"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// huaweiSum is what tools/huaweimake prints of a file it wrote, or the same of what was read.
type huaweiSum struct {
	Rows                                                   int
	Cycle, Currency                                        string
	Billed, List, Settled, Consumption, Refund, Adjustment string
	Modes, Customers                                       map[string]int
}

// toolDir holds the fixture tool while the tests run.
var toolDir string

func TestMain(m *testing.M) {
	code := m.Run()
	if toolDir != "" {
		_ = os.RemoveAll(toolDir)
	}
	os.Exit(code)
}

var buildHuaweimake = sync.OnceValues(func() (tool string, err error) {
	if toolDir, err = os.MkdirTemp("", "huaweimake-"); err != nil {
		return "", err
	}
	tool = filepath.Join(toolDir, "huaweimake")
	if out, err := exec.Command("go", "build", "-o", tool, "../../tools/huaweimake").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return tool, nil
})

// huaweimake runs the fixture tool, which shares no code with the readers.
func huaweimake(t *testing.T, args ...string) (file string, want huaweiSum) {
	t.Helper()
	tool, err := buildHuaweimake()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out, err := exec.Command(tool, append(args, "-out", dir)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var name struct{ File string }
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &name); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name.File), want
}

// modeCodes leads from what the reader says back to what customerBill's codes share.
var modeCodes = map[string]usage.ChargingMode{
	"0": usage.ModeSubscription, "1": usage.ModeOnDemand, "2": usage.ModeReserved, "3": usage.ModeReserved,
	"4": usage.ModeSavingsPlan, "5": usage.ModeSavingsPlan, "6": usage.ModeSavingsPlan,
}

func readHuawei(t *testing.T, file string, s ingest.Source) (got huaweiSum, parts int, lines []usage.Line) {
	t.Helper()
	d, err := ingest.Open([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	var billed, list, settled money.Exact
	kinds := map[usage.Kind]money.Exact{}
	got.Modes, got.Customers = map[string]int{}, map[string]int{}
	for _, p := range d.Parts {
		r, err := ingest.NewReader(p, s)
		if err != nil {
			t.Fatal(err)
		}
		for {
			l, bad, err := r.Next()
			if bad != nil {
				t.Fatalf("%s line %d: %+v", p.Name, bad.LineNo, bad)
			}
			if l == nil {
				if err != io.EOF {
					t.Fatal(err)
				}
				break
			}
			lines = append(lines, *l)
			got.Rows++
			got.Cycle, got.Currency = string(l.Cycle), l.Currency
			billed, list, settled = billed.Add(l.Billed), list.Add(*l.List), settled.Add(*l.Effective)
			kinds[l.Kind] = kinds[l.Kind].Add(l.Billed)
			got.Modes[string(l.Product.ChargingMode)]++
			got.Customers[l.Account.SubAccount]++
		}
		_ = r.Close()
	}
	got.Billed, got.List, got.Settled = billed.String(), list.String(), settled.String()
	got.Consumption, got.Refund = kinds[usage.KindConsumption].String(), kinds[usage.KindRefund].String()
	got.Adjustment = kinds[usage.KindAdjustment].String()
	return got, len(d.Parts), lines
}

func wantHuawei(t *testing.T, want, got huaweiSum) {
	t.Helper()
	modes := map[string]int{}
	for code, n := range want.Modes {
		modes[string(modeCodes[code])] += n
	}
	want.Modes = modes
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-tool +reader:\n%s", diff)
	}
}

// What the tool says it wrote is what is read, in every format and language.
func TestHuaweiReadsWhatTheToolWrote(t *testing.T) {
	for _, c := range []struct {
		dialect string
		parts   int
		args    string
	}{
		{"huawei-partner-bill", 3, "-kind bill -rows 2500 -part 1000 -seed 3 -month 202412"},
		{"huawei-partner-bill", 1, "-kind bill -rows 10 -currency CNY"},
		{"huawei-bill-detail", 1, "-kind detail -rows 500 -format csv -seed 4"},
		{"huawei-bill-detail", 1, "-kind detail -rows 500 -format xlsx -seed 5"},
		{"huawei-bill-detail", 1, "-kind detail -rows 50 -format csv -lang en -seed 6"},
		{"huawei-bill-detail", 1, "-kind detail -rows 50 -format xlsx -lang en -seed 7 -currency CNY"},
	} {
		t.Run(c.args, func(t *testing.T) {
			file, want := huaweimake(t, strings.Fields(c.args)...)
			got, parts, _ := readHuawei(t, file, ingest.Source{Dialect: c.dialect})
			if parts != c.parts {
				t.Errorf("%d parts, want %d", parts, c.parts)
			}
			wantHuawei(t, want, got)
		})
	}
}

// A real month has 100,000 rows in each file.
func TestHuaweiFullFiles(t *testing.T) {
	file, want := huaweimake(t, "-kind", "bill", "-rows", "110000")
	got, parts, _ := readHuawei(t, file, ingest.Source{Dialect: "huawei-partner-bill"})
	if parts != 2 {
		t.Errorf("%d parts", parts)
	}
	wantHuawei(t, want, got)
}

// The committed samples are what the tool makes.
func TestHuaweiSamples(t *testing.T) {
	for name, c := range map[string][2]string{
		"partner_bill_detail_202410.csv":  {"huawei-bill-detail", "-kind detail -format csv -rows 40 -seed 7"},
		"partner_bill_detail_202411.xlsx": {"huawei-bill-detail", "-kind detail -format xlsx -lang en -month 202411 -rows 40 -seed 8"},
		"customerBill_202410.tar.gz":      {"huawei-partner-bill", "-kind bill -rows 60 -part 25 -seed 9"},
	} {
		file, want := huaweimake(t, strings.Fields(c[1])...)
		_, _, fresh := readHuawei(t, file, ingest.Source{Dialect: c[0]})
		got, _, kept := readHuawei(t, filepath.Join(samples, "huawei", name), ingest.Source{Dialect: c[0]})
		wantHuawei(t, want, got)
		if len(fresh) != len(kept) {
			t.Fatalf("%s: %d lines, made %d", name, len(kept), len(fresh))
		}
		for i := range fresh {
			if fresh[i].Content != kept[i].Content || fresh[i].LineNo != kept[i].LineNo {
				t.Errorf("%s: line %d is not what the tool makes", name, kept[i].LineNo)
			}
		}
	}
}

const detailHead = "客户ID,账期,客户名称,客户账号名,伙伴ID,伙伴名称,账单类型,计费模式,产品类型,产品类型编码,产品名称,产品ID,规格," +
	"资源类型,资源类型编码,区域,云服务区编码,订单号/交易号,原订单号,客户交易时间,订单类型,订单周期数,订单周期单位,客户消费金额(USD),结算类型,伙伴结算折扣,结算金额(USD)\n"

func detailLine(month, kind, mode, order, at, orderType, amount string) string {
	return "c1," + month + ",甲,jia,p1,伙伴甲," + kind + "," + mode + ",云硬盘,hws.service.type.ebs,HD3,00301,高IO," +
		"云存储,hws.resource.type.volume,华北-北京一,cn-north-1," + order + ",," + at + "," + orderType + ",1,月," + amount + ",普通产品,75%,7.5\n"
}

func TestHuaweiDetailLine(t *testing.T) {
	lines, bads, r := read(t, ingest.Source{Dialect: "huawei-bill-detail"},
		detailHead+detailLine("2020-09", "消费", "按需", "T1", "2020-10-01 00:00:00 GMT+08:00", "", "10.00000000000000001")+
			"合计,,,,,,,,,,,,,,,,,,,,,,,10,,,\n"+"说明:金额含税,,,,,,,,,,,,,,,,,,,,,,,,,,\n")
	if len(bads) != 0 || len(lines) != 1 {
		t.Fatalf("%d lines, %+v", len(lines), bads)
	}
	if s := r.Stats(); s.Rows != 3 || s.Lines != 1 || s.Asides != 2 || s.Skipped != 0 {
		t.Errorf("%+v", s)
	}
	l := lines[0]
	got := []any{l.Cycle, l.Currency, l.Billed.String(), l.Contracted.String(), l.Effective.String(), l.List, l.Quantity.String(),
		l.ChargeStart.Format("2006-01-02T15:04:05Z07:00"), l.ChargeEnd.Format("2006-01-02T15:04:05Z07:00"), l.Kind,
		l.Account, l.Product, l.Resource}
	want := []any{cycle.Must("2020-09"), "USD", "10.00000000000000001", "10.00000000000000001", "7.5", (*money.Exact)(nil), "1",
		"2020-09-30T15:59:59Z", "2020-09-30T16:00:00Z", usage.KindConsumption,
		usage.Account{Provider: "Huawei Cloud", Publisher: "Huawei Cloud", Issuer: "Huawei Cloud", BillingAccount: "p1", BillingAccountName: "伙伴甲",
			SubAccount: "c1", SubAccountName: "甲"},
		usage.Product{Service: "云硬盘", ServiceCategory: "hws.service.type.ebs", SKU: "00301", SKUPrice: "高IO", Description: "HD3",
			Region: "cn-north-1", RegionName: "华北-北京一", ChargeCategory: "Usage", ChargeFrequency: "Usage-Based", PricingCategory: "普通产品",
			ChargingMode: usage.ModeOnDemand, Unit: "月"},
		usage.Resource{Type: "云存储"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// 账单类型 decides what a row counts as, then the order type; a fee for giving back is consumption.
func TestHuaweiKindsAndModes(t *testing.T) {
	at := "2020-09-28 09:00:00 GMT+08:00"
	for _, c := range []struct {
		kind, mode, order, amount string
		want                      usage.Kind
		how                       usage.ChargingMode
	}{
		{"消费", "包年/包月", "新订", "1", usage.KindConsumption, usage.ModeSubscription},
		{"消费", "0", "变更", "-1", usage.KindConsumption, usage.ModeSubscription},
		{"消费-退订手续费增收", "包年/包月", "退订", "1", usage.KindConsumption, usage.ModeSubscription},
		{"消费", "包年/包月", "退订", "-1", usage.KindRefund, usage.ModeSubscription},
		{"退款", "包年/包月", "退订", "-1", usage.KindRefund, usage.ModeSubscription},
		{"退款-变更", "1", "", "-1", usage.KindRefund, usage.ModeOnDemand},
		{"Refund", "Savings plans used", "", "-1", usage.KindRefund, usage.ModeSavingsPlan},
		{"调账", "按需", "费用调账", "-1", usage.KindAdjustment, usage.ModeOnDemand},
		{"调账", "", "费用调账", "1", usage.KindAdjustment, usage.ModeOneTime},
		{"Expenditure", "Reserved instance–hourly billing", "", "1", usage.KindConsumption, usage.ModeReserved},
		{"消费", "节省计划-抵扣", "", "0", usage.KindConsumption, usage.ModeSavingsPlan},
	} {
		lines, bads, _ := read(t, ingest.Source{Dialect: "huawei-bill-detail"}, detailHead+detailLine("2020-09", c.kind, c.mode, "T", at, c.order, c.amount))
		if len(lines) != 1 || lines[0].Kind != c.want || lines[0].Product.ChargingMode != c.how {
			t.Errorf("%+v: %+v %+v", c, lines, bads)
		}
	}
	for _, c := range []struct{ kind, mode, month, amount, code string }{
		{"赠送", "按需", "2020-09", "1", "ingest.category_unknown"},
		{"", "按需", "2020-09", "1", "ingest.value_missing"},
		{"消费", "随缘", "2020-09", "1", "huawei.mode_unknown"},
		{"消费", "7", "2020-09", "1", "huawei.mode_unknown"},
		{"消费", "", "2020-09", "1", "ingest.value_missing"},
		{"消费", "按需", "2020-13", "1", "ingest.month_malformed"},
		{"消费", "按需", "", "1", "ingest.value_missing"},
		{"消费", "按需", "2020-09", "", "ingest.value_missing"},
		{"消费", "按需", "2020-09", "$1", "ingest.number_malformed"},
	} {
		lines, bads, _ := read(t, ingest.Source{Dialect: "huawei-bill-detail"}, detailHead+detailLine(c.month, c.kind, c.mode, "T", at, "", c.amount))
		if len(lines) != 0 || len(bads) != 1 || bads[0].Code != c.code {
			t.Errorf("%+v: %d lines, %+v", c, len(lines), bads)
		}
	}
}

func TestHuaweiMonths(t *testing.T) {
	for text, want := range map[string]string{
		"2020-09": "2020-09", "202009": "2020-09", "2020/9": "2020-09", "2020年9月": "2020-09", "2020-09-01": "2020-09",
		"2020-09-01 00:00:00": "2020-09",
	} {
		lines, bads, _ := read(t, ingest.Source{Dialect: "huawei-bill-detail"}, detailHead+detailLine(text, "消费", "按需", "T", "", "", "1"))
		if len(lines) != 1 || string(lines[0].Cycle) != want {
			t.Errorf("%s: %+v %+v", text, lines, bads)
			continue
		}
		if got := lines[0].ChargeStart.UTC().Format("2006-01-02 15"); got != "2020-08-31 16" {
			t.Errorf("a row without time begins %s", got)
		}
	}
}

// A customer may be called Total.
func TestHuaweiCustomerCalledTotal(t *testing.T) {
	text := strings.Replace(detailLine("2020-09", "消费", "按需", "T", "", "", "1"), ",甲,", ",Total,", 1) +
		strings.Replace(detailLine("2020-09", "调账", "", "T", "", "", "1"), ",甲,", ",合计,", 1)
	if lines, _, r := read(t, ingest.Source{Dialect: "huawei-bill-detail"}, detailHead+text); len(lines) != 2 || r.Stats().Asides != 0 {
		t.Errorf("%d lines, %+v", len(lines), r.Stats())
	}
}

// The same transaction with another amount is a changed row; a name that changes changes no identity.
func TestHuaweiIdentity(t *testing.T) {
	one := func(order, amount string) usage.Line {
		lines, bads, _ := read(t, ingest.Source{Dialect: "huawei-bill-detail"},
			detailHead+detailLine("2020-09", "消费", "按需", order, "2020-09-28 09:00:00 GMT+08:00", "", amount))
		if len(lines) != 1 {
			t.Fatalf("%+v", bads)
		}
		return lines[0]
	}
	a, changed, other, none := one("T1", "1"), one("T1", "2"), one("T2", "1"), one("", "1")
	if a.Key != changed.Key || a.Content == changed.Content {
		t.Error("a changed amount is not a changed row")
	}
	if a.Key == other.Key || none.Key != none.Content {
		t.Error("keys")
	}
}

const billHead = "客户ID,产品ID,产品类型编码,资源类型编码,云服务区编码,计费模式,官网页面价"

// Only the documented columns: the list price is all there is, so it must be chosen.
func TestHuaweiPartnerBillDocumentedColumns(t *testing.T) {
	text := billHead + "\nc1,00301,hws.service.type.obs,hws.resource.type.obs,ap-southeast-1,1,3.5\n"
	for name, c := range map[string]struct {
		file string
		s    ingest.Source
		code string
	}{
		"no amount":   {"customerBill_202410_0001.csv", ingest.Source{Currencies: []string{"USD"}}, "huawei.amount_missing"},
		"no currency": {"customerBill_202410_0001.csv", ingest.Source{Base: "list"}, "huawei.currency_missing"},
		"no month":    {"bill.csv", ingest.Source{Base: "list", Currencies: []string{"USD"}}, "huawei.month_unknown"},
		"two currencies": {"customerBill_202410_0001.csv", ingest.Source{Base: "list", Currencies: []string{"USD", "CNY"}},
			"huawei.currency_missing"},
		"list": {"customerBill_202410_0001.csv", ingest.Source{Base: "list", Currencies: []string{"USD"}}, ""},
	} {
		path := filepath.Join(t.TempDir(), c.file)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := ingest.Open([]string{path})
		if err != nil {
			t.Fatal(err)
		}
		c.s.Dialect = "huawei-partner-bill"
		r, err := ingest.NewReader(d.Parts[0], c.s)
		if c.code != "" {
			if !fault.HasCode(err, c.code) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		l, bad, err := r.Next()
		if err != nil || bad != nil {
			t.Fatal(err, bad)
		}
		if l.Cycle != "2024-10" || l.Currency != "USD" || l.List.String() != "3.5" || l.Product.Service != "hws.service.type.obs" ||
			l.Product.Region != "ap-southeast-1" || l.Kind != usage.KindConsumption || l.ChargeStart.UTC().Format("2006-01-02 15") != "2024-09-30 16" {
			t.Errorf("%+v", l)
		}
	}
}

func TestHuaweiCurrencyRows(t *testing.T) {
	s := ingest.Source{Dialect: "huawei-partner-bill"}
	row := "c1,00301,hws.service.type.obs,hws.resource.type.obs,ap-southeast-1,1,3.5,2024-10,3,"
	lines, bads, _ := read(t, s, billHead+",账期,客户消费金额,币种\n"+row+"USD\n"+row+"人民币\n"+row+"\n"+row+"XX1\n")
	if len(lines) != 2 || lines[0].Currency != "USD" || lines[1].Currency != "CNY" || len(bads) != 2 ||
		bads[0].Code != "ingest.value_missing" || bads[1].Code != "ingest.currency_unknown" {
		t.Errorf("%+v %+v", lines, bads)
	}
	lines, bads, _ = read(t, s, billHead+",账期,客户消费金额（元）,币种\n"+row+"CNY\n"+row+"USD\n")
	if len(lines) != 1 || lines[0].Currency != "CNY" || len(bads) != 1 || bads[0].Code != "huawei.currency_differs" {
		t.Errorf("%+v %+v", lines, bads)
	}
}

func TestHuaweiDetected(t *testing.T) {
	for head, want := range map[string]string{
		strings.TrimSpace(detailHead): "huawei-bill-detail",
		"Customer ID,Billing Cycle,Bill Type,Billing Mode,Customer Expenditure (USD)": "huawei-bill-detail",
		billHead: "huawei-partner-bill",
		"Customer ID,Product ID,Product Type Code,Resource Type Code,Region Code,Billing Mode,Official Website Price": "huawei-partner-bill",
	} {
		if got, _, ok := ingest.Detect(strings.Split(head, ",")); !ok || got != want {
			t.Errorf("%s: %s", head, got)
		}
	}
	rows, err := ingest.NewCSV(io.NopCloser(strings.NewReader(strings.ReplaceAll(detailHead, "账单类型,", ""))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ingest.NewRowReader(rows, ingest.Source{Dialect: "huawei-bill-detail"}); !fault.HasCode(err, "ingest.columns_missing") {
		t.Errorf("a detail without 账单类型: %v", err)
	}
}

func TestSharedMonth(t *testing.T) {
	for want, files := range map[string][]string{
		"customerBill_202410": {"customerBill_202410.tar.gz!/customerBill_202410_0001.csv", "customerBill_202410_0002.csv"},
		"":                    {"customerBill_202410.tar.gz", "customerBill_202411.tar.gz"},
	} {
		if got := ingest.SharedMonth(files); got != want {
			t.Errorf("%v: %q", files, got)
		}
	}
	if ingest.SharedMonth([]string{"customerBill_202410_0001.csv", "other.csv"}) != "" || ingest.SharedMonth(nil) != "" {
		t.Error("a month of files that give none")
	}
}
