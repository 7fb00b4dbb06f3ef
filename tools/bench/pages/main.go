// Command pages measures the list of consumption lines against a bare net/http handler that writes the
// same bytes, and against PocketBase's list API over the same rows: interleaved, each ratio the median of
// the rounds.
//
//	go run . --lines 1000000 --out pages.json
//	go run . growth --small 10000 --large 10000000 --out growth.json
package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("pages: ")
	args := os.Args[1:]
	if len(args) > 0 {
		switch args[0] {
		case "bare":
			serveBare(args[1:])
			return
		case "pocketmake":
			fillPocket(args[1:])
			return
		case "pocketbase":
			servePocket(args[1:])
			return
		case "growth":
			if err := growth(args[1:]); err != nil {
				log.Fatal(err)
			}
			return
		case "dashboard":
			if err := dashboard(args[1:]); err != nil {
				log.Fatal(err)
			}
			return
		case "pages":
			args = args[1:]
		}
	}
	if err := pages(args); err != nil {
		log.Fatal(err)
	}
}

// options are what the flags say.
type options struct {
	lines, rounds int
	long          time.Duration
	out, root     string
	keep, db      string
	conns         []int
	peer          bool
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("pages", flag.ContinueOnError)
	f.IntVar(&o.lines, "lines", 1_000_000, "lines in the database")
	f.IntVar(&o.rounds, "rounds", 5, "rounds of each number of connections")
	f.DurationVar(&o.long, "long", time.Second, "how long a contender runs in a round")
	f.StringVar(&o.out, "out", "pages.json", "where the figures go; profiles go beside it")
	f.StringVar(&o.root, "root", "../../..", "the repository")
	f.StringVar(&o.keep, "data", "", "a data folder made before, or to be kept; empty makes one and removes it")
	f.BoolVar(&o.peer, "pocketbase", true, "measure PocketBase too")
	conns := f.String("conns", "1,4,16,64", "numbers of connections")
	err := f.Parse(args)
	for text := range strings.SplitSeq(*conns, ",") {
		var n int
		if _, err := fmt.Sscan(text, &n); err != nil {
			return o, err
		}
		o.conns = append(o.conns, n)
	}
	return o, err
}

// round is one contender in one round.
type round struct {
	Contender string  `json:"contender"`
	Conns     int     `json:"connections"`
	Round     int     `json:"round"`
	Ratio     float64 `json:"ratio_to_bare"`
	result
}

// figure is what is kept of a contender at a number of connections.
type figure struct {
	Contender string     `json:"contender"`
	Conns     int        `json:"connections"`
	Ratio     float64    `json:"ratio_to_bare"`
	Range     [2]float64 `json:"range"`
	Rate      float64    `json:"per_second"`
	P50       float64    `json:"p50_ms"`
	P99       float64    `json:"p99_ms"`
	P99Bound  float64    `json:"p99_bound_ms"` // the bare handler's divided by the ratio
}

type report struct {
	Lines   int       `json:"lines"`
	Bytes   int       `json:"page_bytes"`
	Figures []figure  `json:"figures"`
	Rounds  []round   `json:"rounds"`
	Peer    []peerFig `json:"pocketbase,omitempty"`
}

// peerFig is how many of our pages are served for one list of PocketBase's.
type peerFig struct {
	Filter string     `json:"filter"`
	Served string     `json:"served"`
	Conns  int        `json:"connections"`
	Times  float64    `json:"times"`
	Range  [2]float64 `json:"range"`
}

func pages(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	b, err := newBench(o.root, o.out)
	if err != nil {
		return err
	}
	defer b.close()
	made, err := b.data(o.keep, o.lines, "-few", "700", "-many", "7700")
	if err != nil {
		return err
	}
	contenders, size, err := b.contenders(made, o.peer)
	if err != nil {
		return err
	}
	rep := report{Lines: o.lines, Bytes: size}
	for _, conns := range o.conns {
		for n := range o.rounds {
			got, err := oneRound(contenders, conns, n, o.long)
			if err != nil {
				return err
			}
			rep.Rounds = append(rep.Rounds, got...)
		}
		rep.sum(conns)
	}
	if o.peer {
		rep.peers(o.conns)
	}
	return writeJSON(o.out, rep)
}

type contender struct {
	name string
	t    target
}

