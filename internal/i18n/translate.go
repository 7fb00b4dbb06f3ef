package i18n

import (
	"archive/zip"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"

	"huoban/internal/fault"
	"huoban/internal/money"
)

// packed is the folder catalog as a zip archive: a fifth of the bytes in the program. It is made by go generate.
//
//go:generate go test -run TestCataloguesArePacked -update .
//go:embed catalog.zip
var packed []byte

// catalogs is what packed holds.
var catalogs = unpack(packed)

func unpack(packed []byte) fs.FS {
	files, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		panic(err)
	}
	return files
}

// book is what one process knows: the catalogues, read by go-i18n, as sentences, and a plain map for the many
// labels that have neither arguments nor plurals.
type book struct {
	plain    map[Lang]map[string]string
	zh       map[string]string // plain of the reference language
	sentence map[Lang]map[string]sentence
	known    map[Lang]map[string]bool
	twice    []string // keys given in two files: the later text wins, and a test refuses it
}

var texts = mustLoad(catalogs)

func mustLoad(files fs.FS) *book {
	b, err := load(files)
	if err != nil {
		panic(err)
	}
	return b
}

// load reads every catalogue.
func load(files fs.FS) (*book, error) {
	b := &book{plain: map[Lang]map[string]string{}, sentence: map[Lang]map[string]sentence{}, known: map[Lang]map[string]bool{}}
	for _, l := range Langs {
		b.plain[l], b.sentence[l], b.known[l] = map[string]string{}, map[string]sentence{}, map[string]bool{}
		names, err := fs.Glob(files, "catalog/*."+string(l)+".json")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := b.add(files, name, l); err != nil {
				return nil, err
			}
		}
	}
	b.zh = b.plain[ZhCN]
	return b, nil
}

func (b *book) add(files fs.FS, name string, l Lang) error {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	f, err := goi18n.ParseMessageFileBytes(data, path.Base(name), map[string]goi18n.UnmarshalFunc{"json": json.Unmarshal})
	if err != nil {
		return fmt.Errorf("catalogue %s: %w", name, err)
	}
	for _, m := range f.Messages {
		if b.known[l][m.ID] {
			b.twice = append(b.twice, name+": "+m.ID)
		}
		b.known[l][m.ID] = true
		if m.One == "" && !strings.Contains(m.Other, "{{") {
			b.plain[l][m.ID] = m.Other
			continue
		}
		said := sentence{other: newForm(m.Other)}
		if m.One != "" {
			said.one = newForm(m.One)
		}
		b.sentence[l][m.ID] = said
	}
	return nil
}

// Has tells whether the key exists in the reference language.
func Has(key string) bool { return texts.known[ZhCN][key] }

// T is the sentence of key in the context's language. Arguments are named and come in pairs:
// T(ctx, "bill.lines.count", "Count", n). Integers are written with thousands separators; a Count
// also chooses the plural form. A missing key shows itself.
func T(ctx context.Context, key string, pairs ...any) string { return In(From(ctx), key, pairs...) }

// In is T in a language that is known: what says much need not ask the context each time.
func In(l Lang, key string, pairs ...any) string {
	if s, ok := plain(l, key); ok {
		return s
	}
	var space [256]byte
	return string(appendSentence(space[:0], l, key, pairs))
}

// AppendIn appends what In says.
func AppendIn(b []byte, l Lang, key string, pairs ...any) []byte {
	if s, ok := plain(l, key); ok {
		return append(b, s...)
	}
	return appendSentence(b, l, key, pairs)
}

// plain is a sentence without arguments.
func plain(l Lang, key string) (string, bool) {
	if l == ZhCN {
		s, ok := texts.zh[key]
		return s, ok
	}
	s, ok := texts.plain[l][key]
	return s, ok
}

func appendSentence(b []byte, l Lang, key string, pairs []any) []byte {
	if s, ok := texts.sentence[l][key]; ok {
		var count any
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == "Count" || pairs[i] == "count" {
				count = pairs[i+1]
			}
		}
		if f := s.choose(l, count); f.parts != nil {
			if said, ok := texts.join(b, l, f.parts, pairs); ok {
				return said
			}
		}
	}
	args := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		args[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return append(b, texts.say(l, key, args)...)
}

// segment is a piece of a sentence: text, then an argument by name; "" is none. An amount that is followed by its
// currency, "{{.Amount}} {{.Currency}}", is one argument and shown as money: "¥1,234.56".
type segment struct{ text, name, currency string }

var argument = regexp.MustCompile(`\{\{\s*\.([A-Za-z_][A-Za-z_0-9]*)\s*\}\}`)

