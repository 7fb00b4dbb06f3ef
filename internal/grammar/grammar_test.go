package grammar

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

type common struct {
	Addr string        `env:"GRAMMAR_ADDR" default:":80" help:"Address."`
	Keep time.Duration `default:"1h" help:"How long."`
	Nets []string      `env:"GRAMMAR_NETS" help:"Networks."`
}

type root struct {
	common
	JSON bool `name:"json" help:"Print JSON."`

	Import importCmd `cmd:"" help:"Import files."`
	Price  struct {
		List listCmd `cmd:"" help:"List rules."`
		Add  addCmd  `cmd:"" help:"Add a rule."`
	} `cmd:"" help:"Prices."`
}

type importCmd struct {
	Paths  []string `arg:"" name:"path" help:"Files."`
	Source string   `required:"" help:"Source."`
	Final  mark     `help:"Final."`
	DryRun bool     `help:"Write nothing."`
}

type listCmd struct {
	File  string  `arg:"" optional:"" help:"A file."`
	State string  `default:"open" enum:"open,done" help:"State."`
	Limit int     `default:"100" help:"At most."`
	Owner *string `help:"Owner; empty is nobody."`
}

type addCmd struct {
	Column map[string]string `help:"Columns."`
	Amount string            `placeholder:"AMOUNT" help:"Amount."`
}

type mark struct {
	all  bool
	text string
}

func (m *mark) Set(value string, with bool) error {
	if value == "bad" {
		return errors.New("no mark")
	}
	m.all, m.text = !with, value
	return nil
}

func parse(line string) (root, any, error) {
	var r root
	cmd, err := App{"tool", "About it."}.Parse(&r, strings.Fields(line), &strings.Builder{})
	return r, cmd, err
}

func TestWhatALineSays(t *testing.T) {
	t.Setenv("GRAMMAR_NETS", "a,b")
	r, cmd, err := parse("--json import x.csv --source own -- --odd --final")
	if err != nil || !r.JSON || r.Addr != ":80" || r.Keep != time.Hour || !slices.Equal(r.Nets, []string{"a", "b"}) {
		t.Fatalf("%+v, %v", r, err)
	}
	if c := cmd.(*importCmd); !slices.Equal(c.Paths, []string{"x.csv", "--odd", "--final"}) || c.Source != "own" || c.Final.all {
		t.Errorf("%+v", c)
	}
	_, cmd, err = parse(`import - --source=a --final --nets c,d\,e --nets f --dry-run=no`)
	if c := cmd.(*importCmd); err != nil || !c.Final.all || c.DryRun || !slices.Equal(c.Paths, []string{"-"}) {
		t.Errorf("%+v, %v", c, err)
	}
	r, cmd, err = parse(`import y --source a --final=2025-01 --nets c,d\,e --nets=f --addr= --dry-run`)
	if c := cmd.(*importCmd); err != nil || c.Final.text != "2025-01" || !c.DryRun || r.Addr != "" || !slices.Equal(r.Nets, []string{"c", "d,e", "f"}) {
		t.Errorf("%+v, %+v, %v", r, c, err)
	}
	_, cmd, err = parse("price list --owner= --keep 2m --limit -5")
	if c := cmd.(*listCmd); err != nil || c.Owner == nil || *c.Owner != "" || c.Limit != -5 || c.State != "open" || c.File != "" {
		t.Errorf("%+v, %v", c, err)
	}
	_, cmd, err = parse("price add --column a=1;b=x=y --column c= --amount -12.50")
	if c := cmd.(*addCmd); err != nil || !maps.Equal(c.Column, map[string]string{"a": "1", "b": "x=y", "c": ""}) || c.Amount != "-12.50" {
		t.Errorf("%+v, %v", c, err)
	}
	_, cmd, _ = parse("price list")
	if c := cmd.(*listCmd); c.Owner != nil || c.Limit != 100 {
		t.Errorf("%+v", c)
	}
	t.Setenv("GRAMMAR_ADDR", "env")
	if r, _, _ := parse("price list"); r.Addr != "env" {
		t.Errorf("the environment was not asked: %+v", r)
	}
	if r, _, _ := parse("price list --addr flag"); r.Addr != "flag" {
		t.Errorf("the environment wins over a flag: %+v", r)
	}
}

