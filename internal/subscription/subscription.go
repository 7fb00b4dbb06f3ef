// Package subscription is 客户消费订阅: a partner's monthly consumption files, carried to a bucket or a webhook.
//
// It owns the subscription, the dispatch (one file on its way), what a file holds and when the next try is made; it
// does not own what was consumed (expenditure), how bytes travel (Carrier), jobs (outbox) nor storage.
//
// Invariants: a file is made once per subscription, cycle, currency and state of the data, and its bytes are kept, so
// that every try of a dispatch carries the same bytes under the same number; data that changed make a further version,
// which is a dispatch of its own; a secret is kept sealed and never shown.
package subscription

import (
	"context"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/fault"
)

// Kind is what a target is.
type Kind string

// The kinds of target.
const (
	KindWebhook Kind = "webhook"
	KindBucket  Kind = "bucket" // S3-compatible, OBS among them
)

// Kinds are all of them, in the order a form offers them.
var Kinds = []Kind{KindBucket, KindWebhook}

// Content is which page of 客户消费 a file holds.
type Content string

// The contents: 消费汇总, 消费明细.
const (
	ContentSummary Content = "summary"
	ContentLines   Content = "lines"
)

// Contents are all of them.
var Contents = []Content{ContentSummary, ContentLines}

// Format is how a file is written.
type Format string

// The formats.
const (
	FormatCSV  Format = "csv"
	FormatGzip Format = "csv.gz"
)

// Formats are all of them.
var Formats = []Format{FormatCSV, FormatGzip}

// MediaType is of the bytes that are carried.
func (f Format) MediaType() string {
	if f == FormatGzip {
		return "application/gzip"
	}
	return "text/csv; charset=utf-8"
}

// Limits.
const (
	MaxOfOrg   = 10
	MinSecret  = 16
	maxText    = 400
	KeepDays   = 180     // how long the bytes of a dispatch are kept
	MaxBytes   = 1 << 30 // of a file
	GiveUp     = 72 * time.Hour
	firstPause = 2 * time.Second
	longPause  = time.Hour
)

// Pause is how long after the n-th failed try the next one is made: 2 s, 4 s, 8 s … at most an hour. A receiver that
// names a longer one is believed up to that hour.
func Pause(n int64, asked time.Duration) time.Duration {
	d := firstPause
	for ; n > 1 && d < longPause; n-- {
		d *= 2
	}
	return min(max(d, asked), longPause)
}

// Subscription is one target with what it is sent.
type Subscription struct {
	ID         string
	OrgID      string
	Name       string
	Kind       Kind
	Address    string // of the webhook, or of the bucket's service
	Bucket     string
	Prefix     string
	Region     string
	PathStyle  bool
	AccessKey  string
	Sealed     []byte
	SealedBy   string
	Hint       string // the end of the secret
	Content    Content
	Format     Format
	FirstCycle cycle.Cycle
	State      State
	Version    int64
	CreatedBy  string
	CreatedAt  time.Time
	ChangedAt  time.Time
	TestedAt   time.Time
	TestCode   string // "" = the last test went well
}

// Where names the target in few words, for lists and audits.
func (s *Subscription) Where() string {
	u, err := url.Parse(s.Address)
	if err != nil {
		return s.Address
	}
	if s.Kind == KindBucket {
		return s.Bucket + " · " + u.Host
	}
	return u.Host + u.Path
}

// Dispatch is a file on its way (投递).
type Dispatch struct {
	ID             string
	SubscriptionID string
	OrgID          string
	Cycle          cycle.Cycle
	Currency       string
	No             int64 // version of the file within subscription, cycle and currency, from 1
	Content        Content
	Format         Format
	FileName       string
	Bytes, Rows    int64
	SHA            string // of the bytes that are carried, hexadecimal
	Plain          string // of the text before compression
	Amount, Tax    string // what the rows come to
	State          DispatchState
	Version        int64
	Tries          int64
	RoundTries     int64     // since it was asked for last
	RoundAt        time.Time // when it was asked for last
	NextAt         time.Time // zero once nothing is tried any more
	LastCode       string
	CreatedAt      time.Time
	DoneAt         time.Time
}

// Try is one attempt to carry a dispatch.
type Try struct {
	DispatchID string
	No         int64
	BeganAt    time.Time
	EndedAt    time.Time
	Status     int64  // of the answer, 0 without one
	Code       string // "" = accepted
	Detail     string
}

