package audit

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"huoban/internal/clock"
	"huoban/internal/fault"
)

// domain separates these hashes from every other use of the key.
const domain = "huoban/audit/row/v1\n"

const instantForm = "2006-01-02T15:04:05.000000Z"

// maxText bounds a field that a stranger can fill, such as the login of a failed sign-in.
const maxText = 512

// Chain writes and checks the chain. It is the Recorder of the program.
type Chain struct {
	store Store
	clock clock.Clock
	keyID string
	macs  sync.Pool            // of the key, used again: setting one up costs as much as a row
	last  atomic.Pointer[Head] // as this process left it; a guess, because a transaction may have been undone
}

// NewChain makes the recorder.
func NewChain(store Store, c clock.Clock, key Key) *Chain {
	return &Chain{store: store, clock: c, keyID: key.ID(), macs: sync.Pool{New: func() any { return hmac.New(sha256.New, key[:]) }}}
}

// Record appends an entry inside the transaction of ctx. Faults: audit.other_key when the chain was
// begun with another key; store.busy may end a transaction that lost its place too often.
func (c *Chain) Record(ctx context.Context, e Entry) error {
	if last := c.last.Load(); last != nil {
		if ok, err := c.append(ctx, e, *last); ok || err != nil {
			return err
		}
	}
	head, err := c.store.Head(ctx)
	if err != nil {
		return err
	}
	if head.KeyID != "" && head.KeyID != c.keyID {
		return fault.Unavailable("audit.other_key", fault.Args{"expected": head.KeyID, "present": c.keyID})
	}
	ok, err := c.append(ctx, e, head)
	if err == nil && !ok {
		return fault.Unavailable("audit.head_moved", nil)
	}
	return err
}

// append writes the entry after the head, if that is the end of the chain.
func (c *Chain) append(ctx context.Context, e Entry, head Head) (bool, error) {
	row, err := c.row(ctx, e, head)
	if err != nil {
		return false, err
	}
	ok, err := c.store.Append(ctx, head, row, c.keyID)
	if ok && err == nil {
		c.last.Store(&Head{Seq: row.Seq, Hash: row.Hash, KeyID: c.keyID})
	}
	return ok, err
}

func (c *Chain) row(ctx context.Context, e Entry, head Head) (Row, error) {
	req := RequestFrom(ctx)
	detail := e.Detail
	if req.SystemUser != "" {
		detail = map[string]any{"system_user": req.SystemUser}
		for k, v := range e.Detail {
			detail[k] = v
		}
	}
	text, err := canonical(detail)
	if err != nil {
		return Row{}, fmt.Errorf("audit detail of %s: %w", e.Action, err)
	}
	row := Row{
		Seq: head.Seq + 1, At: c.clock.Now().UTC().Truncate(time.Microsecond),
		Actor: clean(e.Actor), OnBehalf: clean(cmp.Or(e.OnBehalf, req.OnBehalf)), OrgID: clean(e.OrgID),
		Action: clean(e.Action), Object: clean(e.Object), Outcome: cmp.Or(clean(e.Outcome), OutcomeDone),
		Detail: text, RequestID: clean(cmp.Or(e.RequestID, req.ID)), IP: clean(cmp.Or(e.IP, req.IP)), Prev: head.Hash,
	}
	mac := c.macs.Get().(hash.Hash)
	row.Hash = sum(mac, row)
	mac.Reset()
	c.macs.Put(mac)
	return row, nil
}

// clean keeps what both engines can store and a log reader cannot be fooled by.
func clean(s string) string {
	if plain(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return s
}

// plain tells that a text is short and of printable ASCII, as nearly every field is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) <= maxText
}

// canonical is JSON with sorted keys and no escaping of HTML; an absent detail is {}.
func canonical(v map[string]any) (string, error) {
	if v == nil {
		return "{}", nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// hash is over every attested field and the hash before, as JSON with sorted keys: each field is quoted, so
// that no two rows share the hashed text.
func (k Key) hash(r Row) []byte { return sum(hmac.New(sha256.New, k[:]), r) }

func sum(mac hash.Hash, r Row) []byte {
	b := append(make([]byte, 0, 512), domain...)
	b = quoted(append(b, `{"action":`...), r.Action)
	b = quoted(append(b, `,"actor":`...), r.Actor)
	b = quoted(append(b, `,"at":`...), r.At.UTC().Format(instantForm))
	b = quoted(append(b, `,"detail":`...), r.Detail)
	b = quoted(append(b, `,"ip":`...), r.IP)
	b = quoted(append(b, `,"object":`...), r.Object)
	b = quoted(append(b, `,"on_behalf":`...), r.OnBehalf)
	b = quoted(append(b, `,"org_id":`...), r.OrgID)
	b = quoted(append(b, `,"outcome":`...), r.Outcome)
	b = append(hex.AppendEncode(append(b, `,"prev":"`...), r.Prev), '"')
	b = quoted(append(b, `,"request_id":`...), r.RequestID)
	b = strconv.AppendInt(append(b, `,"seq":`...), r.Seq, 10)
	mac.Write(append(b, '}'))
	return mac.Sum(nil)
}

// quoted writes a text as encoding/json does; most need no more than the quotes.
func quoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, err := json.Marshal(s)
			if err != nil {
				panic(err) // a string always marshals
			}
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
