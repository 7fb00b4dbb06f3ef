package samltest

import (
	"strings"
	"time"

	"github.com/beevik/etree"

	"huoban/internal/sso"
)

// said changes the tree before it is signed: the platform itself says so.
func said(no, name, code string, layer sso.Layer, change func(w *World, r, as *etree.Element)) Attack {
	return Attack{No: no, Name: name, Code: code, Layer: layer, Make: func(w *World, a *Answer) {
		a.Before = func(r, as *etree.Element) { change(w, r, as) }
	}}
}

func remove(e *etree.Element) { e.Parent().RemoveChild(e) }

func msg(no, name, code string, change func(w *World, r, as *etree.Element)) Attack {
	return said(no, name, code, sso.LayerMsg, change)
}

// attribute sets an attribute of the element at path, the Response when it is empty; an empty value removes it.
func attribute(no, name, code, path, key, value string) Attack {
	return msg(no, name, code, func(_ *World, r, _ *etree.Element) {
		e := r
		if path != "" {
			e = r.FindElement(path)
		}
		if value == "" {
			e.RemoveAttr(key)
			return
		}
		e.CreateAttr(key, value)
	})
}

func content(no, name, code, path, value string) Attack {
	return msg(no, name, code, func(_ *World, r, _ *etree.Element) { r.FindElement(path).SetText(value) })
}

func gone(no, name, code, path string) Attack {
	return msg(no, name, code, func(_ *World, r, _ *etree.Element) { remove(r.FindElement(path)) })
}

const confirmationData = ".//SubjectConfirmationData"

func messageAttacks() []Attack {
	dest := func(name string, change func(string) string) Attack {
		return msg("69", name, sso.CodeMsgDestination, func(w *World, r, _ *etree.Element) {
			r.CreateAttr("Destination", change(w.RegA.ACS))
		})
	}
	const denied = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"
	rows := []Attack{
		attribute("65", "with a good assertion", sso.CodeMsgStatus, "./Status/StatusCode", "Value", denied),
		{No: "65", Name: "without assertion, unsigned", Code: sso.CodeMsgStatus, Layer: sso.LayerMsg, Make: func(_ *World, a *Answer) {
			a.Unsigned = true
			a.Before = func(r, as *etree.Element) {
				remove(as)
				r.FindElement("./Status/StatusCode").CreateAttr("Value", denied)
			}
		}},
		attribute("66", "Response 1.1", sso.CodeMsgVersion, "", "Version", "1.1"),
		attribute("66", "Assertion 1.1", sso.CodeMsgVersion, "./Assertion", "Version", "1.1"),
		gone("67", "Response Issuer absent", sso.CodeMsgIssuer, "./Issuer"),
		gone("67", "Assertion Issuer absent", sso.CodeMsgIssuer, "./Assertion/Issuer"),
		content("68", "Response Issuer unknown", sso.CodeMsgIssuer, "./Issuer", "https://unknown.example/idp"),
		content("68", "Assertion Issuer unknown", sso.CodeMsgIssuer, "./Assertion/Issuer", "https://unknown.example/idp"),
		attribute("68", "Issuer of another format", sso.CodeMsgIssuer, "./Assertion/Issuer", "Format", string(sso.NameIDEmail)),
		attribute("69", "Destination absent", sso.CodeMsgDestination, "", "Destination", ""),
		dest("path only", func(a string) string { return a[strings.Index(a, "/saml"):] }),
		dest("other host", func(a string) string { return strings.Replace(a, "://", "://evil.", 1) }),
		dest("other case", strings.ToUpper), dest("other port", func(a string) string { return strings.Replace(a, "/saml/", ":8443/saml/", 1) }),
		dest("trailing slash", func(a string) string { return a + "/" }),
		{No: "70", Name: "Host forged to match", Code: sso.CodeMsgDestination, Layer: sso.LayerMsg, Post: func(w *World) sso.Post {
			a := w.Answer()
			a.Before = func(r, _ *etree.Element) { r.CreateAttr("Destination", "https://evil.example/acs") }
			p := a.Post()
			p.Host = "evil.example"
			return p
		}},
		attribute("71", "Recipient absent", sso.CodeSubRecipient, confirmationData, "Recipient", ""),
		attribute("71", "Recipient other", sso.CodeSubRecipient, confirmationData, "Recipient", "https://evil.example/acs"),
	}
	return append(append(rows, conditionAttacks()...), subjectAttacks()...)
}

