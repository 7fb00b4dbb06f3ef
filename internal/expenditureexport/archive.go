package expenditureexport

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"huoban/internal/billdoc"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// KindArchive is the export of whole months behind those of the pages (历史归档): a file of lines for each month and
// currency, and a list of the files.
const KindArchive = "expenditure.archive"

// FormatZip is what it is written as.
const FormatZip = "zip"

// ArchiveParams are the months as a task keeps them, the oldest first.
type ArchiveParams struct {
	Months []string `json:"months"`
	Filter string   `json:"filter,omitempty"` // the same, as 导出记录 shows them
	Lang   string   `json:"lang,omitempty"`
}

// ArchiveOf keeps months. Faults: those of expenditure.CheckOlder, cycle.malformed.
func ArchiveOf(texts []string, now cycle.Cycle, lang string) (ArchiveParams, error) {
	p := ArchiveParams{Lang: lang}
	var months []cycle.Cycle
	for _, text := range texts {
		c, err := cycle.Parse(text)
		if err != nil {
			return p, err
		}
		if !slices.Contains(months, c) {
			months = append(months, c)
		}
	}
	slices.Sort(months)
	for _, c := range months {
		p.Months = append(p.Months, string(c))
	}
	p.Filter = strings.Join(p.Months, " ")
	return p, expenditure.CheckOlder(months, now)
}

// entry is a file in the archive as its list names it.
type entry struct {
	name, currency, code, sha string
	cycle                     cycle.Cycle
	rows                      int64
	amount, tax               money.Exact
}

// archive writes the months one after the other. Each file is compared with the totals of its month as every file of lines
// is; a month of which nothing is in scope has none.
func (d Deps) archive(ctx context.Context, sc scope.Scope, t export.Task, w io.Writer) (export.Produced, error) {
	var p ArchiveParams
	if err := json.Unmarshal(t.Params, &p); err != nil || len(p.Months) == 0 {
		return export.Produced{}, fault.Invalid("export.kind_unknown", fault.Args{"kind": t.Kind}).Because(err)
	}
	if err := sc.Require(scope.ItemExpenditureExport); err != nil {
		return export.Produced{}, err
	}
	z, met := zip.NewWriter(w), map[string]bool{}
	var list []entry
	rows := int64(0)
	for _, text := range p.Months {
		c, err := cycle.Parse(text)
		if err != nil {
			return export.Produced{}, err
		}
		found, err := d.Expenditure.OfMonth(ctx, sc, c)
		if err != nil {
			return export.Produced{}, err
		}
		for i := range found {
			one, err := d.put(ctx, z, sc, p.Lang, &found[i], met)
			if err != nil {
				return export.Produced{}, err
			}
			list, rows = append(list, one), rows+one.rows
		}
	}
	code, err := d.index(ctx, z, list, p.Lang)
	if err != nil {
		return export.Produced{}, err
	}
	name := "expenditure-archive-" + p.Months[0] + "_" + p.Months[len(p.Months)-1] + ".zip"
	return export.Produced{FileName: name, ContentType: "application/zip", Rows: rows, Code: code, Customers: slices.Sorted(maps.Keys(met))}, z.Close()
}

// put writes the lines of a month in one currency, those of zero included.
func (d Deps) put(ctx context.Context, z *zip.Writer, sc scope.Scope, lang string, o *expenditure.Older, met map[string]bool) (entry, error) {
	x := &file{deps: d, sc: sc, f: expenditure.Filter{Cycle: o.Cycle, Currency: o.Currency}, word: d.Words(lang), people: sc.Side() != scope.SideCustomer, met: met}
	e := entry{name: "expenditure-" + string(o.Cycle) + "-" + o.Currency + "-lines.csv", currency: o.Currency, cycle: o.Cycle}
	f, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: o.Cycle.End(cycle.Zone).UTC()})
	if err != nil {
		return e, err
	}
	sum := sha256.New()
	if err := billdoc.WriteSheet(ctx, io.MultiWriter(f, sum), billdoc.FormatCSV, x.lines()); err != nil {
		return e, err
	}
	e.rows, e.amount, e.tax, e.code, e.sha = x.rows, x.sum, x.tax, x.page.code, hex.EncodeToString(sum.Sum(nil))
	return e, nil
}

// index lists the files with their sums and SHA-256, and gives the short code of all.
func (d Deps) index(ctx context.Context, z *zip.Writer, list []entry, lang string) (string, error) {
	word, all := d.Words(lang), sha256.New()
	sheet := billdoc.Sheet{Name: "index", Foot: func() ([][]string, error) { return nil, nil },
		Columns: []billdoc.SheetColumn{{Title: word("bill.column.file")}, {Title: word("bill.column.cycle")}, {Title: word("bill.column.currency")}, {Title: word("bill.column.rows"), Figure: true},
			{Title: word("expenditure.figure.amount"), Figure: true}, {Title: word("expenditure.figure.tax"), Figure: true}, {Title: word("bill.column.code")}, {Title: "SHA-256"}}}
	sheet.Each = func(_ context.Context, yield func([]string) error) error {
		for i := range list {
			e := &list[i]
			if err := yield([]string{e.name, string(e.cycle), e.currency, strconv.FormatInt(e.rows, 10), e.amount.String(), e.tax.String(), e.code, e.sha}); err != nil {
				return err
			}
		}
		return nil
	}
	f, err := z.Create("index.csv")
	if err != nil {
		return "", err
	}
	if err := billdoc.WriteSheet(ctx, f, billdoc.FormatCSV, sheet); err != nil {
		return "", err
	}
	for i := range list {
		all.Write([]byte(list[i].name + "\x00" + list[i].code + "\n"))
	}
	text := strings.ToUpper(hex.EncodeToString(all.Sum(nil)[:4]))
	return text[:4] + "-" + text[4:], nil
}
