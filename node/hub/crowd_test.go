package hub_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/hub"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/vxp"
)

// The hub lists 1,000 at a time; a crowd is more than that.
const crowd = 1001

// crowdOf has one agency send another a crowd of files of another service, or
// of letters, past the wire.
func (w *town) crowdOf(service, from, to string) {
	w.t.Helper()
	g, ctx := errgroup.WithContext(w.t.Context())
	g.SetLimit(64) // so that they share commits
	for i := range crowd {
		g.Go(func() error {
			f := &vxp.File{Service: service, From: from, SystemID: from, Key: fmt.Sprint(service, i), To: []string{to}, Content: bytes.NewReader([]byte(fmt.Sprint(i)))}
			if service != "" {
				_, err := w.hub.AcceptFile(ctx, f)
				return err
			}
			var b bytes.Buffer
			if err := edxml.Write(&b, letter(from, fmt.Sprint(1000+i), "x", to)); err != nil {
				return err
			}
			r, err := edxml.NewReader(bytes.NewReader(b.Bytes()), edxml.ReadOptions{SkipContent: true})
			if err != nil {
				return err
			}
			f.Packet, f.Content = r.Packet(), &b
			_, err = w.hub.AcceptFile(ctx, f)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		w.t.Fatal(err)
	}
}

// TestCrowd keeps what waits of one service from hiding what waits of another,
// however much it is, on either wire; and a full list from asking further.
func TestCrowd(t *testing.T) {
	w := open(t, nil, hub.Options{})
	old := w.agency("H41.2")
	w.agency("H41.3")
	a, b := w.system("H41.2"), w.system("H41.3")
	soap := w.clientOf("H41.3")

	w.crowdOf("MCDT_DT", "H41.2", "H41.3")
	d := letter("H41.2", "7", "x", "H41.3")
	number := send(t, old, "7", "x", "H41.3").ID
	for name, c := range map[string]pending{"eDoc": soap, "VXP": b} {
		if got := waiting(t, c); len(got) != 1 || got[0] != number {
			t.Errorf("over %s behind files of another service: %v, want %s", name, got, number)
		}
	}
	if n, err := b.Count(t.Context(), edxml.KindDocument); err != nil || n != 1 {
		t.Errorf("documents that wait: %d, %v", n, err)
	}
	if list, err := b.Carried(t.Context(), "MCDT_DT"); err != nil || len(list) != crowd-1 {
		t.Errorf("one answer lists %d files, %v", len(list), err)
	}
	boxes, err := w.hub.Mailboxes(t.Context())
	if err != nil || boxes[1].Waiting != crowd+1 || boxes[1].Documents != crowd+1 {
		t.Errorf("mailboxes %+v, %v", boxes, err)
	}

	w.crowdOf("", "H41.3", "H41.2")
	if _, err := carry(t, b, []byte("y"), "H41.2"); err != nil {
		t.Fatal(err)
	}
	if list, err := a.Carried(t.Context(), "MCDT_DT"); err != nil || len(list) != 1 {
		t.Errorf("behind a crowd of documents: %+v, %v", list, err)
	}
	if n, err := a.Count(t.Context(), edxml.KindDocument); err != nil || n != crowd {
		t.Errorf("%d documents wait, want %d; %v", n, crowd, err)
	}

	// The letters follow their mailbox, and fill the list of the one it moved to.
	send(t, soap, "9", "x", "H41.3")
	if err := w.hub.Move(t.Context(), "H41.2", "H41.3"); err != nil {
		t.Fatal(err)
	}
	if got := waiting(t, soap); len(got) != crowd-1 {
		t.Errorf("one answer lists %d documents, want %d", len(got), crowd-1)
	}
	if err := soap.SendStatus(t.Context(), status("H41.3", d, edxml.StatusAccepted, "")); err != nil {
		t.Error(err)
	}
}

// TestPages finds what came after a moment, and what stands on a later page, of
// a list that is longer than one answer.
func TestPages(t *testing.T) {
	w := open(t, nil, hub.Options{})
	w.agency("H41.2")
	w.agency("H41.3")
	w.crowdOf("", "H41.2", "H41.3")
	between := time.Now().Add(time.Second).Truncate(time.Second) // the wire counts in seconds
	eventually(t, "a second to pass", func() bool { return time.Now().After(between) })
	last := send(t, w.clientOf("H41.2"), "7", "x", "H41.3").ID

	for _, q := range []struct {
		why  string
		q    vxp.Query
		want int
	}{
		{"one answer", vxp.Query{}, 1000},
		{"as many as are asked for", vxp.Query{Most: 2}, 2},
		{"the second page of 1,000", vxp.Query{Most: 2000}, crowd + 1},
		{"the late one", vxp.Query{Since: between}, 1},
		{"all but the late one", vxp.Query{Most: 2000, Until: between}, crowd},
		{"of a service that sent nothing", vxp.Query{Service: "MCDT_DT"}, 0},
	} {
		q.q.Kind = edxml.KindDocument
		list, err := w.hub.Deliveries(t.Context(), []string{"H41.3"}, q.q)
		if err != nil || len(list) != q.want {
			t.Errorf("%s: %d deliveries, %v; want %d", q.why, len(list), err, q.want)
		}
		if !q.q.Since.IsZero() && len(list) == 1 && list[0].ID != last {
			t.Errorf("%s: number %s, want %s", q.why, list[0].ID, last)
		}
	}
}

// clientOf makes another client of a hosted agency.
func (w *town) clientOf(id string) *edoc.Client {
	w.t.Helper()
	token, err := w.hub.NewToken(w.t.Context(), id, "another")
	if err != nil {
		w.t.Fatal(err)
	}
	c := &edoc.Client{URL: w.url, Organ: id, Token: token}
	w.t.Cleanup(func() { c.Close() })
	return c
}
