// Package id makes the keys of stored things: UUIDv7 text, ordered by time of making, never serial.
package id

import "github.com/google/uuid"

// New makes a key.
func New() string { return uuid.Must(uuid.NewV7()).String() }
