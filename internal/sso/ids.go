package sso

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return b
}

// NewMessageID is the ID of a message of ours: an NCName of 128 random bits.
func NewMessageID() string { return "_" + hex.EncodeToString(random(16)) }

// NewToken is 128 random bits as 26 base32 characters: a registration's key, a RelayState, a ticket.
func NewToken() string { return base32Lower.EncodeToString(random(16)) }

// NewReference is what a person reads out to support: 10 base32 characters, upper case.
func NewReference() string {
	return strings.ToUpper(base32Lower.EncodeToString(random(7)))[:10]
}

// NewBrowserSecret is the value of the browser's cookie: 256 random bits.
func NewBrowserSecret() string { return base32Lower.EncodeToString(random(32)) }

// BrowserHash is what a request row keeps of the browser's secret.
func BrowserHash(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}
