package kit

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is bin/bench.json.
type Report struct {
	Command    string    `json:"command"`
	At         time.Time `json:"at"`
	Commit     string    `json:"commit"`
	CPUs       int       `json:"cpus"`
	Go         string    `json:"go"`
	Rounds     int       `json:"rounds"`
	LoadBefore string    `json:"load_before"` // of the machine: what else ran on it
	LoadAfter  string    `json:"load_after"`
	Seconds    float64   `json:"seconds"`
	Figures    []Figure  `json:"figures"`
	NotRun     []string  `json:"not_run,omitempty"`
}

// NewReport notes the conditions.
func NewReport(command, commit string, rounds int) *Report {
	return &Report{Command: command, At: time.Now().UTC().Truncate(time.Second), Commit: commit, CPUs: runtime.NumCPU(), Go: runtime.Version(), Rounds: rounds, LoadBefore: load()}
}

func load() string {
	body, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(body))[:3], " ")
}

// Finish orders the figures and notes the end.
func (r *Report) Finish() {
	r.LoadAfter = load()
	r.Seconds = time.Since(r.At).Seconds()
	slices.SortStableFunc(r.Figures, func(a, b Figure) int { return a.Goal - b.Goal })
}

// Write keeps the report as JSON.
func (r *Report) Write(file string) error {
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(body, '\n'), 0o644)
}

// Print shows the table of ratios against the goals.
func (r *Report) Print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "GOAL\tWHAT\tAGAINST\tMEDIAN\tRANGE\tWANTED\t\tOURS\tTHEIRS\tNOTE")
	for i := range r.Figures {
		f := &r.Figures[i]
		if f.Missing != "" {
			fmt.Fprintf(t, "%d\t%s\t%s\tnot run: %s\n", f.Goal, f.What, f.Against, f.Missing)
			continue
		}
		mid, span, unit := number(f.Median()), "", ""
		if n := len(f.Values); n > 1 {
			span = number(slices.Min(f.Values)) + "–" + number(slices.Max(f.Values))
		}
		if f.Against == "" {
			unit = " " + f.Unit
		}
		wanted, verdict := "", ""
		if f.Bound != 0 {
			wanted = "≥ " + number(f.Bound)
			if f.AtMost {
				wanted = "≤ " + number(f.Bound)
			}
			verdict = "missed"
			if ok, _ := f.Reached(); ok {
				verdict = "reached"
			}
		}
		ours, theirs := "", ""
		if f.Against != "" && len(f.Ours) > 0 {
			ours, theirs = number(median(f.Ours))+" "+f.Unit, number(median(f.Theirs))+" "+f.Unit
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Goal, f.What, f.Against, mid, unit, span, wanted, verdict, ours, theirs, f.Note)
	}
	t.Flush()
	fmt.Fprintf(w, "\n%d counted rounds, %d CPUs, load %s before and %s after, %.0f s\n", r.Rounds, r.CPUs, r.LoadBefore, r.LoadAfter, r.Seconds)
	for _, n := range r.NotRun {
		fmt.Fprintln(w, "NOT RUN:", n)
	}
}

func number(v float64) string {
	switch {
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