// segments takes a sentence apart; false where it asks more of a template than to put arguments in.
func segments(sentence string) (out []segment, ok bool) {
	at := 0
	for _, m := range argument.FindAllStringSubmatchIndex(sentence, -1) {
		text, name := sentence[at:m[0]], sentence[m[2]:m[3]]
		at = m[1]
		if text == " " && len(out) > 0 && strings.EqualFold(name, "currency") {
			out[len(out)-1].currency = name
			continue
		}
		out = append(out, segment{text: text, name: name})
	}
	out = append(out, segment{text: sentence[at:]})
	for _, s := range out {
		if strings.Contains(s.text, "{{") {
			return nil, false
		}
	}
	return out, true
}

// show is the argument's value, with its currency where it has one.
func (s segment) show(value, currency string) string {
	if s.currency == "" {
		return value
	}
	amount, err := money.ParseExact(value)
	if err != nil {
		return value + " " + currency
	}
	return ExactMoney(amount, currency)
}

// join appends a sentence of segments; false where an argument is missing or no plain text or number, which
// say then speaks of.
func (b *book) join(out []byte, l Lang, parts []segment, pairs []any) ([]byte, bool) {
	of := func(name string) (string, bool) {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				v, ok := b.show(l, pairs[i+1]).(string)
				return v, ok
			}
		}
		return "", false
	}
	for _, p := range parts {
		out = append(out, p.text...)
		if p.name == "" {
			continue
		}
		value, ok := of(p.name)
		currency := ""
		if ok && p.currency != "" {
			currency, ok = of(p.currency)
		}
		if !ok {
			return nil, false
		}
		out = append(out, p.show(value, currency)...)
	}
	return out, true
}

func (b *book) say(l Lang, key string, args map[string]any) string {
	if s, ok := b.plain[l][key]; ok {
		return s
	}
	words, ok := b.sentence[l][key]
	if !ok {
		return key
	}
	count := args["Count"]
	if n, ok := args["count"]; ok { // faults and warnings write their arguments small
		count = n
	}
	shown := make(map[string]any, len(args))
	for k, v := range args {
		shown[k] = b.show(l, v)
	}
	s, err := words.choose(l, count).fill(shown)
	if err != nil || s == "" {
		return key
	}
	return s
}

// label matches the derived keys of states, actions and their fields: an argument that is one is shown by its label,
// so that the domain can name a state without holding a word.
var label = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)*\.(state|action|field)\.[a-z_0-9]+$`)

func (b *book) show(l Lang, v any) any {
	switch x := v.(type) {
	case int:
		return Count(int64(x))
	case int64:
		return Count(x)
	case string:
		if b.known[l][x] && label.MatchString(x) {
			return b.say(l, x, nil)
		}
		return v
	case []string:
		out := make([]string, len(x))
		for i, s := range x {
			out[i] = fmt.Sprint(b.show(l, s))
		}
		if l == En {
			return strings.Join(out, ", ")
		}
		return strings.Join(out, "、")
	}
	return v
}

// FaultText puts a fault into words: the sentence of "fault.<code>" with its arguments, or a general
// one that names the code.
func FaultText(ctx context.Context, f *fault.Error) string {
	if f == nil {
		return ""
	}
	l := From(ctx)
	key := "fault." + f.Code
	if !texts.known[l][key] {
		return texts.say(l, "fault.unknown", map[string]any{"Code": f.Code})
	}
	return texts.say(l, key, f.Args)
}

// FaultCure is the sentence of "fault.<code>.cure", what to do about it, or "" if there is none.
func FaultCure(ctx context.Context, f *fault.Error) string {
	if f == nil || !texts.known[From(ctx)]["fault."+f.Code+".cure"] {
		return ""
	}
	return texts.say(From(ctx), "fault."+f.Code+".cure", f.Args)
}

// FaultReasons are the sentences of the gathered reasons, or the fault's own if it gathers none.
func FaultReasons(ctx context.Context, f *fault.Error) []string {
	if f == nil {
		return nil
	}
	if len(f.Reason) == 0 {
		return []string{FaultText(ctx, f)}
	}
	out := make([]string, len(f.Reason))
	for i, r := range f.Reason {
		out[i] = FaultText(ctx, r)
	}
	return out
}

// Saying lists the keys with a prefix whose sentence has the text in some language, whatever its case.
func Saying(prefix, text string) []string {
	text = strings.ToLower(text)
	var out []string
	for key := range texts.known[ZhCN] {
		if strings.HasPrefix(key, prefix) && slices.ContainsFunc(Langs, func(l Lang) bool { return strings.Contains(strings.ToLower(In(l, key)), text) }) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}
