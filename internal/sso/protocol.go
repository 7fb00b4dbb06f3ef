package sso

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/beevik/etree"
	"golang.org/x/text/unicode/norm"
)

const (
	formatEntity = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
	methodBearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	issuedWithin = 5 * time.Minute
	longestSpan  = 24 * time.Hour
	leastReplay  = time.Hour
)

func (c *check) version() *Refusal {
	for _, e := range []*etree.Element{c.response, c.assertion} {
		if v := attr(e, "Version"); e != nil && v != "2.0" {
			return &Refusal{Code: CodeMsgVersion, Expected: "2.0", Seen: v}
		}
	}
	return nil
}

func (c *check) status() *Refusal {
	top, second := statusOf(c.response)
	if top == statusSuccess {
		return nil
	}
	said := strings.TrimPrefix(top, statusPrefix)
	if second != "" {
		said += " / " + strings.TrimPrefix(second, statusPrefix)
	}
	if second == "" {
		second = top
	}
	return &Refusal{Code: CodeMsgStatus, Expected: "Success", Seen: said, Status: strings.TrimPrefix(second, statusPrefix)}
}

func issuerOf(e *etree.Element) (value string, plain bool) {
	i := childOf(e, nsAssertion, "Issuer")
	format := attr(i, "Format")
	return textOf(i), i != nil && (format == "" || format == formatEntity)
}

func (c *check) issuers() *Refusal {
	outer, ok1 := issuerOf(c.response)
	inner, ok2 := issuerOf(c.assertion)
	c.note(c.reg.IdPEntityID, inner)
	if !ok1 || !ok2 || outer != inner || inner != c.reg.IdPEntityID {
		seen := inner
		if inner == c.reg.IdPEntityID {
			seen = outer
		}
		return &Refusal{Code: CodeMsgIssuer, Expected: c.reg.IdPEntityID, Seen: seen}
	}
	return nil
}

func (c *check) destination() *Refusal {
	d := attr(c.response, "Destination")
	c.note(c.reg.ACS, d)
	if d != c.reg.ACS {
		return &Refusal{Code: CodeMsgDestination, Expected: c.reg.ACS, Seen: d, More: difference(c.reg.ACS, d)}
	}
	return nil
}

