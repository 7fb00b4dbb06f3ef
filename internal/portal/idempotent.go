package portal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/idempotency"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
)

const (
	keyHeader = "Idempotency-Key"
	keyField  = "idempotency_key"
	seenField = "seen"
)

// freshKey is fresh on a page that may be kept.
func (c *Ctx) freshKey() []part.Hidden { return []part.Hidden{{Name: keyField, Value: c.newKey()}} }

// newKey is its value.
func (c *Ctx) newKey() string {
	if c.marked {
		return holeKey.mark()
	}
	return id.New()
}

// fresh is the hidden field that makes a button pressed twice act once.
func fresh() []part.Hidden { return []part.Hidden{{Name: keyField, Value: id.New()}} }

// seen is the hidden field that says which version of a thing a button was shown for.
func seen(version int64) part.Hidden {
	return part.Hidden{Name: seenField, Value: strconv.FormatInt(version, 10)}
}

// mindful lets the machine know which version of the thing of the address the actor saw, and what was written into the
// fields of the action.
func (c *Ctx) mindful() {
	ctx, machine, entity := c.ctx(), "", c.Param("id")
	if m := c.Route.machine; m != nil {
		machine, entity = m.Describe().Machine, c.moved()
		ctx = flow.WithValues(ctx, machine, entity, c.values())
	}
	if version, err := strconv.ParseInt(c.FormValue(seenField), 10, 64); err == nil {
		ctx = flow.WithSeen(ctx, machine, entity, version)
	}
	c.SetRequest(c.Request().WithContext(ctx))
}

// moved is the key of what an action moves; an address that names it otherwise leaves it to the machine.
func (c *Ctx) moved() string {
	all := c.ParamValues()
	if len(all) == 0 || !id.Valid(all[len(all)-1]) {
		return ""
	}
	return all[len(all)-1]
}

// values are the fields of the action that the route fires, and no others.
func (c *Ctx) values() flow.Values { return c.Route.machine.Read(c.Route.act, c.FormValue) }

// in is what was written into a field of the action that the route fires.
func (c *Ctx) in(name string) string { return c.values()[name] }

// answer is what a mutation leads to: where a person goes on, and what a program reads; without a body
// that is the address.
type answer struct {
	Location string
	Body     any
}

func (a answer) outcome() (idempotency.Outcome, error) {
	a.Location = layout.SafeNext(a.Location)
	if a.Body == nil {
		a.Body = map[string]string{"location": a.Location}
	}
	body, err := json.Marshal(a.Body)
	return idempotency.Outcome{Status: http.StatusOK, Location: a.Location, Body: body}, err
}

// readForm lets a handler read the same fields from a form and from a flat JSON object.
func (c *Ctx) readForm() error {
	r := c.Request()
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if err := r.ParseForm(); err != nil {
			return malformed(err)
		}
		return nil
	}
	if r.Form != nil {
		return nil
	}
	var fields map[string]any
	d := json.NewDecoder(r.Body)
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return malformed(err)
	}
	r.PostForm, r.Form = url.Values{}, r.URL.Query()
	for name, value := range fields {
		list, many := value.([]any)
		if !many {
			list = []any{value}
		}
		for _, v := range list {
			switch v.(type) {
			case string, json.Number, bool:
			default:
				return malformed(fmt.Errorf("field %s", name))
			}
			r.PostForm.Add(name, fmt.Sprint(v))
			r.Form.Add(name, fmt.Sprint(v))
		}
	}
	return nil
}

func malformed(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return fault.Invalid("request.malformed", nil).Because(err)
}

// request names what was asked, by whom; a request without key is run each time it comes.
func (c *Ctx) request() (idempotency.Request, error) {
	if err := c.readForm(); err != nil {
		return idempotency.Request{}, err
	}
	c.mindful()
	r := c.Request()
	key := r.Header.Get(keyHeader)
	if key == "" {
		key = r.PostForm.Get(keyField)
	}
	fields := url.Values{}
	for name, values := range r.PostForm {
		if name != keyField {
			fields[name] = values
		}
	}
	return idempotency.Request{Actor: c.Org.ID + "/" + c.Person.ID, Key: key,
		Digest: idempotency.Digest([]byte(r.Method), []byte(r.URL.Path), []byte(fields.Encode()))}, nil
}

