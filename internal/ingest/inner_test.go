package ingest

import (
	"testing"
	"time"
	"unicode/utf8"

	"huoban/internal/cycle"
)

func TestParseWhen(t *testing.T) {
	for text, want := range map[string]string{
		"2024-09-01":                       "2024-08-31T16:00:00Z",
		"2024/9/1":                         "2024-08-31T16:00:00Z",
		"20240901":                         "2024-08-31T16:00:00Z",
		"2024-09-01 12:30:00":              "2024-09-01T04:30:00Z",
		"2024-09-01T12:30:00Z":             "2024-09-01T12:30:00Z",
		"2023-11-13T10:00Z":                "2023-11-13T10:00:00Z",
		"2024-09-01T12:30:00.000Z":         "2024-09-01T12:30:00Z",
		"2020-11-10 05:49:32.199000+00:00": "2020-11-10T05:49:32.199Z",
		"2024-09-01 12:30:00 UTC":          "2024-09-01T12:30:00Z",
		"2024-09-01 12:30:00 GMT+08:00":    "2024-09-01T04:30:00Z",
		"2024-09-01T12:30:00-0530":         "2024-09-01T18:00:00Z",
		"9/1/2023":                         "2023-08-31T16:00:00Z",
		"09/30/2023":                       "2023-09-29T16:00:00Z",
		"4/1/25":                           "2025-03-31T16:00:00Z",
		"9/1/2023 0:05":                    "2023-08-31T16:05:00Z",
		"9/1/2023 12:00:00 AM":             "2023-08-31T16:00:00Z",
		"9/1/2023 1:30 PM":                 "2023-09-01T05:30:00Z",
		"2024-02-29":                       "2024-02-28T16:00:00Z",
	} {
		at, _, ok := parseWhen([]byte(text), cycle.Zone)
		if got := at.UTC().Format(time.RFC3339Nano); !ok || got != want {
			t.Errorf("%s: %s, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "2024", "2024-13-01", "2023-02-29", "2024-09-01T", "2024-09-01T25:00", "2024-09-01 12",
		"13/1/2023", "9/1/202", "9-1-2023", "1900-01-01", "2024-09-01T12:00:00X", "2024-09-01T12:00:00+99:00", "45200", "9/1/2023 13:00 PM", "2024-09-01 12:00:60"} {
		if at, _, ok := parseWhen([]byte(text), cycle.Zone); ok {
			t.Errorf("%q is %s", text, at)
		}
	}
}

func FuzzParseWhen(f *testing.F) {
	for _, s := range []string{"2024-09-01T12:30:00Z", "9/1/23", "20240901", "2024-09-01 12:30:00.5 GMT+08:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, kind, ok := parseWhen([]byte(text), time.UTC)
		if ok && (at.IsZero() || kind == whenNone || at.Year() < 1969 || at.Year() > 2201) {
			t.Errorf("%q is %s", text, at)
		}
	})
}

// FuzzCredits: no list, however broken, panics; a sum is the sum of its amounts.
func FuzzCredits(f *testing.F) {
	for _, s := range []string{`[{'amount': -5e-06, 'full_name': None}]`, `[{"amount": -1.5}, {"amount": "2"}]`, `[]`, `[[[[[[[[[[`, `[{"a":'\u00e9'}]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if sum, err := sumCredits([]byte(text)); err == nil && sum.Scale() > 40 {
			t.Errorf("%q: %s", text, sum)
		}
		if len(text) > 0 && utf8.ValidString(text) {
			tags := canonicalTags([]byte(text))
			if tags != "" && canonicalTags([]byte(tags)) != tags {
				t.Errorf("%q: %s is not canonical", text, tags)
			}
		}
	})
}
