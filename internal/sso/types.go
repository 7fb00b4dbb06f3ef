package sso

import (
	"context"
	"crypto/rsa"
	"net/url"
	"time"

	"huoban/internal/fault"
)

// State is the life of a registration: of a partner's IdP, or of a console that we answer.
type State string

// The states of a registration.
const (
	StateDraft    State = "draft"
	StateTested   State = "tested"
	StateActive   State = "active"
	StateDisabled State = "disabled"
	StateDeleted  State = "deleted"
)

// CertUse says what a partner's certificate may be used for; metadata may leave it open.
type CertUse string

// The uses of a certificate.
const (
	CertUseAny        CertUse = ""
	CertUseSigning    CertUse = "signing"
	CertUseEncryption CertUse = "encryption"
)

// CertState is the place of a partner's certificate in a rollover.
type CertState string

// The states of a certificate. Only a current one verifies anything.
const (
	CertStateCurrent CertState = "current"
	CertStatePending CertState = "pending"
	CertStateRemoved CertState = "removed"
)

// Certificate is one certificate of the other side, as its metadata brought it.
type Certificate struct {
	Use         CertUse
	State       CertState
	DER         []byte
	Fingerprint string // SHA-256 of DER, lower-case hex
	NotBefore   time.Time
	NotAfter    time.Time
}

// KeyUse says what one of our keys is for; the two are never the same key.
type KeyUse string

// The uses of our keys.
const (
	KeyUseSign    KeyUse = "sign"
	KeyUseDecrypt KeyUse = "decrypt"
)

// KeyState is the place of our key in its rollover.
type KeyState string

// The states of our keys: next is published, current signs, retiring is published and still decrypts.
const (
	KeyStateNext     KeyState = "next"
	KeyStateCurrent  KeyState = "current"
	KeyStateRetiring KeyState = "retiring"
	KeyStateRetired  KeyState = "retired"
)

// Key is one key pair of ours.
type Key struct {
	Use     KeyUse
	State   KeyState
	Private *rsa.PrivateKey
	CertDER []byte
}

// Binding is how a message travels through the browser.
type Binding string

