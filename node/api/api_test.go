package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
)

// door opens a node and gives a client for it through a real socket and one in process.
func open(t *testing.T) (*node.Node, map[string]*Client) {
	t.Helper()
	s, err := boltstore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	n, err := node.New(node.Config{Organ: edxml.Organ{OrganID: "G22", OrganName: "Bộ"}, Store: s})
	if err != nil {
		t.Fatal(err)
	}
	return n, clients(t, New(n, Options{}).Local())
}

func clients(t *testing.T, routes http.Handler) map[string]*Client {
	t.Helper()
	socket := filepath.Join(shortDir(t), "s")
	l, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: routes}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	dial := Dial(socket)
	t.Cleanup(func() {
		dial.http.CloseIdleConnections()
		srv.Close()
		<-done
	})
	return map[string]*Client{"socket": dial, "in process": InProcess(routes)}
}

// shortDir is a folder whose path leaves room for a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "api")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func packet(t *testing.T, number string, content []byte) []byte {
	t.Helper()
	d := &edxml.Document{
		From: edxml.Organ{OrganID: "G22", OrganName: "Bộ"}, To: []edxml.Organ{{OrganID: "H41"}},
		Code:             edxml.Code{CodeNumber: number, CodeNotation: "VPCP-TTĐT"},
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: "2026/03/02"}, Subject: "Về việc " + number,
		Attachments: []edxml.Attachment{{Name: number + ".pdf", Content: bytes.NewReader(content)}},
	}
	d.DocumentID = edxml.DocumentID("G22", "2026/03/02", d.Code)
	var b bytes.Buffer
	if err := edxml.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// receive puts a Document into the inbox.
