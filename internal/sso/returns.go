package sso

import (
	"net/url"
	"path"
	"strconv"
	"strings"
)

// ReturnState is the life of an allowed return address.
type ReturnState string

// The states of a return address; a foreign host waits for staff.
const (
	ReturnStatePending  ReturnState = "pending"
	ReturnStateApproved ReturnState = "approved"
	ReturnStateRemoved  ReturnState = "removed"
)

// Return is one allowed place to go after sign-in: a host, a port and a path prefix.
type Return struct {
	ID         string
	ShortKey   string
	Scheme     string
	Host       string
	Port       int // 0: the scheme's own
	PathPrefix string
	Label      string
	State      ReturnState
}

// Target is a resolved return: the rule, and path and query of the wish. The address is rebuilt from
// these and the text that came is never echoed. A zero ReturnID is a page of the portal itself.
type Target struct {
	ReturnID string
	Path     string
	Query    string
}

// maxService is the longest return address read.
const maxService = 2048

// ResolveReturn finds the rule that allows the wish, or refuses. The wish is what stands in `service`
// after one decoding; base is the portal's own address, whose pages need no rule. An empty wish is the
// registration's default.
func ResolveReturn(reg Registration, base, wish string) (Target, error) {
	if wish == "" {
		return defaultReturn(reg), nil
	}
	u := parseReturn(wish)
	if u == nil {
		return Target{}, Refuse(CodeReturnNotAllowed, "resolveReturn", "", visible(wish))
	}
	if u.Host == "" {
		return Target{Path: u.Path, Query: u.RawQuery}, nil
	}
	if own := parseBase(base); own != nil && own.Scheme == u.Scheme && sameHost(own, u) {
		return Target{Path: u.Path, Query: u.RawQuery}, nil
	}
	for _, r := range reg.Returns {
		if r.State == ReturnStateApproved && r.allows(u) {
			return Target{ReturnID: r.ID, Path: u.Path, Query: u.RawQuery}, nil
		}
	}
	return Target{}, Refuse(CodeReturnNotAllowed, "resolveReturn", "", visible(wish))
}

// ResolveShortKey is the return a RelayState of an unsolicited answer may name; anything else is the default
// and nothing of it is echoed.
func ResolveShortKey(reg Registration, relay string) Target {
	for _, r := range reg.Returns {
		if relay != "" && r.ShortKey == relay && r.State == ReturnStateApproved {
			return Target{ReturnID: r.ID, Path: r.PathPrefix}
		}
	}
	return defaultReturn(reg)
}

func defaultReturn(reg Registration) Target {
	for _, r := range reg.Returns {
		if r.ID == reg.DefaultReturnID && r.ID != "" && r.State == ReturnStateApproved {
			return Target{ReturnID: r.ID, Path: r.PathPrefix}
		}
	}
	return Target{}
}

// Address rebuilds the address of a target. A target of the portal itself is its path; an empty one, and
// one whose rule is gone, is the empty string: the caller's own landing page.
func (t Target) Address(reg Registration) string {
	u := url.URL{Path: t.Path, RawQuery: t.Query}
	if t.ReturnID == "" {
		if !strings.HasPrefix(t.Path, "/") || strings.HasPrefix(t.Path, "//") {
			return ""
		}
		return u.String()
	}
	for _, r := range reg.Returns {
		if r.ID == t.ReturnID && r.State == ReturnStateApproved && inPath(r.PathPrefix, t.Path) {
			u.Scheme, u.Host = r.Scheme, r.Host
			if r.Port != 0 {
				u.Host += ":" + strconv.Itoa(r.Port)
			}
			return u.String()
		}
	}
	return ""
}

// ParseReturn reads a rule as a partner's administrator writes it: https, host, optional port, path prefix.
// http is for the own machine alone.
func ParseReturn(text string) (Return, error) {
	u := parseReturn(text)
	if u == nil || u.Host == "" || u.RawQuery != "" {
		return Return{}, Refuse(CodeReturnNotAllowed, "parseReturn", "", visible(text))
	}
	r := Return{Scheme: u.Scheme, Host: u.Hostname(), PathPrefix: u.Path}
	if p := u.Port(); p != "" {
		r.Port, _ = strconv.Atoi(p)
	}
	return r, nil
}

