// Package paging measures goals 1 to 3: the list of consumption lines against a handler that writes the
// same bytes, against PocketBase's list of the same rows, and over a small and a large database.
//
// The measuring itself is a program in a module of its own (tools/bench/pages), because PocketBase would
// raise versions of what the portal is made of; this package runs it and judges its figures.
package paging

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"huoban/tools/bench/kit"
)

// Goal is goals 1, 2 and 3.
var Goal = kit.Goal{Name: "pages", Numbers: []int{1, 2, 3}, Run: run}

// Dashboard is goal 10.
var Dashboard = kit.Goal{Name: "dashboard", Numbers: []int{10}, Run: dashboard}

// full is the size of the large database of BENCH=full.
const full = 10_000_000

// round is one contender in one round, as the program writes it.
type round struct {
	Contender string  `json:"contender"`
	Conns     int     `json:"connections"`
	Round     int     `json:"round"`
	Ratio     float64 `json:"ratio_to_bare"`
	Rate      float64 `json:"per_second"`
	P50, P99  float64
}

// built is the program that measures.
func built(ctx context.Context, e *kit.Env) (string, error) {
	program := filepath.Join(e.Work, "bench-pages")
	module := filepath.Join(e.Root, "tools", "bench", "pages")
	_, err := e.Command(ctx, "", nil, os.Stderr, "go", "build", "-C", module, "-mod=mod", "-trimpath", "-o", program, ".")
	return program, err
}

func run(ctx context.Context, e *kit.Env) ([]kit.Figure, error) {
	program, err := built(ctx, e)
	if err != nil {
		return nil, err
	}
	figures, err := against(ctx, e, program)
	if err != nil {
		return figures, err
	}
	more, err := growth(ctx, e, program)
	return append(figures, more...), err
}

// measured runs the program and reads what it wrote.
func measured(ctx context.Context, e *kit.Env, program, name string, into any, args ...string) error {
	out := filepath.Join(e.Out, name+".json")
	args = append([]string{name, "--root", e.Root, "--out", out, "--rounds", strconv.Itoa(e.Rounds)}, args...)
	if _, err := e.Command(ctx, "", nil, os.Stderr, program, args...); err != nil {
		return err
	}
	body, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

func against(ctx context.Context, e *kit.Env, program string) ([]kit.Figure, error) {
	var got struct {
		Rounds []round `json:"rounds"`
	}
	if err := measured(ctx, e, program, "pages", &got, "--lines", strconv.Itoa(e.Lines)); err != nil {
		return nil, err
	}
	by := map[string]map[int]round{}
	for _, r := range got.Rounds {
		name := fmt.Sprintf("%s %d", r.Contender, r.Conns)
		if by[name] == nil {
			by[name] = map[int]round{}
		}
		by[name][r.Round] = r
	}
	// pair compares two contenders round by round.
	pair := func(f kit.Figure, ours, theirs string, conns int, of func(a, b round) float64) kit.Figure {
		f.What = fmt.Sprintf("%s, %d connections", f.What, conns)
		a, b := by[fmt.Sprintf("%s %d", ours, conns)], by[fmt.Sprintf("%s %d", theirs, conns)]
		for n := range e.Rounds {
			f.Values = append(f.Values, of(a[n], b[n]))
		}
		return f
	}
	rate := func(a, b round) float64 { return a.Rate / b.Rate }
	late := func(a, b round) float64 { return a.P99 / (b.P99 / a.Ratio) }
	var out []kit.Figure
	for _, x := range []struct {
		name, what string
		bound      float64
	}{{"page few", "page made anew", 0.22}, {"cached few", "page kept", 0.60}} {
		for _, conns := range []int{16, 64} {
			out = append(out, pair(kit.Figure{Goal: 1, What: x.what, Against: "bare handler, same bytes", Bound: x.bound}, x.name, "bare", conns, rate))
		}
		out = append(out, pair(kit.Figure{Goal: 1, What: x.what + ", p99", Against: "bare handler's p99 ÷ ratio", Bound: 1, AtMost: true}, x.name, "bare", 64, late))
	}
	for _, x := range []struct {
		filter string
		conns  int
		bound  float64
	}{{"few", 4, 3}, {"few", 16, 5}, {"few", 64, 5}, {"many", 4, 3}, {"many", 16, 10}, {"many", 64, 10}} {
		for _, served := range []struct{ what, ours, turn string }{{"page made anew", "page ", ""}, {"16 pages in turn, made anew", "page ", " in turn"},
			{"16 pages in turn, as a past month is served", "cached ", " in turn"}} {
			out = append(out, pair(kit.Figure{Goal: 2, What: served.what + ", filter matches " + x.filter, Against: "PocketBase list", Bound: x.bound},
				served.ours+x.filter+served.turn, "pocketbase "+x.filter+served.turn, x.conns, rate))
		}
	}
	return out, nil
}

func growth(ctx context.Context, e *kit.Env, program string) ([]kit.Figure, error) {
	var got struct {
		Pages []struct {
			Page   string    `json:"page"`
			Ratio5 []float64 `json:"p50_ratios"`
			Ratio9 []float64 `json:"p99_ratios"`
		} `json:"pages"`
	}
	large := e.Lines
	if e.Full {
		large = full
	}
	// A hundredth of the requests of a round are few: more rounds tell more than longer ones.
	if err := measured(ctx, e, program, "growth", &got, "--large", strconv.Itoa(large), "--rounds", strconv.Itoa(max(9, e.Rounds))); err != nil {
		return nil, err
	}
	var out []kit.Figure
	for _, g := range got.Pages {
		what := fmt.Sprintf("%s page over %d lines", g.Page, large)
		out = append(out, kit.Figure{Goal: 3, What: what + ", p50", Against: "over 10000 lines", Bound: 1.1, AtMost: true, Values: g.Ratio5},
			kit.Figure{Goal: 3, What: what + ", p99", Against: "over 10000 lines", Bound: 1.2, AtMost: true, Values: g.Ratio9})
	}
	return out, nil
}

// dashboard holds 消费看板 against the list of lines in the same database, and against itself over few lines.
func dashboard(ctx context.Context, e *kit.Env) ([]kit.Figure, error) {
	program, err := built(ctx, e)
	if err != nil {
		return nil, err
	}
	sizes := []int{e.Lines}
	if e.Full {
		sizes = append(sizes, full)
	}
	var out []kit.Figure
	for _, large := range sizes {
		var got struct {
			Pages []struct {
				Page    string    `json:"page"`
				ToList  []float64 `json:"p95_to_list"`
				ToSmall []float64 `json:"p95_to_small"`
			} `json:"pages"`
		}
		if err := measured(ctx, e, program, "dashboard", &got, "--large", strconv.Itoa(large)); err != nil {
			return out, err
		}
		for _, g := range got.Pages {
			what := fmt.Sprintf("dashboard %s over %d lines, p95", g.Page, large)
			out = append(out, kit.Figure{Goal: 10, What: what, Against: "first page of the list", Bound: 3, AtMost: true, Values: g.ToList},
				kit.Figure{Goal: 10, What: what, Against: "over 10000 lines", Bound: 1.2, AtMost: true, Values: g.ToSmall})
		}
	}
	return out, nil
}
