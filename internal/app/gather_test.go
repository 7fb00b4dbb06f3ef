package app

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// TestGathered: answers of every size around net/http's buffer arrive whole and at once, one after the other and
// asked for together, with a length and without, from memory and from a stream, and a connection that ends
// keeps nothing back.
func TestGathered(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	body := bytes.Repeat([]byte("0123456789abcdef"), 8<<10)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("n"))
		w.Header().Set("Content-Type", "text/plain")
		if r.FormValue("length") != "" {
			w.Header().Set("Content-Length", strconv.Itoa(n))
		}
		switch r.FormValue("how") {
		case "stream":
			_, _ = io.Copy(w, io.LimitReader(bytes.NewReader(body), int64(n)))
		case "pieces":
			for at := 0; at < n; at += 512 {
				_, _ = w.Write(body[at:min(at+512, n)])
			}
		default:
			_, _ = w.Write(body[:n])
		}
	})}
	defer srv.Close()
	go func() { _ = srv.Serve(gathering{l}) }()

	head := func(query, more string) string {
		return "GET /?" + query + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n"
	}
	read := func(in *bufio.Reader, query string, n int) {
		t.Helper()
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(query, err)
		}
		got, err := io.ReadAll(res.Body)
		if err != nil || !bytes.Equal(got, body[:n]) {
			t.Fatal(query, len(got), err)
		}
	}
	dial := func() (net.Conn, *bufio.Reader) {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // of a test that fails
		return c, bufio.NewReader(c)
	}
	c, in := dial()
	defer c.Close()
	ask := func(query string, n int) {
		if _, err := io.WriteString(c, head(query, "")); err != nil {
			t.Fatal(err)
		}
		read(in, query, n)
	}
	for n := headSize - 400; n <= headSize+20; n++ { // among them the ones whose head and body just fill the buffer
		ask(fmt.Sprintf("n=%d&length=1", n), n)
	}
	for _, n := range []int{0, 1, headSize, 2 * headSize, 38_000, len(body)} {
		for _, how := range []string{"", "stream", "pieces"} {
			for _, length := range []string{"", "1"} {
				ask(fmt.Sprintf("n=%d&how=%s&length=%s", n, how, length), n)
			}
		}
	}
	together := ""
	for n := headSize - 300; n < headSize; n++ {
		together += head(fmt.Sprintf("n=%d&length=1", n), "")
	}
	if _, err := io.WriteString(c, together); err != nil {
		t.Fatal(err)
	}
	for n := headSize - 300; n < headSize; n++ {
		read(in, "together", n)
	}
	for n := headSize - 300; n < headSize; n += 3 {
		last, in := dial()
		if _, err := io.WriteString(last, head(fmt.Sprintf("n=%d&length=1", n), "Connection: close\r\n")); err != nil {
			t.Fatal(err)
		}
		read(in, "last", n)
		last.Close()
	}
}
