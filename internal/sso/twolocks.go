//go:build !onelock

package sso

// secondLock: every message is read by both libraries. It is no setting.
const secondLock = true
