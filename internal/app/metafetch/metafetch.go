// Package metafetch gets documents from addresses that strangers name, without becoming their tool.
//
// It owns which addresses may be asked and how much of an answer is read; it does not own what the answer means.
// The address that is judged is the one dialled, so a name that resolves to another one a moment later gains
// nothing. Invariants: https alone, no credentials, cookies or proxy, few redirects, each judged anew.
package metafetch

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"huoban/internal/fault"
)

// Limits of a fetch.
const (
	MaxBytes    = 2 << 20
	maxRedirect = 3
	dialTime    = 5 * time.Second
	wholeTime   = 15 * time.Second
	maxAddress  = 2048
)

// Codes of refusals.
const (
	CodeURL      = "sso.md.url"
	CodeAddress  = "sso.md.address"
	CodeRedirect = "sso.md.redirect"
	CodeTLS      = "sso.md.tls"
	CodeFetch    = "sso.md.fetch"
	CodeSize     = "sso.md.size"
)

// Options of a client. Allow are networks of the operator's that may be asked although they are private; LocalHTTP
// takes http to this machine, for a portal that itself is served on it alone. TLS is for tests; nil is the system's.
type Options struct {
	Allow     []netip.Prefix
	LocalHTTP bool
	TLS       *tls.Config
	Time      time.Duration // 0: the limit above
	Answer    time.Duration // how long an answer may be waited for; 0: as long as the whole
}

// Client fetches.
type Client struct {
	o    Options
	http *http.Client
}

// New makes a client.
func New(o Options) *Client {
	if o.Time == 0 {
		o.Time = wholeTime
	}
	if o.Answer == 0 {
		o.Answer = o.Time
	}
	c := &Client{o: o}
	dialer := &net.Dialer{Timeout: dialTime, Control: func(_, address string, _ syscall.RawConn) error { return c.judge(address) }}
	c.http = &http.Client{Timeout: o.Time, CheckRedirect: c.redirect, Transport: &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: o.TLS,
		TLSHandshakeTimeout: dialTime, ResponseHeaderTimeout: o.Answer, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10, DisableCompression: true}}
	return c
}

// blocked are networks that no partner may make the portal ask.
var blocked = func() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
		"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"::/128", "::1/128", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}()

// Class names why an address is refused; empty is a public one.
func Class(ip netip.Addr) string {
	mapped := ip.Is4In6()
	ip = ip.Unmap().WithZone("")
	for _, p := range blocked {
		if p.Contains(ip) {
			switch {
			case mapped:
				return "mapped " + p.String()
			case ip.IsLoopback():
				return "loopback"
			case ip.IsPrivate():
				return "private"
			case ip.IsLinkLocalUnicast():
				return "link-local"
			}
			return p.String()
		}
	}
	return ""
}

// refused carries the fault through the layers of net/http.
type refused struct{ fault *fault.Error }

func (r refused) Error() string { return r.fault.Error() }

func (r refused) Unwrap() error { return r.fault }

// judge sees the address that is about to be dialled.
func (c *Client) judge(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return refused{fault.Invalid(CodeAddress, fault.Args{"class": "malformed"})}
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return refused{fault.Invalid(CodeAddress, fault.Args{"class": "malformed"})}
	}
	class := Class(ip)
	if class == "" || c.allowed(ip) {
		return nil
	}
	return refused{fault.Invalid(CodeAddress, fault.Args{"class": class})}
}

