package statementexport

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"huoban/internal/billdoc"
	"huoban/internal/cycle"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/statement"
)

// KindArchive is the export of every statement of a cycle, one PDF each and a list of them.
const KindArchive = "statement.archive"

// FormatZip is what it can be written as.
const FormatZip = "zip"

// Params name what an archive holds. Customer is a code, empty for all.
type Params struct {
	Cycle    string `json:"cycle"`
	Customer string `json:"customer,omitempty"`
	Lang     string `json:"lang"`
}

// Reader gives statements and their files; statement.Service does.
type Reader interface {
	List(ctx context.Context, sc scope.Scope, f statement.Filter) ([]statement.Statement, error)
	PDF(ctx context.Context, sc scope.Scope, id, lang string) (statement.Statement, []byte, error)
}

// Deps are what the producer needs.
type Deps struct {
	Statements Reader
	Words      Words
}

// Register names the producer of archives.
func Register(s *export.Service, d Deps) { s.Register(KindArchive, d.produce) }

// Pick is what an archive would hold. Faults: statement.none_issued, export.format_unknown.
func Pick(ctx context.Context, r Reader, sc scope.Scope, format string, p Params) ([]statement.Statement, error) {
	if format != FormatZip {
		return nil, fault.Invalid("export.format_unknown", fault.Args{"format": format, "formats": FormatZip})
	}
	if err := sc.Require(scope.ItemStatementView); err != nil {
		return nil, err
	}
	c, err := cycle.Parse(p.Cycle)
	if err != nil {
		return nil, err
	}
	list, err := r.List(ctx, sc, statement.Filter{Cycle: c, Live: true})
	if err != nil {
		return nil, err
	}
	if p.Customer != "" {
		list = slices.DeleteFunc(list, func(s statement.Statement) bool { return s.Customer.Code != p.Customer })
	}
	if len(list) == 0 {
		return nil, fault.Conflict("statement.none_issued", fault.Args{"cycle": p.Cycle})
	}
	return list, nil
}

// produce writes the archive. Each PDF is kept as soon as it is made, so that a job that was killed goes on where it
// stood: what is kept is only copied.
func (d Deps) produce(ctx context.Context, sc scope.Scope, t export.Task, w io.Writer) (export.Produced, error) {
	var p Params
	if err := json.Unmarshal(t.Params, &p); err != nil {
		return export.Produced{}, fault.Invalid("export.kind_unknown", fault.Args{"kind": t.Kind}).Because(err)
	}
	list, err := Pick(ctx, d.Statements, sc, t.Format, p)
	if err != nil {
		return export.Produced{}, err
	}
	z := zip.NewWriter(w)
	written := sums{}
	for i := range list {
		s, body, err := d.Statements.PDF(ctx, sc, list[i].ID, p.Lang)
		if err != nil {
			return export.Produced{}, err
		}
		if !s.Live() {
			return export.Produced{}, fault.Unavailable("export.changed_meanwhile", nil)
		}
		if err := put(z, &s, body); err != nil {
			return export.Produced{}, err
		}
		written.add(s.Currency, s.Total)
		if err := export.Report(ctx, int64(i+1), int64(len(list))); err != nil {
			return export.Produced{}, err
		}
	}
	now, err := Pick(ctx, d.Statements, sc, t.Format, p)
	if err != nil {
		return export.Produced{}, err
	}
	if !written.equal(sumsOf(now)) {
		return export.Produced{}, fault.Unavailable("export.changed_meanwhile", nil)
	}
	if err := d.index(ctx, z, list, p.Lang); err != nil {
		return export.Produced{}, err
	}
	return export.Produced{FileName: "statements-" + p.Cycle + ".zip", ContentType: "application/zip", Rows: int64(len(list)), Code: codeOf(list)}, z.Close()
}

func put(z *zip.Writer, s *statement.Statement, body []byte) error {
	f, err := z.CreateHeader(&zip.FileHeader{Name: FileName(s, "pdf"), Method: zip.Store, Modified: s.IssuedAt.UTC()})
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	return err
}

// index lists the files with their totals.
func (d Deps) index(ctx context.Context, z *zip.Writer, list []statement.Statement, lang string) error {
	word := d.Words(lang)
	sheet := billdoc.Sheet{Name: "statements", Columns: []billdoc.SheetColumn{{Title: word("bill.column.file")}, {Title: word("statement.col.number")}, {Title: word("statement.col.customer")},
		{Title: word("bill.column.currency")}, {Title: word("statement.col.total"), Figure: true}, {Title: word("bill.column.code")}}}
	sheet.Each = func(_ context.Context, yield func([]string) error) error {
		for i := range list {
			s := &list[i]
			if err := yield([]string{FileName(s, "pdf"), s.Number, s.Customer.Code, s.Currency, s.Total.String(), s.Code}); err != nil {
				return err
			}
		}
		return nil
	}
	sheet.Foot = func() ([][]string, error) {
		var out [][]string
		all := sumsOf(list)
		for _, currency := range all.currencies() {
			out = append(out, []string{word("bill.column.total"), "", "", currency, all[currency].String(), ""})
		}
		return out, nil
	}
	var buf bytes.Buffer
	if err := billdoc.WriteSheet(ctx, &buf, billdoc.FormatCSV, sheet); err != nil {
		return err
	}
	f, err := z.CreateHeader(&zip.FileHeader{Name: "statements.csv", Method: zip.Deflate, Modified: list[0].IssuedAt.UTC()})
	if err != nil {
		return err
	}
	_, err = f.Write(buf.Bytes())
	return err
}

// sums are totals by currency.
type sums map[string]money.Exact

func (s sums) add(currency string, a money.Amount) { s[currency] = s[currency].Add(a.Exact()) }

func (s sums) currencies() []string {
	var out []string
	for c := range s {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}

func (s sums) equal(o sums) bool {
	if len(s) != len(o) {
		return false
	}
	for c, x := range s {
		if !x.Equal(o[c]) {
			return false
		}
	}
	return true
}

func sumsOf(list []statement.Statement) sums {
	out := sums{}
	for i := range list {
		out.add(list[i].Currency, list[i].Total)
	}
	return out
}

// codeOf is the short code of an archive: of the codes of its statements.
func codeOf(list []statement.Statement) string {
	h := sha256.New()
	for i := range list {
		h.Write([]byte(list[i].Number + "\x00" + list[i].Code + "\n"))
	}
	text := strings.ToUpper(hex.EncodeToString(h.Sum(nil)[:4]))
	return text[:4] + "-" + text[4:]
}
