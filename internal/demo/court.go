package demo

import "time"

// Courtship is a customer that a partner is winning: who files it, what the vendor says, how it is invited, and who
// consents in its name.
type Courtship struct {
	Manager, Name, Phone, Email, Industry, Relation, Remark string
	Draft                                                   bool
	Verdict                                                 string // approve, refuse, or nothing yet
	Reason                                                  string
	Channel                                                 string // of the invitation; empty sends none
	Joins, Login, Code                                      string // who registers by it, and the customer's code; empty is nobody
}

// Days before now on which customers are courted. What was registered on the first has lapsed since; an invitation
// of the second has expired.
var courtDays = []struct {
	do   Do
	days int
}{{DoRegister, 40}, {DoWin, 12}, {DoCourt, 2}}

// Courted lists what happens on one of these days.
func (w *World) Courted(do Do) []Courtship { return courtships[do] }

var courtships = map[Do][]Courtship{
	DoRegister: {
		{Manager: "qiheng-manager", Name: "汀洲智能装备", Phone: "13800002101", Email: "it@tingzhou.example", Industry: "制造", Relation: "resale", Remark: "展会接触，计划迁移 ERP", Verdict: "approve"},
		{Manager: "yanshi-manager", Name: "鹿鸣在线教育", Phone: "13800002102", Email: "ops@luming.example", Industry: "教育", Relation: "referral", Verdict: "approve"},
	},
	DoWin: {
		{Manager: "yanshi-manager", Name: "青衿书局", Phone: "13800002103", Email: "it@qingjin.example", Industry: "零售", Relation: "referral", Remark: "书城小程序上云", Verdict: "approve",
			Channel: "link", Joins: "苏青", Login: "qingjin-admin", Code: "QINGJIN"},
		{Manager: "qiheng-manager2", Name: "霁川环境监测", Phone: "13800002104", Email: "cto@jichuan.example", Industry: "环保", Relation: "resale", Verdict: "approve", Channel: "link"},
		{Manager: "qiheng-manager", Name: "望舒文旅", Phone: "13800002105", Industry: "文旅", Relation: "resale", Verdict: "refuse", Reason: "该客户由厂商直销团队跟进，且已有现金消费"},
		{Manager: "qiheng-manager2", Name: "砺石重工", Phone: "13800002106", Email: "info@lishi.example", Industry: "制造", Relation: "resale", Remark: "待确认采购主体", Draft: true},
		{Manager: "zhanzhou-manager", Name: "云汀酒店集团", Phone: "13800002107", Email: "net@yunting.example", Industry: "酒店", Relation: "resale", Verdict: "approve"},
	},
	DoCourt: {
		{Manager: "qiheng-manager", Name: "南屿冷链物流", Phone: "13800002108", Email: "it@nanyu.example", Industry: "物流", Relation: "resale", Remark: "预计月消费 3 万元", Verdict: "approve", Channel: "qr"},
		{Manager: "qiheng-manager", Name: "栖霞检测技术", Phone: "13800002109", Email: "lab@qixia.example", Industry: "检测", Relation: "referral"},
		{Manager: "yanshi-manager", Name: "槐序影视", Phone: "13800002110", Email: "post@huaixu.example", Industry: "传媒", Relation: "resale"},
	},
}

// courting are the steps of these days, as far as the world goes back.
func (w *World) courting() []Step {
	var out []Step
	for _, c := range courtDays {
		at := w.Now.AddDate(0, 0, -c.days).Truncate(time.Hour)
		if at.After(w.at(w.First, 1, 0)) {
			out = append(out, Step{Do: c.do, Cycle: w.Last, At: at})
		}
	}
	return out
}
