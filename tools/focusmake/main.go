// Command focusmake writes FOCUS 1.0 files of any size, equal for equal seeds. It is for measurements and
// tests and shares no code with the reader.
//
//	go run ./tools/focusmake --rows 1000000 --seed 7 --months 1 --out focus.csv
//
// What matters for an importer is as in a cloud's export: 43 columns, about 700 bytes a row; a few hundred
// sub-accounts of very unequal size (the k-th largest has 1/k of the largest one's rows), some hundred SKUs,
// resources with about fifty rows each; hours in order, everything else mixed. Rows differ, unless --equal
// asks for a share of them to be said twice. It prints rows, equal rows and the sum of BilledCost as JSON.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"time"
)

// Options say which file to write.
type Options struct {
	Rows, Months, Accounts int
	Equal                  float64 // per cent
	Seed                   uint64
	First, Order, Out      string
}

// Facts are what a file holds, added up in whole numbers while it is written.
type Facts struct {
	Rows   int    `json:"rows"`
	Equal  int    `json:"equal"`
	Billed string `json:"billed"`
}

func main() {
	var o Options
	flag.IntVar(&o.Rows, "rows", 1000, "charges")
	flag.IntVar(&o.Months, "months", 1, "billing periods the charges are spread over")
	flag.IntVar(&o.Accounts, "accounts", 400, "sub-accounts")
	flag.Float64Var(&o.Equal, "equal", 0, "per cent of the rows that say the row before once more")
	flag.Uint64Var(&o.Seed, "seed", 1, "equal seeds give equal files")
	flag.StringVar(&o.First, "first", "2025-01", "first billing period, YYYY-MM")
	flag.StringVar(&o.Order, "order", "time", "of the rows: time (hour by hour) or mixed (any hour of the month)")
	flag.StringVar(&o.Out, "out", "-", "file, or - for standard output, where the facts then go to standard error")
	flag.Parse()
	facts, err := write(o)
	if err != nil {
		log.Fatal(err)
	}
	text, _ := json.Marshal(facts)
	if o.Out == "-" {
		fmt.Fprintln(os.Stderr, string(text))
		return
	}
	fmt.Println(string(text))
}

func write(o Options) (facts Facts, err error) {
	first, err := time.Parse("2006-01", o.First)
	if err != nil || o.Rows < 0 || o.Months < 1 || o.Accounts < 1 || o.Order != "time" && o.Order != "mixed" {
		return facts, fmt.Errorf("focusmake: cannot make that: %+v", o)
	}
	out := os.Stdout
	if o.Out != "-" {
		if out, err = os.Create(o.Out); err != nil {
			return facts, err
		}
		defer func() {
			if e := out.Close(); err == nil {
				err = e
			}
		}()
	}
	buf := bufio.NewWriterSize(out, 1<<20)
	facts, err = newMaker(o, first).write(buf)
	if err == nil {
		err = buf.Flush()
	}
	return facts, err
}
