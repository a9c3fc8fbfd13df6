package node_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/sink"
	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/edoc"
)

// TestWalk takes one signed Document over HTTP from a ministry to a province
// and its statuses back.
func TestWalk(t *testing.T) {
	before := runtime.NumGoroutine()
	axis := newAxis(t)
	srv := httptest.NewServer(axis)
	defer srv.Close()
	client := func(organ string) *edoc.Client {
		return &edoc.Client{URL: srv.URL, Organ: organ, Token: axistest.Token(organ)}
	}
	fromClient, toClient := client("G22"), client("H41")
	outbox, inbox := openStore(t, t.TempDir()), openStore(t, t.TempDir())
	folder := sink.Folder{Dir: filepath.Join(t.TempDir(), "in")}
	fast := node.Backoff{First: 5 * time.Millisecond, Max: 20 * time.Millisecond}
	from := newNode(t, node.Config{Organ: ministry, Store: outbox, Axis: fromClient, Key: tested().key, Poll: 20 * time.Millisecond, Retry: fast})
	to := newNode(t, node.Config{Organ: province, Store: inbox, Axis: toClient, Sink: folder, Roots: tested().roots, Policy: node.Require, Poll: 20 * time.Millisecond, Retry: fast})
	stopFrom, stopTo := run(t, from), run(t, to)

	name := "Báo cáo số 118.pdf"
	empty := file{"phụ lục.txt", []byte("aGVsbG8=")} // looks like base64 and is none
	sub, err := from.Submit(t.Context(), strings.NewReader(string(single(t, document("118", "H41"), file{name, pdf}, empty))))
	if err != nil {
		t.Fatal(err)
	}
	var got *node.Transfer
	inbox.until(t, "confirmed", func() bool {
		got = only(t, inbox, node.In, edxml.KindDocument)
		return got != nil && got.State == node.Confirmed
	})
	for _, code := range []edxml.StatusCode{edxml.StatusAccepted, edxml.StatusDone} {
		if _, err := to.Report(t.Context(), got.ID, code, "", nil); err != nil {
			t.Fatal(err)
		}
	}
	var sent *node.Transfer
	outbox.until(t, "06 at the sender", func() bool {
		sent = must(outbox.Transfer(t.Context(), sub.Transfer.ID))
		return strings.Contains(codes(sent, "H41"), "01") && strings.Contains(codes(sent, "H41"), "03") && strings.Contains(codes(sent, "H41"), "06")
	})
	stopFrom()
	stopTo()

	if sent.State != node.Sent || sent.AxisID != got.AxisID || sent.AxisID == "" {
		t.Errorf("sent: state %s, number %q, at the receiver %q", sent.State, sent.AxisID, got.AxisID)
	}
	if sent.Receivers[0].Code != edxml.StatusDone {
		t.Errorf("the sender knows %q of it: %+v", sent.Receivers[0].Code, sent.Receivers[0].Events)
	}
	if got.Digest != sent.Digest || got.DocumentID != sent.DocumentID || got.Envelope != sent.Envelope {
		t.Errorf("what arrived is not what was sent:\n%+v\n%+v", got, sent)
	}
	if s := got.Signature; !s.Signed || s.Reason != "" || !strings.Contains(s.Signer, "Van thu") || len(s.Missing) != 0 || !slices.Contains(s.Coverage, name) {
		t.Errorf("verdict %+v", s)
	}
	if names := delivered(t, folder); !slices.Equal(names, []string{got.ID}) {
		t.Fatalf("delivered %v, want only %s", names, got.ID)
	}
	for _, f := range []file{{name, pdf}, empty} {
		if b := read(t, folder.Dir, got.ID, f.name); sum(b) != sum(f.content) {
			t.Errorf("%s: %q", f.name, b)
		}
	}
	if b := read(t, folder.Dir, got.ID, "envelope.xml"); sum(b) != sent.Envelope.SHA256 {
		t.Error("the envelope that was delivered is not the one that was signed")
	}
	for _, x := range []*node.Transfer{sent, got} {
		steps := ""
		for _, a := range x.Attempts {
			steps += a.Step + " "
			if a.Error != "" || a.Start.IsZero() {
				t.Errorf("attempt %+v", a)
			}
		}
		if want := map[node.Direction]string{node.Out: "send ", node.In: "fetch verify deliver confirm "}[x.Direction]; steps != want {
			t.Errorf("%sbox: attempts %q, want %q", x.Direction, steps, want)
		}
		if x = must(map[node.Direction]*noisy{node.Out: outbox, node.In: inbox}[x.Direction].Transfer(t.Context(), x.ID)); x.Lease != "" || !x.Due.IsZero() || x.Finished.IsZero() {
			t.Errorf("after the end: lease %q, due %v, finished %v", x.Lease, x.Due, x.Finished)
		}
	}
	fromClient.Close()
	toClient.Close()
	srv.Close()
	outbox.Close()
	inbox.Close()
	for limit := time.After(time.Minute); runtime.NumGoroutine() > before; {
		select {
		case <-limit:
			stack := make([]byte, 1<<20)
			t.Fatalf("goroutines were left behind:\n%s", stack[:runtime.Stack(stack, true)])
		default:
			runtime.Gosched()
		}
	}
}

