// Package kit is what the measurements share: rounds that take turns, contenders in processes of their
// own, profiles, a world of lines, a PostgreSQL server, the table at the end.
//
// It owns how something is measured and shown; it does not own what. A goal is a package beside this one.
// Its contenders take turns in every round, so that a busy moment of the machine meets all of them, and
// what counts is the ratio of one round's figures. The first round is not counted: it warms up and keeps
// the profiles, which would cost the others time.
package kit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Goal is one subject of measurement.
type Goal struct {
	Name    string // what BENCH=name runs
	Numbers []int  // the goals of docs/performance.md it answers; BENCH=number runs it too
	Run     func(ctx context.Context, e *Env) ([]Figure, error)
	Parts   map[string]Part // contenders that run in a process of their own
}

// Part is a contender in a process of its own; what it gives is what it measured itself.
type Part func(ctx context.Context, args []string) (map[string]float64, error)

// Env is what a measurement finds.
type Env struct {
	Root   string // the repository
	Work   string // a temporary folder, large
	Out    string // bin/bench: profiles and what else is kept
	Portal string // the program as it ships
	Rounds int    // counted rounds, at least 5 unless asked for less
	Lines  int    // lines of the world, 1,000,000 unless asked for less
	Full   bool   // 10,000,000 lines too
	Only   string // narrows a goal to the figures whose name contains this; empty is all

	post *server
}

// Figure is one line of the table: a ratio to another contender, or an absolute figure.
type Figure struct {
	Goal    int       `json:"goal"`
	What    string    `json:"what"`
	Against string    `json:"against,omitempty"` // empty: the values are absolute
	Unit    string    `json:"unit,omitempty"`    // of Ours and Theirs, or of absolute values
	Bound   float64   `json:"bound,omitempty"`   // the goal; 0 is none
	AtMost  bool      `json:"at_most,omitempty"` // the goal is an upper bound
	Values  []float64 `json:"values"`            // by round: ours ÷ theirs, or absolute
	Ours    []float64 `json:"ours,omitempty"`
	Theirs  []float64 `json:"theirs,omitempty"`
	Note    string    `json:"note,omitempty"`
	Missing string    `json:"missing,omitempty"` // why it could not be measured
}

// Median is the figure that counts.
func (f *Figure) Median() float64 { return median(f.Values) }

// Reached tells whether the goal is reached; a figure without goal or values is neither.
func (f *Figure) Reached() (reached, judged bool) {
	if f.Bound == 0 || len(f.Values) == 0 {
		return false, false
	}
	if f.AtMost {
		return f.Median() <= f.Bound, true
	}
	return f.Median() >= f.Bound, true
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// Contender is one of those that take turns. Run gives its figure of one round; profile is the file for
// a CPU profile, empty in counted rounds.
type Contender struct {
	Name string
	Run  func(ctx context.Context, round int, profile string) (float64, error)
}

// Interleave runs the contenders in turns, beginning with another one in each round, and gives the
// figures of the counted rounds by contender.
func (e *Env) Interleave(ctx context.Context, subject string, list ...Contender) (map[string][]float64, error) {
	out := map[string][]float64{}
	for round := range e.Rounds + 1 {
		for i := range list {
			c := list[(i+round)%len(list)]
			profile := ""
			if round == 0 {
				profile = filepath.Join(e.Out, subject+"-"+c.Name+".pprof")
			}
			v, err := c.Run(ctx, round, profile)
			if err != nil {
				return nil, fmt.Errorf("%s, %s, round %d: %w", subject, c.Name, round, err)
			}
			if round > 0 {
				out[c.Name] = append(out[c.Name], v)
			}
			fmt.Fprintf(os.Stderr, "  %s round %d/%d %-24s %10.4g\n", subject, round, e.Rounds, c.Name, v)
		}
	}
	return out, nil
}

// Ratio divides round by round.
func Ratio(ours, theirs []float64) []float64 {
	out := make([]float64, min(len(ours), len(theirs)))
	for i := range out {
		out[i] = ours[i] / theirs[i]
	}
	return out
}
