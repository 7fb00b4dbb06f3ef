// Command huaweimake writes Huawei Cloud partner bill files as Huawei describes them, and prints what
// they add up to. It is for tests and samples and shares no code with the reader: it knows the
// documents' columns, not the portal's.
//
//	go run ./tools/huaweimake -kind bill   -month 202410 -rows 250000 -out DIR    customerBill_202410.tar.gz
//	go run ./tools/huaweimake -kind detail -month 202410 -rows 300 -format xlsx -lang zh -out DIR
//
// The sums it prints are whole numbers of 1/100000000 while it runs, decimal text at the end.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"
)

// Options say which file to write.
type Options struct {
	Kind, Month, Format, Lang, Currency, Out string
	Rows, Part                               int
	Seed                                     uint64
}

func main() {
	var o Options
	flag.StringVar(&o.Kind, "kind", "bill", "bill (customerBill) or detail (伙伴账单明细)")
	flag.StringVar(&o.Month, "month", "202410", "bill cycle, YYYYMM")
	flag.StringVar(&o.Format, "format", "xlsx", "of the detail: xlsx or csv")
	flag.StringVar(&o.Lang, "lang", "zh", "of the detail: zh or en")
	flag.StringVar(&o.Currency, "currency", "USD", "of the amounts")
	flag.StringVar(&o.Out, "out", ".", "folder")
	flag.IntVar(&o.Rows, "rows", 200, "charges")
	flag.IntVar(&o.Part, "part", 100000, "rows of one file of customerBill")
	flag.Uint64Var(&o.Seed, "seed", 1, "equal seeds give equal files")
	flag.Parse()
	sum, err := Make(o)
	if err != nil {
		log.Fatal(err)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(sum); err != nil {
		log.Fatal(err)
	}
}

// Summary is what the file adds up to.
type Summary struct {
	File        string         `json:"file"`
	Rows        int            `json:"rows"`
	Cycle       string         `json:"cycle"`
	Currency    string         `json:"currency"`
	Billed      string         `json:"billed"`
	List        string         `json:"list"`
	Settled     string         `json:"settled"`
	Consumption string         `json:"consumption"`
	Refund      string         `json:"refund"`
	Adjustment  string         `json:"adjustment"`
	Modes       map[string]int `json:"modes"`
	Customers   map[string]int `json:"customers"`
}

// Make writes the file.
func Make(o Options) (Summary, error) {
	month, err := time.Parse("200601", o.Month)
	if err != nil {
		return Summary{}, err
	}
	g := &generator{state: o.Seed*2654435761 + 88172645463325252, month: month}
	t := &tally{modes: map[string]int{}, customers: map[string]int{}}
	var file string
	if o.Kind == "bill" {
		file, err = writeBill(o, g, t)
	} else {
		file, err = writeDetail(o, g, t)
	}
	if err != nil {
		return Summary{}, err
	}
	return Summary{
		File: filepath.Base(file), Rows: o.Rows, Cycle: month.Format("2006-01"), Currency: o.Currency,
		Billed: decimal(t.billed), List: decimal(t.list), Settled: decimal(t.settled),
		Consumption: decimal(t.byKind[spent]), Refund: decimal(t.byKind[refunded]), Adjustment: decimal(t.byKind[adjusted]),
		Modes: t.modes, Customers: t.customers,
	}, nil
}

type tally struct {
	billed, list, settled int64
	byKind                [3]int64
	modes, customers      map[string]int
}

func (t *tally) add(c charge) {
	t.billed += c.amount
	t.list += c.list
	t.settled += c.settled()
	t.byKind[c.kind] += c.amount
	t.modes[modes[c.mode].code]++
	t.customers[c.customer]++
}

// decimal writes a number of 1/100000000 without needless zeros.
func decimal(n int64) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	text := fmt.Sprintf("%s%d.%08d", sign, n/1e8, n%1e8)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	return text
}
