package main

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// boarded is one page of 消费看板 beside the list of lines, and over a small database.
type boarded struct {
	Page    string    `json:"page"`
	ToList  []float64 `json:"p95_to_list"`  // by round, in the same database
	ToSmall []float64 `json:"p95_to_small"` // by round
	Small   float64   `json:"small_p95_ms"` // means of the rounds
	Large   float64   `json:"large_p95_ms"`
	List    float64   `json:"list_p95_ms"`
}

// boards are the pages that are asked for: the overview of half a year to the month of the lines, by product and
// by customer.
func (m made) boards() [][2]string {
	base, first := "/o/"+m.Org+"/dashboards/expenditure", half(m.Cycle)
	return [][2]string{{"overview", base + "?from=" + first + "&to=" + m.Cycle}, {"by customer", base + "?by=customer&tab=trend&from=" + first + "&to=" + m.Cycle}}
}

// half is five months before.
func half(cycle string) string {
	at, err := time.Parse("2006-01", cycle)
	if err != nil {
		return cycle
	}
	return at.AddDate(0, -5, 0).Format("2006-01")
}

// dashboard measures 消费看板 over a large database, all of whose lines are the partner's own, against the first page of
// the list of lines in the same database and against itself over a small one. Pages are made anew.
func dashboard(args []string) error {
	f := flag.NewFlagSet("dashboard", flag.ContinueOnError)
	small, large := f.Int("small", 10_000, "lines of the small database"), f.Int("large", 1_000_000, "lines of the large one")
	rounds, long := f.Int("rounds", 5, "rounds"), f.Duration("long", time.Second, "how long a contender runs in a round")
	out, root := f.String("out", "dashboard.json", "where the figures go"), f.String("root", "../../..", "the repository")
	smallData, largeData := f.String("small-data", "", "a data folder made before, or to be kept"), f.String("large-data", "", "a data folder made before, or to be kept")
	if err := f.Parse(args); err != nil {
		return err
	}
	b, err := newBench(*root, *out)
	if err != nil {
		return err
	}
	defer b.close()
	var list target
	pages := []*boarded{}
	targets := [2][]target{}
	for i, x := range []struct {
		lines  int
		folder string
		name   string
	}{{*small, *smallData, "board-small"}, {*large, *largeData, "board-large"}} {
		own := strconv.Itoa(x.lines / 20)
		m, err := b.data(x.folder, x.lines, "-few", own, "-many", own)
		if err != nil {
			return err
		}
		addr, err := b.portal(m, 0, x.name)
		if err != nil {
			return err
		}
		cookie, err := signIn("http://"+addr, m)
		if err != nil {
			return err
		}
		if err := daysKept(addr, m, cookie); err != nil {
			return err
		}
		list = get(addr, m.page(m.Many), "</html>", cookie)
		for _, p := range m.boards() {
			targets[i] = append(targets[i], get(addr, p[1], "</html>", cookie))
			if i == 0 {
				pages = append(pages, &boarded{Page: p[0]})
			}
		}
	}
	for n := range *rounds {
		for k, p := range pages {
			var got [3]float64
			for turn := range got {
				at := (turn + n) % len(got)
				r, err := drive([]target{targets[0][k], targets[1][k], list}[at], 1, 200*time.Millisecond, *long)
				if err != nil {
					return err
				}
				got[at] = r.P95
			}
			p.ToSmall, p.ToList = append(p.ToSmall, got[1]/got[0]), append(p.ToList, got[1]/got[2])
			p.Small, p.Large, p.List = p.Small+got[0]/float64(*rounds), p.Large+got[1]/float64(*rounds), p.List+got[2]/float64(*rounds)
		}
	}
	self := func(v float64) float64 { return v }
	for _, p := range pages {
		fmt.Printf("dashboard %-12s p95 %.3f ms over %d lines: × %.2f the list's %.3f ms, × %.2f its own %.3f ms over %d\n", p.Page, p.Large, *large,
			median(p.ToList, self), p.List, median(p.ToSmall, self), p.Small, *small)
	}
	return writeJSON(*out, map[string]any{"small_lines": *small, "large_lines": *large, "pages": pages})
}

// daysKept waits until the portal has summed the lines by day, which it does when it starts.
func daysKept(addr string, m made, cookie string) error {
	page := get(addr, "/o/"+m.Org+"/dashboards/expenditure/anomalies?cycle="+m.Cycle, "</html>", "Accept-Language: en", cookie)
	for range 240 {
		body, err := whole(page)
		if err != nil {
			return err
		}
		if !strings.Contains(string(body), "being prepared") && !strings.Contains(string(body), "正在准备") {
			return nil
		}
		time.Sleep(time.Second)
	}
	return fmt.Errorf("the days of %d lines are not summed within four minutes", m.Lines)
}