func receive(t *testing.T, n *node.Node, id, document string) {
	t.Helper()
	c, err := n.Store.Put(t.Context(), strings.NewReader("<x/>"))
	if err != nil {
		t.Fatal(err)
	}
	err = n.Store.Create(t.Context(), &node.Transfer{ID: id, Direction: node.In, State: node.Confirmed, Kind: edxml.KindDocument, From: "H41",
		DocumentID: document, Code: "1/X", Digest: "d", Envelope: c, Unique: []string{"secret key " + id}, Lease: "holder",
		Lookup: []string{fmt.Sprintf("document in %q", document), "waiting"}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRoutes goes through every route, by both ways.
func TestRoutes(t *testing.T) {
	for _, way := range []string{"socket", "in process"} {
		t.Run(way, func(t *testing.T) {
			n, all := open(t)
			c, ctx := all[way], t.Context()
			content := bytes.Repeat([]byte("nội dung\x00"), 100_000)
			sub, err := c.Submit(ctx, bytes.NewReader(packet(t, "1", content)))
			if err != nil || sub.Existed || sub.Transfer.State != node.Queued || len(sub.Findings) == 0 {
				t.Fatalf("submit: %+v, %v", sub, err)
			}
			if again, err := c.Submit(ctx, bytes.NewReader(packet(t, "1", content))); err != nil || !again.Existed || again.Transfer.ID != sub.Transfer.ID {
				t.Errorf("submit again: %+v, %v", again, err)
			}
			second, err := c.Submit(ctx, bytes.NewReader(packet(t, "2", content)))
			if err != nil {
				t.Fatal(err)
			}
			id := sub.Transfer.ID
			for _, ref := range []string{id, id[len(id)-6:], sub.Transfer.DocumentID} { // a DocumentId has slashes
				x, err := c.Transfer(ctx, node.Out, ref)
				if err != nil || x.ID != id || len(x.Unique)+len(x.Lookup) != 0 || x.Lease != "" {
					t.Errorf("transfer %q: %+v, %v", ref, x, err)
				}
			}
			page, err := c.List(ctx, node.Out, "", 1)
			if err != nil || len(page) != 1 || page[0].ID != second.Transfer.ID {
				t.Errorf("list: %+v, %v", page, err)
			}
			if page, err = c.List(ctx, node.Out, page[0].ID, 10); err != nil || len(page) != 1 || page[0].ID != id {
				t.Errorf("list before: %+v, %v", page, err)
			}
			if page, err = c.List(ctx, node.In, "", 0); err != nil || len(page) != 0 {
				t.Errorf("inbox: %+v, %v", page, err)
			}
			if why, err := c.Why(ctx, node.Out, id); err != nil || !strings.Contains(why.VI, "trục") || !strings.Contains(why.EN, "axis") {
				t.Errorf("why: %+v, %v", why, err)
			}
			for what, open := range map[string]func() (io.ReadCloser, error){
				"nội dung": func() (io.ReadCloser, error) { return c.File(ctx, node.Out, id, 0) },
				"Envelope": func() (io.ReadCloser, error) { return c.Envelope(ctx, node.Out, id) },
			} {
				r, err := open()
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(r)
				r.Close()
				if err != nil || !bytes.Contains(b, []byte(what)) || what == "nội dung" && !bytes.Equal(b, content) {
					t.Errorf("%s: %d octets, %v", what, len(b), err)
				}
			}
			if r, err := c.File(ctx, node.Out, id, 0); err != nil { // closed in the middle
				t.Error(err)
			} else {
				r.Close()
			}
			receive(t, n, "in-1", "d1")
			st, err := c.Report(ctx, "in-1", Report{Code: "02", Description: "sai nơi nhận", StaffInfo: &edxml.StaffInfo{Staff: "Mai"}})
			if err != nil || st.Kind != edxml.KindStatus || st.Status.Description != "sai nơi nhận" || st.Status.StaffInfo.Staff != "Mai" {
				t.Errorf("report: %+v, %v", st, err)
			}

			receive(t, n, "in-2", "d1")
			var ambiguous *node.AmbiguousError
			if _, err := c.Transfer(ctx, node.In, "d1"); !errors.As(err, &ambiguous) || !strings.Contains(err.Error(), "in-2") {
				t.Errorf("ambiguous: %v", err)
			}
			var p *Problem
			for what, err := range map[string]error{
				"transfer":    second2(c.Transfer(ctx, node.Out, "nothing/such")),
				"other box":   second2(c.Transfer(ctx, node.In, id)),
				"why":         second2(c.Why(ctx, node.Out, "nothing")),
				"file":        second2(c.File(ctx, node.Out, id, 1)),
				"file before": second2(c.File(ctx, node.Out, id, -1)),
				"envelope":    second2(c.Envelope(ctx, node.In, "nothing")),
				"report":      second2(c.Report(ctx, "nothing", Report{Code: "03"})),
			} {
				if !errors.Is(err, node.ErrNotFound) || !errors.As(err, &p) || p.Status != http.StatusNotFound {
					t.Errorf("%s of nothing: %v", what, err)
				}
			}
			if _, err := c.Report(ctx, "in-1", Report{Code: "03", Description: strings.Repeat("x", maxRequest)}); !errors.As(err, &p) || p.Code != "too-large" {
				t.Errorf("oversize report: %v", err)
			}
			var invalid *node.InvalidError
			if _, err := c.Report(ctx, "in-1", Report{Code: "77"}); !errors.As(err, &invalid) || invalid.Findings[0].Rule != "ST-1" || invalid.Findings[0].Message.VI == invalid.Findings[0].Message.EN {
				t.Errorf("no such code: %v", err)
			}
			// refused at the first octets, while 8 MB are still on their way
			late := io.MultiReader(strings.NewReader("<!DOCTYPE x>"), bytes.NewReader(make([]byte, 8<<20)))
			if _, err := c.Submit(ctx, late); !errors.Is(err, xmlscan.ErrDTD) {
				t.Errorf("a big packet with a DTD: %v", err)
			}
			gone, cancel := context.WithCancel(ctx)
			cancel()
			if _, err := c.List(gone, node.Out, "", 1); !errors.Is(err, context.Canceled) {
				t.Errorf("a call that was given up: %v", err)
			}
		})
	}
}

func second2[T any](_ T, err error) error { return err }

// TestProblems sends every kind of refusal through the door.
func TestProblems(t *testing.T) {
	invalid := &node.InvalidError{Findings: []edxml.Finding{{Rule: "X-1", Severity: edxml.Error, Message: edxml.Text{VI: "sai", EN: "wrong"}, Pos: xmlscan.Pos{Line: 3, Column: 4}}}}
	as := func(want any) func(error) bool { return func(err error) bool { return errors.As(err, want) } }
	is := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	for _, c := range []struct {
		err    error
		status int
		same   func(error) bool
	}{
		{invalid, 422, func(err error) bool {
			var e *node.InvalidError
			return errors.As(err, &e) && e.Error() == invalid.Error() && e.Findings[0].Message == invalid.Findings[0].Message
		}},
		{&node.UnknownReceiverError{OrganIDs: []string{"X", "Y"}}, 422, func(err error) bool {
			var e *node.UnknownReceiverError
			return errors.As(err, &e) && len(e.OrganIDs) == 2
		}},
		{&xmlscan.SyntaxError{Err: xmlscan.ErrDTD}, 422, is(xmlscan.ErrDTD)},
		{&xmlscan.SyntaxError{Err: xmlscan.ErrTruncated}, 422, is(xmlscan.ErrTruncated)},
		{&xmlscan.SyntaxError{Err: xmlscan.ErrNotXML}, 422, is(xmlscan.ErrNotXML)},
		{&xmlscan.SyntaxError{Text: "broken"}, 422, as(new(*xmlscan.SyntaxError))},
		{edxml.ErrNotPacket, 422, is(edxml.ErrNotPacket)},
		{&xmlscan.LimitError{}, 422, as(new(*xmlscan.LimitError))},
		{&edxml.LimitError{Limit: "attachment", Max: 7}, 422, as(new(*edxml.LimitError))},
		{node.ErrForeignSender, 422, is(node.ErrForeignSender)},
		{node.ErrOtherContent, 409, is(node.ErrOtherContent)},
		{node.ErrSignatureLost, 422, is(node.ErrSignatureLost)},
		{&node.AmbiguousError{Ref: "x", IDs: []string{"1", "2"}}, 409, as(new(*node.AmbiguousError))},
		{node.ErrBusy, 503, is(node.ErrBusy)},
		{node.ErrNotFound, 404, is(node.ErrNotFound)},
		{syscall.ENOSPC, 507, is(syscall.ENOSPC)},
		{syscall.EFBIG, 507, is(syscall.EFBIG)},
		{io.ErrUnexpectedEOF, 400, is(io.ErrUnexpectedEOF)},
		{errors.New("anything"), 500, func(err error) bool { return errors.Unwrap(err) == nil }},
	} {
		err := fmt.Errorf("around: %w", c.err)
		for way, client := range clients(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { refuse(w, err) })) {
			_, got := client.Transfer(t.Context(), node.Out, "x")
			var p *Problem
			if !errors.As(got, &p) || p.Status != c.status || p.Detail != err.Error() || !c.same(got) {
				t.Errorf("%s: %v came back as %+v", way, err, p)
			}
		}
	}
}

// TestNoProblem has a server that is no node.
func TestNoProblem(t *testing.T) {
	for way, client := range clients(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "nginx", http.StatusBadGateway) })) {
		if _, err := client.Transfer(t.Context(), node.Out, "x"); err == nil || !strings.Contains(err.Error(), "GET /v1/outbox/x") {
			t.Errorf("%s: %v", way, err)
		}
	}
	if _, err := Dial(filepath.Join(shortDir(t), "none")).Transfer(t.Context(), node.Out, "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no socket: %v", err)
	}
}