// TestRunEnds checks that nothing of a node works on when Run has returned: in
// a bubble, a goroutine left behind is a failure.
func TestRunEnds(t *testing.T) {
	for _, when := range []string{"idle", "sending"} {
		t.Run(when, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := openStore(t, t.TempDir())
				sending := make(chan struct{})
				n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: &scripted{send: func(ctx context.Context, _ *packet) (receipt, error) {
					close(sending)
					<-ctx.Done()
					return receipt{}, ctx.Err()
				}}})
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- n.Run(ctx) }()
				if when == "sending" {
					submit(t, n, plain(t, "1"))
					<-sending
				}
				synctest.Wait()
				cancel()
				if err := <-done; err != nil {
					t.Errorf("Run: %v", err)
				}
				if when == "idle" {
					return
				}
				x := only(t, s, node.Out, edxml.KindDocument)
				if x.State != node.Queued || x.Lease != "" || !x.LeasedUntil.IsZero() || x.LastError != "" {
					t.Errorf("a clean stop left %s, lease %q, error %q", x.State, x.Lease, x.LastError)
				}
				if due := must(s.NextDue(t.Context(), node.Out)); due.After(time.Now()) {
					t.Errorf("after a clean stop the work waits until %v", due)
				}
			})
		})
	}
}

// Example walks one Document through two nodes and an axis.
func Example() {
	dir, err := os.MkdirTemp("", "node-example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	axis := axistest.New(axistest.Options{Dir: dir, Gentle: true})
	defer axis.Close()
	srv := httptest.NewServer(axis)
	defer srv.Close()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	open := func(o edxml.Organ, s node.Sink) *node.Node {
		client := &edoc.Client{URL: srv.URL, Organ: o.OrganID, Token: axistest.Token(o.OrganID)}
		return must(node.New(node.Config{Organ: o, Store: exampleStore(filepath.Join(dir, o.OrganID)), Axis: client, Sink: s, Poll: 20 * time.Millisecond}))
	}
	arrived := make(chan *node.Transfer, 1)
	from, to := open(ministry, nil), open(province, hand(arrived))
	for _, n := range []*node.Node{from, to} {
		go n.Run(ctx)
	}

	s, err := from.Submit(ctx, strings.NewReader(examplePacket()))
	if err != nil {
		panic(err)
	}
	fmt.Println(s.Transfer.State, s.Transfer.Code)
	got := <-arrived
	fmt.Println("arrived from", got.From, "with", len(got.Parts), "file:", got.Signature.Reason)
	// Output:
	// queued 118/BC-BKHCN
	// arrived from G22 with 1 file: unsigned
}
