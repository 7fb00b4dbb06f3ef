package grammar

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// helpWidth is how wide help is written, narrow enough for any terminal.
const helpWidth = 80

// form is how a flag or an argument is written.
func (f *field) form() string {
	switch {
	case f.place && f.into.Kind() == reflect.Slice:
		return "<" + f.name + "> ..."
	case f.place:
		return "<" + f.name + ">"
	case f.isBool():
		return "--" + f.name
	}
	value := f.placeholder
	_, text := f.into.Interface().(string)
	switch {
	case value != "":
	case text && f.presets:
		value = `"` + f.preset + `"`
	case f.preset != "":
		value = f.preset
	default:
		switch f.into.Interface().(type) {
		case int:
			value = "INT"
		case time.Duration:
			value = "DURATION"
		case []string:
			value = strings.ToUpper(f.name)
		case map[string]string:
			value = "KEY=VALUE"
		default:
			value = "STRING"
		}
	}
	if f.into.Kind() == reflect.Slice {
		value += ",..."
	}
	return "--" + f.name + "=" + value
}

func (c *command) usage() string {
	words := []string{"Usage: " + c.path()}
	if len(c.commands) > 0 {
		words = append(words, "<command>")
	}
	for _, f := range c.flags {
		if f.required {
			words = append(words, f.form())
		}
	}
	for _, f := range c.args {
		if f.required {
			words = append(words, f.form())
		} else {
			words = append(words, "["+f.form()+"]")
		}
	}
	return strings.Join(append(words, "[flags]"), " ")
}

func (c *command) writeHelp(w io.Writer) {
	fmt.Fprintf(w, "%s\n\n", c.usage())
	for _, line := range wrap(c.help, helpWidth) {
		fmt.Fprintln(w, line)
	}
	if rows := fieldRows(c.args, ""); rows != nil {
		fmt.Fprint(w, "\nArguments:\n")
		writeRows(w, rows, helpWidth)
	}
	fmt.Fprint(w, "\nFlags:\n")
	above := c.up()
	slices.Reverse(above)
	rows := [][2]string{{"-h, --help", "Show context-sensitive help."}}
	for i, x := range above {
		own := fieldRows(x.flags, "    ")
		if i > 0 && own != nil {
			rows = append(rows, [2]string{})
		}
		rows = append(rows, own...)
	}
	writeRows(w, rows, 30)
	if len(c.commands) > 0 {
		fmt.Fprint(w, "\nCommands:\n")
		writeRows(w, c.rows(), helpWidth)
	}
	if c.parent == nil {
		fmt.Fprintf(w, "\nRun \"%s <command> --help\" for more information on a command.\n", c.name)
	}
}

func fieldRows(fields []*field, indent string) (rows [][2]string) {
	for _, f := range fields {
		help := f.help
		if f.env != "" {
			help = strings.TrimSuffix(help, ".") + " ($" + f.env + ")."
		}
		form := f.form()
		if f.place && !f.required {
			form = "[" + form + "]"
		}
		rows = append(rows, [2]string{indent + form, help})
	}
	return rows
}

// rows are the commands below that do something.
func (c *command) rows() (rows [][2]string) {
	for _, x := range c.commands {
		if len(x.commands) > 0 {
			rows = append(rows, x.rows()...)
			continue
		}
		_, name, _ := strings.Cut(x.path(), " ")
		rows = append(rows, [2]string{name, x.help})
	}
	return rows
}

// writeRows writes two columns; a left side of more than most stands on a line of its own.
func writeRows(w io.Writer, rows [][2]string, most int) {
	const gap = 4
	left := 0
	for _, r := range rows {
		if n := utf8.RuneCountInString(r[0]); n <= most {
			left = max(left, n)
		}
	}
	for _, r := range rows {
		if r[0] == "" {
			fmt.Fprintln(w)
			continue
		}
		lines := wrap(r[1], helpWidth-2-left-gap)
		if utf8.RuneCountInString(r[0]) > left {
			lines = append([]string{""}, lines...)
		}
		head := r[0]
		for _, line := range lines {
			fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("  %-*s%s", left+gap, head, line), " "))
			head = ""
		}
	}
}

// wrap breaks a text between words.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
