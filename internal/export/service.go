package export

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/message"
	"huoban/internal/outbox"
	"huoban/internal/scope"
)

// KindRun is the job that makes a file.
const KindRun = "export.run"

// attempts is how often a file is tried before its task fails.
const attempts = 3

// The sizes of a page.
const (
	DefaultPage = 10
	MaxPage     = 100
)

// Formats are the endings a task may ask for.
var Formats = []string{"csv", "xlsx", "pdf", "json", "zip"}

// InTx is the transactor.
type InTx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// JobFinder finds the job of a task, for its progress.
type JobFinder interface {
	ByKey(ctx context.Context, kind, key string) (outbox.Job, error)
}

// Deps are what the service needs. Days 0 = DefaultDays.
type Deps struct {
	Tx     InTx
	Store  Store
	Log    flow.Log
	Jobs   outbox.Enqueuer
	Audit  audit.Recorder
	Bell   message.Notifier
	Scopes ScopeFinder
	Clock  clock.Clock
	Days   int
	// Holds is told, before a file is handed out, whom it holds something of; nil tells nobody.
	Holds func(ctx context.Context, sc scope.Scope, t Task, customers []string) error
	Watch JobFinder                                               // nil: no progress is known
	Page  func(ctx context.Context, orgID string) (string, error) // address of an organisation's 导出记录; nil: messages lead nowhere
}

// Service takes, makes and hands out files.
type Service struct {
	Deps
	producers map[string]Producer
}

// New makes the service.
func New(d Deps) *Service {
	d.Days = cmp.Or(d.Days, DefaultDays)
	return &Service{Deps: d, producers: map[string]Producer{}}
}

// Register names the producer of a kind; before the first request.
func (s *Service) Register(kind string, p Producer) { s.producers[kind] = p }

// Request asks for a file.
type Request struct {
	Kind   string
	Format string
	Params any // marshalled as JSON and given to the producer
}

// validate refuses unknown kinds and formats.
func (s *Service) validate(r Request) error {
	if s.producers[r.Kind] == nil {
		return fault.Invalid("export.kind_unknown", fault.Args{"kind": r.Kind})
	}
	if !slices.Contains(Formats, r.Format) {
		return fault.Invalid("export.format_unknown", fault.Args{"format": r.Format, "formats": strings.Join(Formats, ", ")})
	}
	return nil
}

// Request makes a task and its job in one transaction (导出任务创建成功). Whether the actor may export
// the list is the caller's to check; the producer reads under the actor's scope in any case. Faults:
// export.kind_unknown, export.format_unknown, export.nobody, scope.permission_missing.
func (s *Service) Request(ctx context.Context, sc scope.Scope, r Request) (Task, error) {
	if err := s.validate(r); err != nil {
		return Task{}, err
	}
	if sc.Side() == scope.SideNobody || sc.Side() != scope.SideSystem && sc.PersonID() == "" {
		return Task{}, fault.Denied("export.nobody", nil)
	}
	if err := sc.Require(scope.ItemExportOwn); err != nil {
		return Task{}, err
	}
	params, err := json.Marshal(r.Params)
	if err != nil {
		return Task{}, fmt.Errorf("export parameters: %w", err)
	}
	t := Task{ID: id.New(), OrgID: sc.OrgID(), PersonID: sc.PersonID(), Login: sc.Login(), Kind: r.Kind, Format: r.Format, Params: params,
		State: StateProcessing, Version: 1, RequestedAt: s.Clock.Now()}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.Insert(ctx, t); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, t.ID, t.State, sc, t.RequestedAt, nil); err != nil {
			return err
		}
		if err := s.enqueue(ctx, t); err != nil {
			return err
		}
		return s.record(ctx, sc, t, "export.request", map[string]any{"kind": t.Kind, "format": t.Format, "params": t.Params})
	})
	return t, err
}

func (s *Service) enqueue(ctx context.Context, t Task) error {
	_, _, err := s.Jobs.Enqueue(ctx, outbox.NewJob{Kind: KindRun, Key: t.jobKey(), Payload: job{t.ID, t.Version}, MaxAttempts: attempts})
	return err
}

func (t Task) jobKey() string { return fmt.Sprintf("%s/%d", t.ID, t.Version) }

type progressKey struct{}

// Report tells how far the file is; producers call it as often as they like, outside transactions. It
// fails when another worker took the task over.
func Report(ctx context.Context, done, total int64) error {
	if p, ok := ctx.Value(progressKey{}).(outbox.Progress); ok {
		return p(ctx, done, total)
	}
	return nil
}

// Progress tells how far the file of a task in the making is; total 0 = unknown.
func (s *Service) Progress(ctx context.Context, t Task) (done, total int64, err error) {
	if s.Watch == nil || t.State != StateProcessing {
		return 0, 0, nil
	}
	j, err := s.Watch.ByKey(ctx, KindRun, t.jobKey())
	if fault.Is(err, fault.KindNotFound) {
		return 0, 0, nil
	}
	return j.ProgressDone, j.ProgressTotal, err
}

