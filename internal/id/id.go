// Package id makes the keys of stored things: UUIDv7 text, ordered by time of making, never serial.
package id

import "github.com/google/uuid"

func init() { uuid.EnableRandPool() } // keys are no secrets: what comes next may stand in memory

// New makes a key.
func New() string { return uuid.Must(uuid.NewV7()).String() }