// oneRound runs every contender once, in an order that turns with the rounds.
func oneRound(list []contender, conns, n int, long time.Duration) ([]round, error) {
	var out []round
	for i := range list {
		c := list[(i+n)%len(list)]
		r, err := drive(c.t, conns, 100*time.Millisecond, long)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		out = append(out, round{Contender: c.name, Conns: conns, Round: n, result: r})
	}
	at := slices.IndexFunc(out, func(r round) bool { return r.Contender == "bare" })
	for i := range out {
		out[i].Ratio = out[i].Rate / out[at].Rate
	}
	return out, nil
}

// sum adds the figures of a number of connections and prints them.
func (r *report) sum(conns int) {
	by := map[string][]round{}
	var names []string
	for _, x := range r.Rounds {
		if x.Conns == conns {
			if by[x.Contender] == nil {
				names = append(names, x.Contender)
			}
			by[x.Contender] = append(by[x.Contender], x)
		}
	}
	slices.Sort(names)
	bare := median(by["bare"], func(x round) float64 { return x.P99 })
	for _, name := range names {
		f := figure{Contender: name, Conns: conns, Ratio: median(by[name], func(x round) float64 { return x.Ratio }),
			Rate: median(by[name], func(x round) float64 { return x.Rate }), P50: median(by[name], func(x round) float64 { return x.P50 }),
			P99: median(by[name], func(x round) float64 { return x.P99 })}
		f.Range = spread(by[name], func(x round) float64 { return x.Ratio })
		f.P99Bound = bare / f.Ratio
		r.Figures = append(r.Figures, f)
		fmt.Printf("%2d connections  %-23s ratio %.3f (%.3f–%.3f)  %6.0f/s  p50 %.2f ms  p99 %.2f ms (bound %.2f)\n",
			conns, name, f.Ratio, f.Range[0], f.Range[1], f.Rate, f.P50, f.P99, f.P99Bound)
	}
}

// peers compares each of our pages with PocketBase's list of the same filter, round by round.
func (r *report) peers(conns []int) {
	for _, filter := range []string{"few", "many"} {
		for _, served := range []struct{ name, ours, theirs string }{{"made anew", "page " + filter, "pocketbase " + filter},
			{"made anew, in turn", "page " + filter + " in turn", "pocketbase " + filter + " in turn"},
			{"as served, in turn", "cached " + filter + " in turn", "pocketbase " + filter + " in turn"}} {
			for _, n := range conns {
				times := r.times(n, served.ours, served.theirs)
				self := func(v float64) float64 { return v }
				p := peerFig{filter, served.name, n, median(times, self), spread(times, self)}
				r.Peer = append(r.Peer, p)
				fmt.Printf("%2d connections  %-4s %s: %.1f pages for one list of PocketBase (%.1f–%.1f)\n", n, filter, served.name, p.Times, p.Range[0], p.Range[1])
			}
		}
	}
}

// times is how much faster one contender was than another, round by round.
func (r *report) times(conns int, ours, theirs string) (out []float64) {
	for _, x := range r.Rounds {
		if x.Conns != conns || x.Contender != ours {
			continue
		}
		for _, y := range r.Rounds {
			if y.Conns == conns && y.Round == x.Round && y.Contender == theirs {
				out = append(out, x.Rate/y.Rate)
			}
		}
	}
	return out
}

func median[T any](list []T, of func(T) float64) float64 {
	var v []float64
	for _, x := range list {
		v = append(v, of(x))
	}
	slices.Sort(v)
	if len(v) == 0 {
		return 0
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

func spread[T any](list []T, of func(T) float64) [2]float64 {
	if len(list) == 0 {
		return [2]float64{}
	}
	by := func(a, b T) int { return cmp.Compare(of(a), of(b)) }
	return [2]float64{of(slices.MinFunc(list, by)), of(slices.MaxFunc(list, by))}
}

func writeJSON(path string, v any) error {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(body, '\n'), 0o644)
}

// signIn gives the Cookie header of a person who has signed in.
func signIn(base string, m made) (string, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Jar: jar, Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.PostForm(base+"/login", url.Values{"username": {m.Login}, "password": {m.Password}})
	if err != nil {
		return "", err
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	at, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, c := range jar.Cookies(at) {
		parts = append(parts, c.Name+"="+c.Value)
	}
	if res.StatusCode != http.StatusSeeOther || len(parts) == 0 {
		return "", fmt.Errorf("sign in: %s", res.Status)
	}
	return "Cookie: " + strings.Join(parts, "; "), nil
}