func conditionAttacks() []Attack {
	return []Attack{
		gone("72", "audience absent", sso.CodeCondAudience, ".//AudienceRestriction"),
		gone("72", "restriction empty", sso.CodeCondAudience, ".//Audience"),
		content("73", "audience other", sso.CodeCondAudience, ".//Audience", "https://other.example"),
		msg("73", "prefix of ours", sso.CodeCondAudience, func(w *World, r, _ *etree.Element) {
			r.FindElement(".//Audience").SetText(w.RegA.EntityID[:len(w.RegA.EntityID)-1])
		}),
		msg("73", "second restriction foreign", sso.CodeCondAudience, func(_ *World, r, _ *etree.Element) {
			r.FindElement(".//Conditions").CreateElement("saml:AudienceRestriction").CreateElement("saml:Audience").SetText("https://other.example")
		}),
		msg("74", "two audiences, ours first", "", func(_ *World, r, _ *etree.Element) {
			r.FindElement(".//AudienceRestriction").CreateElement("saml:Audience").SetText("https://other.example")
		}),
		msg("74", "two audiences, ours last", "", func(w *World, r, _ *etree.Element) {
			r.FindElement(".//Audience").SetText("https://other.example")
			r.FindElement(".//AudienceRestriction").CreateElement("saml:Audience").SetText(w.RegA.EntityID)
		}),
		msg("79", "unknown condition", sso.CodeCondUnknown, func(_ *World, r, _ *etree.Element) {
			set(r.FindElement(".//Conditions").CreateElement("x:Only"), "xmlns:x", "urn:x")
		}),
		msg("79", "OneTimeUse", "", func(_ *World, r, _ *etree.Element) { r.FindElement(".//Conditions").CreateElement("saml:OneTimeUse") }),
	}
}

func subjectAttacks() []Attack {
	return []Attack{
		gone("80", "Conditions absent", sso.CodeCondMissing, ".//Conditions"), gone("80", "Subject absent", sso.CodeSubMissing, ".//Subject"),
		gone("80", "confirmation data absent", sso.CodeSubMissing, confirmationData), gone("80", "NameID absent", sso.CodeSubMissing, ".//NameID"),
		gone("81", "no confirmation", sso.CodeSubConfirmation, ".//SubjectConfirmation"),
		attribute("81", "sender-vouches", sso.CodeSubConfirmation, ".//SubjectConfirmation", "Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"),
		attribute("81", "holder-of-key", sso.CodeSubConfirmation, ".//SubjectConfirmation", "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"),
		msg("81", "two confirmations", sso.CodeSubConfirmation, func(_ *World, r, _ *etree.Element) {
			c := r.FindElement(".//SubjectConfirmation")
			c.Parent().AddChild(c.Copy())
		}),
		{No: "83", Name: "two assertions, both signed", Code: sso.CodeXMLShape, Layer: sso.LayerXML, NoShape: true, Make: func(w *World, a *Answer) {
			a.After = func(r *etree.Element) {
				e := evil(r.SelectElement("Assertion"), "_second")
				NewIdP("stranger", w.Now).Default().Sign(e)
				r.AddChild(e)
			}
		}},
		{No: "83", Name: "none with Success", Code: sso.CodeXMLShape, Layer: sso.LayerXML, Make: func(_ *World, a *Answer) {
			a.After = func(r *etree.Element) { remove(r.SelectElement("Assertion")) }
		}},
		gone("84", "AuthnStatement absent", sso.CodeAuthnMissing, ".//AuthnStatement"),
		{No: "86", Name: "context weaker than demanded", Code: sso.CodeAuthnContext, Layer: sso.LayerMsg, Reg: func(_ *World, r *sso.Registration) {
			r.AuthnContextMin = "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI"
		}},
		{No: "86", Name: "context as demanded", Reg: func(_ *World, r *sso.Registration) {
			r.AuthnContextMin = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
		}},
	}
}

