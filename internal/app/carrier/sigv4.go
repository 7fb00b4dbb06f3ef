package carrier

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"
)

// AWS Signature Version 4, as S3 takes it: the hash of the content is a header, and the path is escaped once.

const (
	algorithm = "AWS4-HMAC-SHA256"
	stamp     = "20060102T150405Z"
	service   = "s3"
)

// signing is a request as it is signed. Headers have lower-case names and stand for everything that is signed.
type signing struct {
	method  string
	path    string // escaped
	query   url.Values
	headers map[string]string
	payload string // SHA-256, hexadecimal
	region  string
	at      time.Time
}

// escaped writes a text as AWS escapes it; slashes of a path stay.
func escaped(text string, slash bool) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~', c == '/' && slash:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

// names are the signed headers, in order.
func (s *signing) names() []string {
	var out []string
	for name := range s.headers {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// canonical is the request in the one form both sides make of it.
func (s *signing) canonical() string {
	var pairs []string
	for name, values := range s.query {
		for _, v := range values {
			pairs = append(pairs, escaped(name, false)+"="+escaped(v, false))
		}
	}
	slices.Sort(pairs)
	var head strings.Builder
	for _, name := range s.names() {
		head.WriteString(name + ":" + strings.Join(strings.Fields(s.headers[name]), " ") + "\n")
	}
	return strings.Join([]string{s.method, s.path, strings.Join(pairs, "&"), head.String(), strings.Join(s.names(), ";"), s.payload}, "\n")
}

func (s *signing) scope() string {
	return s.at.UTC().Format("20060102") + "/" + s.region + "/" + service + "/aws4_request"
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// authorization is the header that signs the request.
func (s *signing) authorization(access, secret string) string {
	sum := sha256.Sum256([]byte(s.canonical()))
	text := strings.Join([]string{algorithm, s.at.UTC().Format(stamp), s.scope(), hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range strings.Split(s.scope(), "/") {
		key = mac(key, part)
	}
	return algorithm + " Credential=" + access + "/" + s.scope() + ",SignedHeaders=" + strings.Join(s.names(), ";") + ",Signature=" + hex.EncodeToString(mac(key, text))
}
