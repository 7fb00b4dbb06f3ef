package gallery

import (
	"context"

	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

func pageHead(ctx context.Context, title string) part.Header {
	return part.Header{Title: title, Crumbs: []part.Link{{Text: pick(ctx, "导入", "Imports"), Href: "/deliveries"}, {Text: title}}}
}

func published(ctx context.Context, id string) part.Status {
	return part.Status{ID: id, Text: pick(ctx, "已生效", "Published"), Tone: part.Good, Meaning: pick(ctx, "这一版计入账单", "These rows count"), Next: pick(ctx, "可整体撤回", "Can be reverted whole")}
}

func deliveries(ctx context.Context) opsview.Board {
	t := func(zh, en string) string { return pick(ctx, zh, en) }
	h := pageHead(ctx, t("批次", "Deliveries"))
	h.Buttons = []part.Link{{Text: t("导入文件", "Import files"), Href: "/upload"}}
	waiting := part.Status{ID: "d1", Text: t("待生效", "Waiting"), Tone: part.Warn, Meaning: t("读完了，还没有计入账单", "Read, but not counted yet")}
	done := published(ctx, "d2")
	return opsview.Board{Header: h, Grids: []opsview.Grid{{ID: "deliveries", Caption: t("批次", "Deliveries"),
		Filter: &part.Filter{Action: "/deliveries", Fields: []part.FilterField{{Name: "source", Label: t("来源", "Source"), Options: []part.Option{{Label: t("全部", "All")}}}}},
		Tool:   &part.Tool{Count: t("共 2 个批次", "2 deliveries"), Refresh: "/deliveries", Columns: columns(ctx), Export: export(ctx)},
		Heads: []opsview.Head{{Text: t("批次", "Delivery")}, {Text: t("来源", "Source")}, {Text: t("账期", "Cycles")}, {Text: t("行数", "Rows"), Num: true}, {Text: t("金额", "Sum"), Num: true},
			{Text: t("时间", "At"), Class: "num-l"}, {Text: t("状态", "State"), Class: "m"}},
		Rows: [][]opsview.Cell{
			{{Text: "D-1103-02", Href: "/delivery", Mono: true}, {Text: t("主账单", "Main"), Note: "FOCUS 1.2"}, {Text: "2026-10"}, {Text: "299,874"}, {Text: "¥4,878,629.75"}, {Text: "2026-11-03 14:52"}, {Status: &waiting}},
			{{Text: "D-1102-05", Href: "/delivery", Mono: true}, {Text: t("海外", "Overseas"), Note: "FOCUS 1.0"}, {Text: "2026-09、2026-10"}, {Text: "1,000"}, {Lines: []part.Money{{Text: "¥0.24"}, {Text: "$20.28"}}}, {Text: "2026-11-02 09:10"}, {Status: &done}}},
		Totals: []opsview.Total{{Label: t("全部合计", "Total"), Lines: []part.Money{{Text: "¥4,878,629.99"}, {Text: "$20.28"}}, At: 4, Rest: 2}},
		Pager:  &part.Pager{Range: t("本页 2 条，共 2 条", "2 of 2 shown"), Next: "/deliveries", Seal: &part.Seal{Total: "¥4,878,629.99 · $20.28", Code: "7A10-C2F4"}}}}}
}

func delivery(ctx context.Context) opsview.Show {
	t := func(zh, en string) string { return pick(ctx, zh, en) }
	h := pageHead(ctx, t("批次 D-1103-02", "Delivery D-1103-02"))
	h.Tags = []part.Tag{{Text: "FOCUS 1.2"}, {Text: t("快照 · 替换 D-1101-01", "Snapshot · replaces D-1101-01")}}
	h.Status = &part.Status{ID: "d", Text: t("待生效", "Waiting"), Tone: part.Warn}
	h.Fresh = "2026-11-03 14:52"
	return opsview.Show{
		Header: h,
		Steps: []part.Step{
			{Text: t("接收", "Received"), Note: t("8 个文件，412.0 MB", "8 files, 412.0 MB"), State: part.StepDone}, {Text: t("解析", "Read"), Note: t("299,877 行", "299,877 rows"), State: part.StepDone},
			{Text: t("归属", "Attributed"), Note: t("未归属 0 行", "0 unassigned"), State: part.StepDone}, {Text: t("生效", "Publish"), Note: t("3 行在隔离区", "3 in quarantine"), State: part.StepNow},
		},
		Buttons: []part.Button{
			{ID: "publish", Text: t("生效", "Publish"), Primary: true, Off: true, Hint: t("隔离区还有 3 行：", "Three rows are in quarantine: "), Cure: &part.Link{Text: t("处理", "handle them"), Href: "#quarantine"}},
			{ID: "drop", Text: t("放弃这一版", "Discard"), Danger: true, Action: "/delivery", Hint: t("上一版保持有效", "The version before stays"), Dialog: &part.Dialog{
				Title: t("放弃 D-1103-02？", "Discard D-1103-02?"), Points: []string{t("已读入的 299,874 行会删除", "299,874 rows are removed"), t("上一版保持有效", "The version before stays")},
				Fields: []part.Field{{Name: "reason", Label: t("原因", "Reason"), Type: "textarea", Required: true}}, Confirm: t("放弃", "Discard"), TypeName: "D-1103-02",
			}},
		},
		Diffs: []opsview.Diff{{
			Title: t("与 D-1101-01 的差异 · 2026-10 · CNY", "Against D-1101-01 · 2026-10 · CNY"), Proof: &part.Tag{Text: t("各类之和 = 总差", "The kinds add up"), Tone: part.Good}, Download: "/delivery", Unit: "BilledCost (CNY)",
			Rows: []opsview.DiffRow{
				{Kind: part.Tag{Text: t("之前", "Before")}, Count: "299,402", Sum: "4,861,207.30418862"},
				{Kind: part.Tag{Text: t("+ 新增", "+ Added"), Tone: part.Good}, Count: "+1,204", Sum: "+38,116.92047715", Note: t("迟到用量", "Late usage"), Link: to(t("看行", "See the rows"))},
				{Kind: part.Tag{Text: t("− 删除", "− Removed"), Tone: part.Bad}, Count: "−732", Sum: "−19,488.05531200"}, {Kind: part.Tag{Text: t("~ 变更", "~ Changed"), Tone: part.Warn}, Count: "86", Sum: "−1,206.41880043"},
			},
			Total: opsview.DiffRow{Kind: part.Tag{Text: t("之后", "After")}, Count: "299,874", Sum: "4,878,629.75055334", Note: t("净差 +17,422.44636472", "Net +17,422.44636472")},
		}},
		Quarantine: &opsview.Quarantine{Count: 3, Export: "/delivery", Retry: "/delivery", Rows: []opsview.BadRow{
			{Place: "part3 · 8,213", Value: "BilledCost = 1,284.09", Reason: t("数字里有千分位逗号", "Thousands separator in a number"), Cure: t("去掉逗号后重新读入", "Remove it and read again")},
			{Place: "part6 · 1,008", Value: "BillingCurrency = RMB", Reason: t("不是 ISO 4217 代码", "Not an ISO 4217 code"), Cure: t("改为 CNY", "Write CNY")},
		}},
		Conform: &opsview.Conform{Total: t("621 条规则", "621 rules"), Percent: "96.4%", Width: 96, Summary: t("通过 540 · 不适用 61 · 未通过 20", "540 passed · 61 not applicable · 20 failed"), All: "/rules", Rows: []opsview.Rule{
			{ID: "BillingCurrency-C-003", Text: t("币种须为 ISO 4217", "The currency is an ISO 4217 code"), Level: part.Tag{Text: "MUST", Tone: part.Bad}, Rows: "21"},
			{ID: "Tags-C-009", Text: t("标签键宜小写", "Tag keys are lower case"), Level: part.Tag{Text: "SHOULD", Tone: part.Warn}, Rows: "8,052"},
		}},
		Files:  []opsview.File{{Name: "focus-202610-part1.csv.gz", Rows: "38,211", Bad: "0", Sum: "c41e08b7", State: part.Status{Text: t("已读完", "Read"), Tone: part.Good}}},
		Facts:  []part.Item{{Label: t("残差", "Residue"), Text: "0.000000417731"}, {Label: "SHA-256", Text: "c41e08b7", Mono: true}, {Label: t("操作人", "By"), Text: "operator"}},
		Events: []part.Event{{Text: t("读完", "Read"), When: "2026-11-03 14:52", Who: "operator", Tone: part.Brand}, {Text: t("接收", "Received"), When: "2026-11-03 14:51", Who: "operator", Note: t("8 个文件", "8 files")}},
	}
}

func importing(ctx context.Context) opsview.Show {
	t := func(zh, en string) string { return pick(ctx, zh, en) }
	p := delivery(ctx)
	p.Header.Title = t("正在导入 D-1103-02", "Importing D-1103-02")
	p.Header.Status = &part.Status{ID: "d", Text: t("解析中", "Reading"), Tone: part.Run}
	p.Steps[1].State, p.Steps[2].State, p.Steps[3].State = part.StepNow, part.StepAhead, part.StepAhead
	p.Progress = &opsview.Progress{Done: "204,118", Of: t("/ 约 299,900 行", "/ about 299,900 rows"), Value: 68, Speed: t("每秒 1.8 万行", "18,000 rows a second"), Note: t("关闭页面也会继续；全部读完前，上一版照常有效。", "It goes on when you close the page; until it is done the version before counts.")}
	p.Buttons, p.Diffs, p.Quarantine, p.Conform, p.Facts, p.Events = nil, nil, nil, nil, nil, nil
	p.Warnings = []part.Check{{Tone: part.Warn, Title: t("一个账号消失了", "An account vanished"), Text: t("ll-90b3e1，上一版 ¥960.41", "ll-90b3e1, ¥960.41 in the version before")}}
	return p
}

func upload(ctx context.Context) opsview.Upload {
	t := func(zh, en string) string { return pick(ctx, zh, en) }
	return opsview.Upload{
		Header: pageHead(ctx, t("导入文件", "Import files")), Action: "/upload",
		Fields: []part.Field{
			{Name: "source", Label: t("来源", "Source"), Type: "select", Options: []part.Option{{Value: "focus", Label: t("主账单 · FOCUS", "Main · FOCUS")}}, Required: true},
			{Name: "files", Label: t("文件", "Files"), Type: "file", Multiple: true, Required: true, Help: t("CSV、Parquet、zip、gz、tar.gz，可多选", "CSV, Parquet, zip, gz or tar.gz, several at once")},
			{Name: "final", Label: t("这是终版", "This is final"), Type: "checkbox", Value: "true"}, {Name: "dry_run", Label: t("只试读，不留下数据", "Dry run, leaving nothing"), Type: "checkbox"},
		},
		Refusal: &part.Refusal{Title: t("没有导入", "Not imported"), Text: t("这是摊销成本文件，会把同一笔成本计两次。", "This is an amortised cost file; the same cost would stand twice."), Steps: []string{t("请导出「实际成本」文件", "Export the actual cost file"), t("重新导入", "Import that one")}},
		Notes:   []string{t("同样的内容再导一次不会有任何变化", "The same content again changes nothing")},
	}
}

func rules(ctx context.Context) opsview.Board {
	t := func(zh, en string) string { return pick(ctx, zh, en) }
	return opsview.Board{Header: pageHead(ctx, t("符合性报告", "Conformance report")), Grids: []opsview.Grid{{ID: "rules", Caption: t("符合性报告", "Conformance report"), Tool: &part.Tool{Count: t("621 条规则", "621 rules")},
		Heads: []opsview.Head{{Text: t("规则", "Rule")}, {Text: t("级别", "Level")}, {Text: t("结果", "Outcome")}, {Text: t("行", "Rows"), Num: true, Class: "m"}},
		Rows: [][]opsview.Cell{
			{{Text: "BillingCurrency-C-003", Mono: true, Note: t("币种须为 ISO 4217", "The currency is an ISO 4217 code")}, {Text: "MUST"}, {Status: &part.Status{Text: t("未通过", "Failed"), Tone: part.Bad}}, {Text: "21"}},
			{{Text: "BilledCost-C-001", Mono: true, Note: t("列必须存在", "The column is present")}, {Text: "MUST"}, {Status: &part.Status{Text: t("通过", "Passed"), Tone: part.Good}}, {Text: "0"}}}}}}
}

func closes(ctx context.Context) opsview.Board {
	t := func(zh, en string) string { return pick(ctx, zh, en) }
	return opsview.Board{Header: part.Header{Title: t("月结", "Month close")}, Grids: []opsview.Grid{{ID: "closes", Caption: t("月结", "Month close"),
		Heads: []opsview.Head{{Text: t("账期", "Cycle")}, {Text: t("状态", "State")}, {Text: t("期限", "Due"), Class: "num-l"}, {Text: t("说明", "Note")}, {Text: t("应还", "Due amount"), Num: true, Class: "m"}},
		Rows: [][]opsview.Cell{
			{{Text: "2026-11", Href: "/close"}, {Status: &part.Status{Text: t("已开账", "Open"), Tone: part.Brand}}, {Text: "2026-12-05 12:00"}, {}, {Text: "¥120,411.08"}},
			{{Text: "2026-10", Href: "/close"}, {Status: &part.Status{Text: t("初稿", "Draft"), Tone: part.Warn}}, {Text: "2026-11-05 12:00"}, {Text: t("3 项阻塞", "3 blockers")}, {Lines: []part.Money{{Text: "¥3,220,139.20"}, {Text: "$20.28"}}}}}}}}
}

func closing(ctx context.Context) opsview.Close {
	t := func(zh, en string) string { return pick(ctx, zh, en) }
	h := part.Header{Title: t("月结 2026-10", "Close of 2026-10"), Crumbs: []part.Link{{Text: t("月结", "Month close"), Href: "/closes"}, {Text: "2026-10"}}, Fresh: t("距出账期限 1 天 20 小时", "1 day 20 hours to the deadline")}
	h.Status = &part.Status{ID: "close", Text: t("初稿", "Draft"), Tone: part.Brand, Meaning: t("账单已算出，伙伴看到初稿", "Bills are computed; partners see drafts"), Next: t("另一个人复核", "Another person reviews"), Due: "2026-11-05 12:00"}
	bills := opsview.Grid{ID: "bills", Title: t("账单", "Bills"), Heads: []opsview.Head{{Text: t("伙伴", "Partner")}, {Text: t("币种", "Currency")}, {Text: t("消费", "Consumption"), Num: true}, {Text: t("应还", "Due"), Num: true, Class: "m"}},
		Rows:   [][]opsview.Cell{{{Text: t("沐石数科", "Mushi Digital"), Href: "/bill"}, {Text: "CNY"}, {Text: "84,210.38"}, {Text: "¥82,695.67"}}},
		Totals: []opsview.Total{{Label: t("合计（1 张）", "Total (1 bill)"), Lines: []part.Money{{Text: "¥82,695.67"}}, At: 3}}}
	return opsview.Close{
		Header: h, Again: "/close", Override: t("确有必要时可越过：需要「月结越权」权限并写明原因，原因会印在账单上。", "Blockers can be overridden with a named permission and a reason, which is printed on the bill."),
		Steps: []part.Step{
			{Text: t("开账", "Open"), Note: "10-01", State: part.StepDone}, {Text: t("冻结", "Frozen"), Note: "11-02 18:00", State: part.StepDone}, {Text: t("初稿", "Draft"), Note: t("第 2 稿", "Second draft"), State: part.StepNow},
			{Text: t("复核", "Reviewed"), Note: t("需另一人", "By another person")}, {Text: t("出账", "Issued"), Note: t("之后不可更改", "Final")},
		},
		Buttons: []part.Button{
			{ID: "review", Text: t("送复核", "Review"), Primary: true, Off: true, Hint: t("2 项阻塞，见下", "2 blockers, see below")}, {ID: "again", Text: t("重算初稿", "Compute again"), Action: "/close", Hint: t("上次用时 41 秒", "41 seconds last time")},
			{ID: "discard", Text: t("废弃初稿", "Discard the draft"), Action: "/close", Hint: t("回到冻结，数据不丢", "Back to frozen; nothing is lost")},
		},
		Tags: []part.Tag{{Text: t("2 项阻塞", "2 blockers"), Tone: part.Bad}, {Text: t("2 项通过", "2 passed"), Tone: part.Good}},
		Checks: []part.Check{
			{Tone: part.Bad, Title: t("隔离区还有 3 行", "3 rows in quarantine"), Text: t("来源「主账单」，批次 D-1103-02。", "Source “main”, delivery D-1103-02."), Cure: to(t("处理", "Handle"))},
			{Tone: part.Bad, Title: t("1 个子账户未归属，¥960.41", "One sub-account unassigned, ¥960.41"), Text: t("ll-90b3e1，12 行。归属到客户，或指定默认去处。", "ll-90b3e1, 12 rows. Assign it or choose a default."), Command: "portal map auto --source main --partner MUSHI --association resale", Cure: to(t("去归属", "Assign"))},
			{Tone: part.Warn, Title: t("10-17 没有数据", "No lines on 17 Oct"), Text: t("只提醒，不阻塞", "A warning only")},
			{Tone: part.Good, Title: t("月份已结束", "The month is over"), Text: "10-31 24:00"}, {Tone: part.Good, Title: t("来源都已收到终版", "All sources are final"), Text: "11-03 14:52"},
		},
		Sources: []opsview.Source{
			{Name: t("主账单", "Main"), Format: "FOCUS 1.2", Delivery: "D-1103-02", Href: "/delivery", State: part.Status{Text: t("待生效", "Waiting"), Tone: part.Warn}},
			{Name: t("海外", "Overseas"), Format: "FOCUS 1.0", Delivery: "D-1102-05", Href: "/delivery", State: part.Status{Text: t("终版", "Final"), Tone: part.Good}},
		},
		Bills:  &bills,
		Events: []part.Event{{Text: t("第 2 稿", "Second draft"), When: "2026-11-03 15:02", Who: "operator", Tone: part.Brand}},
	}
}
