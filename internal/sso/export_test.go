package sso

import (
	"context"
	"time"

	"github.com/beevik/etree"
)

// VerifyWithout judges an answer with one lock taken away.
func VerifyWithout(ctx context.Context, reg Registration, post Post, lookup Lookup, now time.Time, shape, bytes bool) (Accepted, error) {
	c := answerCheck(ctx, reg, post, lookup, now)
	c.off = switches{shape: shape, bytes: bytes}
	_, err := c.run(acsSteps, false)
	return c.got, err
}

// Gate runs the two gates over a text.
func Gate(doc []byte) *Refusal {
	if r := gateBytes(doc); r != nil {
		return r
	}
	return GateTokens(doc)
}

// GateTokens runs the second gate alone.
func GateTokens(doc []byte) *Refusal {
	_, r := gateTokens(doc)
	return r
}

// GateTree is the tree of a text that passed both gates, and the one etree reads itself.
func GateTree(doc []byte) (ours, theirs *etree.Element) {
	if gateBytes(doc) != nil {
		return nil, nil
	}
	ours, r := gateTokens(doc)
	if r != nil {
		return nil, nil
	}
	theirs, _ = parseTree(doc)
	return ours, theirs
}

// Shape holds a text that passed the gates against the shape of a Response.
func Shape(doc []byte) *Refusal {
	root, r := parseTree(doc)
	if r != nil {
		return r
	}
	return checkShape(root, "samlp:Response", shapeResponse)
}

// ParseQuery reads a redirect's query.
func ParseQuery(raw string) (message, relay string, signed []byte, fault string) {
	q, why := parseQuery(raw)
	if q.sig != nil {
		signed = q.sig.octets
	}
	return q.message, q.relay, signed, why
}

// VerifyBare verifies one signed element against a registration's certificates and gives the ID that was digested.
func VerifyBare(reg Registration, doc []byte, now time.Time) (string, error) {
	root, r := parseTree(doc)
	if r != nil {
		return "", r
	}
	v, r := trust{reg.Certs, reg.WeakKeyUntil, now}.verifyWithAny(root)
	if r != nil {
		return "", r
	}
	return attr(v, "ID"), nil
}

// VerifyOneLock judges an answer without the other library, to measure what that costs.
func VerifyOneLock(ctx context.Context, reg Registration, post Post, lookup Lookup, now time.Time) error {
	c := answerCheck(ctx, reg, post, lookup, now)
	c.off = switches{crewjam: true}
	_, err := c.run(acsSteps, false)
	return err
}
