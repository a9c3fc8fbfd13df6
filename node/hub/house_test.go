package hub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
	"github.com/lienthong/lienthong/node/hub"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/vxp"
)

// town is a hub with its door open.
type town struct {
	t     testing.TB
	store *boltstore.Store
	node  *node.Node
	hub   *hub.Hub
	url   string
}

// open opens a hub. The axis is that of the node upstream, nil for none.
func open(t testing.TB, axis node.Axis, o hub.Options) *town {
	t.Helper()
	store, err := boltstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if o.Key == nil {
		o.Key = bytes.Repeat([]byte{7}, 32)
	}
	if o.Default.Rate == 0 {
		o.Default.Rate = 1e6 // tests ask as fast as they can
	}
	n, err := node.New(node.Config{
		Organ: edxml.Organ{OrganID: "H41", OrganName: "Trục tỉnh Nghệ An"}, Store: store, Axis: axis, Wire: o.Upstream.Profile(), Recalls: node.PassRecall,
		Poll: 20 * time.Millisecond, Retry: node.Backoff{First: 20 * time.Millisecond, Max: 50 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := hub.New(n, o)
	if err != nil {
		t.Fatal(err)
	}
	n.Sink, n.Statuses = h, h.Status
	server := httptest.NewServer(h.Handler())
	t.Cleanup(server.Close)
	return &town{t, store, n, h, server.URL}
}

// run lets the node of the town work until the test ends.
func (w *town) run() {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.node.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
}

// agency hosts an agency and returns its client.
func (w *town) agency(id string, change ...func(*hub.Agency)) *edoc.Client {
	w.t.Helper()
	a := hub.Agency{Organ: edxml.Organ{OrganID: id, OrganName: "Đơn vị " + id}}
	for _, c := range change {
		c(&a)
	}
	if err := w.hub.Add(w.t.Context(), a); err != nil {
		w.t.Fatal(err)
	}
	token, err := w.hub.NewToken(w.t.Context(), id, "test")
	if err != nil {
		w.t.Fatal(err)
	}
	c := &edoc.Client{URL: w.url, Organ: id, Token: token}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// system gives an agency a VXP secret and returns its client.
func (w *town) system(id string) *vxp.Client {
	w.t.Helper()
	secret := hub.NewSecret()
	sealed, err := w.hub.Seal(id, secret)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.hub.Change(w.t.Context(), id, func(a *hub.Agency) error { a.Secret = sealed; return nil }); err != nil {
		w.t.Fatal(err)
	}
	c := &vxp.Client{URL: w.url, SystemID: id, Secret: secret}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// letter is a Document of one file.
func letter(from, number, content string, to ...string) *edxml.Document {
	d := &edxml.Document{
		From:             edxml.Organ{OrganID: from, OrganName: "Đơn vị " + from},
		Code:             edxml.Code{CodeNumber: number, CodeNotation: "UBND-VX"},
		PromulgationInfo: edxml.PromulgationInfo{Place: "Vinh", PromulgationDate: "2026/03/02"}, Subject: "Về việc " + number,
		TraceHeaders: []edxml.TraceHeader{{OrganID: from, Timestamp: "2026/03/02 08:00:00"}},
		Attachments:  []edxml.Attachment{{Name: "Công văn " + number + ".pdf", ContentID: "file-1", Content: strings.NewReader(content)}},
	}
	for _, id := range to {
		d.To = append(d.To, edxml.Organ{OrganID: id, OrganName: "Đơn vị " + id})
	}
	d.DocumentID = edxml.DocumentID(from, "2026/03/02", d.Code)
	return d
}

// packet is the Document as the wire of eDoc carries it.
func packet(t testing.TB, d *edxml.Document, content string) *transport.Packet {
	t.Helper()
	var b bytes.Buffer
	if err := edxml.WriteEnvelope(&b, d); err != nil {
		t.Fatal(err)
	}
	r, err := edxml.NewReader(bytes.NewReader(b.Bytes()), edxml.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &transport.Packet{
		Envelope: bytesOf(b.Bytes()), TokenAt: r.Packet().HeaderEnd,
		Parts: []transport.Part{{ID: "file-1", Type: "application/pdf", Content: bytesOf([]byte(content))}},
	}
}

func bytesOf(b []byte) transport.Content {
	return transport.Content{Size: int64(len(b)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

// send sends a letter and returns the number it was given.
func send(t testing.TB, c *edoc.Client, number, content string, to ...string) transport.Receipt {
	t.Helper()
	r, err := c.Send(t.Context(), packet(t, letter(c.Organ, number, content, to...), content))
	if err != nil {
		t.Fatalf("%s sends %s: %v", c.Organ, number, err)
	}
	return r
}

// pending is a client of either wire that asks what waits.
type pending interface {
	Pending(context.Context) ([]transport.Pending, error)
}

// waiting returns the numbers of what waits for an agency.
func waiting(t testing.TB, c pending) []string {
	t.Helper()
	list, err := c.Pending(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, p := range list {
		ids = append(ids, p.ID)
	}
	return ids
}

// one fails unless exactly one Document waits, and returns its number.
func one(t testing.TB, c pending) string {
	t.Helper()
	ids := waiting(t, c)
	if len(ids) != 1 {
		t.Fatalf("%d documents wait, want 1: %v", len(ids), ids)
	}
	return ids[0]
}

// collected is a Document as a client got it.
type collected struct {
	*edxml.Packet
	file string
}

// collect fetches a Document, with its one file.
func collect(t testing.TB, c interface {
	Fetch(context.Context, string) (transport.Incoming, error)
}, id string) collected {
	t.Helper()
	in, err := c.Fetch(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	root, err := in.Next()
	if err != nil {
		t.Fatal(err)
	}
	var got collected
	r, err := edxml.NewReader(root.Content, edxml.ReadOptions{Parts: func() (*edxml.Part, error) {
		p, err := in.Next()
		if err != nil {
			return nil, err
		}
		return &edxml.Part{ID: p.ID, Type: p.Type, Content: p.Content}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	got.Packet = r.Packet()
	for {
		a, err := r.Next()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(a.Content)
		if err != nil {
			t.Fatal(err)
		}
		got.file += string(b)
	}
}

// codes returns the Statuses addressed to an organ as "receiver code".
func codes(t testing.TB, c interface {
	Statuses(context.Context, time.Time) ([]edxml.Status, error)
}) string {
	t.Helper()
	list, err := c.Statuses(t.Context(), time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range list {
		all = append(all, fmt.Sprintf("%s %s", s.From.OrganID, s.StatusCode))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// status is what a receiver says about a letter.
func status(from string, d *edxml.Document, code edxml.StatusCode, description string) *edxml.Status {
	return &edxml.Status{
		From: edxml.Organ{OrganID: from, OrganName: "Đơn vị " + from},
		ResponseFor: edxml.ResponseFor{
			OrganID: d.From.OrganID, Code: d.Code.String(), DocumentID: d.DocumentID, PromulgationDate: d.PromulgationInfo.PromulgationDate,
		},
		StaffInfo: &edxml.StaffInfo{Staff: "Mai"}, StatusCode: code, Description: description, Timestamp: edxml.TimestampOf(time.Now()),
	}
}

// refused fails unless err is a Fault with this code and text.
func refused(t testing.TB, err error, code, text string) {
	t.Helper()
	var f *transport.Fault
	if !errors.As(err, &f) || f.Code != code || !strings.Contains(f.Text, text) {
		t.Errorf("refused with %v, want %s and %q", err, code, text)
	}
}

// eventually waits until a condition holds; the node works beside the test.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("not in time: %s", what)
		case <-tick.C:
		}
	}
}
