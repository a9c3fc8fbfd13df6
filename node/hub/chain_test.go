package hub_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	mathbig "math/big"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
	"github.com/lienthong/lienthong/node/hub"
	"github.com/lienthong/lienthong/node/sink"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// chain is the whole way of a Document on one machine, three stores deep: the
// node of a sender, a hub, the node of a receiver, and status 01 back.
type chain struct {
	tb       testing.TB
	sender   *node.Node
	receiver *node.Node

	called atomic.Int64 // when the sender's axis was asked to take a Document last, in nanoseconds

	mu   sync.Mutex
	back map[string]chan struct{} // by Transfer: closed when its 01 is recorded at the sender
}

// calling is the sender's axis, which notices when it is called.
type calling struct {
	node.Axis
	chain *chain
}

func (c calling) Send(ctx context.Context, p *transport.Packet) (transport.Receipt, error) {
	c.chain.called.Store(time.Now().UnixNano())
	return c.Axis.Send(ctx, p)
}

// noticing is the sender's store, which notices what is committed.
type noticing struct {
	node.Store
	chain *chain
}

func (n noticing) Update(ctx context.Context, id string, change func(*node.Transfer) error) (*node.Transfer, error) {
	t, err := n.Store.Update(ctx, id, change)
	if err == nil && t.Direction == node.Out && len(t.Receivers) == 1 && t.Receivers[0].Code == edxml.StatusArrived {
		n.chain.came(id)
	}
	return t, err
}

// waiting returns the channel of a Transfer.
func (c *chain) waiting(id string) chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.back[id] == nil {
		c.back[id] = make(chan struct{})
	}
	return c.back[id]
}

// testKey is an RSA key of 2,048 bits with a certificate of its own making.
var testKey = sync.OnceValue(func() *signature.Key {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: mathbig.NewInt(1), Subject: pkix.Name{CommonName: "H41.1"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return &signature.Key{Signer: key, Chain: []*x509.Certificate{cert}}
})

// came notes that the 01 of a Transfer is recorded. It may come before the
// Receipt is, and that is a change of a Transfer with an 01, too.
func (c *chain) came(id string) {
	back := c.waiting(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-back:
	default:
		close(back)
	}
}

// newChain opens three stores, whose every fsync takes so much longer, and
// lets the nodes run.
func newChain(tb testing.TB, delay time.Duration, deliver sink.Func) *chain {
	tb.Helper()
	c := &chain{tb: tb, back: map[string]chan struct{}{}}
	store := func() *boltstore.Store {
		s, err := boltstore.OpenWith(tb.TempDir(), boltstore.Options{SyncDelay: delay})
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { s.Close() })
		return s
	}
	pace := node.Backoff{First: 20 * time.Millisecond, Max: 50 * time.Millisecond}
	middle, err := node.New(node.Config{Organ: edxml.Organ{OrganID: "H41", OrganName: "Trục tỉnh"}, Store: store(), Recalls: node.PassRecall})
	if err != nil {
		tb.Fatal(err)
	}
	h, err := hub.New(middle, hub.Options{Alone: true, Default: hub.Limits{Rate: 1e6, Burst: 1e6, Bytes: 1 << 50}})
	if err != nil {
		tb.Fatal(err)
	}
	middle.Sink, middle.Statuses = h, h.Status
	server := httptest.NewUnstartedServer(h.Handler())
	server.Config = transport.NewHTTPServer(h.Handler())
	server.Start()
	tb.Cleanup(server.Close)
	axis := func(organ string) *edoc.Client {
		if err := h.Add(tb.Context(), hub.Agency{Organ: edxml.Organ{OrganID: organ, OrganName: "Đơn vị " + organ}}); err != nil {
			tb.Fatal(err)
		}
		token, err := h.NewToken(tb.Context(), organ, "test")
		if err != nil {
			tb.Fatal(err)
		}
		client := &edoc.Client{URL: server.URL, Organ: organ, Token: token, Follow: true, HTTP: transport.NewHTTPClient(transport.HTTPOptions{Conns: 128})}
		tb.Cleanup(func() { client.Close() })
		return client
	}
	run := func(cfg node.Config) *node.Node {
		cfg.Organ.OrganName = "Đơn vị " + cfg.Organ.OrganID
		cfg.Retry, cfg.Poll, cfg.Workers = pace, 5*time.Millisecond, 64
		n, err := node.New(cfg)
		if err != nil {
			tb.Fatal(err)
		}
		ctx, cancel := context.WithCancel(tb.Context())
		done := make(chan error, 1)
		go func() { done <- n.Run(ctx) }()
		tb.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				tb.Error(err)
			}
		})
		return n
	}
	roots := x509.NewCertPool()
	roots.AddCert(testKey().Chain[0])
	out, in := axis("H41.1"), axis("H41.2") // both are known before either asks who is
	c.sender = run(node.Config{Organ: edxml.Organ{OrganID: "H41.1"}, Axis: calling{out, c}, Store: noticing{store(), c}, Key: testKey()})
	c.receiver = run(node.Config{Organ: edxml.Organ{OrganID: "H41.2"}, Axis: in, Store: store(), Roots: roots, Policy: node.Require, Sink: deliver})
	return c
}

// written is the packet of a letter with one file, as a document system hands
// it over.
func written(tb testing.TB, number string, content []byte) []byte {
	tb.Helper()
	d := letter("H41.1", number, "", "H41.2")
	d.Attachments[0].Content, d.TraceHeaders = bytes.NewReader(content), nil
	var b bytes.Buffer
	if err := edxml.Write(&b, d); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// send sends a packet and waits until its status 01 is recorded.
func (c *chain) send(ctx context.Context, packet []byte) error {
	s, err := c.sender.Submit(ctx, bytes.NewReader(packet))
	if err != nil {
		return err
	}
	select {
	case <-c.waiting(s.Transfer.ID):
		return nil
	case <-time.After(time.Minute):
		return fmt.Errorf("transfer %s: no status 01 within a minute", s.Transfer.ID)
	case <-ctx.Done():
		return ctx.Err()
	}
}
