// Package passcode asks for a verification code (验证码) before a sensitive act.
//
// It owns the code, its limits, and the choices of organisation and person about being asked; it does not own what is
// done with it, nor how it is sent. Invariants: a code is good for one person, one kind of act and one content of it,
// once, for ten minutes and three wrong tries; nothing that is kept tells it; who was not asked cannot act.
//
// Spec: sales.md §2.0, open-api.md §3.5
package passcode

import (
	"crypto/sha256"
	"slices"
	"time"

	"huoban/internal/fault"
)

// The limits of codes.
const (
	Digits      = 6
	Lifetime    = 10 * time.Minute
	MaxWrong    = 3
	ResendAfter = time.Minute
	MaxHour     = 15 // sendings to one person
	MaxDay      = 60
)

// Operation is a kind of sensitive act.
type Operation string

// The kinds: 解除关联与切换, 提现, 开通专属汇款账号, 调账, 代付协议, 合同付款, 代金券, 关闭验证.
const (
	OpRelation   Operation = "relation"
	OpWithdraw   Operation = "withdraw"
	OpRemittance Operation = "remittance"
	OpAllocate   Operation = "allocate"
	OpPayment    Operation = "payment"
	OpContract   Operation = "contract"
	OpCoupon     Operation = "coupon"
	OpChoice     Operation = "choice"
)

// Operations in the order a page lists them.
var Operations = []Operation{OpRelation, OpWithdraw, OpRemittance, OpAllocate, OpPayment, OpContract, OpCoupon, OpChoice}

// always are asked of everybody, whatever is chosen.
var always = []Operation{OpWithdraw, OpRemittance}

// Always tells whether the act wants a code whatever is chosen.
func (o Operation) Always() bool { return slices.Contains(always, o) }

// Label is the key of the operation's name.
func (o Operation) Label() string { return "passcode.operation." + string(o) }

// Channel is how a code reaches its person.
type Channel string

// The channels: 邮件, 短信.
const (
	ChannelMail Channel = "mail"
	ChannelText Channel = "text"
)

// Channels in the order of the setting.
var Channels = []Channel{ChannelMail, ChannelText}

// Label is the key of the channel's name.
func (c Channel) Label() string { return "passcode.channel." + string(c) }

// Choice is what an organisation or a person wants: to be asked, and on which channel.
type Choice struct {
	On      bool
	Channel Channel
}

// Code is one that was sent; what it says is not kept.
type Code struct {
	ID, OrgID, PersonID string
	Operation           Operation
	Content             []byte // digest of what shall be done
	Seal                []byte // keyed hash of the code
	Channel             Channel
	SentTo              string // masked
	Wrong               int64
	SentAt, ExpiresAt   time.Time
	UsedAt              time.Time
}

// refusal says why a code is good for nothing any more, whatever is typed; nil = it may be.
func (c *Code) refusal(now time.Time) *fault.Error {
	switch {
	case c.Wrong >= MaxWrong:
		return fault.Invalid("passcode.exhausted", fault.Args{"tries": MaxWrong})
	case !now.Before(c.ExpiresAt):
		return fault.Invalid("passcode.expired", fault.Args{"minutes": int(Lifetime / time.Minute)})
	}
	return nil
}

// Live tells whether the code may still be typed.
func (c *Code) Live(now time.Time) bool { return c.UsedAt.IsZero() && c.refusal(now) == nil }

// wait is how long until another may be sent after one that was sent then.
func wait(last, now time.Time) time.Duration {
	if last.IsZero() {
		return 0
	}
	return max(0, last.Add(ResendAfter).Sub(now))
}

// ContentOf digests what shall be done; parts cannot run into each other.
func ContentOf(parts ...string) []byte {
	h := sha256.New()
	for _, p := range parts {
		one := sha256.Sum256([]byte(p))
		h.Write(one[:])
	}
	return h.Sum(nil)
}
