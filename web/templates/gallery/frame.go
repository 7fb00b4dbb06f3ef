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
	e.Org = layout.Org{Code: "MUSHI", Name: pick(ctx, "沐石数科", "Mushi Digital"), Href: "/bill"}
	e.Orgs = []layout.Org{e.Org, {Code: "QINGTAN", Name: pick(ctx, "青潭信息", "Qingtan Information"), Href: "/bill"}}
	e.Person, e.Role = pick(ctx, "闻人澈", "Wenren Che"), pick(ctx, "财务", "Finance")
	e.Unread, e.MessagesHref = 4, "/bill"
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
		Unmapped: &homeview.Unmapped{
			Totals: []part.Money{cny("960.41331207").At("/bill-explain")}, Text: pick(ctx, "12 行，来自 1 个来源；归属前不能出账", "12 rows of one source; they block the close"),
			Cure: part.Link{Text: pick(ctx, "去归属", "Assign them"), Href: "/close"},
		},
		Waiting: []part.Check{{Tone: part.Warn, Title: pick(ctx, "2026-10 待复核", "2026-10 awaits review"), Text: pick(ctx, "11-05 12:00 前出账", "Issue before 5 Nov 12:00"), Cure: to(pick(ctx, "打开", "Open"))}},
		Bills: []homeview.Bill{
			{Name: pick(ctx, "沐石数科 2026-10", "Mushi Digital 2026-10"), Href: "/bill", State: part.Tag{Text: pick(ctx, "初稿", "Draft"), Tone: part.Brand}, Note: pick(ctx, "1,204 行", "1,204 lines"), Due: cny("82695.67")},
			{Name: pick(ctx, "沐石数科 2026-09", "Mushi Digital 2026-09"), Href: "/bill", State: part.Tag{Text: pick(ctx, "终稿", "Final"), Tone: part.Good}, Note: pick(ctx, "1,177 行", "1,177 lines"), Due: cny("79108.02")},
		},
	}
}

func refused(ctx context.Context) errview.Refused {
	return errview.Refused{Text: pick(ctx, "文件不能导入", "The file cannot be imported"), Reasons: []string{
		pick(ctx, "账期 2026-09 已出账，不再接受导入", "Cycle 2026-09 is issued and takes no import"),
		pick(ctx, "来源「主账单」没有声明币种 JPY", "Source “main” does not allow JPY"),
	}, Button: to(pick(ctx, "返回批次", "Back to deliveries"))}
}
