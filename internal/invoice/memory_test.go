package invoice

import (
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/message"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// memory keeps everything of one partner in maps, for walks too long for a database.
type memory struct {
	bills    []bill.Document
	requests []Request
	title    *Title
	posts    []Address
	files    map[string][]File
	unpaid   map[string]money.Amount
	digital  map[string]time.Time
	rung     int
}

func (m *memory) InTx(ctx context.Context, fn func(ctx context.Context) error) error { return fn(ctx) }

func (m *memory) List(context.Context, scope.Scope, bill.Filter) ([]bill.Document, error) {
	return slices.Clone(m.bills), nil
}

func (m *memory) Unpaid(context.Context, string) (map[string]money.Amount, error) {
	return m.unpaid, nil
}

func (m *memory) at(id string) int {
	return slices.IndexFunc(m.requests, func(r Request) bool { return r.ID == id })
}

func (m *memory) ByID(_ context.Context, sc scope.Scope, id string) (Request, error) {
	if i := m.at(id); i >= 0 && (m.requests[i].State != StateDraft && m.requests[i].State != StateDeleted || sc.Side() == scope.SidePartner) {
		return m.requests[i], nil
	}
	return Request{}, fault.NotFound("invoice.unknown", nil)
}
func (m *memory) OfPartner(context.Context, string) ([]Request, error) {
	return slices.Clone(m.requests), nil
}
func (m *memory) OfVendor(context.Context, string) ([]Request, error) {
	return slices.Clone(m.requests), nil
}
func (m *memory) LastSerial(context.Context, string, string) (int64, error) {
	return int64(len(m.requests)), nil
}
func (m *memory) Insert(_ context.Context, r Request) error {
	m.requests = append(m.requests, r)
	return nil
}
func (m *memory) Set(_ context.Context, r Request, from State, version int64) (bool, error) {
	i := m.at(r.ID)
	if m.requests[i].State != from || m.requests[i].Version != version {
		return false, nil
	}
	r.Version = version + 1
	m.requests[i] = r
	return true, nil
}
func (m *memory) SetParts(_ context.Context, id string, parts []Part) error {
	m.requests[m.at(id)].Parts = parts
	return nil
}
func (m *memory) Claims(_ context.Context, _, besides string) ([]Claim, error) {
	var out []Claim
	for i := range m.requests {
		r := &m.requests[i]
		if !r.State.Holds() || r.ID == besides {
			continue
		}
		for _, p := range r.Parts {
			out = append(out, Claim{p.BillID, p.OrderNo, p.CustomerID, p.Amount})
		}
	}
	return out, nil
}
func (m *memory) NumberTaken(_ context.Context, _, code, number, besides string) (bool, error) {
	return slices.ContainsFunc(m.requests, func(r Request) bool {
		return r.InvoiceNumber == number && r.InvoiceCode == code && r.ID != besides
	}), nil
}
func (m *memory) Title(context.Context, string) (Title, bool, error) {
	if m.title == nil {
		return Title{}, false, nil
	}
	return *m.title, true, nil
}
func (m *memory) Titles(context.Context, string) ([]Title, error) { return nil, nil }
func (m *memory) InsertTitle(_ context.Context, t Title) error    { m.title = &t; return nil }
func (m *memory) Addresses(context.Context, string) ([]Address, error) {
	return m.posts, nil
}
func (m *memory) AddressByID(_ context.Context, _, id string) (Address, error) {
	for _, a := range m.posts {
		if a.ID == id {
			return a, nil
		}
	}
	return Address{}, fault.NotFound("invoice.address_unknown", nil)
}
func (m *memory) InsertAddress(_ context.Context, a Address) error {
	m.posts = append(m.posts, a)
	return nil
}
func (m *memory) RetireAddress(_ context.Context, _, id string) error {
	m.posts = slices.DeleteFunc(m.posts, func(a Address) bool { return a.ID == id })
	return nil
}
func (m *memory) Files(_ context.Context, id string) ([]File, error) { return m.files[id], nil }
func (m *memory) PutFile(_ context.Context, id string, f File, _ []byte) error {
	m.files[id] = []File{f}
	return nil
}
func (m *memory) FileBody(context.Context, string, Format) ([]byte, error) { return nil, nil }
func (m *memory) DigitalFrom(context.Context, string) (map[string]time.Time, error) {
	return m.digital, nil
}
func (m *memory) SetDigital(context.Context, string, string, time.Time, string, time.Time) error {
	return nil
}
func (m *memory) Setting(context.Context, string) (Setting, bool, error) {
	return Setting{}, false, nil
}
func (m *memory) SaveSetting(context.Context, string, Setting, string, time.Time) error {
	return nil
}
func (m *memory) Append(context.Context, flow.Change) error { return nil }
func (m *memory) Last(context.Context, string, string) (flow.Change, bool, error) {
	return flow.Change{}, false, nil
}
func (m *memory) History(context.Context, string, string) ([]flow.Change, error) { return nil, nil }
func (m *memory) ClearDue(context.Context, string, string) error                 { return nil }
func (m *memory) AddDue(context.Context, []flow.DueChange) error                 { return nil }
func (m *memory) Record(context.Context, audit.Entry) error                      { return nil }
func (m *memory) Notify(_ context.Context, n ...message.Notice) error {
	m.rung += len(n)
	return nil
}
func (m *memory) Holders(context.Context, string, scope.Item) ([]string, error) {
	return []string{"clerk"}, nil
}

type someOrgs struct{}

func (someOrgs) ByID(_ context.Context, _ scope.Scope, id string) (organisation.Organisation, error) {
	return organisation.Organisation{ID: id, Code: strings.ToUpper(id), Name: id}, nil
}

// orders of each bill: a third of it of c1 and a fifth of c2, with digits below the minor unit.
func (m *memory) orders(d *bill.Document) []Order {
	return []Order{{OrderNo: "CS-A", Customer: bill.Party{ID: "c1"}, Amount: d.Due/3 + 1}, {OrderNo: "CS-B", Customer: bill.Party{ID: "c2"}, Amount: d.Due/5 + 7}}
}

func (m *memory) Shares(_ context.Context, _ scope.Scope, d *bill.Document) ([]Share, error) {
	return []Share{{Customer: bill.Party{ID: "c1"}, Amount: d.Due/2 + 1}, {Customer: bill.Party{ID: "c2"}, Amount: d.Due/4 + 3}}, nil
}

func (m *memory) Some(_ context.Context, _ scope.Scope, d *bill.Document, numbers []string) ([]Order, error) {
	return slices.DeleteFunc(m.orders(d), func(o Order) bool { return !slices.Contains(numbers, o.OrderNo) }), nil
}

func (m *memory) Page(_ context.Context, _ scope.Scope, d *bill.Document, f OrderFilter) ([]Order, int, error) {
	all := m.orders(d)
	return all[min(f.Skip, len(all)):min(f.Skip+f.Limit, len(all))], len(all), nil
}

const (
	view   = scope.ItemInvoiceView
	review = scope.ItemInvoiceReviewView
)

func newMemory(months int) (*memory, *Service, *clock.Fixed, scope.Scope, scope.Scope) {
	m := &memory{files: map[string][]File{}, unpaid: map[string]money.Amount{}, digital: map[string]time.Time{}}
	first := cycle.Cycle("2026-01")
	for i := range months {
		d := bill.Document{ID: "b" + string(first.Add(i)), Vendor: bill.Party{ID: "v"}, Partner: bill.Party{ID: "p"}, Seller: bill.Party{ID: "v"}, Entity: bill.Party{ID: "e"}, Cycle: first.Add(i),
			Currency: "CNY", State: bill.StateIssued, Due: money.Amount(1000+37*i)*yuan + money.Amount(i)*1e6}
		if i%5 == 4 {
			d.Entity.ID = "e2"
		}
		m.bills = append(m.bills, d)
	}
	at := clock.At(first.Add(months).Start(cycle.Zone))
	s := New(Deps{Store: m, Tx: m, Bills: m, Arrears: m, Orders: m, Organisations: someOrgs{}, People: m, Bell: m, Log: m, Audit: m, Clock: at})
	partner := scope.Partner("p", "x", "lin", []scope.Item{scope.ItemInvoiceRequest, view}, nil)
	clerk := scope.Vendor("v", "z", "hao", []scope.Item{scope.ItemInvoiceReview, review})
	return m, s, at, partner, clerk
}

func aTitle() Title {
	return Title{Kind: TitleCompany, Name: "启珩数科有限公司", TaxNo: "91330108MA00DEM06K", Bank: "招商银行", Account: "571900000006688", Address: "江虹路 88 号", Phone: "0571-00006688"}
}

func aPost() Post {
	return Post{Recipient: "珩月", Phone: "0571-00006688", Region: "浙江省杭州市", Detail: "江虹路 88 号"}
}
