// Package carrier brings files to webhooks and to S3-compatible buckets.
//
// It owns the requests, their signatures and what an answer means; it does not own when a try is made nor which
// addresses may be asked (metafetch). Invariants: one request is one try; nothing follows a redirect; what is sent is
// what its hash says; an answer counts only if it arrived whole; nothing of a secret leaves but signatures.
package carrier

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"huoban/internal/app/metafetch"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/subscription"
)

// Limits of a try.
const (
	WholeTime  = 6 * time.Hour // of anything
	AnswerTime = 30 * time.Second
	slowest    = 64 << 10 // bytes a second that a receiver has to take
	readAnswer = 64 << 10
)

// Codes of what went wrong, which stand at a try.
const (
	codeAddress  = "subscription.address"
	codePrivate  = "subscription.address_private"
	codeRefused  = "subscription.carry.refused"
	codeReset    = "subscription.carry.reset"
	codeTimeout  = "subscription.carry.timeout"
	codeName     = "subscription.carry.name"
	codeTLS      = "subscription.carry.tls"
	codeBroken   = "subscription.carry.connection"
	codeCut      = "subscription.carry.cut"
	codeRedirect = "subscription.carry.redirect"
	codeStatus   = "subscription.carry.status"
	codeFile     = "subscription.file_gone"
)

// Header names of a webhook begin so.
const headerPrefix = "X-Huoban-"

// Carrier implements subscription.Carrier.
type Carrier struct {
	Out   *metafetch.Client
	Clock clock.Clock
}

// Check implements subscription.Carrier.
func (c *Carrier) Check(address string) error {
	if err := c.Out.Check(address); err != nil {
		return fault.Invalid(codeOf(err), fault.Args{"class": fault.From(err).Args["class"]}).Because(err)
	}
	return nil
}

// Carry implements subscription.Carrier.
func (c *Carrier) Carry(ctx context.Context, t subscription.Target, p subscription.Parcel) subscription.Outcome {
	ctx, cancel := context.WithTimeout(ctx, AnswerTime+time.Duration(p.Bytes/slowest)*time.Second)
	defer cancel()
	body := &watched{r: p.Open()}
	req, err := c.request(ctx, t, p, body)
	if err != nil {
		return subscription.Outcome{Code: codeAddress}
	}
	res, err := c.Out.Send(req)
	if body.err != nil {
		return subscription.Outcome{Code: codeFile}
	}
	if err != nil {
		return subscription.Outcome{Code: codeOf(err)}
	}
	defer res.Body.Close()
	return judge(res, c.Clock.Now())
}

// watched tells a file that cannot be read from a receiver that does not take it.
type watched struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

func (c *Carrier) request(ctx context.Context, t subscription.Target, p subscription.Parcel, body io.Reader) (*http.Request, error) {
	if t.Kind == subscription.KindBucket {
		return c.bucket(ctx, t, p, body)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Address, body)
	if err != nil {
		return nil, err
	}
	at := strconv.FormatInt(c.Clock.Now().Unix(), 10)
	req.ContentLength = p.Bytes
	for _, h := range [][2]string{{"Delivery", p.ID}, {"Event", p.Event}, {"File", p.Name}, {"Timestamp", at}, {"Content-SHA256", p.SHA}, {"Signature", Sign(t.Secret, at, p.ID, p.Event, p.Name, p.SHA)}} {
		req.Header.Set(headerPrefix+h[0], h[1])
	}
	for _, h := range p.Headers {
		req.Header.Set(headerPrefix+h[0], h[1])
	}
	req.Header.Set("Content-Type", p.ContentType)
	req.Header.Set("User-Agent", "huoban-portal")
	return req, nil
}

// Sign is the signature of a webhook: HMAC-SHA256 under the secret, over what says when, which file and which bytes.
func Sign(secret, at, id, event, name, sha string) string {
	return "v1=" + hex.EncodeToString(mac([]byte(secret), strings.Join([]string{"v1", at, id, event, name, sha}, "\n")))
}

// bucket puts an object; its key holds the version of the file, so that it never holds two contents.
func (c *Carrier) bucket(ctx context.Context, t subscription.Target, p subscription.Parcel, body io.Reader) (*http.Request, error) {
	u, err := url.Parse(t.Address)
	if err != nil {
		return nil, err
	}
	key := p.Name
	if t.Prefix != "" {
		key = t.Prefix + "/" + key
	}
	base := strings.TrimRight(u.Path, "/")
	if t.PathStyle {
		base += "/" + t.Bucket
	} else {
		u.Host = t.Bucket + "." + u.Host
	}
	u.Path, u.RawPath, u.RawQuery, u.Fragment = base+"/"+key, escaped(base+"/"+key, true), "", ""
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.ContentLength = p.Bytes
	now := c.Clock.Now().UTC()
	s := signing{method: http.MethodPut, path: u.RawPath, payload: p.SHA, region: t.Region, at: now,
		headers: map[string]string{"host": u.Host, "content-type": p.ContentType, "x-amz-date": now.Format(stamp), "x-amz-content-sha256": p.SHA,
			"x-amz-meta-huoban-delivery": p.ID, "x-amz-meta-huoban-event": p.Event}}
	for _, h := range p.Headers {
		s.headers["x-amz-meta-huoban-"+strings.ToLower(h[0])] = h[1]
	}
	for name, value := range s.headers {
		if name != "host" {
			req.Header.Set(name, value)
		}
	}
	req.Header.Set("Authorization", s.authorization(t.AccessKey, t.Secret))
	req.Header.Set("User-Agent", "huoban-portal")
	return req, nil
}

// errorCode is the word an S3 service gives for what it refuses, as SignatureDoesNotMatch.
var errorCode = regexp.MustCompile(`<Code>([A-Za-z0-9.]{1,64})</Code>`)

// judge reads an answer to its end: one that breaks off may come from anybody on the way.
func judge(res *http.Response, now time.Time) subscription.Outcome {
	out := subscription.Outcome{Status: res.StatusCode, Detail: strconv.Itoa(res.StatusCode) + " " + http.StatusText(res.StatusCode)}
	answer, err := io.ReadAll(io.LimitReader(res.Body, readAnswer))
	switch {
	case err != nil:
		out.Code = codeCut
		if timeout(err) {
			out.Code = codeTimeout
		}
	case res.StatusCode >= 200 && res.StatusCode < 300:
	case res.StatusCode >= 300 && res.StatusCode < 400:
		out.Code = codeRedirect
	default:
		out.Code, out.RetryAfter = codeStatus, retryAfter(res.Header.Get("Retry-After"), now)
		if m := errorCode.FindSubmatch(answer); m != nil {
			out.Detail += " · " + string(m[1])
		}
	}
	return out
}

// retryAfter reads seconds or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(text, 10, 32); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

func timeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// codeOf names why nothing was answered.
func codeOf(err error) string {
	f := fault.From(err)
	switch {
	case f.Code == metafetch.CodeURL:
		return codeAddress
	case f.Code == metafetch.CodeAddress:
		return codePrivate
	case f.Code == metafetch.CodeTLS:
		return codeTLS
	case f.Args["why"] == "name":
		return codeName
	case f.Args["why"] == "timeout" || timeout(err):
		return codeTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return codeRefused
	case errors.Is(err, http.ErrSchemeMismatch):
		return codeTLS
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return codeBroken
	}
	return codeReset // it was connected, and then was no more
}
