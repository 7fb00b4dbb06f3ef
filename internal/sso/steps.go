package sso

import (
	"context"
	"encoding/base64"
	"fmt"
	"mime"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// MaxForm is the largest body an ACS or logout address reads.
const MaxForm = 256 << 10

// Layer groups steps; a test asserts that an attack is refused in the layer it belongs to.
type Layer string

// The layers, outermost first.
const (
	LayerEdge   Layer = "edge"
	LayerXML    Layer = "xml"
	LayerSig    Layer = "sig"
	LayerMsg    Layer = "msg"
	LayerState  Layer = "state"
	LayerTenant Layer = "tenant"
	LayerLink   Layer = "link"
)

// Step is one check of an ordered list. The order is fixed: a message with two faults gets the code of the
// earlier step.
type Step struct {
	Name  string
	Layer Layer
	Codes []string
	fn    func(*check) *Refusal // nil: done by the caller, which holds the state
}

// ByCaller tells the steps that are done outside, where the state is.
func (s Step) ByCaller() bool { return s.fn == nil }

// StepKey and RuleKey are the catalogue keys of a step's title and of what it asks for.
func StepKey(name string) string { return "sso.step." + name }
func RuleKey(name string) string { return "sso.rule." + name }

// ACSSteps is the whole path of an answer, for documents and pages.
func ACSSteps() []Step { return append([]Step(nil), acsSteps...) }

// acsSteps is data on purpose: handler, test page, order test and docs/flows/saml-acs.md are made of it.
var acsSteps = []Step{
	{"lookupTenant", LayerEdge, []string{CodeTenantUnknown, CodeTenantDisabled, CodeTenantPartner}, lookupTenant},
	{"checkRate", LayerEdge, []string{CodeInRate}, nil},
	{"checkTransport", LayerEdge, []string{CodeInMethod}, checkTransport},
	{"checkFormSize", LayerEdge, []string{CodeInSize}, checkFormSize},
	{"checkParams", LayerEdge, []string{CodeInParams}, checkParams},
	{"decodeBase64", LayerEdge, []string{CodeInBase64, CodeInSize}, decodeMessage},
	{"gateBytes", LayerXML, []string{CodeXMLEncoding, CodeXMLDTD, CodeXMLComment, CodeXMLCDATA, CodeXMLPI}, (*check).gateBytes},
	{"gateTokens", LayerXML, []string{CodeXMLMalformed, CodeXMLLimits}, (*check).gateTokens},
	{"checkShape", LayerXML, []string{CodeXMLShape}, (*check).shape},
	{"checkAlgorithms", LayerSig, []string{CodeSigAlg}, (*check).algorithms},
	{"checkReference", LayerSig, []string{CodeSigForm}, (*check).reference},
	{"checkSignaturePolicy", LayerSig, []string{CodeSigMissing}, (*check).policy},
	{"verifyWithAny", LayerSig, []string{CodeSigKey, CodeSigValue, CodeSigCertTime}, (*check).verify},
	{"decryptAssertion", LayerSig, []string{CodeEncAlg, CodeEncFailed, CodeEncRequired}, (*check).decrypt},
	{"parseVerified", LayerSig, []string{CodeSigValue}, (*check).parseVerified},
	{"crewjamAgrees", LayerSig, []string{CodeLibDisagrees}, (*check).crewjamAgrees},
	{"checkVersion", LayerMsg, []string{CodeMsgVersion}, (*check).version},
	{"checkStatus", LayerMsg, []string{CodeMsgStatus}, (*check).status},
	{"checkIssuers", LayerMsg, []string{CodeMsgIssuer}, (*check).issuers},
	{"checkDestination", LayerMsg, []string{CodeMsgDestination}, (*check).destination},
	{"checkIssueInstant", LayerMsg, []string{CodeMsgIssueInstant}, (*check).issueInstant},
	{"checkSubject", LayerMsg, []string{CodeSubMissing, CodeSubConfirmation, CodeSubRecipient, CodeSubExpired}, (*check).subject},
	{"checkConditions", LayerMsg, []string{CodeCondMissing, CodeCondTime, CodeCondUnknown}, (*check).conditions},
	{"checkAudience", LayerMsg, []string{CodeCondAudience}, (*check).audience},
	{"checkAuthn", LayerMsg, []string{CodeAuthnMissing, CodeAuthnOld, CodeAuthnSessionOver, CodeAuthnContext}, (*check).authn},
	{"bindRequest", LayerState, []string{CodeReqUnsolicited, CodeReqUnknown, CodeReqTenant, CodeReqUsed, CodeReqExpired, CodeReqBrowser, CodeReqRelay, CodeTenantDisabled}, (*check).bind},
	{"readAttributes", LayerTenant, []string{CodeAttrMissing, CodeAttrMany, CodeAttrLength, CodeAttrCharset}, (*check).readAttributes},
	{"checkTenantClaims", LayerTenant, []string{CodeAttrAccountType, CodeAttrBpID}, (*check).claims},
	{"consumeRequest", LayerState, []string{CodeReqUsed}, nil},
	{"spendMessage", LayerState, []string{CodeReplayAssertion}, nil},
	{"resolveCustomer", LayerLink, nil, nil},
	{"openSession", LayerLink, nil, nil},
}

// check is one message on its way through the steps.
type check struct {
	ctx    context.Context
	reg    Registration
	post   Post
	lookup Lookup
	now    time.Time
	off    switches
	list   []Step
	param  string // the form's field

	// Who may sign and how far the clocks may differ; of the other side, whichever it is.
	certs     []Certificate
	weakUntil time.Time
	skewSet   time.Duration
	// Of logout messages and questions alone.
	in       wire
	partner  Partner
	logout   LogoutMessage
	host     Host
	consoles Consoles
	question AuthnRequest

	raw       []byte
	root      *etree.Element // as it came
	response  *etree.Element // verified when the Response is signed
	inner     *etree.Element // the assertion as it came or was decrypted
	assertion *etree.Element // the verified one; everything is read from it
	noAnswer  bool           // a status other than Success and no assertion
	failed    bool           // Examine: an earlier step failed, what follows only informs
	request   Request
	found     bool
	read      bool
	err       error // of the lookup: not a refusal
	expected  string
	seen      string
	got       Accepted
}

// switches let tests take a lock away and see that the next one holds.
type switches struct{ bytes, shape, crewjam bool }

func (c *check) note(expected, seen string) { c.expected, c.seen = shorten(expected), shorten(seen) }

func (c *check) skew() time.Duration { return skewOf(c.skewSet) }

func skewOf(d time.Duration) time.Duration {
	switch {
	case d <= 0:
		return DefaultSkew
	case d > MaxSkew:
		return MaxSkew
	}
	return d
}

func (c *check) trust() trust { return trust{c.certs, c.weakUntil, c.now} }

func answerCheck(ctx context.Context, reg Registration, post Post, lookup Lookup, now time.Time) *check {
	return &check{ctx: ctx, reg: reg, post: post, lookup: lookup, now: now, param: "SAMLResponse",
		certs: reg.Certs, weakUntil: reg.WeakKeyUntil, skewSet: reg.Skew}
}

// VerifyPost judges an answer at the ACS of a registration and stops at the first failure. The error is a
// *Refusal, or whatever the lookup failed with. What remains for the caller stands at the end of ACSSteps and
// belongs into one transaction.
func VerifyPost(ctx context.Context, reg Registration, post Post, lookup Lookup, now time.Time) (Accepted, []StepResult, error) {
	c := answerCheck(ctx, reg, post, lookup, now)
	results, err := c.run(acsSteps, false)
	if err != nil {
		return Accepted{}, results, err
	}
	return c.got, results, nil
}

// Examined is an answer laid open for the test page.
type Examined struct {
	Accepted Accepted // of a failed examination: what it claims, believed by nobody
	Steps    []StepResult
	Failed   int
	First    *Refusal // nil: everything passed
	XML      []byte   // as it came, or decrypted inside
}

// Examine runs every step that is safe to run after a failure, so that several mistakes show at once. It is
// for tests only: nothing may be opened with what it gives.
func Examine(ctx context.Context, reg Registration, post Post, lookup Lookup, now time.Time) (Examined, error) {
	c := answerCheck(ctx, reg, post, lookup, now)
	results, err := c.run(acsSteps, true)
	out := Examined{Accepted: c.got, Steps: results, XML: c.raw}
	if err != nil {
		if out.First = RefusalOf(err); out.First == nil {
			return Examined{}, err
		}
	}
	for _, r := range results {
		if r.Outcome == OutcomeFailed {
			out.Failed++
		}
	}
	return out, nil
}

// run walks the list. With all, it goes on after a failure as far as nothing unverified is decrypted or handed
// to the other library.
func (c *check) run(list []Step, all bool) (results []StepResult, err error) {
	var first *Refusal
	stopped := false
	c.list = list
	for _, s := range list {
		res := StepResult{Name: s.Name, Outcome: OutcomeSkipped}
		if s.fn != nil && !stopped && !(c.failed && s.skips()) && !(c.noAnswer && s.Layer == LayerSig) {
			r := c.step(s)
			if c.err != nil {
				return results, c.err
			}
			res.Expected, res.Seen, res.Outcome = c.expected, c.seen, OutcomePassed
			if r != nil {
				r.Step, r.Expected, r.Seen = s.Name, shorten(r.Expected), shorten(r.Seen)
				res.Code, res.Expected, res.Seen, res.More, res.Outcome = r.Code, r.Expected, r.Seen, r.More, OutcomeFailed
				if first == nil {
					first = r
				}
				c.failed = true
				stopped = !all || s.Layer == LayerEdge || s.Layer == LayerXML || c.noAnswer
			}
		}
		results = append(results, res)
	}
	if first != nil {
		return results, first
	}
	return results, nil
}

// skips tells the steps that need everything before them to hold.
func (s Step) skips() bool {
	switch s.Name {
	case "verifyWithAny", "decryptAssertion", "crewjamAgrees":
		return true
	}
	return false
}

// step runs one check; a panic in it is a refusal and never the end of the program.
func (c *check) step(s Step) (r *Refusal) {
	c.expected, c.seen = "", ""
	defer func() {
		if p := recover(); p != nil {
			r = &Refusal{Code: CodeLibDisagrees, Seen: shorten(fmt.Sprint(p))}
		}
	}()
	return s.fn(c)
}

func lookupTenant(c *check) *Refusal {
	switch {
	case c.reg.Key == "" || c.reg.State == StateDeleted || c.reg.State == "":
		return &Refusal{Code: CodeTenantUnknown}
	case c.reg.State == StateDisabled:
		return &Refusal{Code: CodeTenantDisabled, Expected: string(StateActive), Seen: string(c.reg.State)}
	case !c.reg.PartnerActive:
		return &Refusal{Code: CodeTenantPartner}
	}
	return nil // a draft may be tested; bindRequest sees to it that it is nothing but a test
}

func checkTransport(c *check) *Refusal {
	kind, _, err := mime.ParseMediaType(c.post.ContentType)
	if c.post.Method != "POST" || err != nil || kind != "application/x-www-form-urlencoded" {
		return &Refusal{Code: CodeInMethod, Expected: "POST application/x-www-form-urlencoded", Seen: c.post.Method + " " + visible(c.post.ContentType)}
	}
	return nil
}

func checkFormSize(c *check) *Refusal {
	if c.post.TooLarge {
		return &Refusal{Code: CodeInSize, Expected: fmt.Sprintf("≤ %d", MaxForm)}
	}
	return nil
}

func checkParams(c *check) *Refusal {
	bad := func(seen string) *Refusal {
		return &Refusal{Code: CodeInParams, Expected: c.param + " × 1, RelayState × 0…1", Seen: seen}
	}
	for _, name := range []string{"SAMLResponse", "SAMLRequest", "SAMLart", "RelayState", "SigAlg", "Signature"} {
		want := 0
		if name == c.param {
			want = 1
		}
		n := len(c.post.Form[name])
		if n != want && !(name == "RelayState" && n == 1) {
			return bad(fmt.Sprintf("%s × %d", name, n))
		}
	}
	if relay := c.post.Form.Get("RelayState"); len(relay) > 128 {
		return bad(fmt.Sprintf("RelayState %d bytes", len(relay)))
	}
	// A query is never read here; the one parameter that may stand there is the mark of the single hop.
	if q := c.post.RawQuery; q != "" && q != "hop=1" {
		return bad("query")
	}
	return nil
}

func decodeMessage(c *check) *Refusal {
	raw, r := decodeBase64(c.post.Form.Get(c.param))
	if r != nil {
		return r
	}
	c.raw = raw
	return nil
}

var blanks = strings.NewReplacer("\r", "", "\n", "", " ", "")

func decodeBase64(text string) ([]byte, *Refusal) {
	text = blanks.Replace(text)
	if base64.StdEncoding.DecodedLen(len(text)) > maxXML+3 {
		return nil, &Refusal{Code: CodeInSize, Expected: fmt.Sprintf("≤ %d", maxXML), Seen: fmt.Sprint(len(text))}
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) == 0 {
		return nil, &Refusal{Code: CodeInBase64}
	}
	if len(raw) > maxXML {
		return nil, &Refusal{Code: CodeInSize, Expected: fmt.Sprintf("≤ %d", maxXML), Seen: fmt.Sprint(len(raw))}
	}
	return raw, nil
}
