package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"huoban/internal/money"
)

// keeper holds what stories keep, by story and number, for each engine.
type keeper struct {
	mu    sync.Mutex
	bytes map[string]map[string]string
}

// cmd keeps the last stdout under its place in the story.
func (k *keeper) cmd(engine string) func(ts *testscript.TestScript, neg bool, args []string) {
	count := map[string]int{}
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		k.mu.Lock()
		defer k.mu.Unlock()
		count[ts.Name()]++
		key := ts.Name() + "#" + strconv.Itoa(count[ts.Name()])
		if k.bytes[key] == nil {
			k.bytes[key] = map[string]string{}
		}
		k.bytes[key][engine] = ts.ReadFile("stdout")
	}
}

func (k *keeper) compare(t *testing.T) {
	for key, by := range k.bytes {
		pg, both := by["postgres"]
		if lite := by["sqlite"]; both && lite != pg {
			t.Errorf("%s differs between the engines (-sqlite +postgres):\n%s", key, cmp.Diff(lite, pg))
		}
	}
}

// jsonCmd compares values inside the last stdout: json PATH WANT [PATH WANT…]. A path is dotted with
// indices, and "#" is the length: bills.0.amount_due, bills.#.
func jsonCmd(ts *testscript.TestScript, neg bool, args []string) {
	var doc any
	dec := json.NewDecoder(bytes.NewReader([]byte(ts.ReadFile("stdout"))))
	dec.UseNumber()
	ts.Check(dec.Decode(&doc))
	for i := 0; i+1 < len(args); i += 2 {
		got := fmt.Sprint(at(doc, strings.Split(args[i], ".")))
		if (got == args[i+1]) == neg {
			ts.Fatalf("%s is %q, want %q (negated: %v)", args[i], got, args[i+1], neg)
		}
	}
}

func at(v any, path []string) any {
	for _, p := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			if p == "#" {
				v = len(x)
				continue
			}
			n, err := strconv.Atoi(p)
			if err != nil || n >= len(x) {
				return nil
			}
			v = x[n]
		default:
			return nil
		}
	}
	return v
}

func document(ts *testscript.TestScript) any {
	var doc any
	dec := json.NewDecoder(bytes.NewReader([]byte(ts.ReadFile("stdout"))))
	dec.UseNumber()
	ts.Check(dec.Decode(&doc))
	return doc
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// lineSumCmd adds up the exact amounts of the lines of the last bill by kind: linesum KIND SUM…, and
// "count" for their number.
func lineSumCmd(ts *testscript.TestScript, _ bool, args []string) {
	sums, n := map[string]money.Exact{}, 0
	for _, b := range list(at(document(ts), []string{"bills"})) {
		for _, l := range list(at(b, []string{"lines"})) {
			x, err := money.ParseExact(text(at(l, []string{"exact"})))
			ts.Check(err)
			kind := text(at(l, []string{"kind"}))
			sums[kind] = sums[kind].Add(x)
			n++
		}
	}
	for i := 0; i+1 < len(args); i += 2 {
		got := sums[args[i]].String()
		if args[i] == "count" {
			got = strconv.Itoa(n)
		}
		if got != args[i+1] {
			ts.Fatalf("the lines' %s is %s, want %s", args[i], got, args[i+1])
		}
	}
}

// statusCmd runs a command and compares its exit code: status CODE[,CODE] PROGRAM ARG….
func statusCmd(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := err.(*exec.ExitError); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if !slices.Contains(strings.Split(args[0], ","), strconv.Itoa(code)) {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
	if code != 0 && strings.TrimSpace(ts.ReadFile("stderr")) == "" {
		ts.Fatalf("exit code %d without a word on stderr", code)
	}
}

// reasonsCmd compares the codes of a refusal, in any order and whole; each must say its cure.
func reasonsCmd(ts *testscript.TestScript, _ bool, args []string) {
	var codes []string
	for _, r := range list(at(document(ts), []string{"refused", "reasons"})) {
		codes = append(codes, text(at(r, []string{"code"})))
		if text(at(r, []string{"cure"})) == "" || text(at(r, []string{"message"})) == "" {
			ts.Fatalf("%v has no sentence or no cure", r)
		}
	}
	slices.Sort(codes)
	slices.Sort(args)
	if !slices.Equal(codes, args) {
		ts.Fatalf("refused for %v, want %v", codes, args)
	}
}

// setIDCmd puts a value just printed into a variable: the id of the adjustment, or the field that is named.
func setIDCmd(ts *testscript.TestScript, _ bool, args []string) {
	path := []string{"adjustments", "0", "id"}
	if len(args) > 1 {
		path = strings.Split(args[1], ".")
	}
	ts.Setenv(args[0], text(at(document(ts), path)))
}

// replaceCmd edits a file: replace FILE OLD NEW.
func replaceCmd(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(file, []byte(strings.ReplaceAll(ts.ReadFile(args[0]), args[1], args[2])), 0o600))
}

// pairCmd wants the adjustments just listed to be one pair whose base sums to 0: pair BASE.
func pairCmd(ts *testscript.TestScript, _ bool, args []string) {
	var sum money.Exact
	bases := []string{}
	for _, a := range list(at(document(ts), []string{"adjustments"})) {
		x, err := money.ParseExact(text(at(a, []string{"base"})))
		ts.Check(err)
		sum = sum.Add(x)
		bases = append(bases, x.String())
	}
	slices.Sort(bases)
	if want := []string{"-" + args[0], args[0]}; !sum.IsZero() || !slices.Equal(bases, want) {
		ts.Fatalf("bases %v, want %v", bases, want)
	}
}

// neverCmd takes everything a partner can take away of a cycle, in every format and split, and wants
// none of the texts in it: never PARTNER CYCLE TEXT….
func neverCmd(ts *testscript.TestScript, _ bool, args []string) {
	for _, format := range []string{"json", "csv", "xlsx", "pdf", "canonical"} {
		for _, by := range []string{"", "product", "customer", "line"} {
			ts.Check(ts.Exec("portal", "bill", "--partner", args[0], "--cycle", args[1], "--format", format, "--by", by))
			body := plain(format, []byte(ts.ReadFile("stdout")))
			if !strings.Contains(body, args[0]) {
				ts.Fatalf("%s by %q cannot be read back", format, by)
			}
			for _, word := range args[2:] {
				if i := strings.Index(body, word); i >= 0 {
					ts.Fatalf("%s by %q shows %s: %q", format, by, word, body[max(0, i-60):min(len(body), i+60)])
				}
			}
		}
	}
}