func timeAttacks() []Attack {
	when := func(no, name, code, path, key string, by time.Duration) Attack {
		return said(no, name, code, sso.LayerMsg, func(w *World, r, _ *etree.Element) {
			e := r
			if path != "" {
				e = r.FindElement(path)
			}
			e.CreateAttr(key, Stamp(w.Now.Add(by)))
		})
	}
	plain := func(no, name, path, value string) Attack {
		return said(no, name, sso.CodeMsgIssueInstant, sso.LayerMsg, func(_ *World, r, _ *etree.Element) {
			e := r
			if path != "" {
				e = r.FindElement(path)
			}
			e.CreateAttr("IssueInstant", value)
		})
	}
	const data, cond, authn = ".//SubjectConfirmationData", ".//Conditions", ".//AuthnStatement"
	return []Attack{
		when("75", "NotBefore in 10 min", sso.CodeCondTime, cond, "NotBefore", 10*time.Minute),
		when("75", "NotBefore in 50 s", "", cond, "NotBefore", 50*time.Second),
		when("76", "NotOnOrAfter 2 min past", sso.CodeCondTime, cond, "NotOnOrAfter", -2*time.Minute),
		when("76", "NotOnOrAfter 50 s past", "", cond, "NotOnOrAfter", -50*time.Second),
		when("77", "confirmation past", sso.CodeSubExpired, data, "NotOnOrAfter", -2*time.Minute),
		when("77", "confirmation not yet", sso.CodeSubExpired, data, "NotBefore", 10*time.Minute),
		said("77", "confirmation without end", sso.CodeSubExpired, sso.LayerMsg, func(_ *World, r, _ *etree.Element) { r.FindElement(data).RemoveAttr("NotOnOrAfter") }),
		when("78", "validity of a year", sso.CodeCondTime, cond, "NotOnOrAfter", 365*24*time.Hour),
		when("82", "Response 10 h ahead", sso.CodeMsgIssueInstant, "", "IssueInstant", 10*time.Hour),
		when("82", "Assertion 10 h ahead", sso.CodeMsgIssueInstant, "./Assertion", "IssueInstant", 10*time.Hour),
		when("82", "1 h ago", sso.CodeMsgIssueInstant, "./Assertion", "IssueInstant", -time.Hour),
		plain("82", "without Z", "./Assertion", "2026-11-21T04:00:00"), plain("82", "with an offset", "", "2026-11-21T12:00:00+08:00"),
		plain("82", "no time at all", "", "yesterday"),
		when("84", "AuthnInstant a year old", sso.CodeAuthnOld, authn, "AuthnInstant", -365*24*time.Hour),
		when("84", "AuthnInstant ahead", sso.CodeAuthnOld, authn, "AuthnInstant", time.Hour),
		when("84", "AuthnInstant 11 h old", "", authn, "AuthnInstant", -11*time.Hour),
		when("85", "SessionNotOnOrAfter past", sso.CodeAuthnSessionOver, authn, "SessionNotOnOrAfter", -2*time.Minute),
		{No: "97", Name: "after everything has run out", Code: sso.CodeMsgIssueInstant, Layer: sso.LayerMsg, After: 2 * time.Hour},
		{No: "-", Name: "clock 90 s ahead, skew 60 s", Code: sso.CodeMsgIssueInstant, Layer: sso.LayerMsg, After: -90 * time.Second},
		{No: "-", Name: "clock 90 s ahead, skew 120 s", After: -90 * time.Second, Reg: func(_ *World, r *sso.Registration) { r.Skew = 2 * time.Minute }},
		{No: "-", Name: "clock 4 min ahead, skew asked 10 min", Code: sso.CodeMsgIssueInstant, Layer: sso.LayerMsg, After: -4 * time.Minute,
			Reg: func(_ *World, r *sso.Registration) { r.Skew = 10 * time.Minute }},
	}
}

