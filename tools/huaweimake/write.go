package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"
)

// billHeader: the columns up to 官网页面价 are those of Huawei's description of customerBill. The rest
// is needed for a bill to be made of it and is named as the detail names it.
func billHeader(currency string) []string {
	return []string{"客户ID", "产品ID", "产品类型编码", "资源类型编码", "云服务区编码", "计费模式", "官网页面价",
		"账单类型", "订单号/交易号", "客户消费金额(" + currency + ")", "结算类型", "伙伴结算折扣", "结算金额(" + currency + ")"}
}

func (c charge) billRow() []string {
	return []string{c.customer, products[c.product].id, products[c.product].code, products[c.product].resource,
		regions[c.region][0], modes[c.mode].code, decimal(c.list), kindWords[c.kind][0], c.order, decimal(c.amount),
		settlements[c.settle].zh, percent(c.settle), decimal(c.settled())}
}

func percent(settle int) string { return strconv.FormatInt(settlements[settle].percent, 10) + "%" }

// writeBill writes customerBill_YYYYMM.tar.gz with a file for each o.Part rows.
func writeBill(o Options, g *generator, t *tally) (string, error) {
	name := filepath.Join(o.Out, "customerBill_"+o.Month+".tar.gz")
	f, err := os.Create(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	packed := gzip.NewWriter(f)
	archive := tar.NewWriter(packed)
	for no, left := 1, o.Rows; left > 0 || no == 1; no++ {
		var text bytes.Buffer
		w := csv.NewWriter(&text)
		if err := w.Write(billHeader(o.Currency)); err != nil {
			return "", err
		}
		for i := 0; i < o.Part && left > 0; i, left = i+1, left-1 {
			c := g.next()
			t.add(c)
			if err := w.Write(c.billRow()); err != nil {
				return "", err
			}
		}
		if w.Flush(); w.Error() != nil {
			return "", w.Error()
		}
		head := &tar.Header{Name: fmt.Sprintf("customerBill_%s_%04d.csv", o.Month, no), Mode: 0o644, Size: int64(text.Len()),
			ModTime: g.month.AddDate(0, 1, 4)}
		if err := archive.WriteHeader(head); err != nil {
			return "", err
		}
		if _, err := archive.Write(text.Bytes()); err != nil {
			return "", err
		}
	}
	if err := archive.Close(); err != nil {
		return "", err
	}
	return name, packed.Close()
}

func detailHeader(o Options) []string {
	in := "(" + o.Currency + ")"
	if o.Lang == "en" {
		return []string{"Customer ID", "Billing Cycle", "Customer Name", "Account Name", "Partner ID", "Partner Name", "Partner Account Name",
			"Bill Type", "Billing Mode", "Product Type", "Product Type Code", "Product Name", "Product ID", "Application", "Specifications",
			"Resource Type", "Resource Type Code", "Region", "Region Code", "Order ID/Transaction ID", "Original Order ID",
			"Customer Transaction Time", "Order Type", "Order Periods", "Order Period Unit", "Official Website Price " + in,
			"Customer Expenditure " + in, "Settlement Type", "Partner Settlement Discount", "Settlement Amount " + in}
	}
	return []string{"客户ID", "账期", "客户名称", "客户账号名", "伙伴ID", "伙伴名称", "伙伴账号名",
		"账单类型", "计费模式", "产品类型", "产品类型编码", "产品名称", "产品ID", "应用名称", "规格",
		"资源类型", "资源类型编码", "区域", "云服务区编码", "订单号/交易号", "原订单号",
		"客户交易时间", "订单类型", "订单周期数", "订单周期单位", "官网价" + in,
		"客户消费金额" + in, "结算类型", "伙伴结算折扣", "结算金额" + in}
}

// amountCells are the places of the amounts among the cells of the detail.
var amountCells = map[int]bool{25: true, 26: true, 29: true}

func (c charge) detailRow(o Options, cycle string) []string {
	p, r, s, lang := products[c.product], regions[c.region], settlements[c.settle], 0
	mode, service, resource, region, settle := modes[c.mode].zh, p.zh, p.resourceZH, r[1], s.zh
	order, unit := map[int]string{spent: "新订", refunded: "退订", adjusted: "费用调账"}[c.kind], "月"
	if o.Lang == "en" {
		mode, service, resource, region, settle, lang = modes[c.mode].en, p.en, p.resourceEN, r[2], s.en, 1
		order, unit = map[int]string{spent: "New subscription", refunded: "Unsubscription", adjusted: "Fee adjustment"}[c.kind], "month"
	}
	if c.kind == spent && c.mode != 0 && c.mode != 2 && c.mode != 4 {
		order = ""
	}
	periods := ""
	if c.periods > 0 {
		periods = strconv.Itoa(c.periods)
	} else {
		unit = ""
	}
	return []string{c.customer, cycle, c.name, c.account, "a90cdfbd259845afa059621f00000001", "样例伙伴", "sample_partner",
		kindWords[c.kind][lang], mode, service, p.code, p.name, p.id, "", p.spec,
		resource, p.resource, region, r[0], c.order, c.original,
		c.at.Format(time.DateTime) + " GMT+08:00", order, periods, unit, decimal(c.list),
		decimal(c.amount), settle, percent(c.settle), decimal(c.settled())}
}

// writeDetail writes the export of the console, in one of its two formats. The workbook has a title
// above the header and the sum below the table; its amounts are numbers.
func writeDetail(o Options, g *generator, t *tally) (string, error) {
	cycle := g.month.Format("2006-01")
	name := filepath.Join(o.Out, "partner_bill_detail_"+o.Month+"."+o.Format)
	rows := make([][]string, 0, o.Rows)
	for range o.Rows {
		c := g.next()
		t.add(c)
		rows = append(rows, c.detailRow(o, cycle))
	}
	if o.Format == "csv" {
		f, err := os.Create(name)
		if err != nil {
			return "", err
		}
		defer f.Close()
		if _, err := f.WriteString("\ufeff"); err != nil {
			return "", err
		}
		w := csv.NewWriter(f)
		w.UseCRLF = true
		if err := w.WriteAll(append([][]string{detailHeader(o)}, rows...)); err != nil {
			return "", err
		}
		return name, nil
	}
	return name, writeWorkbook(name, detailHeader(o), rows, decimal(t.billed))
}

func writeWorkbook(name string, header []string, rows [][]string, total string) error {
	book := excelize.NewFile()
	defer book.Close()
	if _, err := book.NewSheet("账单明细"); err != nil {
		return err
	}
	if err := book.SetCellStr("Sheet1", "A1", "说明:本文件为样例"); err != nil {
		return err
	}
	w, err := book.NewStreamWriter("账单明细")
	if err != nil {
		return err
	}
	sum := make([]string, len(header))
	sum[0], sum[26] = "合计", total
	all := append([][]string{{"伙伴账单明细"}, header}, append(rows, sum)...)
	for i, row := range all {
		cells := make([]any, len(row))
		for j, text := range row {
			switch {
			case text == "":
			case i > 1 && amountCells[j]:
				cells[j] = excelize.Cell{Value: number(text)}
			default:
				cells[j] = text
			}
		}
		if err := w.SetRow("A"+strconv.Itoa(i+1), cells); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return book.SaveAs(name)
}

// number has at most 15 digits, so that binary floating point holds it.
func number(text string) float64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err)
	}
	return f
}
