package audit

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"

	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
)

// PublishedHead is one line of the heads file: the end of the chain as it was on a day.
type PublishedHead struct {
	Date string // GMT+08:00
	Seq  int64
	Hash string // hex
}

// ReadHeads reads the heads file; an absent file has no heads. Fault: audit.heads_unreadable.
func ReadHeads(path string) ([]PublishedHead, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("audit heads: %w", err)
	}
	defer f.Close()
	var out []PublishedHead
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		part := strings.Fields(s.Text())
		if len(part) == 0 {
			continue
		}
		bad := len(part) != 3
		var h PublishedHead
		if !bad {
			seq, err := strconv.ParseInt(part[1], 10, 64)
			raw, err2 := hex.DecodeString(part[2])
			bad = err != nil || err2 != nil || len(raw) != 32 || seq < 1
			h = PublishedHead{Date: part[0], Seq: seq, Hash: part[2]}
		}
		if bad {
			return nil, fault.Conflict("audit.heads_unreadable", fault.Args{"line": n})
		}
		out = append(out, h)
	}
	return out, s.Err()
}

// Publisher appends the end of the chain to the heads file once a day. The file belongs on another
// disk or host than the database; who keeps it can prove that a tail was cut.
type Publisher struct {
	store Store
	clock clock.Clock
	path  string
	mu    sync.Mutex
}

// NewPublisher writes to path.
func NewPublisher(store Store, c clock.Clock, path string) *Publisher {
	return &Publisher{store: store, clock: c, path: path}
}

// Daily appends a line unless today has one already. It tells whether it wrote.
func (p *Publisher) Daily(ctx context.Context) (bool, error) { return p.publish(ctx, false) }

// Publish appends a line now, unless the last line already shows this head; for acts worth fixing
// at once, such as an issued month.
func (p *Publisher) Publish(ctx context.Context) (bool, error) { return p.publish(ctx, true) }

func (p *Publisher) publish(ctx context.Context, now bool) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	heads, err := ReadHeads(p.path)
	if err != nil {
		return false, err
	}
	date := cycle.Day(p.clock.Now())
	head, err := p.store.Head(ctx)
	if err != nil || head.Seq == 0 {
		return false, err
	}
	if n := len(heads); n > 0 && (heads[n-1].Seq == head.Seq || !now && heads[n-1].Date == date) {
		return false, nil
	}
	f, err := os.OpenFile(p.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return false, fmt.Errorf("audit heads: %w", err)
	}
	if _, err = fmt.Fprintf(f, "%s %d %s\n", date, head.Seq, hex.EncodeToString(head.Hash)); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err == nil, err
}