func TestWhatALineMayNotSay(t *testing.T) {
	for line, want := range map[string]string{
		"":                                `expected one of "import", "price"`,
		"price":                           `expected one of "list", "add"`,
		"imprt":                           `unexpected argument imprt, did you mean "import"?`,
		"stranger":                        `unexpected argument stranger`,
		"price list a b":                  `unexpected argument b`,
		"import x":                        `missing flags: --source=STRING`,
		"import --source a":               `expected "<path> ..."`,
		"import x --source":               `--source: expected a value but got nothing`,
		"import x --source --final":       `--source: expected a value but got --final`,
		"import x --source a --jsom":      `unknown flag --jsom, did you mean "--json"?`,
		"import x --source a --limit 3":   `unknown flag --limit`,
		"--source a import x":             `unknown flag --source`,
		"import x -s a":                   `unknown flag -s`,
		"import x -json":                  `unknown flag -json, did you mean "--json"?`,
		"import x --source a --final=bad": `--final: no mark`,
		"price list --state closed":       `--state must be one of "open","done" but got "closed"`,
		"price list --limit ten":          `--limit: expected a number but got "ten"`,
		"price list --keep ten":           `--keep: expected duration but got "ten": time: invalid duration "ten"`,
		"price list --json=perhaps":       `--json: bool value must be true, 1, yes, false, 0 or no but got "perhaps"`,
		"price add --column a":            `--column: expected "<key>=<value>" but got "a"`,
	} {
		if _, _, err := parse(line); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", line, err, want)
		}
	}
	t.Setenv("GRAMMAR_ADDR", "x")
	var r struct {
		N int `env:"GRAMMAR_ADDR"`
	}
	if _, err := (App{Name: "tool"}).Parse(&r, nil, nil); err == nil || err.Error() != `--n: expected a number but got "x" (from envar GRAMMAR_ADDR="x")` {
		t.Error(err)
	}
}

func TestHelp(t *testing.T) {
	for line, want := range map[string]string{
		"-h": `Usage: tool <command> [flags]

About it.

Flags:
  -h, --help             Show context-sensitive help.
      --addr=":80"       Address ($GRAMMAR_ADDR).
      --keep=1h          How long.
      --nets=NETS,...    Networks ($GRAMMAR_NETS).
      --json             Print JSON.

Commands:
  import        Import files.
  price list    List rules.
  price add     Add a rule.

Run "tool <command> --help" for more information on a command.
`,
		"import --help": `Usage: tool import --source=STRING <path> ... [flags]

Import files.

Arguments:
  <path> ...    Files.

Flags:
  -h, --help             Show context-sensitive help.
      --addr=":80"       Address ($GRAMMAR_ADDR).
      --keep=1h          How long.
      --nets=NETS,...    Networks ($GRAMMAR_NETS).
      --json             Print JSON.

      --source=STRING    Source.
      --final            Final.
      --dry-run          Write nothing.
`,
	} {
		var r root
		var out strings.Builder
		if _, err := (App{"tool", "About it."}).Parse(&r, strings.Fields(line), &out); !errors.Is(err, ErrHelp) {
			t.Errorf("%s: %v", line, err)
		}
		if out.String() != want {
			t.Errorf("%s:\n%s", line, out.String())
		}
	}
	var wide strings.Builder
	writeRows(&wide, [][2]string{{"--a", "short"}, {"--much-longer", "on the next line"}}, 5)
	if got := wide.String(); got != "  --a    short\n  --much-longer\n         on the next line\n" {
		t.Errorf("%q", got)
	}
	if got := wrap("one two three", 7); !slices.Equal(got, []string{"one two", "three"}) {
		t.Errorf("%q", got)
	}
}

func TestKebab(t *testing.T) {
	for name, want := range map[string]string{"DryRun": "dry-run", "TLSCert": "tls-cert", "Addr": "addr", "AllowIDP": "allow-idp", "X": "x"} {
		if got := kebab(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
