package subscription

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/outbox"
	"huoban/internal/scope"
)

// The kinds of job: making the files of a cycle, and one try of a dispatch.
const (
	KindMake = "subscription.make"
	KindSend = "subscription.send"
)

type makeJob struct {
	Subscription string `json:"subscription"`
	Cycle        string `json:"cycle"`
	Mark         string `json:"mark"`
	No           int64  `json:"no"` // of the look at this cycle
}

type sendJob struct {
	Dispatch string `json:"dispatch"`
	Version  int64  `json:"version"`
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Scan looks for cycles that every vendor has issued and whose files are not made of the data as they are, and enqueues
// the making of each. Every replica may do so.
func (s *Service) Scan(ctx context.Context) (int, error) {
	on, err := s.Store.On(ctx)
	if err != nil {
		return 0, err
	}
	last := cycle.Of(s.Clock.Now(), cycle.Zone).Prev()
	n := 0
	for i := range on {
		x := &on[i]
		first := max(x.FirstCycle, last.Next().Add(-expenditure.Months))
		if first > last {
			continue
		}
		months, err := s.Store.Months(ctx, x.OrgID, first, last)
		if err != nil {
			return n, err
		}
		made, err := s.Store.Made(ctx, x.ID)
		if err != nil {
			return n, err
		}
		for _, m := range months {
			if mark := markOf(x, m); m.Issued && made[m.Cycle].Mark != mark {
				fresh, err := s.ask(ctx, makeJob{x.ID, string(m.Cycle), mark, made[m.Cycle].No + 1})
				if err != nil {
					return n, err
				}
				if fresh {
					n++
				}
			}
		}
	}
	return n, nil
}

// markOf names the data together with what is written of them, so that another choice of content makes files anew.
func markOf(x *Subscription, m MonthOf) string {
	return sumOf(string(x.Content) + "\n" + string(x.Format) + "\n" + m.Mark)[:32]
}

func (s *Service) ask(ctx context.Context, j makeJob) (fresh bool, err error) {
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		_, fresh, err = s.Jobs.Enqueue(ctx, outbox.NewJob{Kind: KindMake, Key: j.Subscription + "/" + j.Cycle + "/" + strconv.FormatInt(j.No, 10) + "/" + j.Mark, Payload: j, MaxAttempts: 1000})
		return err
	})
	return fresh, err
}

// MakeHandler is the handler of KindMake.
func (s *Service) MakeHandler() outbox.Handler {
	return func(ctx context.Context, j outbox.Job, _ outbox.Progress) error {
		var in makeJob
		if err := json.Unmarshal(j.Payload, &in); err != nil {
			return outbox.Permanent(err)
		}
		err := s.make(ctx, in)
		if f := fault.From(err); err != nil && (f.Kind == fault.KindInvalid || f.Kind == fault.KindDenied) {
			return outbox.Permanent(err)
		}
		return err
	}
}

// make writes the files of a cycle, one per currency, and enqueues those that say something new.
func (s *Service) make(ctx context.Context, in makeJob) error {
	x, err := s.Store.ByID(ctx, in.Subscription)
	if err != nil || x.State != StateOn {
		return err // what is off is looked at again when it is on
	}
	c := cycle.Cycle(in.Cycle)
	made, err := s.Store.Made(ctx, x.ID)
	if err != nil || made[c].No >= in.No {
		return err
	}
	if same, err := s.still(ctx, &x, c, in.Mark); err != nil || !same {
		return err
	}
	sc, err := s.Scope(ctx, x.OrgID, "subscription:"+shortOf(x.ID))
	if err != nil {
		return err
	}
	all, err := s.Store.Dispatches(ctx, x.ID, c)
	if err != nil {
		return err
	}
	sum, err := s.Reader.Summarise(ctx, sc, expenditure.Filter{Cycle: c})
	if err != nil {
		return err
	}
	currencies := slices.Clone(sum.Choices.Currencies)
	for i := range all {
		currencies = append(currencies, all[i].Currency) // what had something and has nothing left is told as well
	}
	slices.Sort(currencies)
	for _, currency := range slices.Compact(currencies) {
		if err := s.makeOne(ctx, sc, &x, all, currency, in); err != nil {
			return err
		}
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error { return s.Store.PutMade(ctx, x.ID, c, Made{in.Mark, in.No}) })
}

// still tells whether the data are what the job was asked for.
func (s *Service) still(ctx context.Context, x *Subscription, c cycle.Cycle, mark string) (bool, error) {
	months, err := s.Store.Months(ctx, x.OrgID, c, c)
	if err != nil || len(months) == 0 {
		return false, err
	}
	return months[0].Issued && markOf(x, months[0]) == mark, nil
}

