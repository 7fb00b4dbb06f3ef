package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"huoban/internal/conformance"
	"huoban/internal/fault"
	"huoban/internal/ingest"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/usage"
)

// Original is a row as it was delivered.
type Original struct {
	Source  string `json:"source"`
	Number  int64  `json:"delivery"`
	File    string `json:"file"`
	SHA     string `json:"sha256"`
	LineNo  int64  `json:"line"`
	Cells   []Cell `json:"cells"`
	RawText string `json:"raw"` // empty for formats without text
}

// Cell is one value of a delivered row under its header.
type Cell struct {
	Column string `json:"column"`
	Text   string `json:"text"`
}

func cells(header, values []string) []Cell {
	out := make([]Cell, len(values))
	for i, v := range values {
		out[i].Text = v
		if i < len(header) {
			out[i].Column = header[i]
		}
	}
	return out
}

// Original finds the delivered row of a line in the kept files. The caller has shown that the line
// itself is in the scope of whoever asks. Faults: delivery.slot_unknown, delivery.file_not_kept,
// delivery.line_unknown.
func (s *Service) Original(ctx context.Context, slotID int64, fileNo int, lineNo int64) (Original, error) {
	slot, err := s.Store.Slot(ctx, slotID)
	if err != nil {
		return Original{}, err
	}
	return s.OriginalRow(ctx, slot.DeliveryID, fileNo, lineNo)
}

// OriginalRow is Original for a row of a delivery, as a quarantined one.
func (s *Service) OriginalRow(ctx context.Context, deliveryID string, fileNo int, lineNo int64) (Original, error) {
	d, err := s.byID(ctx, scope.System("system"), deliveryID, deliveryID)
	if err != nil {
		return Original{}, err
	}
	files, err := s.Store.DeliveryFiles(ctx, deliveryID)
	if err != nil {
		return Original{}, err
	}
	if fileNo < 1 || fileNo > len(files) {
		return Original{}, fault.NotFound("delivery.line_unknown", fault.Args{"line": lineNo})
	}
	f := files[fileNo-1]
	o := Original{Source: d.Source, Number: d.Number, File: f.Name, SHA: f.SHA, LineNo: lineNo}
	raw, ok, err := s.rawLine(ctx, f, lineNo)
	if err != nil {
		return o, err
	}
	if ok {
		if values := splitRaw(raw, len(f.Header)); len(values) == len(f.Header) {
			o.RawText, o.Cells = raw, cells(f.Header, values)
			return o, nil
		}
	}
	return o, s.scanFor(ctx, f, &o)
}

// rawLine takes the record that begins on a line out of the kept piece that holds it.
func (s *Service) rawLine(ctx context.Context, f File, lineNo int64) (string, bool, error) {
	no, ok, err := s.Store.ChunkOfLine(ctx, f.SHA, lineNo)
	if err != nil || !ok {
		return "", false, err
	}
	_, chunks, _, err := s.Store.KeptFile(ctx, f.SHA)
	if err != nil {
		return "", false, err
	}
	first, packed, err := s.Store.Chunk(ctx, f.SHA, no)
	if err != nil {
		return "", false, err
	}
	body, err := unpacker.DecodeAll(packed, nil)
	if err != nil {
		return "", false, fmt.Errorf("kept file %s piece %d: %w", f.SHA, no, err)
	}
	for ; first < lineNo; first++ {
		i := bytes.IndexByte(body, '\n')
		if i < 0 {
			return "", false, fault.NotFound("delivery.line_unknown", fault.Args{"line": lineNo})
		}
		body = body[i+1:]
	}
	for {
		if end := recordEnd(body); end >= 0 {
			return strings.TrimRight(string(body[:end]), "\r\n"), true, nil
		}
		if no++; no >= chunks {
			return strings.TrimRight(string(body), "\r\n"), true, nil
		}
		_, packed, err := s.Store.Chunk(ctx, f.SHA, no)
		if err != nil {
			return "", false, err
		}
		more, err := unpacker.DecodeAll(packed, nil)
		if err != nil {
			return "", false, fmt.Errorf("kept file %s piece %d: %w", f.SHA, no, err)
		}
		body = append(body, more...)
	}
}

// recordEnd is where the record ends: at the first line feed outside quotes; -1 if it goes on.
func recordEnd(body []byte) int {
	quoted := false
	for i, b := range body {
		switch {
		case b == '"':
			quoted = !quoted
		case b == '\n' && !quoted:
			return i
		}
	}
	return -1
}

// scanFor reads the file again from its beginning until the row: for formats without lines.
func (s *Service) scanFor(ctx context.Context, f File, o *Original) error {
	part, err := s.keptPart(ctx, f)
	if err != nil {
		return err
	}
	rows, err := part.Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	var rec ingest.Record
	for {
		err := rows.Next(&rec)
		if errors.Is(err, io.EOF) {
			return fault.NotFound("delivery.line_unknown", fault.Args{"line": o.LineNo})
		}
		if rec.Line != o.LineNo {
			var broken *ingest.RowError
			if err != nil && !errors.As(err, &broken) {
				return err
			}
			continue
		}
		o.RawText = strings.TrimRight(string(rec.Raw), "\r\n")
		values := make([]string, len(rec.Fields))
		for i, v := range rec.Fields {
			values[i] = string(v)
		}
		o.Cells = cells(f.Header, values)
		return nil
	}
}

// Conformance gives the FOCUS report of a delivery, every rule once. Faults: delivery.unknown,
// scope.permission_missing.
func (s *Service) Conformance(ctx context.Context, sc scope.Scope, ref string) ([]conformance.Result, error) {
	d, err := s.Find(ctx, sc, ref)
	if err != nil {
		return nil, err
	}
	kept, err := s.Store.Conformance(ctx, d.ID)
	if err != nil || len(kept) == 0 {
		return kept, err
	}
	texts := map[string]conformance.Result{}
	for _, r := range conformance.New(d.Format, nil).Results() {
		texts[r.Rule] = r
	}
	for i := range kept {
		kept[i].Column, kept[i].Sentence = texts[kept[i].Rule].Column, texts[kept[i].Rule].Sentence
	}
	return kept, nil
}

// DaysWithout lists the days of a cycle, in the source's zone, on which no line of these slots starts.
func (s *Service) DaysWithout(ctx context.Context, src *source.Source, slots []usage.Slot) ([]int, error) {
	out := []int{}
	if len(slots) == 0 {
		return out, nil
	}
	c, zone := slots[0].Cycle, src.Location()
	customers := map[int64][]string{}
	for _, slot := range slots {
		sums, err := s.Store.SummariesOf(ctx, slot.ID)
		if err != nil {
			return nil, err
		}
		for _, x := range sums {
			if list := customers[slot.ID]; len(list) == 0 || list[len(list)-1] != x.CustomerID {
				customers[slot.ID] = append(list, x.CustomerID)
			}
		}
	}
	for day := c.Start(zone); day.Before(c.End(zone)); day = day.AddDate(0, 0, 1) {
		found := false
		for _, slot := range slots {
			for _, customer := range customers[slot.ID] {
				if found {
					break
				}
				var err error
				if found, err = s.Store.AnyLine(ctx, slot.ID, customer, day, day.AddDate(0, 0, 1)); err != nil {
					return nil, err
				}
			}
		}
		if !found {
			out = append(out, day.Day())
		}
	}
	return out, nil
}
