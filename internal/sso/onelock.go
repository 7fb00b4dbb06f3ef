//go:build onelock

package sso

// A measurement is built so, to learn what the second lock costs; cmd/portal cannot be.
const secondLock = false
