package gallery

import (
	"context"

	"huoban/internal/money"
	"huoban/web/templates/errview"
	"huoban/web/templates/homeview"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
	"huoban/web/templates/signview"
)

func to(text string) *part.Link { return &part.Link{Text: text, Href: "/bill"} }

// cny reads a sample amount.
func cny(text string) part.Money {
	a, err := money.MustExact(text).Amount()
	if err != nil {
		panic(err)
	}
	return part.MoneyOf(a, "CNY")
}

func change(text string) part.Money {
	a, err := money.MustExact(text).Amount()
	if err != nil {
		panic(err)
	}
	return part.SignedOf(a, "CNY")
}

func plain(text string) part.Money {
	a, err := money.MustExact(text).Amount()
	if err != nil {
		panic(err)
	}
	return part.PlainOf(a, "CNY")
}

func signedIn(ctx context.Context, e layout.Env, ops bool) layout.Env {
	item := func(zh, en string, n int) layout.NavItem {
		return layout.NavItem{Label: pick(ctx, zh, en), Href: "/bill", Count: n}
	}
	e.Org = layout.Org{Code: "MUSHI", Name: pick(ctx, "沐石数科", "Mushi Digital"), Href: "/bill", Role: pick(ctx, "财务", "Finance")}
	e.Orgs = []layout.Org{e.Org, {Code: "QINGTAN", Name: pick(ctx, "青潭信息", "Qingtan Information"), Href: "/bill", Role: pick(ctx, "客户经理主管", "Account manager director")}}
	e.Bars = []layout.SiteBar{{Text: pick(ctx, "11 月账期为预估，12 月 5 日 12:00 前出账。", "November is an estimate; the bill is out on 5 Dec, 12:00."), Quiet: true, Dismiss: "/notices/1/dismissal"}}
	e.Person, e.Role = pick(ctx, "闻人澈", "Wenren Che"), pick(ctx, "财务", "Finance")
	e.SearchHref = "/search"
	e.Unread, e.Messages = 4, layout.NavItem{Label: pick(ctx, "消息", "Messages"), Href: "/bill", Shortcut: "n"}
	if ops {
		e.Ops = true
		e.Org = layout.Org{Code: "LANLING", Name: pick(ctx, "澜岭云", "Lanling Cloud"), Href: "/home"}
		e.Person, e.Role = pick(ctx, "秋未央", "Qiu Weiyang"), pick(ctx, "财经运营", "Finance operations")
		e.Nav.Areas = []layout.Area{
			{NavItem: item("工作台", "Desk", 0)}, {NavItem: item("导入", "Imports", 2)}, {NavItem: item("月结", "Month close", 0)},
		}
		e.Nav.Areas[1].Current = true
		return e
	}
	bills := item("伙伴账单", "Partner bills", 0)
	bills.Current, bills.Shortcut = true, "b"
	money := layout.NavGroup{Key: "layout.nav.common", Items: []layout.NavItem{bills, item("发票管理", "Invoices", 1)}}
	customers := layout.NavGroup{Key: "layout.nav.side", Items: []layout.NavItem{item("客户消费", "Customer spend", 0), item("客户订单", "Orders", 2)}}
	home := item("主页", "Home", 0)
	home.Shortcut = "h"
	sales := layout.Area{NavItem: item("销售", "Sales", 0), Groups: []layout.NavGroup{customers, money}}
	sales.Current = true
	e.Nav = layout.Nav{
		Areas: []layout.Area{{NavItem: home}, sales, {NavItem: item("组织", "Organisation", 0)}}, Side: []layout.NavGroup{money},
		Recent: []layout.NavItem{item("2026-09 伙伴账单", "Partner bill 2026-09", 0)},
	}
	return e
}

func signIn(ctx context.Context) signview.SignIn {
	return signview.SignIn{
		Action: "/login", Login: "wenrenche", Next: "/", Error: pick(ctx, "登录名或密码不正确。再错 3 次将锁定 15 分钟。", "Login name or password is wrong. Three more failures lock the account for 15 minutes."),
	}
}

func password(ctx context.Context, forced bool) signview.Password {
	return signview.Password{
		Action: "/account/password", Forced: forced,
		Rules:       []string{pick(ctx, "至少 12 个字符", "At least 12 characters"), pick(ctx, "不能与登录名相同", "Different from the login name")},
		RepeatError: pick(ctx, "两次输入不一致", "The two do not match"),
	}
}

func setUp(ctx context.Context) signview.SetUp {
	return signview.SetUp{Action: "/setup", Sections: []signview.Section{
		{Title: pick(ctx, "组织", "Organisation"), Fields: []part.Field{
			{Name: "org_code", Label: pick(ctx, "代码", "Code"), Help: pick(ctx, "大写字母和数字，之后不能改", "Capitals and digits; it cannot be changed later"), Required: true},
			{Name: "org_name", Label: pick(ctx, "名称", "Name"), Required: true},
		}},
		{Title: pick(ctx, "管理员", "Administrator"), Fields: []part.Field{
			{Name: "login", Label: pick(ctx, "登录名", "Login name"), Required: true, Autocomplete: "username"},
			{Name: "password", Label: pick(ctx, "密码", "Password"), Type: "password", Required: true, Autocomplete: "new-password"},
		}},
		{Title: pick(ctx, "第一个来源", "First source"), Fields: []part.Field{
			{Name: "dialect", Label: pick(ctx, "格式", "Format"), Type: "select", Value: "focus", Options: []part.Option{{Value: "focus", Label: "FOCUS"}, {Value: "aws", Label: "AWS CUR"}}},
		}},
	}}
}

