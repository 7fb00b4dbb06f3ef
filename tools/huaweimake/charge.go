package main

import (
	"fmt"
	"time"
)

// What a charge is, in the order of the words below.
const (
	spent = iota
	refunded
	adjusted
)

var kindWords = [][2]string{{"消费", "Expenditure"}, {"退款", "Refund"}, {"调账", "Adjustment"}}

// modes are 计费模式 with customerBill's codes.
var modes = []struct{ code, zh, en string }{
	{"0", "包年/包月", "Yearly/monthly"},
	{"1", "按需", "Pay-per-use"},
	{"2", "预留实例-订购", "Reserved instance–subscription"},
	{"3", "预留实例-按时计费", "Reserved instance–hourly billing"},
	{"4", "节省计划-订购", "Savings plans-subscription"},
	{"5", "节省计划-按时计费", "Savings plans-hourly billing"},
	{"6", "节省计划-抵扣", "Savings plans used"},
}

var products = []struct{ code, zh, en, id, name, resource, resourceZH, resourceEN, spec string }{
	{"hws.service.type.ec2", "弹性云服务器", "Elastic Cloud Server", "00301-110123-0--0", "s6.large.2", "hws.resource.type.vm", "云主机", "Cloud Host", "通用计算型|2核|4GB"},
	{"hws.service.type.ebs", "云硬盘", "Elastic Volume Service", "00301-28215-0--0", "SAS \"高IO\", 包月", "hws.resource.type.volume", "云存储", "Cloud Storage", "高IO|40.0GB"},
	{"hws.service.type.obs", "对象存储服务", "Object Storage Service", "00301-41028-0--0", "标准存储", "hws.resource.type.obs", "存储空间", "Storage", "标准存储|单AZ"},
	{"hws.service.type.vpc", "虚拟私有云", "Virtual Private Cloud", "00301-09210-0--0", "动态BGP带宽", "hws.resource.type.bandwidth", "带宽", "Bandwidth", "5Mbit/s"},
	{"hws.service.type.rds", "云数据库", "Relational Database Service", "00301-77341-0--0", "MySQL 主备", "hws.resource.type.rds.vm", "数据库实例", "DB Instance", "主备|4核|8GB"},
}

var regions = [][3]string{{"cn-north-4", "华北-北京四", "CN North-Beijing4"}, {"ap-southeast-1", "中国-香港", "CN-Hong Kong"}, {"cn-east-3", "华东-上海一", "CN East-Shanghai1"}}

var settlements = []struct {
	zh, en  string
	percent int64
}{{"普通产品", "Common product", 80}, {"促销产品", "Promotional product", 90}, {"无折扣", "No discount", 100}, {"特价申请", "Special price", 65}}

// charge is one row before it is written. Amounts are in 1/100000000; amounts divide by 100, so that
// a percentage of them is exact.
type charge struct {
	customer, name, account string
	kind, mode              int
	product, region, settle int
	order, original         string
	at                      time.Time
	amount, list            int64
	periods                 int
}

func (c charge) settled() int64 { return c.amount / 100 * settlements[c.settle].percent }

// generator makes charges from a seed (xorshift).
type generator struct {
	state uint64
	n     int
	month time.Time
}

func (g *generator) under(n int) int {
	g.state ^= g.state << 13
	g.state ^= g.state >> 7
	g.state ^= g.state << 17
	return int(g.state % uint64(n))
}

func (g *generator) next() charge {
	g.n++
	who := g.under(7)
	c := charge{
		customer: fmt.Sprintf("%032x", 0x5b11dfc500000+who*7919), name: fmt.Sprintf("样例客户%d", who+1),
		account: fmt.Sprintf("hid_sample_%d", who+1), mode: g.under(len(modes)), product: g.under(len(products)),
		region: g.under(len(regions)), settle: g.under(len(settlements)), order: fmt.Sprintf("CS%s%08d", g.month.Format("0601"), g.n),
	}
	days := g.month.AddDate(0, 1, 0).Sub(g.month) / (24 * time.Hour)
	c.at = g.month.AddDate(0, 0, g.under(int(days))).Add(time.Duration(1+g.under(24)) * time.Hour)
	c.amount = int64(g.under(900_000_000)+1) * 100 // up to 900, six decimals
	switch g.under(20) {
	case 0:
		c.kind, c.original, c.amount = refunded, c.order, -c.amount
		c.order = "T" + c.order
	case 1:
		c.kind, c.amount = adjusted, c.amount/700*100
		if g.under(2) == 0 {
			c.amount = -c.amount
		}
	}
	c.list = c.amount / 10000 * 12500
	if c.mode == 0 {
		c.periods = 1 + g.under(12)
	}
	return c
}