// instant reads a time as SAML wants it: UTC, ending in Z.
func instant(s string) (time.Time, bool) {
	if !strings.HasSuffix(s, "Z") {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, err == nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// late is a refusal about time: theirs, ours, and by how much which side is ahead.
func (c *check) late(code, what, seen string) *Refusal {
	r := &Refusal{Code: code, Expected: what + ", now " + stamp(c.now), Seen: seen}
	if t, ok := instant(seen); ok {
		r.Seen = fmt.Sprintf("%s (%+d s)", seen, int(t.Sub(c.now).Round(time.Second)/time.Second))
	}
	return r
}

// difference says where two texts that shall be equal part: by a trailing slash, http and https, or letter case
// alone, or from which character on. Of several texts of theirs it says nothing.
func difference(ours string, theirs ...string) map[string]any {
	if len(theirs) != 1 || theirs[0] == "" {
		return nil
	}
	seen, at := theirs[0], 0
	switch {
	case strings.TrimRight(seen, "/") == strings.TrimRight(ours, "/"):
		return map[string]any{"difference": "slash"}
	case strings.TrimPrefix(strings.Replace(seen, "https://", "http://", 1), "http://") == strings.TrimPrefix(strings.Replace(ours, "https://", "http://", 1), "http://"):
		return map[string]any{"difference": "scheme"}
	case strings.EqualFold(seen, ours):
		return map[string]any{"difference": "case"}
	}
	a, b := []rune(ours), []rune(seen)
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	return map[string]any{"difference": "place", "place": strconv.Itoa(at + 1)}
}

func (c *check) issueInstant() *Refusal {
	for _, e := range []*etree.Element{c.response, c.assertion} {
		text := attr(e, "IssueInstant")
		t, ok := instant(text)
		if !ok || t.Before(c.now.Add(-issuedWithin-c.skew())) || t.After(c.now.Add(c.skew())) {
			r := c.late(CodeMsgIssueInstant, "5 min", text)
			if seconds := int(t.Sub(c.now).Round(time.Second) / time.Second); ok && seconds > 0 {
				r.More = map[string]any{"ahead": strconv.Itoa(seconds)}
			} else if ok {
				r.More = map[string]any{"behind": strconv.Itoa(-seconds)}
			}
			return r
		}
		c.got.IssueInstant = t
		c.note(stamp(c.now), text)
	}
	return nil
}

func (c *check) subject() *Refusal {
	sub := childOf(c.assertion, nsAssertion, "Subject")
	id := textOf(childOf(sub, nsAssertion, "NameID"))
	if id == "" || utf8.RuneCountInString(id) > 256 || !printable(id) {
		return &Refusal{Code: CodeSubMissing, Expected: "NameID 1…256", Seen: fmt.Sprintf("%d bytes", len(id))}
	}
	all := childrenOf(sub, nsAssertion, "SubjectConfirmation")
	if len(all) != 1 {
		return &Refusal{Code: CodeSubConfirmation, Expected: "1 bearer", Seen: fmt.Sprintf("%d SubjectConfirmation", len(all))}
	}
	if m := attr(all[0], "Method"); m != methodBearer {
		return &Refusal{Code: CodeSubConfirmation, Expected: methodBearer, Seen: m}
	}
	data := childOf(all[0], nsAssertion, "SubjectConfirmationData")
	if data == nil {
		return &Refusal{Code: CodeSubMissing, Expected: "SubjectConfirmationData"}
	}
	if rec := attr(data, "Recipient"); rec != c.reg.ACS {
		return &Refusal{Code: CodeSubRecipient, Expected: c.reg.ACS, Seen: rec, More: difference(c.reg.ACS, rec)}
	}
	end, ok := instant(attr(data, "NotOnOrAfter"))
	if !ok || !c.now.Before(end.Add(c.skew())) {
		return c.late(CodeSubExpired, "NotOnOrAfter", attr(data, "NotOnOrAfter"))
	}
	if text, has := attrOk(data, "NotBefore"); has {
		if t, ok := instant(text); !ok || t.After(c.now.Add(c.skew())) {
			return c.late(CodeSubExpired, "NotBefore", text)
		}
	}
	c.got.NotOnOrAfter = end
	c.note(c.reg.ACS, stamp(end))
	return nil
}

func (c *check) conditions() *Refusal {
	cond := childOf(c.assertion, nsAssertion, "Conditions")
	if cond == nil {
		return &Refusal{Code: CodeCondMissing, Expected: "Conditions"}
	}
	from := c.got.IssueInstant
	if text, has := attrOk(cond, "NotBefore"); has {
		t, ok := instant(text)
		if !ok || t.After(c.now.Add(c.skew())) {
			return c.late(CodeCondTime, "NotBefore", text)
		}
		from = t
	}
	end, ok := instant(attr(cond, "NotOnOrAfter"))
	if !ok || !c.now.Before(end.Add(c.skew())) {
		return c.late(CodeCondTime, "NotOnOrAfter", attr(cond, "NotOnOrAfter"))
	}
	if end.Sub(from) > longestSpan {
		return &Refusal{Code: CodeCondTime, Expected: "≤ 24 h", Seen: end.Sub(from).String()}
	}
	known := []string{"AudienceRestriction", "OneTimeUse", "ProxyRestriction"}
	for _, e := range cond.ChildElements() {
		if e.NamespaceURI() != nsAssertion || !slices.Contains(known, e.Tag) {
			return &Refusal{Code: CodeCondUnknown, Expected: strings.Join(known, ", "), Seen: e.FullTag()}
		}
	}
	// Both ends have to lie ahead for the message to be taken; the replay rows outlive the later one.
	last := end
	if c.got.NotOnOrAfter.After(last) {
		last = c.got.NotOnOrAfter
	}
	c.got.NotOnOrAfter = last
	c.got.KeepUntil = keepUntil(c.now, last, c.skew())
	c.note(stamp(from)+" – "+stamp(end), stamp(c.now))
	return nil
}

func keepUntil(now, end time.Time, skew time.Duration) time.Time {
	keep, least, most := end.Add(skew), now.Add(leastReplay), now.Add(longestSpan+MaxSkew+issuedWithin)
	switch {
	case keep.Before(least):
		return least
	case keep.After(most):
		return most // the condition on IssueInstant has refused it long before
	}
	return keep
}

func (c *check) audience() *Refusal {
	all := childrenOf(childOf(c.assertion, nsAssertion, "Conditions"), nsAssertion, "AudienceRestriction")
	if len(all) == 0 {
		return &Refusal{Code: CodeCondAudience, Expected: c.reg.EntityID, Seen: "0 AudienceRestriction"}
	}
	for _, r := range all {
		var names []string
		for _, a := range childrenOf(r, nsAssertion, "Audience") {
			names = append(names, textOf(a))
		}
		c.note(c.reg.EntityID, strings.Join(names, " "))
		if !slices.Contains(names, c.reg.EntityID) {
			return &Refusal{Code: CodeCondAudience, Expected: c.reg.EntityID, Seen: strings.Join(names, " "), More: difference(c.reg.EntityID, names...)}
		}
	}
	return nil
}

func (c *check) authn() *Refusal {
	all := childrenOf(c.assertion, nsAssertion, "AuthnStatement")
	if len(all) != 1 {
		return &Refusal{Code: CodeAuthnMissing, Expected: "1 AuthnStatement", Seen: fmt.Sprintf("%d AuthnStatement", len(all))}
	}
	text := attr(all[0], "AuthnInstant")
	at, ok := instant(text)
	oldest := c.oldest()
	if !ok || at.After(c.now.Add(c.skew())) || at.Before(oldest) {
		return c.late(CodeAuthnOld, "≥ "+stamp(oldest), text)
	}
	if text, has := attrOk(all[0], "SessionNotOnOrAfter"); has {
		end, ok := instant(text)
		if !ok || !c.now.Before(end.Add(c.skew())) {
			return c.late(CodeAuthnSessionOver, "SessionNotOnOrAfter", text)
		}
		c.got.SessionNotOnOrAfter = end
	}
	class := textOf(childOf(childOf(all[0], nsAssertion, "AuthnContext"), nsAssertion, "AuthnContextClassRef"))
	if want := c.reg.AuthnContextMin; want != "" && !reaches(class, want) {
		return &Refusal{Code: CodeAuthnContext, Expected: want, Seen: class}
	}
	c.got.AuthnInstant, c.got.AuthnContext, c.got.SessionIndex = at, class, attr(all[0], "SessionIndex")
	c.note("≥ "+stamp(oldest), text)
	return nil
}

// oldest is the earliest authentication that still counts: the registration's age, a quarter of an hour for
// a step-up, and nothing before the request when a fresh sign-in was asked for.
func (c *check) oldest() time.Time {
	age := c.reg.MaxAuthnAge
	if age <= 0 {
		age = DefaultMaxAuthnAge
	}
	req, ok := c.asked()
	if ok && req.Purpose == PurposeStepUp && age > StepUpMaxAuthnAge {
		age = StepUpMaxAuthnAge
	}
	oldest := c.now.Add(-age - c.skew())
	if ok && req.ForceAuthn {
		if begun := req.CreatedAt.Add(-c.skew()); begun.After(oldest) {
			oldest = begun
		}
	}
	return oldest
}

const contextPrefix = "urn:oasis:names:tc:SAML:2.0:ac:classes:"

// strength orders the classes that platforms really send; others only equal themselves.
var strength = map[string]int{
	contextPrefix + "unspecified": 1, contextPrefix + "Password": 2, contextPrefix + "PasswordProtectedTransport": 3,
	contextPrefix + "X509": 4, contextPrefix + "TLSClient": 4, contextPrefix + "Smartcard": 5, contextPrefix + "SmartcardPKI": 5,
	contextPrefix + "TimeSyncToken": 5, contextPrefix + "MobileTwoFactorUnregistered": 5, contextPrefix + "MobileTwoFactorContract": 6,
	"https://refeds.org/profile/mfa": 6,
}

func reaches(class, want string) bool {
	return class == want || strength[class] > 0 && strength[want] > 0 && strength[class] >= strength[want]
}

// KnownContext tells whether a class can be demanded as the least one.
func KnownContext(class string) bool { return strength[class] > 0 }

// asked reads, once, the request the assertion claims to answer.
func (c *check) asked() (Request, bool) {
	if c.read {
		return c.request, c.found
	}
	c.read = true
	id := attr(c.confirmationData(), "InResponseTo")
	if id == "" || len(id) > 128 || c.lookup == nil {
		return Request{}, false
	}
	c.request, c.found, c.err = c.lookup.RequestByID(c.ctx, id)
	return c.request, c.found
}

func (c *check) confirmationData() *etree.Element {
	sub := childOf(c.assertion, nsAssertion, "Subject")
	return childOf(childOf(sub, nsAssertion, "SubjectConfirmation"), nsAssertion, "SubjectConfirmationData")
}

func (c *check) bind() *Refusal {
	outer, has1 := attrOk(c.response, "InResponseTo")
	inner, has2 := attrOk(c.confirmationData(), "InResponseTo")
	if !has1 && !has2 {
		switch {
		case !c.reg.AllowIdPInitiated:
			return &Refusal{Code: CodeReqUnsolicited, Expected: "InResponseTo"}
		case c.reg.State != StateActive:
			return &Refusal{Code: CodeTenantDisabled, Expected: string(StateActive), Seen: string(c.reg.State)}
		}
		return nil
	}
	refuse := func(code, expected, seen string) *Refusal {
		return &Refusal{Code: code, Expected: expected, Seen: seen}
	}
	if outer != inner || inner == "" {
		return refuse(CodeReqUnknown, outer, inner)
	}
	req, ok := c.asked()
	switch {
	case c.err != nil:
		return nil // run hands the error on; it is no refusal
	case !ok || req.Purpose == PurposeLogout:
		return refuse(CodeReqUnknown, "", inner)
	case req.IdPID != c.reg.ID:
		return refuse(CodeReqTenant, c.reg.ID, "")
	case c.reg.State != StateActive && req.Purpose != PurposeTest:
		return refuse(CodeTenantDisabled, string(StateActive), string(c.reg.State))
	case !req.ConsumedAt.IsZero():
		return refuse(CodeReqUsed, "", stamp(req.ConsumedAt))
	case !c.now.Before(req.ExpiresAt):
		return refuse(CodeReqExpired, stamp(req.ExpiresAt), stamp(c.now))
	case c.post.Browser == "" || subtle.ConstantTimeCompare(BrowserHash(c.post.Browser), req.BrowserHash) != 1:
		seen := "another browser"
		if c.post.Browser == "" {
			seen = "no cookie"
		}
		return refuse(CodeReqBrowser, stamp(req.CreatedAt), seen)
	case c.post.Form.Get("RelayState") != req.RelayID:
		return refuse(CodeReqRelay, req.RelayID, visible(c.post.Form.Get("RelayState")))
	}
	c.got.InResponseTo, c.got.Request = inner, req
	c.note(inner, stamp(req.CreatedAt))
	return nil
}

// printable refuses control and format characters, by which two different keys could look alike.
func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.Is(unicode.C, r) || unicode.In(r, unicode.Zl, unicode.Zp) || r == utf8.RuneError {
			return false
		}
	}
	return true
}