// Target is where a Carrier brings something, with the secret in the clear.
type Target struct {
	Kind      Kind
	Address   string
	Bucket    string
	Prefix    string
	Region    string
	PathStyle bool
	AccessKey string
	Secret    string
}

// Parcel is what it brings. Open begins at the first byte again.
type Parcel struct {
	ID          string
	Event       string // "consumption.file" or "test"
	Name        string
	ContentType string
	SHA         string
	Bytes       int64
	Headers     [][2]string // name after the prefix of the carrier, value in ASCII
	Open        func() io.Reader
}

// Outcome is what became of a try. Code "" = accepted.
type Outcome struct {
	Status     int
	Code       string
	Detail     string
	RetryAfter time.Duration
}

// Carrier brings a parcel to a target; it takes as long as its own limits let it.
type Carrier interface {
	Carry(ctx context.Context, t Target, p Parcel) Outcome
	// Check refuses an address that nothing may be brought to. Faults: subscription.address, .address_private.
	Check(address string) error
}

// Input is what a person sets. An empty secret keeps the one there is.
type Input struct {
	Name       string
	Kind       Kind
	Address    string
	Bucket     string
	Prefix     string
	Region     string
	PathStyle  bool
	AccessKey  string
	Secret     string
	Content    Content
	Format     Format
	FirstCycle string
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	regionName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	prefixText = regexp.MustCompile(`^[A-Za-z0-9/_.=-]{0,200}$`)
	accessText = regexp.MustCompile(`^[A-Za-z0-9/+_.=-]{3,128}$`)
)

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x21 || r > 0x7e })
}

// Elsewhere tells whether what a person set sends files to another place, or under another key.
func (s *Subscription) Elsewhere(in Input) bool {
	return in.Kind != s.Kind || in.Secret != "" || strings.TrimSpace(in.Address) != s.Address ||
		in.Kind == KindBucket && (strings.TrimSpace(in.Bucket) != s.Bucket || strings.TrimSpace(in.AccessKey) != s.AccessKey)
}

// Validate checks what needs no look-up and cleans the input. Faults: subscription.name, .kind, .address, .bucket,
// .prefix, .region, .access_key, .secret, .content, .format, cycle.malformed, expenditure.cycle_out_of_range.
func (in *Input) Validate(fresh bool, now time.Time) error {
	for _, p := range []*string{&in.Name, &in.Address, &in.Bucket, &in.Prefix, &in.Region, &in.AccessKey} {
		*p = strings.TrimSpace(*p)
	}
	in.Prefix = strings.Trim(in.Prefix, "/")
	switch {
	case in.Name == "" || len(in.Name) > maxText:
		return fault.Invalid("subscription.name", nil)
	case !slices.Contains(Kinds, in.Kind):
		return fault.Invalid("subscription.kind", nil)
	case !slices.Contains(Contents, in.Content):
		return fault.Invalid("subscription.content", nil)
	case !slices.Contains(Formats, in.Format):
		return fault.Invalid("subscription.format", nil)
	case (fresh || in.Secret != "") && (len(in.Secret) < MinSecret || len(in.Secret) > maxText || !printable(in.Secret)):
		return fault.Invalid("subscription.secret", fault.Args{"min": MinSecret})
	}
	if in.Kind == KindBucket {
		if in.Region == "" {
			in.Region = "us-east-1"
		}
		switch {
		case !bucketName.MatchString(in.Bucket) || strings.Contains(in.Bucket, ".."):
			return fault.Invalid("subscription.bucket", nil)
		case !regionName.MatchString(in.Region):
			return fault.Invalid("subscription.region", nil)
		case !prefixText.MatchString(in.Prefix) || strings.Contains("/"+in.Prefix+"/", "/../") || strings.Contains(in.Prefix, "//"):
			return fault.Invalid("subscription.prefix", nil)
		case !accessText.MatchString(in.AccessKey):
			return fault.Invalid("subscription.access_key", nil)
		}
	} else {
		in.Bucket, in.Prefix, in.Region, in.AccessKey, in.PathStyle = "", "", "", "", false
	}
	c, err := cycle.Parse(in.FirstCycle)
	if err != nil {
		return err
	}
	return expenditure.CheckCycle(c, now)
}

// hint is what tells a secret from another without giving it away.
func hint(secret string) string {
	if len(secret) < MinSecret {
		return ""
	}
	return secret[len(secret)-4:]
}
