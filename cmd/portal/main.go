// Command portal is the partner center: server, importer, month close and the operator's tools in one
// binary.
//
// Exit codes: 0 done, 1 refused with reasons on stderr, 2 usage. With --json one document goes to
// stdout, money as decimal strings. Nothing is asked without a terminal.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"huoban/internal/app"
	"huoban/internal/fault"
	"huoban/internal/grammar"
	"huoban/internal/i18n"
)

// cli is the grammar of the command line.
type cli struct {
	app.Settings
	JSON bool   `name:"json" help:"Print one JSON document."`
	As   string `name:"as" placeholder:"LOGIN" help:"Act as this person where a second person is asked."`

	commands
}

// out is what a command writes to and knows.
type out struct {
	ctx  context.Context
	cli  *cli
	args []string
	w    io.Writer
	err  io.Writer
	in   *os.File
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const (
	exitDone    = 0
	exitRefused = 1
	exitUsage   = 2
)

// program is what help says of it.
var program = grammar.App{Name: "portal", About: "Huoban 伙伴中心: the partner center a cloud vendor or distributor can host."}

// runner is a command.
type runner interface{ Run(o *out) error }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx = i18n.With(ctx, language())
	cmd, err := program.Parse(&c, args, stdout)
	if errors.Is(err, grammar.ErrHelp) {
		return exitDone
	}
	if err != nil {
		fmt.Fprintf(stderr, "portal: %v\nportal --help shows the commands.\n", err)
		return misused(slices.Contains(args, "--json"), stdout, err)
	}
	if err := c.Validate(); err != nil { // settings that are refused
		return report(ctx, &c, stdout, stderr, err)
	}
	return report(ctx, &c, stdout, stderr, cmd.(runner).Run(&out{ctx, &c, args, stdout, stderr, os.Stdin}))
}

// language of the terminal: Chinese where the locale says so, English elsewhere.
func language() i18n.Lang {
	for _, name := range []string{"PORTAL_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if strings.HasPrefix(strings.ToLower(v), "zh") {
				return i18n.ZhCN
			}
			return i18n.En
		}
	}
	return i18n.En
}

// usageError marks input that the grammar could not judge.
type usageError struct{ error }

// refusal is the JSON form of what was refused and why.
type refusal struct {
	Code    string     `json:"code"`
	Args    fault.Args `json:"args,omitempty"`
	Message string     `json:"message"`
	Cure    string     `json:"cure,omitempty"`
	Reasons []refusal  `json:"reasons,omitempty"`
}

func toRefusal(ctx context.Context, f *fault.Error) refusal {
	r := refusal{Code: f.Code, Args: f.Args, Message: i18n.FaultText(ctx, f), Cure: i18n.FaultCure(ctx, f)}
	if !i18n.Has("fault."+f.Code) && i18n.Has(f.Code) {
		r.Message = i18n.T(ctx, f.Code, pairs(f.Args)...)
	}
	for _, one := range f.Reason {
		r.Reasons = append(r.Reasons, toRefusal(ctx, one))
	}
	return r
}

func report(ctx context.Context, c *cli, stdout, stderr io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	var u usageError
	if errors.As(err, &u) {
		fmt.Fprintf(stderr, "portal: %v\n", u.error)
		return misused(c.JSON, stdout, u.error)
	}
	f := fault.From(app.Explained(err))
	r := toRefusal(ctx, f)
	fmt.Fprintf(stderr, "portal: %s [%s]\n", r.Message, r.Code)
	if r.Cure != "" {
		fmt.Fprintf(stderr, "    %s\n", r.Cure)
	}
	for _, one := range r.Reasons {
		fmt.Fprintf(stderr, "  - %s [%s]\n", one.Message, one.Code)
		if one.Cure != "" {
			fmt.Fprintf(stderr, "    %s\n", one.Cure)
		}
	}
	if f.Kind == fault.KindInternal {
		fmt.Fprintf(stderr, "  %v\n", err)
	}
	var said shown
	if c.JSON && !errors.As(err, &said) {
		_ = writeJSON(stdout, map[string]any{"refused": r})
	}
	return exitRefused
}

// misused answers a wrong call; a script that asked for JSON gets its one document here too.
func misused(asJSON bool, stdout io.Writer, err error) int {
	if asJSON {
		_ = writeJSON(stdout, map[string]any{"refused": refusal{Code: "usage", Message: err.Error()}})
	}
	return exitUsage
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// print writes the JSON document, or calls text for people.
func (o *out) print(v any, text func(w io.Writer)) error {
	if o.cli.JSON {
		return writeJSON(o.w, v)
	}
	text(o.w)
	return nil
}
