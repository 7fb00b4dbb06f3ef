// Package id makes the keys of stored things: UUIDv7 text, ordered by time of making, never serial.
package id

import (
	"strings"

	"github.com/google/uuid"
)

func init() { uuid.EnableRandPool() } // keys are no secrets: what comes next may stand in memory

// New makes a key.
func New() string { return uuid.Must(uuid.NewV7()).String() }

// Valid tells whether s is a key as New makes them.
func Valid(s string) bool { return uuid.Validate(s) == nil }

// Number is what people call the thing of a key: the letters of its kind, the day it was made (2006-01-02) and eight letters
// of the key that no two of a day share.
func Number(letters, day, key string) string {
	key = strings.ReplaceAll(key, "-", "")
	return letters + strings.ReplaceAll(day, "-", "") + strings.ToUpper(key[len(key)-8:])
}
