package gallery

import (
	"context"
	"huoban/internal/i18n"
	"strconv"

	"huoban/internal/cycle"
	"huoban/web/templates/billview"
	"huoban/web/templates/listview"
	"huoban/web/templates/part"
)

func months(ctx context.Context) []part.CycleMonth {
	out := make([]part.CycleMonth, 12)
	for i := range out {
		m := strconv.Itoa(i + 1)
		out[i] = part.CycleMonth{Name: pick(ctx, m+" 月", "2026-"+m), State: pick(ctx, "终稿", "Final"), Href: "/bill", Current: i == 9}
	}
	out[10].State = pick(ctx, "预估", "Estimate")
	out[11] = part.CycleMonth{Name: out[11].Name}
	return out
}

func doc(ctx context.Context, tab int) billview.Doc {
	d := billview.Doc{
		Header: part.Header{
			Crumbs: []part.Link{{Text: pick(ctx, "销售", "Sales"), Href: "/bill"}, {Text: pick(ctx, "账务", "Billing"), Href: "/bill"}, {Text: pick(ctx, "伙伴账单", "Partner bills")}},
			Title:  pick(ctx, "伙伴账单", "Partner bill"), Fresh: pick(ctx, "11-05 09:12 出账 · 不再变动", "Issued 5 Nov 09:12 · final"), Rules: "/bill-explain",
			Cycle: &part.CyclePicker{
				Current: "2026-10", State: part.Tag{Text: pick(ctx, "终稿", "Final"), Tone: part.Good}, Prev: "/bill", Year: "2026", PrevYear: "/bill",
				This: "/bill", Last: "/bill", Months: months(ctx), Note: pick(ctx, "每月 5 日 12:00 前出上月账单", "Last month's bill is issued by 12:00 on the 5th"),
			},
		},
		Print: "沐石数科 · 2026-10 · 3C9E-04D7", Notes: []string{pick(ctx, "金额单位：人民币元", "Amounts in Chinese yuan")},
	}
	names := [][2]string{{"概览", "Overview"}, {"按产品", "By product"}, {"按客户", "By customer"}, {"明细", "Lines"}, {"调账", "Adjustments"}}
	hrefs := []string{"/bill", "/bill-products", "/bill-products", "/bill-lines", "/bill-adjustments"}
	for i, n := range names {
		d.Tabs = append(d.Tabs, part.Tab{Text: pick(ctx, n[0], n[1]), Href: hrefs[i], Current: i == tab})
	}
	return d
}

func export(ctx context.Context) *part.Export {
	n := pick(ctx, "1,204 行", "1,204 lines")
	return &part.Export{
		ID: "export", Intro: pick(ctx, "按当前筛选导出，合计与页面一致", "What is filtered here, with the same total"),
		Items:   []part.ExportItem{{Text: "XLSX", Note: n, Action: "/bill"}, {Text: "CSV (UTF-8)", Note: n, Action: "/bill"}, {Text: "PDF", Action: "/bill"}},
		Records: &part.Link{Text: pick(ctx, "查看导出记录", "See export records"), Href: "/exports"},
		Note:    pick(ctx, "导出文件中的客户名称已脱敏", "Customer names are masked in the file"),
	}
}

func choose(ctx context.Context) billview.List {
	d := doc(ctx, -1)
	d.Tabs = nil
	final := listview.Cell{Tag: &part.Tag{Text: pick(ctx, "终稿", "Final"), Tone: part.Good}}
	g := listview.Grid{ID: "bills", Caption: pick(ctx, "账单", "Bills"), Tool: &part.Tool{Count: pick(ctx, "共 2 条", "2 in all"), Export: export(ctx), Columns: columns(ctx)},
		Heads: []listview.Head{{Text: pick(ctx, "账单", "Bill")}, {Text: pick(ctx, "签约主体", "Contracting entity")}, {Text: pick(ctx, "状态", "State")}, {Text: pick(ctx, "行数", "Lines"), Num: true}, {Text: pick(ctx, "应还金额", "Amount due"), Num: true, Class: "m"}},
		Rows: [][]listview.Cell{{{Text: "CNY", Href: "/bill"}, {Text: pick(ctx, "澜岭云（杭州）", "Lanling Hangzhou")}, final, {Text: "1,204"}, {Text: "¥82,695.67", Full: "¥82,695.67000000"}},
			{{Text: "USD", Href: "/bill"}, {Text: pick(ctx, "澜岭云（新加坡）", "Lanling Singapore")}, final, {Text: "311"}, {Text: "$4,120.50", Full: "$4,120.50000000"}}},
		Totals: []listview.Total{{Label: pick(ctx, "全部合计", "Total"), Lines: []part.Money{{Text: "¥82,695.67"}, {Text: "$4,120.5"}}, At: 4}},
		Pager:  &part.Pager{Range: pick(ctx, "本页 2 条，共 2 条", "2 of 2 shown"), Seal: &part.Seal{Total: "¥82,695.67 · $4,120.5", Code: "3C9E-04D7"}}}
	return billview.List{Doc: d, Grid: g}
}

