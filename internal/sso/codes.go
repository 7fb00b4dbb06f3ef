package sso

import (
	"errors"
	"maps"

	"huoban/internal/fault"
)

// Codes of refusals. Each has a sentence for staff in both catalogues under "fault."; a customer only
// ever sees one neutral sentence and a reference.
const (
	CodeTenantUnknown  = "sso.tenant.unknown"
	CodeTenantDisabled = "sso.tenant.disabled"
	CodeTenantPartner  = "sso.tenant.partner"

	CodeInRate   = "sso.in.rate"
	CodeInMethod = "sso.in.method"
	CodeInSize   = "sso.in.size"
	CodeInParams = "sso.in.params"
	CodeInBase64 = "sso.in.base64"

	CodeXMLEncoding  = "sso.xml.encoding"
	CodeXMLDTD       = "sso.xml.dtd"
	CodeXMLComment   = "sso.xml.comment"
	CodeXMLCDATA     = "sso.xml.cdata"
	CodeXMLPI        = "sso.xml.pi"
	CodeXMLMalformed = "sso.xml.malformed"
	CodeXMLLimits    = "sso.xml.limits"
	CodeXMLShape     = "sso.xml.shape"

	CodeSigAlg      = "sso.sig.alg"
	CodeSigForm     = "sso.sig.form"
	CodeSigMissing  = "sso.sig.missing"
	CodeSigKey      = "sso.sig.key"
	CodeSigValue    = "sso.sig.value"
	CodeSigCertTime = "sso.sig.cert_time"

	CodeEncAlg      = "sso.enc.alg"
	CodeEncFailed   = "sso.enc.failed"
	CodeEncRequired = "sso.enc.required"

	CodeLibDisagrees = "sso.lib.disagrees"

	CodeMsgVersion      = "sso.msg.version"
	CodeMsgStatus       = "sso.msg.status"
	CodeMsgIssuer       = "sso.msg.issuer"
	CodeMsgDestination  = "sso.msg.destination"
	CodeMsgIssueInstant = "sso.msg.issue_instant"

	CodeSubMissing      = "sso.sub.missing"
	CodeSubConfirmation = "sso.sub.confirmation"
	CodeSubRecipient    = "sso.sub.recipient"
	CodeSubExpired      = "sso.sub.expired"

	CodeCondMissing  = "sso.cond.missing"
	CodeCondTime     = "sso.cond.time"
	CodeCondUnknown  = "sso.cond.unknown"
	CodeCondAudience = "sso.cond.audience"

	CodeAuthnMissing     = "sso.authn.missing"
	CodeAuthnOld         = "sso.authn.old"
	CodeAuthnSessionOver = "sso.authn.session_over"
	CodeAuthnContext     = "sso.authn.context"

	CodeReqUnsolicited = "sso.req.unsolicited"
	CodeReqUnknown     = "sso.req.unknown"
	CodeReqUsed        = "sso.req.used"
	CodeReqExpired     = "sso.req.expired"
	CodeReqBrowser     = "sso.req.browser"
	CodeReqTenant      = "sso.req.tenant"
	CodeReqRelay       = "sso.req.relay"

	CodeAttrMissing     = "sso.attr.missing"
	CodeAttrMany        = "sso.attr.many"
	CodeAttrLength      = "sso.attr.length"
	CodeAttrCharset     = "sso.attr.charset"
	CodeAttrAccountType = "sso.attr.account_type"
	CodeAttrBpID        = "sso.attr.bp_id"

	CodeReplayAssertion = "sso.replay.assertion"

	CodeReturnNotAllowed = "sso.ret.not_allowed"

	CodeSLOForm         = "sso.slo.form"
	CodeSLOSig          = "sso.slo.sig"
	CodeSLOIssuer       = "sso.slo.issuer"
	CodeSLODest         = "sso.slo.dest"
	CodeSLOTime         = "sso.slo.time"
	CodeSLOReplay       = "sso.slo.replay"
	CodeSLOInResponseTo = "sso.slo.in_response_to"
	CodeSLOStatus       = "sso.slo.status"

	CodeIdPForm        = "sso.idp.form"
	CodeIdPSPUnknown   = "sso.idp.sp_unknown"
	CodeIdPSPDisabled  = "sso.idp.sp_disabled"
	CodeIdPSigRequired = "sso.idp.sig_required"
	CodeIdPSig         = "sso.idp.sig"
	CodeIdPDest        = "sso.idp.dest"
	CodeIdPTime        = "sso.idp.time"
	CodeIdPReplay      = "sso.idp.replay"
	CodeIdPACS         = "sso.idp.acs"
	CodeIdPNameID      = "sso.idp.nameid"
	CodeIdPContext     = "sso.idp.context"
	CodeIdPNoKey       = "sso.idp.no_key"
)

// Refusal says which step refused and with what facts. It carries the fault of the same code, so that
// fault.From and fault.HasCode find it. Expected and Seen are shortened and never hold whole messages.
type Refusal struct {
	Code     string
	Step     string
	Expected string
	Seen     string
	// Status is the other side's own status code when it refused (the customer cancelled there), else empty.
	Status string
	// Answer is set when an AuthnRequest was refused after its return address was known to be right: then
	// the other side is told by a signed Response and not by a page.
	Answer *Answer
	// More are further named facts for the sentence.
	More fault.Args
}

// Error is the text for logs.
func (r *Refusal) Error() string { return r.fault().Error() }

// Unwrap gives the fault.
func (r *Refusal) Unwrap() error { return r.fault() }

func (r *Refusal) fault() *fault.Error {
	args := fault.Args{"step": r.Step, "expected": r.Expected, "seen": r.Seen}
	maps.Copy(args, r.More)
	return Denied(r.Code, args)
}

// Denied is the fault of a code with its facts, fresh or kept; a fact its sentence may name and that is not known
// is a dash.
func Denied(code string, facts fault.Args) *fault.Error {
	args := fault.Args{"expected": "–", "seen": "–", "name": "–", "field": "–", "why": "", "difference": "", "place": "", "ahead": "", "behind": ""}
	for k, v := range facts {
		if v != "" {
			args[k] = v
		}
	}
	return fault.Denied(code, args)
}

// RefusalOf finds the refusal in err; nil when err is something else, such as a failing store.
func RefusalOf(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}

// Refuse makes a refusal for steps that stand outside this package: limits, state, linking.
func Refuse(code, step, expected, seen string) *Refusal {
	return &Refusal{Code: code, Step: step, Expected: shorten(expected), Seen: shorten(seen)}
}

// shorten keeps a fact within what a page and a row can hold, at a rune's border.
func shorten(s string) string {
	const limit = 200
	if len(s) <= limit {
		return s
	}
	cut := limit
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}
