package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// target is what is asked: the bytes of one request, or of several that each connection sends in turn, and what
// the answers must hold.
type target struct {
	addr     string
	requests [][]byte
	holds    []byte
}

// get makes a target of a path; extra are whole header lines.
func get(addr, path, holds string, extra ...string) target {
	head := "GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\nAccept: */*\r\n"
	for _, h := range extra {
		head += h + "\r\n"
	}
	return target{addr, [][]byte{[]byte(head + "\r\n")}, []byte(holds)}
}

// inTurn makes one target of several of one server.
func inTurn(list []target) target {
	out := list[0]
	out.requests = nil
	for _, t := range list {
		out.requests = append(out.requests, t.requests...)
	}
	return out
}

// result is one run of one contender.
type result struct {
	Rate     float64 `json:"per_second"`
	P50, P99 float64 // milliseconds
	P95      float64
	Requests int `json:"requests"`
}

// drive asks over conns connections, each in turn, for as long as said; warm requests are not counted.
func drive(t target, conns int, warm, long time.Duration) (result, error) {
	var wg sync.WaitGroup
	taken := make([][]time.Duration, conns)
	failed := make(chan error, conns)
	begin := time.Now().Add(warm)
	end := begin.Add(long)
	for i := range conns {
		wg.Go(func() {
			c, err := dial(t.addr)
			if err != nil {
				failed <- err
				return
			}
			defer c.Close()
			c.turn = i * len(t.requests) / conns
			for {
				at := time.Now()
				if at.After(end) {
					return
				}
				if err := c.ask(t); err != nil {
					failed <- err
					return
				}
				if at.After(begin) {
					taken[i] = append(taken[i], time.Since(at))
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	if err := <-failed; err != nil {
		return result{}, err
	}
	all := slices.Concat(taken...)
	slices.Sort(all)
	if len(all) == 0 {
		return result{}, errors.New("no request was finished")
	}
	ms := func(q float64) float64 {
		return float64(all[min(len(all)-1, int(q*float64(len(all))))].Microseconds()) / 1000
	}
	return result{Rate: float64(len(all)) / long.Seconds(), P50: ms(0.50), P99: ms(0.99), P95: ms(0.95), Requests: len(all)}, nil
}

// conn is a connection that is kept; it does as little as HTTP allows, because its work is counted too.
type conn struct {
	net.Conn
	in   *bufio.Reader
	body []byte
	turn int // which of the target's requests comes next
}

func dial(addr string) (*conn, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, in: bufio.NewReaderSize(c, 64<<10)}, nil
}

// ask sends the request and reads the answer whole.
func (c *conn) ask(t target) error {
	request := t.requests[c.turn%len(t.requests)]
	c.turn++
	if _, err := c.Write(request); err != nil {
		return err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
		return fmt.Errorf("%s answered %s", t.addr, strings.TrimSpace(string(line)))
	}
	length, chunked := -1, false
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if v, ok := header(line, "content-length"); ok {
			if length, err = strconv.Atoi(v); err != nil {
				return err
			}
		}
		if v, ok := header(line, "transfer-encoding"); ok {
			chunked = v == "chunked"
		}
	}
	if err := c.read(length, chunked); err != nil {
		return err
	}
	if !bytes.Contains(c.body, t.holds) {
		return fmt.Errorf("an answer of %s of %d bytes does not hold %q", t.addr, len(c.body), t.holds)
	}
	return nil
}

func header(line []byte, name string) (string, bool) {
	if len(line) <= len(name) || line[len(name)] != ':' || !bytes.EqualFold(line[:len(name)], []byte(name)) {
		return "", false
	}
	return string(bytes.TrimSpace(line[len(name)+1:])), true
}

func (c *conn) read(length int, chunked bool) error {
	c.body = c.body[:0]
	if !chunked {
		return c.take(length)
	}
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(line)), 16, 32)
		if err != nil {
			return err
		}
		if err := c.take(int(n)); err != nil {
			return err
		}
		if _, err := c.in.Discard(2); err != nil || n == 0 {
			return err
		}
	}
}

func (c *conn) take(n int) error {
	at := len(c.body)
	c.body = slices.Grow(c.body, max(n, 0))[:at+max(n, 0)]
	_, err := io.ReadFull(c.in, c.body[at:])
	return err
}