func columns(ctx context.Context) *part.Columns {
	return &part.Columns{ID: "columns-sample", Action: "/bills", Items: []part.Column{{Key: "bill", Label: pick(ctx, "账单", "Bill"), On: true}, {Key: "state", Label: pick(ctx, "状态", "State")}}}
}

func overview(ctx context.Context) billview.Overview {
	link := func(zh, en, href string) part.Link { return part.Link{Text: pick(ctx, zh, en), Href: href} }
	return billview.Overview{
		Doc: doc(ctx, 0), Seal: &part.Seal{Total: "¥82,695.67000000", Code: "3C9E-04D7"}, Export: export(ctx),
		Equation: part.Equation{
			ID: "equation", Title: pick(ctx, "应还金额怎么来的", "How the amount due is made up"),
			Terms: []part.Term{
				{Label: pick(ctx, "消费", "Consumption"), Head: "¥84,210.38", Tail: "472913", Why: "/bill-explain", Lines: []part.Link{link("较上月 +¥3,871.20", "+¥3,871.20 on last month", ""), link("1,196 行", "1,196 lines", "/bill-lines")}},
				{Label: pick(ctx, "退款", "Refund"), Head: "−¥1,204.50", Tail: "000000", Why: "/bill-explain", Lines: []part.Link{link("5 行", "5 lines", "/bill-lines")}},
				{Label: pick(ctx, "调账", "Adjustment"), Head: "−¥310.20", Tail: "518000", Why: "/bill-explain", Lines: []part.Link{link("3 行，附原因", "3 lines with reasons", "/bill-adjustments")}},
				{Label: pick(ctx, "抹零", "Rounding"), Head: "−¥0.00", Tail: "954913", Why: "/bill-explain", Lines: []part.Link{link("截到分，一单一次", "Cut to cents, once a bill", "")}},
			},
			Sum: part.Sum{
				Label: pick(ctx, "应还", "Amount due"), Amount: "¥82,695.67", Why: "/bill-explain",
				Status: &part.Status{ID: "bill", Text: pick(ctx, "已出账", "Issued"), Tone: part.Good, Meaning: pick(ctx, "金额已定，不再变动", "The amount is final"), Next: pick(ctx, "按期还款", "Pay in time"), Due: "2026-11-25"},
				Lines:  []part.Link{link("税额 ¥4,961.74 另列，不计入应还", "Tax ¥4,961.74 apart, not in the amount due", "")},
			},
		},
		Buttons: []part.Button{
			{ID: "pdf", Text: pick(ctx, "下载账单 PDF", "Download the PDF"), Primary: true, Action: "/bill"},
			{ID: "inv", Text: pick(ctx, "索取发票", "Request invoice"), Off: true, Hint: pick(ctx, "还清后可按账期索票", "Possible once the bill is paid")},
		},
		Facts: []part.Item{
			{Label: pick(ctx, "来源合计", "Source total"), Text: "92,117.40381522"}, {Label: pick(ctx, "计价后（舍入前）", "After price, before rounding"), Text: "82,695.679549130417"},
			{Label: pick(ctx, "残差", "Residue"), Text: "0.000000000417"}, {Label: pick(ctx, "税额", "Tax"), Text: "¥4,961.74"}, {Label: pick(ctx, "行数", "Lines"), Text: "1,204"},
		},
		Change: &part.Change{Title: pick(ctx, "为什么比 2026-09 多 ¥3,587.65", "Why ¥3,587.65 more than 2026-09"), Total: change("3587.65"), Rows: []part.Reason{
			{Name: pick(ctx, "新客户", "New customers"), From: pick(ctx, "桐影传媒", "Tongying Media"), Amount: change("2400.15").At("/bill-explain")},
			{Name: pick(ctx, "用量变化", "Usage"), From: pick(ctx, "栖川制造 +1,602.30", "Qichuan Manufacturing +1,602.30"), Amount: change("1497.71").At("/bill-explain")},
			{Name: pick(ctx, "调账", "Adjustments"), From: pick(ctx, "计量重复 3 笔", "Three double counts"), Amount: change("-310.21").At("/bill-explain")},
		}},
		History: history(ctx), Products: split(ctx, true), Customers: split(ctx, false),
	}
}