// once runs a short mutation and keeps its answer under the request's key in one transaction, so that
// the same request again has the same answer and no second effect. do may be run again.
func (h *Handlers) once(c *Ctx, do func(ctx context.Context) (answer, error)) error {
	req, err := c.request()
	if err != nil {
		return err
	}
	if req.Key == "" {
		return h.run(c, do)
	}
	o, replayed, err := h.Idempotency.Do(c.ctx(), req, func(ctx context.Context) (idempotency.Outcome, error) {
		a, err := do(ctx)
		if err != nil {
			return idempotency.Outcome{}, err
		}
		return a.outcome()
	})
	if err != nil {
		return err
	}
	return c.give(o, replayed)
}

func (h *Handlers) run(c *Ctx, do func(ctx context.Context) (answer, error)) error {
	a, err := do(c.ctx())
	if err != nil {
		return err
	}
	o, err := a.outcome()
	if err != nil {
		return err
	}
	return c.give(o, false)
}

var errFirst = errors.New("first time")

// onceApart is once for work that makes its own transactions: a step of a close, a revert. The answer
// is kept after the work; the same request that comes meanwhile, here or at another replica, waits for it. If the program dies between the two, the same request is refused by the state
// the work left, or finds nothing to do; it never has a second effect.
func (h *Handlers) onceApart(c *Ctx, do func(ctx context.Context) (answer, error)) error {
	req, err := c.request()
	if err != nil {
		return err
	}
	if req.Key == "" {
		return h.run(c, do)
	}
	defer h.flights.enter(req.Actor + "\x00" + req.Key)()
	leave, err := h.Idempotency.Alone(c.ctx(), req)
	if err != nil {
		return err
	}
	defer leave()
	o, _, err := h.Idempotency.Do(c.ctx(), req, func(context.Context) (idempotency.Outcome, error) { return idempotency.Outcome{}, errFirst })
	if err == nil {
		return c.give(o, true)
	}
	if !errors.Is(err, errFirst) {
		return err
	}
	a, err := do(c.ctx())
	if err != nil {
		return err
	}
	if o, err = a.outcome(); err != nil {
		return err
	}
	done := o
	_, _, err = h.Idempotency.Do(context.WithoutCancel(c.ctx()), req, func(context.Context) (idempotency.Outcome, error) { return done, nil })
	if err != nil {
		h.Log.Warn("answer not kept", "request", numberOf(c.ctx()), "error", err.Error())
	}
	return c.give(o, false)
}

// flights are requests that are worked at by their key; each key has one at a time.
type flights struct {
	mu   sync.Mutex
	work map[string]*flight
}

type flight struct {
	mu   sync.Mutex
	here int // who works and who waits
}

// enter waits until nobody works at the key.
func (f *flights) enter(key string) (leave func()) {
	f.mu.Lock()
	if f.work == nil {
		f.work = map[string]*flight{}
	}
	one := f.work[key]
	if one == nil {
		one = &flight{}
		f.work[key] = one
	}
	one.here++
	f.mu.Unlock()
	one.mu.Lock()
	return func() {
		one.mu.Unlock()
		f.mu.Lock()
		if one.here--; one.here == 0 {
			delete(f.work, key)
		}
		f.mu.Unlock()
	}
}

// give leads a person on and hands a program the body.
func (c *Ctx) give(o idempotency.Outcome, replayed bool) error {
	if replayed {
		c.Response().Header().Set("Idempotent-Replayed", "true")
	}
	if wantsJSON(c.Request()) {
		return c.JSONBlob(o.Status, o.Body)
	}
	return c.Redirect(http.StatusSeeOther, o.Location)
}