func (s *Service) makeOne(ctx context.Context, sc scope.Scope, x *Subscription, all []Dispatch, currency string, in makeJob) error {
	now, c := s.Clock.Now(), cycle.Cycle(in.Cycle)
	d := Dispatch{SubscriptionID: x.ID, OrgID: x.OrgID, Cycle: c, Currency: currency, No: 1, Content: x.Content, Format: x.Format, State: DispatchWaiting, Version: 1,
		RoundAt: now, NextAt: now, CreatedAt: now}
	// The number follows from what the file is made of: a repeat after a crash is the same dispatch.
	d.ID = sumOf(strings.Join([]string{x.ID, in.Cycle, currency, in.Mark, strconv.FormatInt(in.No, 10)}, "\n"))[:32]
	if slices.ContainsFunc(all, func(o Dispatch) bool { return o.ID == d.ID }) {
		return nil
	}
	last := newest(all, currency)
	if last != nil {
		d.No = last.No + 1
	}
	d.FileName = fileName(x, c, currency, d.No)
	w, err := s.write(ctx, sc, &d)
	if err != nil {
		return err
	}
	if last != nil && last.Plain == d.Plain && last.Content == d.Content && last.Format == d.Format {
		return s.Tx.InTx(ctx, func(ctx context.Context) error { return s.Store.DropPieces(ctx, d.ID) })
	}
	if err := s.Holds(ctx, sc, "subscription", slices.Sorted(maps.Keys(w.met))); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		same, err := s.still(ctx, x, c, in.Mark)
		if err != nil || !same {
			if err == nil {
				err = fault.Unavailable("export.changed_meanwhile", nil)
			}
			return err
		}
		if err := s.Store.InsertDispatch(ctx, &d); err != nil {
			return err
		}
		who := scope.System("system")
		if err := DispatchFlow.Begin(ctx, s.Log, d.ID, d.State, who, now, nil); err != nil {
			return err
		}
		if err := s.enqueue(ctx, &d); err != nil {
			return err
		}
		return s.record(ctx, who, x, "subscription.make", map[string]any{"dispatch": d.ID, "file": d.FileName, "bytes": d.Bytes, "rows": d.Rows, "sha": d.SHA})
	})
}

// enqueue asks for the next try. A killed worker's try is taken up by another, so the attempts of the job itself are
// not what bounds it.
func (s *Service) enqueue(ctx context.Context, d *Dispatch) error {
	_, _, err := s.Jobs.Enqueue(ctx, outbox.NewJob{Kind: KindSend, Key: d.ID + "/" + strconv.FormatInt(d.Version, 10), Payload: sendJob{d.ID, d.Version}, RunAt: d.NextAt, MaxAttempts: 1000})
	return err
}

// SendHandler is the handler of KindSend: one try. What the other side answers is no failure of the job; the next try
// is a job of its own.
func (s *Service) SendHandler() outbox.Handler {
	return func(ctx context.Context, j outbox.Job, _ outbox.Progress) error {
		var in sendJob
		if err := json.Unmarshal(j.Payload, &in); err != nil {
			return outbox.Permanent(err)
		}
		d, err := s.Store.Dispatch(ctx, in.Dispatch)
		if err != nil || d.State != DispatchWaiting || d.Version != in.Version {
			return err
		}
		x, err := s.Store.ByID(ctx, d.SubscriptionID)
		if err != nil || x.State != StateOn {
			return err
		}
		began := s.Clock.Now()
		out := Outcome{Code: "subscription.secret_lost"}
		if t, err := s.target(&x); err == nil {
			out = s.Carrier.Carry(ctx, t, s.parcel(ctx, &d))
		}
		if ctx.Err() != nil {
			return ctx.Err() // the portal goes down: whoever takes this up tries again
		}
		return s.settle(ctx, &x, &d, Try{DispatchID: d.ID, BeganAt: began, EndedAt: s.Clock.Now(), Status: int64(out.Status), Code: out.Code, Detail: out.Detail}, out.RetryAfter)
	}
}

func (s *Service) parcel(ctx context.Context, d *Dispatch) Parcel {
	return Parcel{ID: d.ID, Event: "consumption.file", Name: d.FileName, ContentType: d.Format.MediaType(), SHA: d.SHA, Bytes: d.Bytes,
		Headers: [][2]string{{"Cycle", string(d.Cycle)}, {"Currency", d.Currency}, {"Content", string(d.Content)}, {"File-Version", strconv.FormatInt(d.No, 10)},
			{"Rows", strconv.FormatInt(d.Rows, 10)}, {"Amount", d.Amount}, {"Tax", d.Tax}},
		Open: func() io.Reader {
			return export.Pieces(d.Bytes, func(no int64) ([]byte, error) { return s.Store.Piece(ctx, d.ID, no) })
		}}
}

// settle writes down a try and what follows from it, in one transaction.
func (s *Service) settle(ctx context.Context, x *Subscription, d *Dispatch, t Try, after time.Duration) error {
	system := scope.System("system")
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		next := *d
		next.Tries, next.RoundTries, next.LastCode = d.Tries+1, d.RoundTries+1, t.Code
		t.No = next.Tries
		if err := s.Store.PutTry(ctx, t); err != nil {
			return err
		}
		if t.Code == "" {
			return s.move(ctx, system, x, &next, ActionDeliver, func(d *Dispatch) { d.DoneAt, d.NextAt = t.EndedAt, time.Time{} })
		}
		if next.NextAt = t.EndedAt.Add(Pause(next.RoundTries, after)); next.NextAt.Sub(next.RoundAt) <= GiveUp {
			if err := s.put(ctx, &next); err != nil {
				return err
			}
			return s.enqueue(ctx, &next)
		}
		if err := s.move(ctx, system, x, &next, ActionGiveUp, func(d *Dispatch) { d.DoneAt, d.NextAt = t.EndedAt, time.Time{} }); err != nil {
			return err
		}
		if err := s.Told(ctx, x, &next); err != nil {
			return fmt.Errorf("tell of dispatch: %w", err)
		}
		return s.record(ctx, system, x, "subscription.give_up", map[string]any{"dispatch": d.ID, "code": t.Code, "tries": next.Tries})
	})
}
