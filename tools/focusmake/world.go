package main

import (
	"fmt"
	"strings"
)

// mix spreads a number over 64 bits (splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// stream is a sequence of such numbers.
type stream uint64

func (s *stream) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	return mix(uint64(*s))
}

func (s *stream) below(n int) int { return int(s.next() >> 33 % uint64(n)) }

// sku is a priced thing. price is hundred-thousandths of the currency per unit.
type sku struct {
	service, category, id, priceID, unit, description, kind string
	price                                                   int64
}

var services = []struct {
	name, category, unit, kind, text string
	tiers                            int
	price                            int64
}{
	{"Elastic Compute", "Compute", "Hours", "Virtual Machine", "$%s per On Demand Linux %s Instance Hour", 60, 9600},
	{"Block Storage", "Storage", "GB-Hours", "Volume", "$%s per GB-month of provisioned %s storage, charged by the hour", 14, 140},
	{"Object Storage", "Storage", "GB-Hours", "Bucket", "$%s per GB-month of storage used, %s tier", 16, 32},
	{"Managed Databases", "Databases", "Hours", "Database Instance", "$%s per %s Multi-AZ database instance hour", 40, 21000},
	{"Load Balancing", "Networking", "LCU-Hours", "Load Balancer", "$%s per used %s load balancer capacity unit-hour (or partial hour)", 6, 800},
	{"Data Transfer", "Networking", "GB", "Network Interface", "$%s per GB of %s data transfer out beyond the first tier", 24, 9000},
	{"Message Queue", "Integration", "Requests", "Queue", "$%s per thousand %s requests", 8, 40},
	{"Functions", "Compute", "GB-Seconds", "Function", "$%s per GB-second of %s duration", 10, 2},
	{"Container Service", "Containers", "Hours", "Cluster", "$%s per %s cluster hour", 6, 10000},
	{"Search and Analytics", "Analytics", "Hours", "Search Domain", "$%s per %s search data node hour", 30, 16700},
	{"Logging", "Management and Governance", "GB", "Log Group", "$%s per GB of %s log data ingested", 12, 50000},
	{"Machine Learning", "AI and Machine Learning", "Hours", "Training Job", "$%s per %s accelerated training hour", 20, 120000},
}

var sizes = []string{"c7.large", "c7.xlarge", "c7.2xlarge", "m7.large", "m7.xlarge", "r7.large", "general", "standard", "infrequent", "premium"}

var regions = [][2]string{{"us-west-2", "US West (Oregon)"}, {"us-east-1", "US East (N. Virginia)"}, {"ap-southeast-1", "Asia Pacific (Singapore)"},
	{"eu-central-1", "Europe (Frankfurt)"}, {"cn-north-1", "China (Beijing)"}, {"ap-northeast-1", "Asia Pacific (Tokyo)"}}

const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// code makes n letters of a number.
func code(x uint64, n int) string {
	b := make([]byte, n)
	for i := range b {
		if i%12 == 0 {
			x = mix(x)
		}
		b[i] = letters[x>>(5*(i%12))&31]
	}
	return string(b)
}

func skus(seed uint64) []sku {
	var out []sku
	for i, s := range services {
		for t := range s.tiers {
			h := mix(seed ^ uint64(i)<<32 ^ uint64(t))
			id := code(h, 16)
			price := s.price*int64(t+1)/2 + int64(h%97)
			size := sizes[t%len(sizes)]
			out = append(out, sku{service: s.name, category: s.category, unit: s.unit, kind: s.kind, price: price, id: id,
				priceID: id + ".JRTCKXETXF." + code(h+1, 10), description: fmt.Sprintf(s.text, strings.TrimSuffix(string(fixed(nil, price, 5)), ".0"), size)})
		}
	}
	return out
}

// account is a sub-account; upTo is the share of rows of those before it and its own, in 2^32nds.
type account struct {
	id, name  string
	upTo      uint64
	resources int
}

var adjectives = []string{"Amber", "Brisk", "Calm", "Deep", "Early", "Fair", "Grand", "High", "Iron", "Jade", "Keen", "Long", "Mild", "North", "Open", "Prime"}
var nouns = []string{"Harbour", "Bridge", "Field", "Garden", "Island", "Lake", "Market", "Orchard", "Press", "River", "Station", "Tower", "Valley", "Works", "Yard", "Foundry"}

// rowsPerResource is how many charges of one month a resource has on average.
const rowsPerResource = 48

func accounts(o Options) []account {
	out := make([]account, o.Accounts)
	var all, sum float64
	for k := range out {
		all += 1 / float64(k+1)
	}
	for k := range out {
		share := 1 / float64(k+1) / all
		sum += share
		h := mix(o.Seed ^ 0xacc0<<40 ^ uint64(k))
		out[k] = account{
			id:   fmt.Sprintf("%012d", h%900000000000+100000000000),
			name: fmt.Sprintf("%s %s %d", adjectives[h>>8&15], nouns[h>>16&15], k+1),
			upTo: uint64(sum * (1 << 32)), resources: max(1, int(share*float64(o.Rows/o.Months)/rowsPerResource)),
		}
	}
	out[len(out)-1].upTo = 1 << 32
	return out
}

// fixed appends a whole number of 10^-places as decimal text without needless zeros.
func fixed(b []byte, n int64, places int) []byte {
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	var digits [24]byte
	i := len(digits)
	for k := 0; n > 0 || k <= places; k++ {
		if k == places && i < len(digits) {
			i--
			digits[i] = '.'
		}
		if d := byte(n % 10); d != 0 || i < len(digits) || k >= places {
			i--
			digits[i] = '0' + d
		}
		n /= 10
	}
	return append(b, digits[i:]...)
}