// NameFormats of attributes that are read. The name has to match exactly under each.
var nameFormats = []string{"", "urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
	"urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified", "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"}

// Field is one of ours that an attribute may fill.
type fieldRule struct {
	ours     string
	name     string
	most     int
	runes    bool
	required bool
	into     *string
}

func (c *check) fields(accountType *string) []fieldRule {
	m, g := c.reg.Mapping, &c.got
	return []fieldRule{
		{"xAccountId", m.XAccountID, 128, false, true, &g.XAccountID},
		{"xUserId", m.XUserID, 128, false, false, &g.XUserID},
		{"xAccountType", m.AccountType, 64, false, false, accountType},
		{"bpId", m.BpID, 64, false, false, &g.BpID},
		{"name", m.Name, 64, true, false, &g.Name},
		{"mobile", m.Mobile, 32, false, false, &g.Mobile},
		{"email", m.Email, 128, false, false, &g.Email},
	}
}

func (c *check) readAttributes() *Refusal {
	var ignored string
	for _, f := range c.fields(&ignored) {
		if r := c.readOne(f); r != nil {
			return r
		}
	}
	if c.got.XUserID == "" {
		c.got.XUserID = c.got.XAccountID
	}
	c.got.Name = norm.NFC.String(c.got.Name)
	c.note("", c.sent())
	return nil
}

