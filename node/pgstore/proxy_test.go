package pgstore

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between a store and its server and cuts connections at a COMMIT.
type proxy struct {
	net.Listener
	socket string
	cut    atomic.Int32 // how many commits are cut off
	away   atomic.Bool  // after a cut nobody is let through
	refuse atomic.Bool
	kept   atomic.Bool // cut after the server has answered, else before it hears of it
}

func newProxy(t *testing.T, socket string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, socket: socket}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if p.refuse.Load() {
				c.Close()
				continue
			}
			go p.serve(c)
		}
	}()
	return p
}

// through returns the address of the store behind url, by the proxy.
func (p *proxy) through(url string) string {
	host, port, _ := net.SplitHostPort(p.Addr().String())
	_, options, _ := strings.Cut(url, "&")
	return "postgres://postgres@" + host + ":" + port + "/postgres?sslmode=disable&" + options
}

func (p *proxy) serve(client net.Conn) {
	server, err := net.Dial("unix", p.socket)
	if err != nil {
		client.Close()
		return
	}
	var once sync.Once
	end := func() { once.Do(func() { client.Close(); server.Close() }) }
	defer end()
	var deaf atomic.Bool // what the server says is not passed on
	answered := make(chan struct{}, 1)
	go func() {
		defer end()
		b := make([]byte, 64<<10)
		for {
			n, err := server.Read(b)
			if n > 0 && deaf.Load() {
				select {
				case answered <- struct{}{}:
				default:
				}
			} else if n > 0 {
				if _, err := client.Write(b[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	queries := map[string]string{} // by the names of statements
	commits := false
	for first := true; ; first = false {
		kind, message, err := frontend(client, first)
		if err != nil {
			return
		}
		body := message[min(len(message), 5):]
		switch kind {
		case 'P':
			name, rest, _ := bytes.Cut(body, []byte{0})
			query, _, _ := bytes.Cut(rest, []byte{0})
			queries[string(name)] = string(query)
		case 'B':
			_, rest, _ := bytes.Cut(body, []byte{0})
			name, _, _ := bytes.Cut(rest, []byte{0})
			if commits = queries[string(name)] == "COMMIT" && p.cut.Add(-1) >= 0; commits && !p.kept.Load() {
				return
			}
		case 'S':
			if commits {
				deaf.Store(true)
			}
		}
		if _, err := server.Write(message); err != nil {
			return
		}
		if kind == 'S' && commits {
			<-answered
			p.refuse.Store(p.away.Load())
			return
		}
	}
}

// frontend reads one message of a client; the first has no kind.
func frontend(r io.Reader, first bool) (kind byte, message []byte, err error) {
	head := make([]byte, 5)
	if first {
		head = head[:4]
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, nil, err
	}
	if !first {
		kind = head[0]
	}
	size := binary.BigEndian.Uint32(head[len(head)-4:])
	body := make([]byte, size-4)
	_, err = io.ReadFull(r, body)
	return kind, append(head, body...), err
}