// TestCutContent reads a content that breaks off: the reader must see it.
func TestCutContent(t *testing.T) {
	for way, client := range clients(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "half")
	})) {
		r, err := client.Envelope(t.Context(), node.In, "x")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); err == nil {
			t.Errorf("%s: half a file passes as whole", way)
		}
		r.Close()
	}
}

// TestListen opens, replaces and refuses sockets.
func TestListen(t *testing.T) {
	dir := shortDir(t)
	socket := filepath.Join(dir, "s")
	l, err := Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Listen(socket); err == nil || !strings.Contains(err.Error(), "answers") {
		t.Errorf("a second node: %v", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // as a crash leaves it
	l.Close()
	if l, err = Listen(socket); err != nil {
		t.Fatalf("a dead node's socket: %v", err)
	}
	l.Close()
	if err := os.WriteFile(socket, []byte("a user's file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(socket); err == nil {
		t.Error("a file passed as a socket")
	}
	if b, _ := os.ReadFile(socket); string(b) != "a user's file" {
		t.Errorf("the user's file is now %q", b)
	}
	if _, err := Listen(filepath.Join(dir, strings.Repeat("x", 120))); err == nil || !strings.Contains(err.Error(), "nearer to the root") {
		t.Errorf("a long path: %v", err)
	}
	if _, err := Listen(filepath.Join(dir, "none", "s")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// A client collects a Document: it lists, holds, takes for good, and what was
// taken cannot be held again.
func TestClientTakes(t *testing.T) {
	n, all := open(t)
	for name, c := range all {
		id, ctx := "in-"+strings.ReplaceAll(name, " ", "-"), t.Context()
		receive(t, n, id, "document of "+name)
		waiting, err := c.Waiting(ctx, 10)
		if err != nil || len(waiting) != 1 || waiting[0].ID != id {
			t.Fatalf("%s: waiting %v, error %v", name, waiting, err)
		}
		taken, err := c.Take(ctx, id, 60)
		if err != nil || taken.Transfer.ID != id || taken.Lease == "" {
			t.Fatalf("%s: taken %+v, error %v", name, taken, err)
		}
		var p *Problem
		if _, err := c.Done(ctx, id, "another lease"); !errors.As(err, &p) || p.Code != "held" {
			t.Errorf("%s: done under another lease: %v", name, err)
		}
		if _, err := c.Done(ctx, id, taken.Lease); err != nil {
			t.Errorf("%s: done: %v", name, err)
		}
		if _, err := c.Take(ctx, id, 60); !errors.As(err, &p) || p.Code != "taken" {
			t.Errorf("%s: taken twice: %v", name, err)
		}
		if waiting, err := c.Waiting(ctx, 10); err != nil || len(waiting) != 0 {
			t.Errorf("%s: still waiting: %v, error %v", name, waiting, err)
		}
	}
}