func history(ctx context.Context) *part.Chart {
	c := &part.Chart{ID: "history", Kind: part.ChartBars, Title: pick(ctx, "各账期应还", "Due of each cycle"), Head: pick(ctx, "账期", "Cycle"), Note: pick(ctx, "单位千元；虚框为预估", "In thousands; outlined = estimate"), All: to(pick(ctx, "各期账单", "The bills of these cycles"))}
	due := part.Series{Name: c.Title}
	at := cycle.Cycle("2025-06")
	for i, text := range []string{"50810.22", "54702.10", "58604.90", "61511.03", "62604.00", "64700.71", "69801.15", "71102.94", "72404.36", "76490.62", "77012.4", "78255.13", "83001.5", "80110.28", "79417.9", "79108.02", "82695.67", "41207.15"} {
		x := cny(text)
		c.Names, c.Short = append(c.Names, string(at)), append(c.Short, string(at)[2:])
		size, _ := strconv.ParseFloat(text, 64)
		due.Points = append(due.Points, part.Point{Size: size, Text: x.Text, Label: strconv.Itoa(int(size / 1000)), Href: "/bill", On: i == 16, Guess: i == 17})
		at = at.Next()
	}
	c.Series = []part.Series{due}
	return c
}

func split(ctx context.Context, product bool) *billview.Split {
	s := &billview.Split{
		Title: pick(ctx, "按产品", "By product"), Name: pick(ctx, "产品", "Product"), Note: pick(ctx, "退款、调账已计入", "Refunds and adjustments included"), All: "/bill-products", Delta: true,
		Total: billview.SplitRow{Name: pick(ctx, "合计", "Total"), Lines: "1,204", Consumption: cny("84210.38472913"), Refund: cny("-1204.5"), Adjustment: cny("-310.20518"), Amount: cny("82695.67954913"), Delta: change("3587.65")},
	}
	names := [][2]string{{"弹性计算", "Compute"}, {"对象存储", "Object storage"}, {"关系数据库", "Relational database"}}
	if !product {
		s.Title, s.Name = pick(ctx, "按客户", "By customer"), pick(ctx, "客户", "Customer")
		names = [][2]string{{"栖川制造", "Qichuan Manufacturing"}, {"桐影传媒", "Tongying Media"}, {"白泽教育", "Baize Education"}}
	}
	sums := []string{"48210.11472913", "22105.06482", "12380.5"}
	shares := []part.Share{{Percent: "58.3%", Width: 100}, {Percent: "26.7%", Width: 46}, {Percent: "15.0%", Width: 26}}
	for i, n := range names {
		s.Rows = append(s.Rows, billview.SplitRow{
			Name: pick(ctx, n[0], n[1]), Href: "/bill-lines", Lines: "401", Consumption: cny(sums[i]), Refund: cny("0"), Adjustment: cny("0"),
			Amount: cny(sums[i]).At("/bill-explain"), Share: shares[i], Delta: change("1195.88"),
		})
	}
	return s
}

func byProduct(ctx context.Context) billview.By {
	return billview.By{
		Doc: doc(ctx, 1), Split: *split(ctx, true), Seal: &part.Seal{Total: "¥82,695.67954913", Code: "3C9E-04D7"},
		Tool: part.Tool{Count: pick(ctx, "共 3 个产品", "3 products"), Export: export(ctx)},
	}
}