func requestAttacks() []Attack {
	state := func(no, name, code string, mk func(w *World, a *Answer)) Attack {
		return Attack{No: no, Name: name, Code: code, Layer: sso.LayerState, Make: mk}
	}
	stored := func(no, name, code string, change func(w *World, r *sso.Request)) Attack {
		return state(no, name, code, func(w *World, a *Answer) {
			change(w, &a.Request)
			w.Open(a.Request)
		})
	}
	post := func(no, name, code string, change func(w *World, p *sso.Post)) Attack {
		return Attack{No: no, Name: name, Code: code, Layer: sso.LayerState, Post: func(w *World) sso.Post {
			p := w.Answer().Post()
			change(w, &p)
			return p
		}}
	}
	const data = ".//SubjectConfirmationData"
	initiated := func(_ *World, r *sso.Registration) { r.AllowIdPInitiated = true }
	return []Attack{
		state("87", "InResponseTo unknown", sso.CodeReqUnknown, func(_ *World, a *Answer) { a.Request.ID = "_unknown" }),
		state("88", "absent, switch off", sso.CodeReqUnsolicited, func(_ *World, a *Answer) { a.Request = sso.Request{} }),
		{No: "88", Name: "absent, switch on", Reg: initiated, Make: func(_ *World, a *Answer) { a.Request = sso.Request{} }},
		said("89", "absent in the Response", sso.CodeReqUnknown, sso.LayerState, func(_ *World, r, _ *etree.Element) { r.RemoveAttr("InResponseTo") }),
		said("89", "absent in the confirmation", sso.CodeReqUnknown, sso.LayerState, func(_ *World, r, _ *etree.Element) { r.FindElement(data).RemoveAttr("InResponseTo") }),
		said("89", "two different", sso.CodeReqUnknown, sso.LayerState, func(_ *World, r, _ *etree.Element) { r.CreateAttr("InResponseTo", "_x") }),
		said("89", "both empty", sso.CodeReqUnknown, sso.LayerState, func(_ *World, r, _ *etree.Element) {
			r.CreateAttr("InResponseTo", "")
			r.FindElement(data).CreateAttr("InResponseTo", "")
		}),
		{No: "90", Name: "unknown while unsolicited is on", Code: sso.CodeReqUnknown, Layer: sso.LayerState, Reg: initiated, Make: func(_ *World, a *Answer) { a.Request.ID = "_unknown" }},
		stored("91", "already used", sso.CodeReqUsed, func(w *World, r *sso.Request) { r.ConsumedAt = w.Now.Add(-time.Second) }),
		stored("92", "expired", sso.CodeReqExpired, func(w *World, r *sso.Request) { r.ExpiresAt = w.Now.Add(-time.Second) }),
		stored("92", "a logout request's", sso.CodeReqUnknown, func(_ *World, r *sso.Request) { r.Purpose = sso.PurposeLogout }),
		post("93", "another browser", sso.CodeReqBrowser, func(_ *World, p *sso.Post) { p.Browser = "browserofthevictimbrowserofthevic" }),
		post("94", "no cookie, after the hop", sso.CodeReqBrowser, func(_ *World, p *sso.Post) { p.Browser, p.RawQuery = "", "hop=1" }),
		post("119", "RelayState a URL", sso.CodeReqRelay, func(_ *World, p *sso.Post) { p.Form.Set("RelayState", "https://evil.example/") }),
		post("119", "another request's", sso.CodeReqRelay, func(w *World, p *sso.Post) { p.Form.Set("RelayState", w.Begin(w.RegA).RelayID) }),
		post("119", "script", sso.CodeReqRelay, func(_ *World, p *sso.Post) { p.Form.Set("RelayState", `"><script>alert(1)</script>`) }),
		post("119", "absent", sso.CodeReqRelay, func(_ *World, p *sso.Post) { p.Form.Del("RelayState") }),
		{No: "84", Name: "step-up, 20 min old", Code: sso.CodeAuthnOld, Layer: sso.LayerMsg, Make: func(w *World, a *Answer) {
			a.Request.Purpose = sso.PurposeStepUp
			w.Open(a.Request)
			a.Before = func(r, _ *etree.Element) {
				r.FindElement(".//AuthnStatement").CreateAttr("AuthnInstant", Stamp(w.Now.Add(-20*time.Minute)))
			}
		}},
		{No: "84", Name: "ForceAuthn, older than the request", Code: sso.CodeAuthnOld, Layer: sso.LayerMsg, Make: func(w *World, a *Answer) {
			a.Request.ForceAuthn = true
			w.Open(a.Request)
			a.Before = func(r, _ *etree.Element) {
				r.FindElement(".//AuthnStatement").CreateAttr("AuthnInstant", Stamp(w.Now.Add(-5*time.Minute)))
			}
		}},
	}
}