// job names a task at the version it was asked at, so that a job left over from an earlier try does
// nothing.
type job struct {
	Task    string `json:"task"`
	Version int64  `json:"version"`
}

func (s *Service) record(ctx context.Context, sc scope.Scope, t Task, action string, detail map[string]any) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: t.OrgID, Action: action, Object: "export:" + t.ID, Detail: detail})
}

// ByID gives a task the actor may see; fault export.unknown for an absent one and any other alike.
func (s *Service) ByID(ctx context.Context, sc scope.Scope, id string) (Task, error) {
	t, err := s.Store.ByID(ctx, id)
	if err != nil {
		return Task{}, err
	}
	if !t.visibleTo(sc) {
		return Task{}, fault.NotFound("export.unknown", nil)
	}
	return t, nil
}

// List gives the tasks the actor may see (导出记录), newest first.
func (s *Service) List(ctx context.Context, sc scope.Scope, after Cursor, size int) (Page, error) {
	var p Page
	orgID, personID, ok := whose(sc)
	if !ok {
		return p, nil
	}
	if size < 1 {
		size = DefaultPage
	}
	size = min(size, MaxPage)
	list, err := s.Store.List(ctx, orgID, personID, after, size+1)
	if err != nil {
		return p, err
	}
	if len(list) > size {
		list = list[:size]
		p.Next = &Cursor{At: list[size-1].RequestedAt, ID: list[size-1].ID}
	}
	p.Tasks = list
	return p, nil
}

// whose says of which organisation and person an actor sees the tasks; empty is any.
func whose(sc scope.Scope) (orgID, personID string, ok bool) {
	orgID, personID = sc.OrgID(), sc.PersonID()
	switch {
	case sc.Side() == scope.SideSystem:
		return "", "", true
	case orgID == "" || personID == "":
		return "", "", false
	case sc.Has(scope.ItemExportAll):
		return orgID, "", true
	}
	return orgID, personID, sc.Has(scope.ItemExportOwn)
}

// Find gives the newest tasks the actor may see whose file carries a short code (校验码).
func (s *Service) Find(ctx context.Context, sc scope.Scope, code string) ([]Task, error) {
	orgID, personID, ok := whose(sc)
	if !ok || orgID == "" || code == "" {
		return nil, nil
	}
	return s.Store.ByCode(ctx, orgID, personID, code, DefaultPage)
}

// Actions lists what the actor may do with a task.
func (s *Service) Actions(sc scope.Scope, t Task) []flow.Button {
	return Flow.Allowed(t.State, Facts{Task: t}, sc, s.Clock.Now())
}

// Retry asks again for a failed file. Faults: export.unknown, flow.not_from_state.
func (s *Service) Retry(ctx context.Context, sc scope.Scope, id string) (t Task, err error) {
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if t, err = s.ByID(ctx, sc, id); err != nil {
			return err
		}
		if err := s.move(ctx, sc, &t, ActionRetry, func(t *Task) { t.Failure, t.DoneAt = "", time.Time{} }); err != nil {
			return err
		}
		if err := s.enqueue(ctx, t); err != nil {
			return err
		}
		return s.record(ctx, sc, t, "export.retry", nil)
	})
	return t, err
}

// move fires an action on a loaded task and writes change with it; t becomes the new task.
func (s *Service) move(ctx context.Context, sc scope.Scope, t *Task, do Action, change func(t *Task)) error {
	was := *t
	return Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: t.ID, State: was.State, Version: was.Version, Do: do,
		Facts: Facts{Task: was}, Who: sc, Now: s.Clock.Now(), DueDays: map[Action]int{ActionExpire: s.Days}},
		func(ctx context.Context, to State) (bool, error) {
			next := was
			change(&next)
			next.State, next.Version = to, was.Version+1
			*t = next
			return s.Store.Update(ctx, next, was.State, was.Version)
		})
}

// Open gives the file of a finished task; reading it is streamed. The download is recorded. Faults:
// export.unknown, export.not_ready (state), export.expired.
func (s *Service) Open(ctx context.Context, sc scope.Scope, id string) (Task, io.Reader, error) {
	t, err := s.ByID(ctx, sc, id)
	if err != nil {
		return Task{}, nil, err
	}
	switch {
	case t.State == StateExpired || t.State == StateDone && !t.ExpiresAt.After(s.Clock.Now()):
		return Task{}, nil, fault.NotFound("export.expired", nil)
	case t.State != StateDone:
		return Task{}, nil, fault.Conflict("export.not_ready", fault.Args{"state": string(t.State)})
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		return s.record(ctx, sc, t, "export.download", map[string]any{"file": t.FileName, "sha": t.SHA})
	})
	return t, Pieces(t.Bytes, func(no int64) ([]byte, error) { return s.Store.Piece(ctx, t.ID, no) }), err
}