func why(ctx context.Context) *part.Why {
	t := func(zh, en string) string { return pick(ctx, zh, en) }
	return &part.Why{
		ID: "why-1", Title: t("为什么是 ¥311.09513791", "Why ¥311.09513791"), Proof: &part.Tag{Text: t("重算一致", "Recomputed, equal"), Tone: part.Good},
		Links: []part.Link{{Text: t("下载证明 (JSON)", "Download proof (JSON)"), Href: "/bill"}},
		Steps: []part.WhyStep{
			{Name: t("导入", "Import"), Result: "BilledCost 379.384314524731", Lines: []part.Item{{Text: "focus-202610-part2.csv.gz", Mono: true}, {Text: t("第 12,085 行", "line 12,085")}, {Label: t("批次", "Delivery"), Text: "D-1103-02", Href: "/delivery"}}},
			{Name: t("归属", "Attribution"), Result: t("子账户 → 客户", "Sub-account → customer"), Lines: []part.Item{{Label: "SubAccountId", Text: "ll-7f21c0", Mono: true}, {Text: t("规则 A-17，第 3 版", "Rule A-17, version 3")}}},
			{Name: t("计价", "Price"), Result: t("特价 × 0.8200", "Special × 0.8200"), Lines: []part.Item{{Text: t("规则 P-208，第 4 版", "Rule P-208, version 4")}, {Text: t("未选 P-101 普通 0.8500：优先级低", "Not P-101 normal 0.8500: lower priority")}}},
			{Name: t("金额", "Amount"), Result: "311.09513791", Lines: []part.Item{{Text: "379.384314524731 × 0.8200"}, {Text: t("舍入一次到 8 位小数", "Rounded once to 8 decimals")}}},
			{Name: t("残差", "Residue"), Result: "0.00000000027942", Lines: []part.Item{{Text: t("记在账单旁，不计入合计", "Noted beside the bill, never added")}}},
		},
		Source: &part.SourceRow{Title: t("原始行，共 3 列", "The row as delivered, 3 columns"), Cells: []part.Item{{Label: "BilledCost", Text: "379.384314524731"}, {Label: "BillingCurrency", Text: "CNY"}, {Label: "SubAccountId", Text: "ll-7f21c0"}}},
		Note:   t("若仍按 2026-09 的规则 (0.8500)：¥322.47666735", "By the rule of 2026-09 (0.8500): ¥322.47666735"),
	}
}

func lines(ctx context.Context) billview.Lines {
	t := func(zh, en string) string { return pick(ctx, zh, en) }
	p := billview.Lines{
		Doc: doc(ctx, 3), Unit: "CNY", Columns: []string{"charged", "customer", "product", "mode", "kind", "base", "factor"}, Sort: &billview.Sort{Descending: true, Href: "/bill-lines"}, Eye: &part.Eye{Action: "/bill-lines", Name: i18n.T(ctx, "billview.lines.customer")},
		Filter: part.Filter{Action: "/bill-lines", Reset: "/bill-lines", Fields: []part.FilterField{
			{Name: "customer", Label: t("客户名称", "Customer"), Hint: t("支持前后模糊", "Any part of it")},
			{Name: "product", Label: t("产品", "Product"), Options: []part.Option{{Label: t("全部", "All")}}},
			{Name: "kind", Label: t("类型", "Type"), More: true, Options: []part.Option{{Label: t("全部", "All")}}},
		}},
		Tool: part.Tool{
			Count: t("共 1,204 行", "1,204 lines"), Conditions: []part.Condition{{Text: t("账期 2026-10", "Cycle 2026-10")}, {Text: t("金额 ≠ 0", "Amount ≠ 0"), Remove: "/bill-lines"}},
			Refresh: "/bill-lines", Density: "/bill-lines", Export: export(ctx),
			Columns: &part.Columns{Action: "/bill-lines", Items: []part.Column{{Key: "region", Label: t("区域", "Region")}, {Key: "mode", Label: t("计费模式", "Charging mode"), On: true}}},
		},
		PageTotal: billview.TotalRow{Label: t("本页合计（4 行）", "This page (4 lines)"), Amount: plain("1710.22")},
		AllTotal:  billview.TotalRow{Label: t("全部合计（1,204 行，抹零前）", "All (1,204 lines, before rounding)"), Amount: plain("82695.67954913")},
		Pager:     part.Pager{Range: t("第 1–4 行，共 1,204 行", "Lines 1–4 of 1,204"), Next: "/bill-lines", Seal: &part.Seal{Total: "¥82,695.67954913", Code: "3C9E-04D7"}, Sizes: []part.Tab{{Text: "20", Current: true}, {Text: "50", Href: "/bill-lines"}, {Text: "100", Href: "/bill-lines"}}},
	}
	for i := range 12 {
		n := strconv.Itoa(i + 1)
		l := billview.Line{
			ID: n, Number: "7f3a0c2e-" + n, Href: "/bill-lines", Charged: "2026-10-31 22:44", Customer: t("栖***", "Q***"), Masked: true, Product: t("对象存储", "Object storage"),
			Mode: t("按需", "On demand"), Kind: t("消费", "Consumption"), Base: plain("379.38431452"), Factor: "0.8200", Amount: plain("311.09513791").At("/bill-lines"),
		}
		if i == 1 {
			l.Why = why(ctx)
		}
		p.Rows = append(p.Rows, l)
	}
	return p
}

