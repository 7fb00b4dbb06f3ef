package data_test

import (
	"bytes"
	"os"
	"testing"

	"huoban/data"
)

// The packed copies hold the samples' bytes: who changes a sample packs it again (gzip -9n).
func TestPackedSamples(t *testing.T) {
	for _, name := range []string{"samples/focus-1.0/focus_sample.csv", "samples/gcp-synth/sample_billing_data.csv"} {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := data.Sample(name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: the packed copy differs (%v)", name, err)
		}
	}
}
