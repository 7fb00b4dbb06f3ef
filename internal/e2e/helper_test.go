package e2e

import (
	"bytes"
	"encoding/csv"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"huoban/data"
)

// sample reads an embedded CSV file.
func sample(t *testing.T, name string) (header []string, rows [][]string) {
	t.Helper()
	body, err := data.Sample(name)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[0], all[1:]
}

// november is part of the sample moved to a month of its own, without the first rows, and with one cell
// that is no number.
func november(t *testing.T, drop int) []byte {
	t.Helper()
	titles, rows := sample(t, "samples/focus-1.0/focus_sample.csv")
	billed := slices.Index(titles, "BilledCost")
	moved := strings.NewReplacer("2024-09", "2024-11", "2024-10-01", "2024-12-01")
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	for i, row := range append([][]string{titles}, rows[drop:60]...) {
		row = slices.Clone(row)
		for k, cell := range row {
			row[k] = moved.Replace(cell)
		}
		if i == 5 {
			row[billed] = "twelve"
		}
		if err := out.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	out.Flush()
	return b.Bytes()
}

// deliverMore hands over a month with bad rows, twice, the second time with changes, and drafts a price, so
// that the pages of the back office have something to show. It gives the address of the second delivery.
func deliverMore(t *testing.T, w *world) string {
	t.Helper()
	c := w.signIn(t, admin)
	last := ""
	for _, drop := range []int{0, 7} {
		r := c.upload("/o/"+vendor+"/deliveries", "november.csv", november(t, drop), "source", "lanhai-focus")
		if r.status != http.StatusSeeOther {
			t.Fatalf("upload: %d\n%s", r.status, r.body)
		}
		last, _, _ = strings.Cut(r.location(), "?")
	}
	r := c.upload("/o/"+vendor+"/prices", "prices.csv", []byte("partner,type,base,factor\n"+partner+",normal,billed,0.9\n"), "draft", "true")
	if r.status != http.StatusSeeOther {
		t.Fatalf("price drafts: %d\n%s", r.status, r.body)
	}
	return last
}

// upload sends a file beside name, value pairs.
func (c *client) upload(path, name string, body []byte, pairs ...string) reply {
	c.t.Helper()
	return c.hand(path, "files", name, body, pairs...)
}

// hand sends a file as a field of that name beside name, value pairs, which come first.
func (c *client) hand(path, field, name string, body []byte, pairs ...string) reply {
	c.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := m.WriteField(pairs[i], pairs[i+1]); err != nil {
			c.t.Fatal(err)
		}
	}
	f, err := m.CreateFormFile(field, name)
	if err == nil {
		_, err = f.Write(body)
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return c.do(http.MethodPost, path, b.String(), header("Content-Type", m.FormDataContentType()))
}