func (c *check) sent() string {
	var names []string
	for _, a := range c.got.Attributes {
		names = append(names, visible(a.Name))
	}
	return strings.Join(names, " ")
}

func (c *check) readOne(f fieldRule) *Refusal {
	more := func(r *Refusal) *Refusal {
		r.More = map[string]any{"field": f.ours, "name": f.name}
		return r
	}
	var values []string
	for _, a := range c.got.Attributes {
		if f.name != "" && a.Name == f.name && slices.Contains(nameFormats, a.NameFormat) {
			values = append(values, a.Values...)
		}
	}
	if len(values) > 1 {
		return more(&Refusal{Code: CodeAttrMany, Expected: "1", Seen: fmt.Sprint(len(values))})
	}
	if len(values) == 0 || values[0] == "" {
		if f.required {
			return more(&Refusal{Code: CodeAttrMissing, Expected: f.name, Seen: c.sent()})
		}
		return nil
	}
	v, size := values[0], len(values[0])
	if f.runes {
		size = utf8.RuneCountInString(v)
	}
	if size > f.most {
		return more(&Refusal{Code: CodeAttrLength, Expected: fmt.Sprintf("≤ %d", f.most), Seen: fmt.Sprint(size)})
	}
	if !printable(v) || strings.TrimSpace(v) != v {
		return more(&Refusal{Code: CodeAttrCharset, Seen: fmt.Sprintf("%+q", v)})
	}
	*f.into = v
	return nil
}

// claims compares what the message says about the tenant with what the address has already decided.
func (c *check) claims() *Refusal {
	var asserted string
	for _, f := range c.fields(&asserted) {
		if f.ours == "xAccountType" {
			_ = c.readOne(f)
		}
	}
	if asserted != "" && asserted != c.reg.AccountType {
		return &Refusal{Code: CodeAttrAccountType, Expected: c.reg.AccountType, Seen: asserted}
	}
	if c.got.BpID != "" && !bytes.Equal([]byte(c.got.BpID), []byte(c.reg.BpID)) {
		return &Refusal{Code: CodeAttrBpID, Expected: c.reg.BpID, Seen: c.got.BpID}
	}
	return nil
}