// FireDue is the flow.FireDue of this machine: it lets files expire, and fails what nothing makes
// any more because its last worker died.
func (s *Service) FireDue(ctx context.Context, entity, action string, who scope.Scope, _ time.Time) error {
	t, err := s.Store.ByID(ctx, entity)
	if err != nil {
		return err
	}
	if Action(action) == ActionFail {
		return s.fail(ctx, t, "export.timed_out")
	}
	if err := s.move(ctx, who, &t, Action(action), func(*Task) {}); err != nil {
		return err
	}
	if err := s.Store.DropPieces(ctx, t.ID); err != nil {
		return err
	}
	return s.record(ctx, who, t, "export.expire", nil)
}

// Handler is the handler of KindRun. A refusal (fault) fails the task at once; anything else is tried
// again and fails it at the last try.
func (s *Service) Handler() outbox.Handler {
	return func(ctx context.Context, j outbox.Job, progress outbox.Progress) error {
		var in job
		if err := json.Unmarshal(j.Payload, &in); err != nil {
			return outbox.Permanent(err)
		}
		t, err := s.Store.ByID(ctx, in.Task)
		if err != nil || t.State != StateProcessing || t.Version != in.Version {
			return err
		}
		err = s.make(context.WithValue(ctx, progressKey{}, progress), t)
		if err == nil || ctx.Err() != nil {
			return err
		}
		f := fault.From(err)
		retry := f.Kind == fault.KindInternal || f.Kind == fault.KindUnavailable || f.Kind == fault.KindLimited
		if retry && !j.Last() {
			return err
		}
		return errors.Join(outbox.Permanent(err), s.fail(ctx, t, f.Code))
	}
}

func (s *Service) make(ctx context.Context, t Task) error {
	produce := s.producers[t.Kind]
	if produce == nil {
		return fault.Invalid("export.kind_unknown", fault.Args{"kind": t.Kind})
	}
	sc := scope.System(t.Login)
	if t.PersonID != "" {
		var err error
		if sc, err = s.Scopes.ScopeOf(ctx, t.OrgID, t.PersonID); err != nil {
			return err
		}
	}
	if err := s.Tx.InTx(ctx, func(ctx context.Context) error { return s.Store.DropPieces(ctx, t.ID) }); err != nil {
		return err
	}
	w := &Cutter{Sum: sha256.New(), Put: func(no int64, piece []byte) error {
		return s.Tx.InTx(ctx, func(ctx context.Context) error { return s.Store.PutPiece(ctx, t.ID, no, piece) })
	}}
	out, err := produce(ctx, sc, t, w)
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if s.Holds != nil {
		if err := s.Holds(ctx, sc, t, out.Customers); err != nil {
			return err
		}
	}
	system := scope.System("system")
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		done, now := t, s.Clock.Now()
		err := s.move(ctx, system, &done, ActionComplete, func(t *Task) {
			t.FileName, t.ContentType, t.Rows, t.Code = out.FileName, out.ContentType, out.Rows, out.Code
			t.Bytes, t.SHA, t.DoneAt = w.Bytes, hex.EncodeToString(w.Sum.Sum(nil)), now
			t.ExpiresAt = flow.Due{}.At(now, s.Days)
		})
		if err != nil {
			return err
		}
		if err := s.tell(ctx, done, "export.done"); err != nil {
			return err
		}
		return s.record(ctx, system, done, "export.complete", map[string]any{"sha": done.SHA, "bytes": done.Bytes, "rows": done.Rows})
	})
}

func (s *Service) fail(ctx context.Context, t Task, code string) error {
	system := scope.System("system")
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		failed := t
		if err := s.move(ctx, system, &failed, ActionFail, func(t *Task) { t.Failure, t.DoneAt = code, s.Clock.Now() }); err != nil {
			return err
		}
		if err := s.Store.DropPieces(ctx, t.ID); err != nil {
			return err
		}
		if err := s.tell(ctx, failed, "export.failed"); err != nil {
			return err
		}
		return s.record(ctx, system, failed, "export.fail", map[string]any{"code": code})
	})
}

func (s *Service) tell(ctx context.Context, t Task, code string) error {
	if t.PersonID == "" {
		return nil
	}
	link := ""
	if s.Page != nil {
		var err error
		if link, err = s.Page(ctx, t.OrgID); err != nil {
			return err
		}
	}
	return s.Bell.Notify(ctx, message.Notice{OrgID: t.OrgID, PersonID: t.PersonID, Category: message.CategorySystem, Code: code,
		Args: fault.Args{"file": cmp.Or(t.FileName, t.Kind+"."+t.Format), "task": t.ID}, Link: link})
}
