// Package data carries the sample files the demo imports. Licences: data/samples/README.md.
package data

import "embed"

// Samples holds the two exports of the demo.
//
//go:embed samples/focus-1.0/focus_sample.csv samples/gcp-synth/sample_billing_data.csv
var Samples embed.FS
