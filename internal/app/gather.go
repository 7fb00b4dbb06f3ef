package app

import (
	"io"
	"net"
	"sync"
)

// headSize is net/http's buffer before a connection: head and beginning of a larger answer fill it and are
// sent, then the rest.
const headSize = 4 << 10

// gathering is a listener whose connections send both at once.
type gathering struct{ net.Listener }

func (l gathering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &gathered{TCPConn: tcp}, err
	}
	return c, err
}

// gathered holds a full buffer back until what follows it, so that a page takes one call of the system and
// wakes its reader once: a sixth of the time of a page that is kept. Where nothing follows, it is sent when
// the connection waits for the next request or ends.
type gathered struct {
	*net.TCPConn
	mu   sync.Mutex
	held []byte
	both [2][]byte // used again by each write, as is
	out  net.Buffers
}

func (g *gathered) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.held) == 0 {
		if len(p) == headSize {
			g.held = append(g.held, p...)
			return len(p), nil
		}
		return g.TCPConn.Write(p)
	}
	held := len(g.held)
	g.both = [2][]byte{g.held, p}
	g.out = g.both[:]
	n, err := g.out.WriteTo(g.TCPConn)
	g.held, g.both = g.held[:0], [2][]byte{}
	return max(0, int(n)-held), err
}

// release sends what is held. Who ends the connection does not wait for somebody who writes.
func (g *gathered) release(wait bool) error {
	if wait {
		g.mu.Lock()
	} else if !g.mu.TryLock() {
		return nil
	}
	defer g.mu.Unlock()
	if len(g.held) == 0 {
		return nil
	}
	_, err := g.TCPConn.Write(g.held)
	g.held = g.held[:0]
	return err
}

func (g *gathered) Read(p []byte) (int, error) {
	if err := g.release(true); err != nil {
		return 0, err
	}
	return g.TCPConn.Read(p)
}

// ReadFrom sends a file.
func (g *gathered) ReadFrom(r io.Reader) (int64, error) {
	if err := g.release(true); err != nil {
		return 0, err
	}
	return g.TCPConn.ReadFrom(r)
}

func (g *gathered) CloseWrite() error {
	_ = g.release(false)
	return g.TCPConn.CloseWrite()
}

func (g *gathered) Close() error {
	_ = g.release(false)
	return g.TCPConn.Close()
}
