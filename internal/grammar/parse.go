package grammar

import (
	"fmt"
	"io"
	"reflect"
	"strings"
)

// parser goes along a command line.
type parser struct {
	app  App
	at   *command
	out  io.Writer
	left []string
	args int // arguments read of the command
	rest bool
}

func (p *parser) next() string {
	s := p.left[0]
	p.left = p.left[1:]
	return s
}

func (p *parser) read() error {
	for len(p.left) > 0 {
		token := p.next()
		var err error
		switch {
		case !p.rest && token == "--":
			p.rest = true
		case !p.rest && len(token) > 1 && token[0] == '-':
			err = p.flag(token)
		default:
			err = p.word(token)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// flag reads a flag with its value, which stands after an equals sign or next.
func (p *parser) flag(token string) error {
	name, value, with := strings.Cut(strings.TrimPrefix(token, "--"), "=")
	if token == "-h" || name == "help" {
		p.at.writeHelp(p.out)
		return ErrHelp
	}
	f := p.at.flag(name)
	if f == nil || !strings.HasPrefix(token, "--") {
		shown, _, _ := strings.Cut(token, "=")
		return fmt.Errorf("unknown flag %s%s", shown, p.at.near(shown))
	}
	if !with && !f.isBool() {
		if len(p.left) == 0 || looksFlag(p.left[0]) {
			got := "nothing"
			if len(p.left) > 0 {
				got = p.left[0]
			}
			return fmt.Errorf("--%s: expected a value but got %s", name, got)
		}
		value, with = p.next(), true
	}
	return f.set(value, with)
}

// looksFlag tells a flag from a value: an amount below zero is a value.
func looksFlag(s string) bool {
	return len(s) > 1 && s[0] == '-' && s[1] != '.' && (s[1] < '0' || s[1] > '9')
}

// word reads a command or an argument.
func (p *parser) word(token string) error {
	if !p.rest {
		for _, c := range p.at.commands {
			if c.name == token {
				p.at = c
				return nil
			}
		}
	}
	if p.args == len(p.at.args) {
		return fmt.Errorf("unexpected argument %s%s", token, p.at.near(token))
	}
	f := p.at.args[p.args]
	f.given = true
	if f.into.Kind() == reflect.Slice {
		f.into.Set(reflect.Append(f.into, reflect.ValueOf(token)))
		return nil
	}
	p.args++
	f.into.SetString(token)
	return nil
}

// near offers what may have been meant.
func (c *command) near(token string) string {
	best, least := "", min(2, (len(token)-1)/2)+1
	try := func(name string) {
		if d := distance(token, name); d < least {
			best, least = name, d
		}
	}
	if strings.HasPrefix(token, "-") {
		for _, x := range c.up() {
			for _, f := range x.flags {
				try("--" + f.name)
			}
		}
	} else {
		for _, x := range c.commands {
			try(x.name)
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// distance is how many signs differ, are missing or too many.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			same := before
			if a[i] != b[j] {
				same++
			}
			before = row[j+1]
			row[j+1] = min(same, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
