package i18n

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"text/template/parse"
)

// sentence is a text of a catalogue. In English it may have a form for one thing, which a Count of 1 chooses.
type sentence struct{ one, other *form }

// form is a sentence taken apart: parts where arguments are only put in, else a tree, which is made on first use.
// A tree is walked here and not by text/template: that asks values for their methods by name, and the linker
// would then have to keep every method there is (docs/adr/0014).
type form struct {
	text  string
	parts []segment
	tree  func() (*parse.ListNode, error)
}

func newForm(text string) *form {
	f := &form{text: text}
	if parts, ok := segments(text); ok {
		f.parts = parts
		return f
	}
	f.tree = sync.OnceValues(func() (*parse.ListNode, error) {
		t := parse.New("sentence")
		t.Mode = parse.SkipFuncCheck
		if _, err := t.Parse(text, "", "", map[string]*parse.Tree{}); err != nil {
			return nil, err
		}
		return t.Root, judge(t.Root)
	})
	return f
}

// choose takes the form for a count; only English tells one from many.
func (s sentence) choose(l Lang, count any) *form {
	if s.one != nil && l == En && fmt.Sprint(count) == "1" {
		return s.one
	}
	return s.other
}

// fill puts arguments into the form; what is missing shows as such.
func (f *form) fill(args map[string]any) (string, error) {
	var b strings.Builder
	if f.tree == nil {
		for _, p := range f.parts {
			b.WriteString(p.text)
			if p.name != "" {
				b.WriteString(p.show(shownAs(args[p.name]), shownAs(args[p.currency])))
			}
		}
		return b.String(), nil
	}
	root, err := f.tree()
	if err != nil {
		return "", err
	}
	walk(&b, root, args, nil)
	return b.String(), nil
}

func shownAs(v any) string {
	if v == nil {
		return "<no value>"
	}
	return fmt.Sprint(v)
}

// judge refuses what a sentence may not ask for: it knows {{.X}}, if and else, eq with a text, and with, in which
// {{.}} is the value.
func judge(list *parse.ListNode) error {
	if list == nil {
		return nil
	}
	for _, n := range list.Nodes {
		var pipe *parse.PipeNode
		var inner []*parse.ListNode
		switch n := n.(type) {
		case *parse.TextNode:
			continue
		case *parse.ActionNode:
			pipe = n.Pipe
		case *parse.IfNode:
			pipe, inner = n.Pipe, []*parse.ListNode{n.List, n.ElseList}
		case *parse.WithNode:
			pipe, inner = n.Pipe, []*parse.ListNode{n.List, n.ElseList}
		default:
			return fmt.Errorf("a sentence cannot say %s", n)
		}
		if !askable(pipe) {
			return fmt.Errorf("a sentence cannot ask %s", pipe)
		}
		for _, l := range inner {
			if err := judge(l); err != nil {
				return err
			}
		}
	}
	return nil
}

func askable(p *parse.PipeNode) bool {
	if len(p.Cmds) != 1 || len(p.Decl) > 0 {
		return false
	}
	args := p.Cmds[0].Args
	field, ok := args[len(args)/2].(*parse.FieldNode)
	switch {
	case len(args) == 1 && args[0].Type() == parse.NodeDot:
		return true
	case !ok || len(field.Ident) != 1:
		return false
	case len(args) == 1:
		return true
	}
	name, isName := args[0].(*parse.IdentifierNode)
	return len(args) == 3 && isName && name.Ident == "eq" && args[2].Type() == parse.NodeString
}

func walk(b *strings.Builder, list *parse.ListNode, args map[string]any, dot any) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			b.Write(n.Text)
		case *parse.ActionNode:
			b.WriteString(shownAs(ask(n.Pipe, args, dot)))
		case *parse.IfNode:
			if holds(ask(n.Pipe, args, dot)) {
				walk(b, n.List, args, dot)
			} else {
				walk(b, n.ElseList, args, dot)
			}
		case *parse.WithNode:
			if v := ask(n.Pipe, args, dot); holds(v) {
				walk(b, n.List, args, v)
			} else {
				walk(b, n.ElseList, args, dot)
			}
		}
	}
}

func ask(p *parse.PipeNode, args map[string]any, dot any) any {
	switch asked := p.Cmds[0].Args; {
	case len(asked) == 3:
		return shownAs(args[asked[1].(*parse.FieldNode).Ident[0]]) == asked[2].(*parse.StringNode).Text
	case asked[0].Type() == parse.NodeDot:
		return dot
	default:
		return args[asked[0].(*parse.FieldNode).Ident[0]]
	}
}

// holds is what if and with ask of a value: that it is not empty.
func holds(v any) bool { return v != nil && !reflect.ValueOf(v).IsZero() }
