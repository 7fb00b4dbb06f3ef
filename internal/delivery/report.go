package delivery

import (
	"strings"

	"huoban/internal/conformance"
	"huoban/internal/ingest"
)

// report checks the FOCUS rules beside the reading, one checker per kind of header.
type report struct {
	checkers map[string]*conformance.Checker
	current  *conformance.Checker
	page     *checkedPage
	pages    chan *checkedPage
	free     chan *checkedPage
	done     chan struct{}
}

// checkedPage is a copy of some records; it is used again.
type checkedPage struct {
	rows   []checkedRow
	fields [][]byte
	text   []byte
}

type checkedRow struct {
	by    *conformance.Checker
	file  int
	line  int64
	count int // of fields
}

const (
	reportPage  = 256
	reportPages = 3
)

func newReport() *report {
	r := &report{checkers: map[string]*conformance.Checker{}, page: &checkedPage{}, pages: make(chan *checkedPage, reportPages),
		free: make(chan *checkedPage, reportPages+1), done: make(chan struct{})}
	for range reportPages {
		r.free <- &checkedPage{}
	}
	go func() {
		defer close(r.done)
		for page := range r.pages {
			fields := page.fields
			for _, row := range page.rows {
				row.by.Row(row.file, row.line, fields[:row.count])
				fields = fields[row.count:]
			}
			page.rows, page.fields, page.text = page.rows[:0], page.fields[:0], page.text[:0]
			r.free <- page
		}
	}()
	return r
}

// stop ends the checking after what was handed over; it may be called again.
func (r *report) stop() {
	if r == nil || r.pages == nil {
		return
	}
	r.pages <- r.page
	close(r.pages)
	<-r.done
	r.pages, r.page, r.free = nil, nil, nil
}

func (r *report) file(version string, header []string) {
	key := version + "\x00" + strings.Join(header, "\x00")
	if r.checkers[key] == nil {
		r.checkers[key] = conformance.New(version, header)
	}
	r.current = r.checkers[key]
}

func (r *report) row(file int, rec *ingest.Record) {
	p := r.page
	for _, f := range rec.Fields {
		at := len(p.text)
		p.text = append(p.text, f...)
		p.fields = append(p.fields, p.text[at:len(p.text):len(p.text)])
	}
	if p.rows = append(p.rows, checkedRow{r.current, file, rec.Line, len(rec.Fields)}); len(p.rows) == reportPage {
		r.pages <- p
		r.page = <-r.free
	}
}

var gravity = map[conformance.Verdict]int{conformance.VerdictFailed: 3, conformance.VerdictPassed: 2, conformance.VerdictNotCheckable: 1}

func (r *report) results() []conformance.Result {
	if r == nil {
		return nil
	}
	r.stop()
	merged := map[string]int{}
	var out []conformance.Result
	for _, c := range r.checkers {
		for _, x := range c.Results() {
			i, ok := merged[x.Rule]
			if !ok {
				merged[x.Rule] = len(out)
				out = append(out, x)
				continue
			}
			o := &out[i]
			o.Checked, o.Failed = o.Checked+x.Checked, o.Failed+x.Failed
			o.Samples = append(o.Samples, x.Samples...)[:min(3, len(o.Samples)+len(x.Samples))]
			if gravity[x.Verdict] > gravity[o.Verdict] {
				o.Verdict = x.Verdict
			}
		}
	}
	return out
}