func (c *Client) allowed(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if c.o.LocalHTTP && ip.Is4() && ip.IsLoopback() {
		return true
	}
	for _, p := range c.o.Allow {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// check reads an address as it is written. Fault: sso.md.url.
func (c *Client) check(text string) (*url.URL, error) {
	bad := fault.Invalid(CodeURL, fault.Args{"value": shown(text)})
	u, err := url.Parse(text)
	if err != nil || len(text) > maxAddress || u.Host == "" || u.User != nil || u.Opaque != "" || strings.ContainsAny(text, " \\\t\r\n") {
		return nil, bad
	}
	host := u.Hostname()
	local := host == "localhost" || strings.HasPrefix(host, "127.") && net.ParseIP(host) != nil
	if u.Scheme != "https" && !(u.Scheme == "http" && c.o.LocalHTTP && local) {
		return nil, bad
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return u, c.literal(ip)
	}
	if strings.Trim(host, "0123456789.xXabcdefABCDEF") == "" && strings.ContainsAny(host[:1], "0123456789") && !hasName(host) {
		return nil, fault.Invalid(CodeAddress, fault.Args{"class": "number"}) // 2130706433, 0x7f.1, 0177.0.0.1
	}
	u.Fragment = ""
	return u, nil
}

// hasName tells a host name with digits from a number in disguise: its last label is a word.
func hasName(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last != "" && (last[0] < '0' || last[0] > '9')
}

func (c *Client) literal(ip netip.Addr) error {
	if class := Class(ip); class != "" && !c.allowed(ip) {
		return fault.Invalid(CodeAddress, fault.Args{"class": class})
	}
	return nil
}

func shown(s string) string {
	if u, err := url.Parse(s); err == nil {
		s = u.Redacted()
	}
	if r := []rune(s); len(r) > 120 {
		return string(r[:120]) + "…"
	}
	return s
}

// redirect judges where an answer sends us.
func (c *Client) redirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirect {
		return refused{fault.Invalid(CodeRedirect, fault.Args{"limit": maxRedirect})}
	}
	if _, err := c.check(r.URL.String()); err != nil {
		if fault.HasCode(err, CodeAddress) {
			return refused{fault.From(err)}
		}
		return refused{fault.Invalid(CodeRedirect, fault.Args{"limit": maxRedirect})}
	}
	r.Header.Del("Referer")
	return nil
}

// Fetch gets a document. A nil body says that the one under the etag is still the newest. Faults: sso.md.url,
// .address, .redirect, .tls, .fetch, .size.
func (c *Client) Fetch(ctx context.Context, address, etag string) (body []byte, newETag string, err error) {
	u, err := c.check(address)
	if err != nil {
		return nil, "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, "", fault.Invalid(CodeURL, fault.Args{"value": shown(address)})
	}
	req.Header.Set("Accept", "application/samlmetadata+xml, application/xml, text/xml")
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "huoban-portal")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, "", failure(err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotModified && etag != "":
		return nil, etag, nil
	case res.StatusCode != http.StatusOK:
		return nil, "", fault.Invalid(CodeFetch, fault.Args{"why": res.Status})
	case res.Header.Get("Content-Encoding") != "" && res.Header.Get("Content-Encoding") != "identity":
		return nil, "", fault.Invalid(CodeFetch, fault.Args{"why": "Content-Encoding"}) // nothing is unpacked
	}
	body, err = io.ReadAll(io.LimitReader(res.Body, MaxBytes+1))
	if err != nil {
		return nil, "", failure(err)
	}
	if len(body) > MaxBytes {
		return nil, "", fault.Invalid(CodeSize, fault.Args{"limit": MaxBytes >> 20})
	}
	return body, res.Header.Get("ETag"), nil
}

// Post sends a form to an address that a partner named. What is answered is not read; a redirect is not followed,
// because a form belongs to where it was sent. Faults: sso.md.url, .address, .tls, .fetch.
func (c *Client) Post(ctx context.Context, address string, form url.Values) error {
	u, err := c.check(address)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return fault.Invalid(CodeURL, fault.Args{"value": shown(address)})
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "huoban-portal")
	once := *c.http
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := once.Do(req)
	if err != nil {
		return failure(err)
	}
	res.Body.Close()
	if res.StatusCode >= http.StatusBadRequest {
		return fault.Invalid(CodeFetch, fault.Args{"why": res.Status})
	}
	return nil
}

// Check refuses an address that nothing would be sent to, as far as its text tells. Faults: sso.md.url, .address.
func (c *Client) Check(address string) error {
	_, err := c.check(address)
	return err
}

// Send carries a request to an address that somebody named; the caller closes what is answered. A redirect is given
// back as it came, because what is sent belongs to where it was sent. Faults: sso.md.url, .address, .tls, .fetch.
func (c *Client) Send(req *http.Request) (*http.Response, error) {
	if _, err := c.check(req.URL.String()); err != nil {
		return nil, err
	}
	once := *c.http
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := once.Do(req)
	if err != nil {
		return nil, failure(err)
	}
	return res, nil
}

// failure says what went wrong without repeating what the other side said.
func failure(err error) error {
	var r refused
	if errors.As(err, &r) {
		return r.fault
	}
	var bad *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	if errors.As(err, &bad) || errors.As(err, &record) || errors.As(err, &alert) {
		return fault.Invalid(CodeTLS, nil).Because(err)
	}
	why := "connection"
	var timeout interface{ Timeout() bool }
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		why = "name"
	case errors.As(err, &timeout) && timeout.Timeout():
		why = "timeout"
	}
	return fault.Invalid(CodeFetch, fault.Args{"why": why}).Because(err)
}