// The bindings spoken.
const (
	BindingRedirect Binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	BindingPost     Binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

// FirstEntry says what may happen to a customer nobody knows yet.
type FirstEntry string

// What first entry may do.
const (
	FirstEntryCreate   FirstEntry = "create"
	FirstEntryBindOnly FirstEntry = "bind_only"
	FirstEntryOff      FirstEntry = "off"
)

// Mapping holds the attribute names a partner's platform uses for our fields. A field with an empty name
// is not read.
type Mapping struct {
	XAccountID  string `json:"xAccountId"`
	XUserID     string `json:"xUserId"`
	AccountType string `json:"xAccountType"`
	BpID        string `json:"bpId"`
	Name        string `json:"name"`
	Mobile      string `json:"mobile"`
	Email       string `json:"email"`
}

// VendorMapping has the names of the vendor's documents.
func VendorMapping() Mapping {
	return Mapping{XAccountID: "xAccountId", XUserID: "xUserId", AccountType: "xAccountType", BpID: "bpId",
		Name: "name", Mobile: "mobile", Email: "email"}
}

// Registration is one partner's IdP and the SP entity of ours made for it alone. It is a value: what a
// message is judged by does not change while it is judged, and Version tells a kept one from a stale one.
type Registration struct {
	ID            string
	PartnerID     string
	BpID          string // what an asserted bpId must equal
	PartnerName   string
	PartnerActive bool
	Key           string // in our addresses, 26 base32 characters
	AccountType   string // xAccountType 平台标识
	Name          string
	State         State
	Version       int64

	// Our side.
	EntityID string
	ACS      string
	SLO      string
	Keys     []Key

	// Their side.
	IdPEntityID    string
	SSOURL         string
	SSOBinding     Binding
	SLOURL         string // empty: they have no logout
	SLOResponseURL string // empty: SLOURL
	SLOBinding     Binding
	Certs          []Certificate

	// Switches and limits.
	SignRequests       bool
	WantResponseSigned bool
	WantEncrypted      bool
	AllowIdPInitiated  bool
	FirstEntry         FirstEntry
	Association        string        // 关联类型 of who comes in for the first time: resale or referral
	AuthnContextMin    string        // class every answer must have at least; empty: any
	MaxAuthnAge        time.Duration // 0: DefaultMaxAuthnAge
	Skew               time.Duration // 0: DefaultSkew; MaxSkew at most
	WeakKeyUntil       time.Time     // waiver for RSA below 2048 bits
	Mapping            Mapping
	Returns            []Return
	DefaultReturnID    string
	NotifyURL          string
	SharedEntityOK     bool
}

// Limits of a registration.
const (
	DefaultMaxAuthnAge = 12 * time.Hour
	StepUpMaxAuthnAge  = 15 * time.Minute
	DefaultSkew        = time.Minute
	MaxSkew            = 3 * time.Minute
	RequestLife        = 10 * time.Minute
)

// Purpose is why a request was begun.
type Purpose string

// The purposes of a request.
const (
	PurposeSignIn Purpose = "signin"
	PurposeTest   Purpose = "test"
	PurposeStepUp Purpose = "step_up"
	PurposeLogout Purpose = "logout"
)

// Request is one question of ours that waits for its answer.
type Request struct {
	ID          string
	IdPID       string // the registration it was begun for
	RelayID     string
	BrowserHash []byte // SHA-256 of the secret in the browser's cookie
	Purpose     Purpose
	ReturnID    string
	Path        string
	Query       string
	FirstLogin  bool
	ForceAuthn  bool
	UserID      string // step-up and logout: whose
	CreatedAt   time.Time
	ExpiresAt   time.Time
	ConsumedAt  time.Time // zero: open
}

// Lookup is what the caller must be able to read while a message is judged.
type Lookup interface {
	// RequestByID gives the request, or false when there is none.
	RequestByID(ctx context.Context, id string) (Request, bool, error)
}

// Post is what came over the wire, before anything is believed.
type Post struct {
	Method      string
	ContentType string
	Host        string // for the record only; nothing is compared with it
	RawQuery    string
	Form        url.Values // the body's values alone, repeated ones kept
	TooLarge    bool       // the body passed MaxForm and was not read to its end
	Browser     string     // the secret of the browser's cookie; empty: none came
	IP          string
	UserAgent   string
}

// NameID names the subject between the two sides; it never finds a customer.
type NameID struct {
	Value           string
	Format          string
	NameQualifier   string
	SPNameQualifier string
}

// Attribute is one attribute as it was asserted.
type Attribute struct {
	Name         string
	NameFormat   string
	FriendlyName string // shown, never used
	Values       []string
}

// Accepted is what a message said, once everything about it was found right.
type Accepted struct {
	AssertionID         string
	ResponseID          string
	Issuer              string
	NameID              NameID
	SessionIndex        string
	AuthnInstant        time.Time
	AuthnContext        string
	SessionNotOnOrAfter time.Time // zero: not said
	NotOnOrAfter        time.Time // the latest instant at which it could be taken
	KeepUntil           time.Time // the replay rows stay until then
	IssueInstant        time.Time
	InResponseTo        string  // empty: unsolicited
	Request             Request // zero: unsolicited
	RelayState          string
	Encrypted           bool

	XAccountID string
	XUserID    string // equals XAccountID when not asserted
	BpID       string
	Name       string
	Mobile     string
	Email      string
	Attributes []Attribute
}

// Unsolicited tells whether nobody here had asked.
func (a Accepted) Unsolicited() bool { return a.InResponseTo == "" }

// Outcome is how a step ended.
type Outcome string

// The outcomes of a step.
const (
	OutcomePassed  Outcome = "passed"
	OutcomeFailed  Outcome = "failed"
	OutcomeSkipped Outcome = "skipped"
)

// StepResult is one line of the test page and of an explanation.
type StepResult struct {
	Name     string  `json:"name"`
	Code     string  `json:"code,omitempty"` // of a failed step
	Expected string  `json:"expected,omitempty"`
	Seen     string  `json:"seen,omitempty"`
	Outcome  Outcome `json:"outcome"`

	More fault.Args `json:"facts,omitempty"` // further named facts of a failed step
}

// Refusal is what a failed step refused with; nil for any other.
func (s StepResult) Refusal() *Refusal {
	if s.Outcome != OutcomeFailed {
		return nil
	}
	return &Refusal{Code: s.Code, Step: s.Name, Expected: s.Expected, Seen: s.Seen, More: s.More}
}

// Outgoing is a message of ours on its way through the browser.
type Outgoing struct {
	Binding Binding
	URL     string  // redirect: the whole address; post: the form's action
	Fields  []Field // post: hidden fields, in this order
}

// Field is one hidden field of a posted form.
type Field struct{ Name, Value string }

// Subject is whom a logout names.
type Subject struct {
	NameID       NameID
	SessionIndex []string
}

// Partner is the other side of a logout, whichever role it has.
type Partner struct {
	OurEntityID   string
	OurSLO        string
	Keys          []Key
	EntityID      string
	SLO           string
	SLOResponse   string // empty: SLO
	Binding       Binding
	Certs         []Certificate
	WeakKeyUntil  time.Time
	Skew          time.Duration
	RequestIDPeer string // what a stored logout request must name as IdPID
}

// Logout gives the registration as the other side of a logout.
func (r Registration) Logout() Partner {
	return Partner{OurEntityID: r.EntityID, OurSLO: r.SLO, Keys: r.Keys, EntityID: r.IdPEntityID, SLO: r.SLOURL,
		SLOResponse: r.SLOResponseURL, Binding: r.SLOBinding, Certs: r.Certs, WeakKeyUntil: r.WeakKeyUntil,
		Skew: r.Skew, RequestIDPeer: r.ID}
}

// LogoutRequest is a verified wish of the other side to end sessions.
type LogoutRequest struct {
	ID           string
	Subject      Subject
	NotOnOrAfter time.Time
	KeepUntil    time.Time // the replay row stays until then
}

// LogoutResponse is a verified answer to our own logout request.
type LogoutResponse struct {
	ID           string
	InResponseTo string
	Status       string // top-level code
	Success      bool
	Partial      bool
	Request      Request
	KeepUntil    time.Time
}

// LogoutMessage is one of the two.
type LogoutMessage struct {
	Request    *LogoutRequest
	Response   *LogoutResponse
	RelayState string
}
