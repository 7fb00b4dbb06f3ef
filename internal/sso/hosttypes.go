package sso

import (
	"context"
	"time"
)

// Host is one IdP entity of ours: the sales platform page of one partner.
type Host struct {
	ID            string
	PartnerID     string
	PartnerActive bool
	Vendors       []string // whom the partner deals with
	Key           string
	EntityID      string
	SSO           string
	SLO           string
	Keys          []Key
	SkewAllowed   time.Duration // 0: DefaultSkew
}

// NameIDFormat is how a subject is named to a console.
type NameIDFormat string

// The formats we answer with.
const (
	NameIDPersistent NameIDFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	NameIDTransient  NameIDFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	NameIDEmail      NameIDFormat = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	NameIDAny        NameIDFormat = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
)

// Encrypt says whether answers to a console are encrypted.
type Encrypt string

// The choices of encryption. Optional encrypts when the console shows a key for it.
const (
	EncryptOff      Encrypt = "off"
	EncryptOptional Encrypt = "optional"
	EncryptRequired Encrypt = "required"
)

// Endpoint is one address where a console takes answers.
type Endpoint struct {
	Index   int     `json:"index"`
	URL     string  `json:"url"`
	Binding Binding `json:"binding"`
	Default bool    `json:"default,omitempty"`
}

// Release is one attribute a console is given, and the field of ours it is filled from.
type Release struct {
	Name       string `json:"name"`
	NameFormat string `json:"format,omitempty"`
	Field      string `json:"field"`
}

// Console is a registered SP that our IdP answers.
type Console struct {
	ID            string
	PartnerID     string // empty: any partner's customers may go there
	VendorID      string // who looks after it; empty: the operator
	EntityID      string
	Name          string
	State         State
	ACS           []Endpoint
	SLO           string
	SLOResponse   string
	SLOBinding    Binding
	Certs         []Certificate
	RequireSigned bool
	NameIDFormat  NameIDFormat
	Attributes    []Release
	Encrypt       Encrypt
	Ciphers       []string  // EncryptionMethods of its metadata; empty: none named
	ValidUntil    time.Time // of its metadata; zero: not said
	WeakKeyUntil  time.Time
}

// Consoles is what the caller must be able to read while a request is judged.
type Consoles interface {
	// ConsoleByEntity gives the console of that entity, or false when there is none.
	ConsoleByEntity(ctx context.Context, entityID string) (Console, bool, error)
}

// Logout gives the console as the other side of a logout.
func (h Host) Logout(c Console) Partner {
	return Partner{OurEntityID: h.EntityID, OurSLO: h.SLO, Keys: h.Keys, EntityID: c.EntityID, SLO: c.SLO,
		SLOResponse: c.SLOResponse, Binding: c.SLOBinding, Certs: c.Certs, WeakKeyUntil: c.WeakKeyUntil,
		Skew: h.SkewAllowed, RequestIDPeer: c.ID}
}

// AuthnRequest is a verified question of a console. Its ID is still to be spent by the caller.
type AuthnRequest struct {
	ID           string
	Console      Console
	ACS          Endpoint
	NameIDFormat NameIDFormat
	Context      string // the class of sign-in the console is to be told
	ForceAuthn   bool
	IsPassive    bool
	RelayState   string
	IssueInstant time.Time
	KeepUntil    time.Time // the replay row stays until then
}

// Answer says where a Response goes and what it answers.
type Answer struct {
	ACS          Endpoint
	InResponseTo string // empty: the customer began at our page
	RelayState   string
	// Status is empty for success; otherwise the second-level code of a failure.
	Status string
}

// Statement is what our IdP asserts about a customer who is signed in.
type Statement struct {
	NameID              NameID
	SessionIndex        string
	AuthnInstant        time.Time
	AuthnContext        string // empty: password over protected transport
	SessionNotOnOrAfter time.Time
	Attributes          []Attribute // already cut down to what the console is granted
}

// Issued is what is kept about an answer, for the trail and for logout.
type Issued struct {
	ResponseID  string
	AssertionID string
	Encrypted   bool
	ExpiresAt   time.Time
}
