// Package grammar reads a command line into structs that declare it by tags. It owns flags, arguments,
// commands and their help; what a command does and whether its values make sense belong to the caller.
// It asks no type for its methods by name, so that the linker may leave out what nobody calls (docs/adr/0014).
//
// A field of a struct is
//
//	cmd:""      a command, itself a struct of fields, or
//	arg:""      an argument, a text or the rest of them ([]string); optional:"" may be left out, or
//	otherwise   a flag: string, *string, bool, int, time.Duration, []string, map[string]string or a Setter,
//
// and says of itself name:"…" (else the field's name in kebab case), help:"…", default:"…", enum:"a,b", env:"NAME",
// required:"" and placeholder:"…". Embedded structs count as part of the one around them.
package grammar

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Setter is a flag with a form of its own. It may stand alone, which with tells.
type Setter interface {
	Set(value string, with bool) error
}

// ErrHelp says that help was asked for and given.
var ErrHelp = errors.New("help")

// App names the program.
type App struct{ Name, About string }

// command is a place in the tree of commands; the root is one without a parent.
type command struct {
	name, help string
	parent     *command
	target     any
	flags      []*field
	args       []*field
	commands   []*command
}

// field is a flag or an argument.
type field struct {
	name, help  string
	placeholder string
	preset      string
	env         string
	enum        []string
	presets     bool // preset was given, if only as ""
	required    bool
	given       bool
	place       bool // an argument
	into        reflect.Value
}

// Parse reads args into root, a pointer to a struct, and gives a pointer to the command's struct. Help is written to out.
func (a App) Parse(root any, args []string, out io.Writer) (any, error) {
	top := &command{name: a.Name, help: a.About, target: root}
	top.declare(reflect.ValueOf(root).Elem())
	p := parser{app: a, at: top, out: out, left: args}
	if err := p.read(); err != nil {
		return nil, err
	}
	return p.at.target, p.at.complete()
}

// declare takes the fields of a struct.
func (c *command) declare(v reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			c.declare(v.Field(i))
			continue
		}
		if !f.IsExported() {
			continue
		}
		name := f.Tag.Get("name")
		if name == "" {
			name = kebab(f.Name)
		}
		if _, ok := f.Tag.Lookup("cmd"); ok {
			sub := &command{name: name, help: f.Tag.Get("help"), parent: c, target: v.Field(i).Addr().Interface()}
			sub.declare(v.Field(i))
			c.commands = append(c.commands, sub)
			continue
		}
		one := &field{name: name, help: f.Tag.Get("help"), placeholder: f.Tag.Get("placeholder"), env: f.Tag.Get("env"), into: v.Field(i)}
		one.preset, one.presets = f.Tag.Lookup("default")
		if list, ok := f.Tag.Lookup("enum"); ok {
			one.enum = strings.Split(list, ",")
		}
		_, one.required = f.Tag.Lookup("required")
		if _, ok := f.Tag.Lookup("arg"); ok {
			_, optional := f.Tag.Lookup("optional")
			one.required, one.place = !optional, true
			c.args = append(c.args, one)
			continue
		}
		c.flags = append(c.flags, one)
	}
}

// kebab is DryRun as dry-run, TLSCert as tls-cert.
func kebab(name string) string {
	var b strings.Builder
	r := []rune(name)
	for i, x := range r {
		if i > 0 && unicode.IsUpper(x) && (unicode.IsLower(r[i-1]) || i+1 < len(r) && unicode.IsLower(r[i+1])) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(x))
	}
	return b.String()
}

// path is the command from the program's name on.
func (c *command) path() string {
	if c.parent == nil {
		return c.name
	}
	return c.parent.path() + " " + c.name
}

// up is the command and those around it.
func (c *command) up() []*command {
	var out []*command
	for ; c != nil; c = c.parent {
		out = append(out, c)
	}
	return out
}