func (r Return) allows(u *url.URL) bool {
	port := 0
	if p := u.Port(); p != "" {
		port, _ = strconv.Atoi(p)
	}
	return u.Scheme == r.Scheme && u.Hostname() == r.Host && effective(u.Scheme, port) == effective(r.Scheme, r.Port) &&
		inPath(r.PathPrefix, u.Path)
}

func effective(scheme string, port int) int {
	switch {
	case port != 0:
		return port
	case scheme == "https":
		return 443
	}
	return 80
}

// inPath matches a prefix on the border of a segment, so that /allowed does not allow /allowedX.
func inPath(prefix, p string) bool {
	prefix = strings.TrimSuffix(prefix, "/")
	return p == prefix || strings.HasPrefix(p, prefix+"/")
}

// parseReturn gives nil for whatever a browser and a parser might read differently.
func parseReturn(text string) *url.URL {
	if text == "" || len(text) > maxService {
		return nil
	}
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || c == '\\' {
			return nil
		}
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Opaque != "" {
		return nil
	}
	if u.Scheme == "" {
		// Relative: one slash and then no second one, in either form.
		if u.Host != "" || !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") {
			return nil
		}
	} else if !rightOrigin(text, u) {
		return nil
	}
	if !plainPath(u) {
		return nil
	}
	u.Fragment, u.RawFragment = "", ""
	if u.Path == "" {
		u.Path = "/"
	}
	return u
}

// rightOrigin takes https, and http of this machine only, written exactly as scheme, ://, host, optional port.
func rightOrigin(text string, u *url.URL) bool {
	if !strings.HasPrefix(text, u.Scheme+"://") || strings.ContainsRune(u.Host, '%') {
		return false
	}
	host := u.Hostname()
	if !ldh(host) {
		return false
	}
	if p := u.Port(); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 65535 || strconv.Itoa(n) != p {
			return false
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && ThisMachine(host)
}

// ThisMachine tells localhost and 127.0.0.0/8, the hosts for which plain http is accepted.
func ThisMachine(host string) bool {
	if host == "localhost" {
		return true
	}
	rest, ok := strings.CutPrefix(host, "127.")
	parts := strings.Split(rest, ".")
	if !ok || len(parts) != 3 {
		return false
	}
	for _, p := range parts {
		if n, err := strconv.Atoi(p); err != nil || n < 0 || n > 255 || strconv.Itoa(n) != p {
			return false
		}
	}
	return true
}

// ldh takes lower-case letters, digits and inner hyphens in labels: no IDN, no trailing dot. Names in
// Punycode are refused too, because a twin of an allowed name is written so.
func ldh(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	for _, label := range strings.Split(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.HasPrefix(label, "xn--") {
			return false
		}
		for i := range len(label) {
			if c := label[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}

// plainPath wants a path that means the same to everybody: clean, without doubled slashes, and without
// an encoded slash, backslash, dot, percent or control character.
func plainPath(u *url.URL) bool {
	low := strings.ToLower(u.EscapedPath())
	for _, bad := range []string{"%2f", "%5c", "%2e", "%25", "%00", "%7f"} {
		if strings.Contains(low, bad) {
			return false
		}
	}
	for i := range len(u.Path) {
		if u.Path[i] < ' ' {
			return false
		}
	}
	if u.Path == "" {
		return true
	}
	clean := path.Clean(u.Path)
	return u.Path[0] == '/' && (u.Path == clean || u.Path == clean+"/") && !strings.Contains(u.Path, "//")
}

func parseBase(base string) *url.URL {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil
	}
	return u
}

func sameHost(a, b *url.URL) bool {
	pa, _ := strconv.Atoi(a.Port())
	pb, _ := strconv.Atoi(b.Port())
	return a.Hostname() == b.Hostname() && effective(a.Scheme, pa) == effective(b.Scheme, pb)
}

// visible keeps only what can be shown of a text that somebody sent.
func visible(text string) string {
	return shorten(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return '·'
		}
		return r
	}, text))
}