func sessions(ctx context.Context) signview.Sessions {
	return signview.Sessions{
		Header:    part.Header{Title: pick(ctx, "登录设备", "My sessions")},
		Flash:     &part.Flash{Tone: part.Good, Text: pick(ctx, "已退出该设备。", "Signed out there.")},
		EndOthers: "/account/sessions/others/end", Totp: &signview.Totp{Secret: "JBSW Y3DP EHPK 3PXP", URI: "https://example.test/", Action: "/account/totp"},
		Rows: []signview.Session{
			{Device: "Chrome 141 · Windows", Address: "203.0.113.7", Since: "2026-11-05 08:58", Seen: "2026-11-05 09:30", Current: true},
			{Device: "Safari 26 · iOS", Address: "198.51.100.21", Since: "2026-11-01 21:10", Seen: "2026-11-04 07:44", End: "/account/sessions/2/end"},
		},
	}
}

func home(ctx context.Context) homeview.Home {
	return homeview.Home{
		Title: pick(ctx, "工作台", "Desk"), AllBills: "/bills",
		Org: []part.Item{{Label: pick(ctx, "名称", "Name"), Text: pick(ctx, "澜岭云", "Lanling Cloud")}, {Label: pick(ctx, "代码", "Code"), Text: "LANLING", Mono: true}, {Label: pick(ctx, "类型", "Kind"), Text: pick(ctx, "厂商", "Vendor")}},
		Now: "2026-11-05 09:30", AllWork: "/work", Waiting: 2, AllChanges: "/messages",
		Duties: duties(ctx),
		Pace: &homeview.Pace{Period: "11-01 – 11-04", Open: "/expenditure", Rows: []homeview.PaceRow{{Now: cny("11240.08").At("/expenditure"), Change: part.SignedOf(1_310_00000000, "CNY"), Percent: "13.20%",
			Bars: []homeview.PaceBar{{Name: pick(ctx, "本月至今", "So far"), Text: "¥11,240.08", Share: part.Share{Width: 14}}, {Name: pick(ctx, "上月全月", "All of October"), Text: "¥82,695.67", Share: part.Share{Width: 100}}}}}},
		Changes: []homeview.Change{{Text: pick(ctx, "2026-10 账单已出账", "The bill of 2026-10 is issued"), Href: "/bill", When: "11-05 09:12", Note: pick(ctx, "账单", "Bills"), New: true}},
		Fresh:   []homeview.Fresh{{Data: pick(ctx, "客户消费", "Customer spend"), Reached: "2026-11-04 24:00", Next: pick(ctx, "随账单交付更新", "with each delivery")}},
		Bills: []homeview.Bill{
			{Name: pick(ctx, "沐石数科 2026-10", "Mushi Digital 2026-10"), Href: "/bill", State: part.Tag{Text: pick(ctx, "初稿", "Draft"), Tone: part.Brand}, Note: pick(ctx, "1,204 行", "1,204 lines"), Due: cny("82695.67")},
			{Name: pick(ctx, "沐石数科 2026-09", "Mushi Digital 2026-09"), Href: "/bill", State: part.Tag{Text: pick(ctx, "终稿", "Final"), Tone: part.Good}, Note: pick(ctx, "1,177 行", "1,177 lines"), Due: cny("79108.02")},
		},
	}
}

func duties(ctx context.Context) []homeview.Duty {
	return []homeview.Duty{
		{Kind: pick(ctx, "月结", "Month close"), Title: pick(ctx, "账期 2026-10 出账", "Issue the bills of 2026-10"), Text: pick(ctx, "初稿", "Draft"), Since: pick(ctx, "自 11-01 00:00，已 4 天", "since 1 Nov, 4 days"),
			Due: pick(ctx, "11-05 12:00 前，还剩 0 天", "by 5 Nov 12:00"), Tone: part.Warn, Cure: *to(pick(ctx, "打开", "Open"))},
		{Kind: pick(ctx, "未归属", "Unmapped"), Title: pick(ctx, "账期 2026-10 有 12 行未归属金额", "12 unmapped lines in 2026-10"), Text: "¥960.41", Due: pick(ctx, "无期限", "no deadline"), Cure: *to(pick(ctx, "去归属", "Map them"))},
	}
}

func work(ctx context.Context) homeview.Work {
	return homeview.Work{Header: part.Header{Title: pick(ctx, "待办", "To do")}, Filter: part.Filter{Action: "/work", Reset: "/work"}, Tool: part.Tool{Count: pick(ctx, "共 2 项待办", "2 to-dos"), Refresh: "/work"}, Rows: duties(ctx)}
}

func search(ctx context.Context) homeview.Search {
	return homeview.Search{
		Header: part.Header{Title: pick(ctx, "页面搜索", "Find a page")}, Action: "/search", Query: pick(ctx, "账务", "billing"), Count: pick(ctx, "找到 2 个页面", "2 pages found"),
		Hits: []homeview.Hit{
			{Name: pick(ctx, "伙伴账单", "Partner bills"), Href: "/bill", Above: []string{pick(ctx, "销售", "Sales"), pick(ctx, "账务", "Billing")}},
			{Name: pick(ctx, "客户消费", "Customer expenditure"), Href: "/bill", Note: pick(ctx, "旧菜单：伙伴账务 > 客户消费", "Formerly Partner finance > Customer expenditure")},
		},
	}
}

func refused(ctx context.Context) errview.Refused {
	return errview.Refused{Text: pick(ctx, "文件不能导入", "The file cannot be imported"), Reasons: []string{
		pick(ctx, "账期 2026-09 已出账，不再接受导入", "Cycle 2026-09 is issued and takes no import"),
		pick(ctx, "来源「主账单」没有声明币种 JPY", "Source “main” does not allow JPY"),
	}, Button: to(pick(ctx, "返回批次", "Back to deliveries"))}
}