func (c *command) flag(name string) *field {
	for _, x := range c.up() {
		for _, f := range x.flags {
			if f.name == name {
				return f
			}
		}
	}
	return nil
}

// complete fills in what was not given and refuses what is missing.
func (c *command) complete() error {
	var missing []string
	for _, x := range c.up() {
		for _, f := range x.flags {
			if err := f.otherwise(); err != nil {
				return err
			}
			if f.required && !f.given {
				missing = append(missing, f.form())
			}
		}
	}
	if missing != nil {
		slices.Sort(missing)
		return errors.New("missing flags: " + strings.Join(missing, ", "))
	}
	for _, f := range c.args {
		if f.required && !f.given {
			return fmt.Errorf("expected %q", f.form())
		}
	}
	if len(c.commands) > 0 {
		names := make([]string, 0, len(c.commands))
		for _, x := range c.commands {
			names = append(names, strconv.Quote(x.name))
		}
		if len(names) > 5 {
			names = append(names[:5], "...")
		}
		return errors.New("expected one of " + strings.Join(names, ", "))
	}
	return nil
}

// otherwise takes the environment's value or the preset one.
func (f *field) otherwise() error {
	if f.given {
		return nil
	}
	if v, ok := os.LookupEnv(f.env); ok && f.env != "" {
		if err := f.set(v, true); err != nil {
			return fmt.Errorf("%w (from envar %s=%q)", err, f.env, v)
		}
		return nil
	}
	if f.preset == "" {
		return nil
	}
	err := f.set(f.preset, true)
	f.given = false
	return err
}

func (f *field) isBool() bool {
	_, own := f.into.Addr().Interface().(Setter)
	return own || f.into.Kind() == reflect.Bool
}

// set reads a value; with is whether there was one.
func (f *field) set(value string, with bool) error {
	first := !f.given
	f.given = true
	if f.enum != nil && !slices.Contains(f.enum, value) {
		return fmt.Errorf("--%s must be one of %s but got %q", f.name, strings.Join(quoted(f.enum), ","), value)
	}
	switch into := f.into.Addr().Interface().(type) {
	case Setter:
		if err := into.Set(value, with); err != nil {
			return fmt.Errorf("--%s: %w", f.name, err)
		}
	case *string:
		*into = value
	case **string:
		*into = &value
	case *bool:
		switch strings.ToLower(value) {
		case "true", "1", "yes":
			*into = true
		case "false", "0", "no":
			*into = false
		default:
			if with {
				return fmt.Errorf("--%s: bool value must be true, 1, yes, false, 0 or no but got %q", f.name, value)
			}
			*into = true
		}
	case *int:
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("--%s: expected a number but got %q", f.name, value)
		}
		*into = n
	case *time.Duration:
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("--%s: expected duration but got %q: %w", f.name, value, err)
		}
		*into = d
	case *[]string:
		if first {
			*into = nil
		}
		*into = append(*into, split(value, ',')...)
	case *map[string]string:
		if *into == nil {
			*into = map[string]string{}
		}
		for _, pair := range split(value, ';') {
			k, v, ok := strings.Cut(pair, "=")
			if !ok {
				return fmt.Errorf("--%s: expected \"<key>=<value>\" but got %q", f.name, pair)
			}
			(*into)[k] = v
		}
	default:
		return fmt.Errorf("--%s: no flag can be a %s", f.name, f.into.Type())
	}
	return nil
}

// split cuts a list; a backslash keeps a separator.
func split(s string, at rune) (out []string) {
	var b strings.Builder
	kept := false
	for _, r := range s {
		switch {
		case kept:
			if r != at {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
			kept = false
		case r == '\\':
			kept = true
		case r == at:
			out = append(out, b.String())
			b.Reset()
		default:
			b.WriteRune(r)
		}
	}
	if kept {
		b.WriteByte('\\')
	}
	if s == "" {
		return nil
	}
	return append(out, b.String())
}

func quoted(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strconv.Quote(s)
	}
	return out
}
