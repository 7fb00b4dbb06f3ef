package e2e

import (
	"bytes"
	"encoding/csv"
	"testing"

	"huoban/data"
)

// sample reads an embedded CSV file.
func sample(t *testing.T, name string) (header []string, rows [][]string) {
	t.Helper()
	body, err := data.Samples.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[0], all[1:]
}
