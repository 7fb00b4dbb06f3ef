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
	"strings"
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
	key   Key
}

// NewChain makes the recorder.
func NewChain(store Store, c clock.Clock, key Key) *Chain { return &Chain{store, c, key} }

// Record appends an entry inside the transaction of ctx. Faults: audit.other_key when the chain was
// begun with another key; store.busy may end a transaction that lost its place too often.
func (c *Chain) Record(ctx context.Context, e Entry) error {
	head, err := c.store.Head(ctx)
	if err != nil {
		return err
	}
	if head.KeyID != "" && head.KeyID != c.key.ID() {
		return fault.Unavailable("audit.other_key", fault.Args{"expected": head.KeyID, "present": c.key.ID()})
	}
	row, err := c.row(ctx, e, head)
	if err != nil {
		return err
	}
	ok, err := c.store.Append(ctx, head, row, c.key.ID())
	if err != nil {
		return err
	}
	if !ok {
		return fault.Unavailable("audit.head_moved", nil)
	}
	return nil
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
	row.Hash = c.key.hash(row)
	return row, nil
}

// clean keeps what both engines can store and a log reader cannot be fooled by.
func clean(s string) string {
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

// hash covers every attested field and the hash before, as JSON with sorted keys: each field is quoted,
// so no two rows share the hashed text.
func (k Key) hash(r Row) []byte {
	body, err := json.Marshal(map[string]any{
		"seq": r.Seq, "at": r.At.UTC().Format(instantForm), "actor": r.Actor, "on_behalf": r.OnBehalf, "org_id": r.OrgID,
		"action": r.Action, "object": r.Object, "outcome": r.Outcome, "detail": r.Detail, "request_id": r.RequestID, "ip": r.IP,
		"prev": hex.EncodeToString(r.Prev),
	})
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	mac := hmac.New(sha256.New, k[:])
	mac.Write([]byte(domain))
	mac.Write(body)
	return mac.Sum(nil)
}
