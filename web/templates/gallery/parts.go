package gallery

import (
	"context"
	"strconv"

	"github.com/a-h/templ"

	"huoban/internal/cycle"
	"huoban/web/templates/part"
)

// series are monthly figures of invented products.
func series(names []string, start cycle.Cycle, figures ...[]string) part.Chart {
	c := part.Chart{Series: make([]part.Series, len(figures))}
	for i := range figures[0] {
		at := start.Add(i)
		c.Names, c.Short = append(c.Names, string(at)), append(c.Short, string(at)[2:])
	}
	for k, list := range figures {
		c.Series[k].Name = names[k]
		for _, text := range list {
			if text == "" {
				c.Series[k].Points = append(c.Series[k].Points, part.Point{Missing: true})
				continue
			}
			size, err := strconv.ParseFloat(text, 64)
			if err != nil {
				panic(err)
			}
			c.Series[k].Points = append(c.Series[k].Points, part.Point{Size: size, Text: cny(text).Text})
		}
	}
	return c
}

// charts are the kinds of chart, each with what makes it hard: a negative figure, a gap, many groups.
func charts(ctx context.Context) templ.Component {
	t := func(zh, en string) string { return pick(ctx, zh, en) }
	bars := series([]string{t("消费", "Consumption"), t("退款", "Refund")}, "2026-05", []string{"5200.1", "6100.55", "5900", "7020.4", "7400", "8100.33"}, []string{"-300", "0", "-1200.5", "-80", "-410", "-90.2"})
	bars.ID, bars.Title, bars.Head = "c-bars", t("消费与退款", "Consumption and refunds"), t("账期", "Cycle")
	lines := series([]string{t("弹性计算", "Compute"), t("对象存储", "Object storage"), t("关系数据库", "Relational database")}, "2026-01",
		[]string{"820", "900", "940", "1010", "1120", "1090", "1180", "1240"}, []string{"400", "410", "", "430", "470", "520", "540", "560"}, []string{"", "", "120", "180", "260", "300", "280", "330"})
	lines.ID, lines.Kind, lines.Title, lines.Head = "c-lines", part.ChartLines, t("各产品消费趋势", "Consumption by product"), t("账期", "Cycle")
	stacked := lines
	stacked.ID, stacked.Kind, stacked.Title = "c-stacked", part.ChartStacked, t("各产品消费", "Consumption of products")
	share := part.Chart{ID: "c-share", Kind: part.ChartShare, Title: t("产品占比", "Share by product"), Head: t("产品", "Product"), Series: []part.Series{{Name: t("金额", "Amount")}}, Open: true}
	for i, text := range []string{"261397.5", "167808.01", "105579.96", "105188.98", "91495.91", "68365.37", "59049.06"} {
		size, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic(err)
		}
		share.Names = append(share.Names, t("产品 ", "Product ")+strconv.Itoa(i+1))
		share.Series[0].Points = append(share.Series[0].Points, part.Point{Size: size, Text: cny(text).Text, Href: "/bill"})
	}
	trend := history(ctx)
	trend.ID = "c-trend"
	return board(t("图表", "Charts"), []card{
		{t("柱", "Bars"), part.ChartOf(*trend)}, {t("柱，两组，有负数", "Bars, two groups, below zero"), part.ChartOf(bars)},
		{t("堆叠柱", "Stacked bars"), part.ChartOf(stacked)}, {t("线，有缺口", "Lines, with a gap"), part.ChartOf(lines)}, {t("占比", "Share"), part.ChartOf(share)},
	})
}

// states are the parts that pages show in passing: messages, refusals, dialogs, totals.
func states(ctx context.Context) templ.Component {
	t := func(zh, en string) string { return pick(ctx, zh, en) }
	button := part.Button{ID: "dissolve", Text: t("解除关联", "Dissolve"), Danger: true, Action: "/bill", Hint: t("不可撤销", "Cannot be undone"), Dialog: &part.Dialog{
		Title: t("解除与「半亩食品」的关联？", "Dissolve the association with Banmu Foods?"), Points: []string{t("剩余拨款退回您的账户", "What is left of the allocation returns to you"), t("3 个月内不能再次发起", "It cannot be started again for three months")},
		Confirm: t("解除关联", "Dissolve"), TypeName: t("半亩食品", "Banmu Foods")}}
	off := part.Button{ID: "withdraw", Text: t("提现", "Withdraw"), Off: true, Hint: t("2026-10 账单未还清", "The bill of 2026-10 is not paid"), Cure: to(t("去还款", "Pay it"))}
	total := func(zh, en, sum string) part.Total {
		return part.Total{Name: t(zh, en), Cells: []part.Money{plain(sum)}}
	}
	return board(t("状态与部件", "States and parts"), []card{
		{t("空", "Empty"), part.EmptyOf(part.Empty{Title: t("11 月还没有明细", "No lines for November yet"), Text: t("每天 08:00 前更新到前一日。", "Updated daily by 08:00 up to the day before."), Button: to(t("看 2026-10", "See 2026-10"))})},
		{t("别人先处理了", "Somebody was first"), part.ConflictOf(part.Conflict{Text: t("您点的是「复核」，没有执行。", "You pressed Review; nothing was done."), Rows: []part.ConflictRow{{Name: t("状态", "State"), Saw: t("初稿", "Draft"), Now: t("已开账", "Open")}}, Again: *to(t("看最新状态", "See the latest"))})},
		{t("提示条", "Toasts"), templ.Join(part.FlashOf(part.Flash{Tone: part.Good, Text: t("导出任务创建成功", "Export task created"), Link: to(t("查看导出记录", "See the records"))}), part.FlashOf(part.Flash{Tone: part.Bad, Text: t("没有提交成功，填写的内容还在。", "Not submitted; what you wrote is kept.")}))},
		{t("拒绝", "Refusal"), part.RefusalOf(part.Refusal{Title: t("发票被驳回", "The invoice was refused"), Text: t("税号与名称不符", "Tax number and name differ"), Steps: []string{t("更正税号", "Correct the number"), t("重新提交", "Submit again")}, Button: to(t("更正", "Correct it"))})},
		{t("操作", "Actions"), part.ActionsOf([]part.Button{button, off})},
		{t("合计行", "Totals rows"), sums(t("客户", "Customer"), total("本页合计", "Total of this page", "120.5"), total("全部合计", "Total of all", "1311.1"), []part.Total{total("栖川制造", "Qichuan Manufacturing", "100"), total("桐影传媒", "Tongying Media", "20.5")})},
		{t("变化", "Change"), part.ChangeOf(part.Change{Title: t("为什么多 ¥3.00", "Why ¥3.00 more"), Total: change("3"), Rows: []part.Reason{{Name: t("用量变化", "Usage"), From: t("栖川制造", "Qichuan Manufacturing"), Amount: change("3").At("/bill-explain")}}})},
		{t("时间线", "Timeline"), part.TimelineOf([]part.Event{{Text: t("出账", "Issued"), When: "2026-11-05 09:12", Who: "operator", Tone: part.Good}, {Text: t("复核", "Reviewed"), When: "2026-11-04 18:20", Who: "reviewer", Note: t("已核对", "Checked")}})},
	})
}
