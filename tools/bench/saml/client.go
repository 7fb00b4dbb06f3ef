package saml

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// refused is an answer other than the redirect of a sign-in.
type refused string

func (r refused) Error() string { return "answered " + string(r) }

// post sends the answers over as many connections as there are customers at once.
func post(list []one, addr, secret string) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, crowd)
	for range min(crowd, len(list)) {
		wg.Go(func() {
			c, err := dial(addr)
			if err != nil {
				failed <- err
				return
			}
			defer c.Close()
			for {
				i := int(next.Add(1)) - 1
				if i >= len(list) {
					return
				}
				if err := c.signIn(list[i], addr, secret); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

// conn is a connection that is kept; it does as little as HTTP allows, because its work is counted too.
type conn struct {
	net.Conn
	in  *bufio.Reader
	out bytes.Buffer
}

func dial(addr string) (*conn, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, in: bufio.NewReaderSize(c, 16<<10)}, nil
}

// signIn posts an answer as another site's page does, and wants the redirect with a session's cookie.
func (c *conn) signIn(o one, addr, secret string) error {
	body := o.form.Encode()
	c.out.Reset()
	fmt.Fprintf(&c.out, "POST /saml/sp/%s/acs HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nSec-Fetch-Site: cross-site\r\n"+
		"X-Forwarded-For: %s\r\nUser-Agent: bench\r\nCookie: __Host-sso=%s\r\n\r\n%s", o.key, addr, len(body), o.ip, secret, body)
	if _, err := c.Write(c.out.Bytes()); err != nil {
		return err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 303")) {
		return refused(bytes.TrimSpace(line))
	}
	length, arrives, session := 0, false, false
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if v, ok := header(line, "Content-Length"); ok {
			if length, err = strconv.Atoi(v); err != nil {
				return err
			}
		}
		if v, ok := header(line, "Location"); ok {
			arrives = len(v) > len("/saml/arrive/")
		}
		if _, ok := header(line, "Set-Cookie"); ok {
			session = true
		}
	}
	if !arrives || !session {
		return refused("no session")
	}
	_, err = io.CopyN(io.Discard, c.in, int64(length))
	return err
}

func header(line []byte, name string) (string, bool) {
	if len(line) <= len(name) || line[len(name)] != ':' || !bytes.EqualFold(line[:len(name)], []byte(name)) {
		return "", false
	}
	return string(bytes.TrimSpace(line[len(name)+1:])), true
}