func tenantAttacks() []Attack {
	attributes := func(no, name, code string, list ...sso.Attribute) Attack {
		return Attack{No: no, Name: name, Code: code, Layer: sso.LayerTenant, Make: func(_ *World, a *Answer) { a.Attributes = list }}
	}
	id := func(no, name, code, value string) Attack {
		return attributes(no, name, code, Attributes("xAccountId", value)...)
	}
	state := func(no, name, code string, change func(w *World, r *sso.Registration)) Attack {
		return Attack{No: no, Name: name, Code: code, Layer: sso.LayerEdge, Reg: change}
	}
	return []Attack{
		{No: "102", Name: "B's response at A's address", Code: sso.CodeSigKey, Layer: sso.LayerSig, Make: func(w *World, a *Answer) {
			a.IdP, a.Reg, a.Request = w.B, w.RegB, w.Begin(w.RegB)
		}},
		{No: "103", Name: "shared platform, B's addresses", Code: sso.CodeMsgDestination, Layer: sso.LayerMsg, Make: func(w *World, a *Answer) { a.Reg = w.RegB }},
		{No: "103", Name: "shared platform, Destination and Recipient rewritten", Code: sso.CodeCondAudience, Layer: sso.LayerMsg, Make: func(w *World, a *Answer) {
			a.Reg.EntityID = w.RegB.EntityID
		}},
		{No: "104", Name: "request begun at B", Code: sso.CodeReqTenant, Layer: sso.LayerState, Make: func(w *World, a *Answer) { a.Request = w.Begin(w.RegB) }},
		attributes("105", "forged xAccountType", sso.CodeAttrAccountType, Attributes("xAccountId", "acc-1", "xAccountType", "HB_b")...),
		attributes("105", "forged bpId", sso.CodeAttrBpID, Attributes("xAccountId", "acc-1", "bpId", "P-b")...),
		attributes("106", "twice", sso.CodeAttrMany, Attributes("xAccountId", "acc-1", "xAccountId", "evil")...),
		attributes("106", "two values", sso.CodeAttrMany, sso.Attribute{Name: "xAccountId", Values: []string{"acc-1", Evil}}),
		attributes("106", "by FriendlyName", sso.CodeAttrMissing, sso.Attribute{Name: "urn:oid:1.2.3", FriendlyName: "xAccountId", Values: []string{Evil}}),
		attributes("106", "other case of the name", sso.CodeAttrMissing, Attributes("XACCOUNTID", Evil)...),
		attributes("106", "unknown NameFormat", sso.CodeAttrMissing, sso.Attribute{Name: "xAccountId", NameFormat: "urn:x", Values: []string{Evil}}),
		attributes("106", "none", sso.CodeAttrMissing, []sso.Attribute{}...),
		id("106", "empty", sso.CodeAttrMissing, ""), id("106", "129 bytes", sso.CodeAttrLength, strings.Repeat("x", 129)), id("106", "128 bytes", "", strings.Repeat("x", 128)),
		id("106", "tab", sso.CodeAttrCharset, "acc\t1"), id("106", "zero width", sso.CodeAttrCharset, "acc\u200b-1"),
		id("106", "right to left", sso.CodeAttrCharset, "acc\u202e-1"), id("106", "blank behind", sso.CodeAttrCharset, "acc-1 "),
		id("106", "other case", "", "ACC-1"),
		state("107", "registration disabled", sso.CodeTenantDisabled, func(_ *World, r *sso.Registration) { r.State = sso.StateDisabled }),
		state("108", "partner suspended", sso.CodeTenantPartner, func(_ *World, r *sso.Registration) { r.PartnerActive = false }),
		state("108", "registration deleted", sso.CodeTenantUnknown, func(_ *World, r *sso.Registration) { r.State = sso.StateDeleted }),
		{No: "108", Name: "draft, not a test", Code: sso.CodeTenantDisabled, Layer: sso.LayerState, Reg: func(_ *World, r *sso.Registration) { r.State = sso.StateDraft }},
		{No: "108", Name: "draft, a test", Reg: func(_ *World, r *sso.Registration) { r.State = sso.StateDraft }, Make: func(w *World, a *Answer) {
			a.Request.Purpose = sso.PurposeTest
			w.Open(a.Request)
		}},
	}
}
