// Package invitation brings customers to a partner (邀请): a link, shown also as a QR code or sent by mail, behind
// which a customer registers or signs in and consents to the association.
//
// It owns the invitation, its machine, the checks before an association, and the consent. It does not own the
// registration an invitation may rest on (prospect), the association (customer) nor accounts (account).
//
// Invariants: the database holds the hash of a link's token, never the token; an unknown, ended or withdrawn link
// looks the same from outside; an invitation for a registered customer is accepted once; a customer is associated
// only by its own administrator's consent, and every refusal is kept with its reason.
//
// Spec: sales.md §2.6, 3.2
package invitation

import (
	"slices"
	"time"

	"huoban/internal/customer"
)

// The numbers of an invitation.
const (
	Days      = 7  // a link opens
	YoungDays = 7  // an account without registration must be younger
	MaxBatch  = 50 // registrations invited at once
)

// Channel is how the link travels.
type Channel string

// The channels: 邮件, 链接, 二维码.
const (
	ChannelMail Channel = "mail"
	ChannelLink Channel = "link"
	ChannelQR   Channel = "qr"
)

// Channels lists them in the order they are offered.
var Channels = []Channel{ChannelLink, ChannelQR, ChannelMail}

// Label is the key of the channel's name.
func (c Channel) Label() string { return "invitation.channel." + string(c) }

// State is where an invitation stands.
type State string

// The states: 已发送, 关联失败, 已过期, 已撤回, 已关联.
const (
	StateSent       State = "sent"
	StateFailed     State = "failed" // the last try was refused; another may succeed
	StateExpired    State = "expired"
	StateWithdrawn  State = "withdrawn"
	StateAssociated State = "associated"
)

// Opens tells whether the link opens in the state, as long as its time lasts.
func (s State) Opens() bool { return s == StateSent || s == StateFailed }

// Invitation is one link. ProspectID is empty for a general link (通用邀请链接), which many customers may use.
type Invitation struct {
	ID, VendorID, PartnerID string
	PersonID, Label         string // who invites: the account name goes with the link
	ProspectID              string
	Relation                customer.Kind
	Channel                 Channel
	Address                 string // of a mail
	State                   State
	Serial                  int64 // how often it was sent; each has a link of its own
	SentAt, ExpiresAt       time.Time
	Reason                  Reason // of the last refusal
	Joined                  int64  // customers associated by it
	CustomerID              string // the last of them
	Version                 int64
	CreatedAt               time.Time
	ChangedAt               time.Time
}

// General tells whether many customers may use the link.
func (i *Invitation) General() bool { return i.ProspectID == "" }

// Over tells whether its time is up.
func (i *Invitation) Over(now time.Time) bool { return !now.Before(i.ExpiresAt) }

// Try is one customer's attempt to be associated by a link.
type Try struct {
	ID, InvitationID string
	At               time.Time
	Customer         string // as it called itself
	CustomerID       string // empty while there is none
	Reason           Reason // empty: associated
}

// Reason is why a customer could not be associated.
type Reason string

// The reasons of §2.6 and one of our own for a phone that is another's.
const (
	ReasonBusy          Reason = "busy"
	ReasonLinkUnknown   Reason = "link_unknown"
	ReasonLinkExpired   Reason = "link_expired"
	ReasonCodeUsed      Reason = "code_used"
	ReasonLinkUsed      Reason = "link_used"
	ReasonPrepaid       Reason = "prepaid_partner"
	ReasonReserved      Reason = "reserved"
	ReasonIsPartner     Reason = "is_partner"
	ReasonOtherPartner  Reason = "other_partner"
	ReasonContract      Reason = "special_contract"
	ReasonConsumer      Reason = "consumer_cloud"
	ReasonVendorOwns    Reason = "vendor_registered"
	ReasonReward        Reason = "reward_program"
	ReasonAccountOld    Reason = "account_old"
	ReasonPhoneDiffers  Reason = "phone_differs"
	ReasonSuspended     Reason = "suspended"
	ReasonAlreadyYours  Reason = "already_associated"
	ReasonRegistrations Reason = "registration_over"
)

// Reasons lists all, those of the link first.
var Reasons = []Reason{ReasonBusy, ReasonLinkUnknown, ReasonLinkExpired, ReasonCodeUsed, ReasonLinkUsed, ReasonRegistrations, ReasonPhoneDiffers, ReasonPrepaid,
	ReasonReserved, ReasonIsPartner, ReasonOtherPartner, ReasonAlreadyYours, ReasonAccountOld, ReasonContract, ReasonConsumer, ReasonVendorOwns, ReasonReward, ReasonSuspended}

// ofLink are the reasons that sending again cures.
var ofLink = []Reason{ReasonBusy, ReasonLinkUnknown, ReasonLinkExpired, ReasonCodeUsed, ReasonLinkUsed, ReasonRegistrations, ReasonPhoneDiffers}

// Again tells whether sending again helps; otherwise the customer cannot be associated (无法关联).
func (r Reason) Again() bool { return slices.Contains(ofLink, r) }

// Label is the key of the reason's sentence, Advice that of what to do.
func (r Reason) Label() string { return "invitation.reason." + string(r) }

// Advice is the key of the suggested action.
func (r Reason) Advice() string {
	if r.Again() {
		return "invitation.advice.again"
	}
	return "invitation.advice.impossible"
}