func noLines(ctx context.Context) billview.Lines {
	p := lines(ctx)
	p.Rows, p.Tool.Count = nil, pick(ctx, "共 0 行", "No lines")
	p.Empty = &part.Empty{Title: pick(ctx, "没有符合条件的明细", "No line matches"), Text: pick(ctx, "去掉「金额 ≠ 0」后有 31 行。", "Without “Amount ≠ 0” there are 31."), Button: to(pick(ctx, "去掉这个条件", "Drop this condition"))}
	return p
}

func adjustments(ctx context.Context) billview.List {
	t := func(zh, en string) string { return pick(ctx, zh, en) }
	g := listview.Grid{ID: "adjustments", Caption: t("调账", "Adjustments"), Tool: &part.Tool{Count: t("共 1 条", "1 in all"), Export: export(ctx)},
		Heads: []listview.Head{{Text: t("编号", "Number")}, {Text: t("更正", "Corrects")}, {Text: t("客户", "Customer"), Eye: &part.Eye{Action: "/bill", Name: t("客户", "Customer")}}, {Text: t("原因", "Reason")}, {Text: t("录入", "By")}, {Text: t("金额", "Amount"), Num: true, Class: "m"}},
		Rows: [][]listview.Cell{{{Text: "b81c44d0", Mono: true, Href: "/bill-explain"}, {Text: t("2026-09，24 行", "2026-09, 24 lines")}, {Text: t("栖***", "Q***"), Masked: true},
			{Text: t("子账户改归属", "A sub-account moved")}, {Text: t("秋未央录入，苏怀瑜复核", "Qiu Weiyang, approved by Su Huaiyu")}, {Text: "−310.20518"}}},
		Totals: []listview.Total{{Label: t("全部合计", "Total"), Lines: []part.Money{{Text: "−¥310.20518"}}, At: 5}}}
	return billview.List{Doc: doc(ctx, 4), Grid: g}
}

func explain(ctx context.Context) billview.Explain {
	t := func(zh, en string) string { return pick(ctx, zh, en) }
	return billview.Explain{
		Doc: doc(ctx, 0), Back: part.Link{Text: t("← 返回概览", "← Back to overview"), Href: "/bill"}, Unit: "CNY",
		Title: t("为什么消费是 ¥84,210.38472913", "Why consumption is ¥84,210.38472913"), Amount: "¥84,210.38472913",
		Rule: t("基价 × 系数，每行舍入一次到 8 位小数，再求和。", "Base × factor, each line rounded once to 8 decimals, then added."),
		Rows: []billview.Group{
			{Name: t("弹性计算 · 栖川制造", "Compute · Qichuan"), Href: "/bill-lines", Kind: t("消费", "Consumption"), Rule: t("P-208 第 4 版，特价", "P-208 v4, special"), Factor: "0.8200", Lines: "803", Base: plain("75610.1"), Exact: "62,000.282000000112", Amount: plain("62000.282").At("/bill-lines")},
			{Name: t("对象存储 · 桐影传媒", "Object storage · Tongying"), Href: "/bill-lines", Kind: t("消费", "Consumption"), Rule: t("无规则", "No rule"), Factor: "1", Lines: "393", Base: plain("22210.10272913"), Exact: "22,210.102729130305", Amount: plain("22210.10272913").At("/bill-lines")},
		},
		Total: billview.Group{Name: t("合计", "Total"), Lines: "1,196", Base: plain("97820.20272913"), Exact: "84,210.384729130417", Amount: plain("84210.38472913")},
	}
}

func noBill(ctx context.Context) billview.Overview {
	d := doc(ctx, 0)
	d.Tabs = nil
	return billview.Overview{Doc: d, Empty: &part.Empty{Title: pick(ctx, "2026-10 还没有账单", "No bill for 2026-10 yet"), Text: pick(ctx, "这个账期没有代售客户的消费。", "No resale customer spent anything in this cycle."), Button: to(pick(ctx, "看上一账期", "See the cycle before"))}}
}
