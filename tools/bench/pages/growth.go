package main

import (
	"flag"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// grown is one page at both sizes.
type grown struct {
	Page        string     `json:"page"`
	Small       result     `json:"small"`
	Large       result     `json:"large"`
	P50, P99    float64    // large to small, medians of the rounds
	P50s, P99s  [2]float64 // their ranges
	Ratios50    []float64  `json:"p50_ratios"` // by round
	Ratios99    []float64  `json:"p99_ratios"`
	small, much []result
}

var after = regexp.MustCompile(`href="([^"]*[?&;]after=[^"]*)"`)

// growth compares first and deep pages over a small and a large database, at one connection.
func growth(args []string) error {
	f := flag.NewFlagSet("growth", flag.ContinueOnError)
	small, large := f.Int("small", 10_000, "lines of the small database"), f.Int("large", 1_000_000, "lines of the large one")
	rounds, long := f.Int("rounds", 7, "rounds"), f.Duration("long", 2*time.Second, "how long a contender runs in a round")
	out, root := f.String("out", "growth.json", "where the figures go"), f.String("root", "../../..", "the repository")
	smallData, largeData := f.String("small-data", "", "a data folder made before"), f.String("large-data", "", "a data folder made before")
	if err := f.Parse(args); err != nil {
		return err
	}
	b, err := newBench(*root, *out)
	if err != nil {
		return err
	}
	defer b.close()
	var targets [2][2]target
	for i, x := range []struct {
		lines  int
		folder string
		name   string
	}{{*small, *smallData, "small"}, {*large, *largeData, "large"}} {
		m, err := b.data(x.folder, x.lines, "-few", "200", "-many", "1000")
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
		targets[i][0] = get(addr, m.page(m.Many), "</html>", cookie)
		if targets[i][1], err = deep(targets[i][0], cookie, 40); err != nil {
			return err
		}
	}
	pages := []*grown{{Page: "first"}, {Page: "deep"}}
	for n := range *rounds {
		for p, g := range pages {
			for i := range 2 {
				at := (i + n) % 2
				r, err := drive(targets[at][p], 1, 200*time.Millisecond, *long)
				if err != nil {
					return err
				}
				if at == 0 {
					g.small = append(g.small, r)
				} else {
					g.much = append(g.much, r)
				}
			}
		}
	}
	for _, g := range pages {
		g.conclude()
		fmt.Printf("%-5s page  p50 %.3f ms and %.3f ms: × %.2f (%.2f–%.2f)  p99 %.3f ms and %.3f ms: × %.2f (%.2f–%.2f)\n", g.Page,
			g.Small.P50, g.Large.P50, g.P50, g.P50s[0], g.P50s[1], g.Small.P99, g.Large.P99, g.P99, g.P99s[0], g.P99s[1])
	}
	return writeJSON(*out, map[string]any{"small_lines": *small, "large_lines": *large, "pages": pages})
}

// deep follows the pages so many times.
func deep(t target, cookie string, pages int) (target, error) {
	for range pages {
		var err error
		if t, err = behind(t, cookie); err != nil {
			return t, err
		}
	}
	return t, nil
}

// behind is the page behind a page.
func behind(t target, cookie string) (target, error) {
	body, err := whole(t)
	if err != nil {
		return t, err
	}
	var next string
	for _, m := range after.FindAllSubmatch(body, -1) {
		next = string(m[1])
	}
	if next == "" {
		return t, fmt.Errorf("a page has no next one")
	}
	return get(t.addr, strings.ReplaceAll(next, "&amp;", "&"), "</html>", cookie), nil
}

// turned are the first pages of a list, asked for in turn.
func turned(first target, cookie string) (target, error) {
	list := []target{first}
	for len(list) < places {
		next, err := behind(list[len(list)-1], cookie)
		if err != nil {
			return next, err
		}
		list = append(list, next)
	}
	return inTurn(list), nil
}

func (g *grown) conclude() {
	p50, p99 := func(r result) float64 { return r.P50 }, func(r result) float64 { return r.P99 }
	g.Small = result{P50: median(g.small, p50), P99: median(g.small, p99)}
	g.Large = result{P50: median(g.much, p50), P99: median(g.much, p99)}
	var a, b []float64
	for i := range g.small {
		a, b = append(a, g.much[i].P50/g.small[i].P50), append(b, g.much[i].P99/g.small[i].P99)
	}
	g.Ratios50, g.Ratios99 = a, b
	self := func(v float64) float64 { return v }
	g.P50, g.P99, g.P50s, g.P99s = median(a, self), median(b, self), spread(a, self), spread(b, self)
}
