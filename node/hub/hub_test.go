package hub_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/hub"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/vxp"
)

// TestMail lets a letter and the statuses about it go between agencies that
// are hosted here.
func TestMail(t *testing.T) {
	w := open(t, nil, hub.Options{})
	a, b, c := w.agency("H41.1"), w.agency("H41.2"), w.agency("000.00.03.H41")
	const content = "%PDF-1.7 thư"
	d := letter("H41.1", "7", content, "H41.2", "H41.03", "000.00.03.H41") // the last two are one agency
	receipt := send(t, a, "7", content, "H41.2", "H41.03", "000.00.03.H41")

	if again := send(t, a, "7", content, "H41.2", "H41.03", "000.00.03.H41"); again.ID != receipt.ID {
		t.Errorf("sent again: number %s, first %s", again.ID, receipt.ID)
	}
	_, err := a.Send(t.Context(), packet(t, letter("H41.1", "7", "khác", "H41.2"), "khác"))
	refused(t, err, edoc.CodeOtherContent, "H41.1")

	if ids := waiting(t, a); len(ids) != 0 {
		t.Errorf("for the sender wait %v", ids)
	}
	for _, to := range []*edoc.Client{b, c} {
		id := one(t, to)
		got := collect(t, to, id)
		if got.file != content || got.Document.DocumentID != d.DocumentID || got.Credential != nil {
			t.Errorf("%s got %q, %+v", to.Organ, got.file, got.Document)
		}
		for range 2 { // repeating it changes nothing
			if err := to.Acknowledge(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if left := waiting(t, to); len(left) != 0 {
			t.Errorf("for %s wait %v after it confirmed", to.Organ, left)
		}
		collect(t, to, id) // once more, as at the BKAV axis
	}
	if got := codes(t, a); got != "H41.03 01, H41.2 01" {
		t.Errorf("the sender sees %q", got)
	}
	for range 2 {
		if err := b.SendStatus(t.Context(), status("H41.2", d, edxml.StatusAccepted, "")); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.SendStatus(t.Context(), status("000.00.03.H41", d, edxml.StatusRefused, "nhầm nơi nhận")); err != nil {
		t.Fatal(err)
	}
	if got := codes(t, a); got != "000.00.03.H41 02, H41.03 01, H41.2 01, H41.2 03" {
		t.Errorf("the sender sees %q", got)
	}
	takeBack := status("H41.1", d, edxml.StatusTakeBack, "gửi nhầm")
	takeBack.ResponseFor.OrganID = "H41.2"
	if err := a.SendStatus(t.Context(), takeBack); err != nil {
		t.Fatal(err)
	}
	if got := codes(t, b); got != "H41.1 13" {
		t.Errorf("the receiver sees %q", got)
	}
	// what was not sent between two organs cannot be spoken of
	refused(t, c.SendStatus(t.Context(), status("000.00.03.H41", letter("H41.2", "9", ""), edxml.StatusDone, "")), edoc.CodeStatusDocument, "H41.2")
	refused(t, a.SendStatus(t.Context(), status("H41.1", d, edxml.StatusDone, "")), edoc.CodeStatusDocument, "H41.1")
}

// TestStrangers refuses whoever does not belong here, by name.
func TestStrangers(t *testing.T) {
	w := open(t, nil, hub.Options{})
	a, b := w.agency("H41.1", func(a *hub.Agency) { a.Speaks = []string{"H41.1.5"} }), w.agency("H41.2")
	_, err := a.Send(t.Context(), packet(t, letter("H41.1", "1", "x", "H41.2", "H41.8", "H41.9"), "x"))
	refused(t, err, edoc.CodeUnknownReceiver, "H41.8, H41.9")
	if ids := waiting(t, b); len(ids) != 0 {
		t.Errorf("half a document was delivered: %v", ids)
	}
	_, err = a.Send(t.Context(), packet(t, letter("H41.2", "1", "x", "H41.2"), "x"))
	refused(t, err, edoc.CodePermission, "H41.2")
	if _, err := a.Send(t.Context(), packet(t, letter("H41.1.5", "1", "x", "H41.2"), "x")); err != nil {
		t.Errorf("for a body it speaks for: %v", err)
	}
	id := one(t, b)
	_, err = a.Fetch(t.Context(), id)
	refused(t, err, edoc.CodeNotReceiver, "H41.1")
	refused(t, a.Acknowledge(t.Context(), id), edoc.CodeConfirm, "H41.1")
	for what, c := range map[string]*edoc.Client{
		"wrong token": {URL: w.url, Organ: "H41.1", Token: "no"}, "another's token": {URL: w.url, Organ: "H41.1", Token: b.Token},
		"no agency": {URL: w.url, Organ: "H41.7", Token: a.Token},
	} {
		if _, err := c.Pending(t.Context()); err == nil {
			t.Errorf("%s: was let in", what)
		}
	}
}

// TestSpeaks gives an agency the mail of the bodies it speaks for, once, and
// reports for each of them.
func TestSpeaks(t *testing.T) {
	w := open(t, nil, hub.Options{})
	a := w.agency("G22")
	b := w.agency("H41", func(a *hub.Agency) { a.Speaks = []string{"H41.1", "H41.02"} })
	d := letter("G22", "1", "x", "H41.1", "000.00.02.H41")
	send(t, a, "1", "x", "H41.1", "000.00.02.H41")
	id := one(t, b)
	if err := b.Acknowledge(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := b.SendStatus(t.Context(), status("H41.02", d, edxml.StatusAccepted, "")); err != nil {
		t.Fatal(err)
	}
	if got := codes(t, a); got != "000.00.02.H41 01, H41.02 03, H41.1 01" {
		t.Errorf("the sender sees %q", got)
	}
	refused(t, b.SendStatus(t.Context(), status("H41.3", d, edxml.StatusAccepted, "")), edoc.CodePermission, "H41.3")
	send(t, b, "2", "y", "G22")
	_, err := b.Send(t.Context(), packet(t, letter("H41.1", "3", "z", "G22"), "z"))
	if err != nil {
		t.Error(err)
	}
	if n := len(waiting(t, a)); n != 2 {
		t.Errorf("%d documents wait for G22", n)
	}
}

// TestAgencies adds, changes, moves and closes agencies.
func TestAgencies(t *testing.T) {
	w := open(t, nil, hub.Options{})
	ctx := t.Context()
	a, old, b := w.agency("H41.1"), w.agency("H41.02"), w.agency("H41.3")
	for _, id := range []string{"H41.02", "000.00.02.H41"} { // the second is the other form of the first
		if err := w.hub.Add(ctx, hub.Agency{Organ: edxml.Organ{OrganID: id, OrganName: "x"}}); !errors.Is(err, hub.ErrHosted) {
			t.Errorf("hosted twice as %s: %v", id, err)
		}
	}
	for _, bad := range []hub.Agency{
		{Organ: edxml.Organ{OrganID: "vxp.saas.02", OrganName: "x"}}, {Organ: edxml.Organ{OrganID: "H41.9"}},
		{Organ: edxml.Organ{OrganID: "H41.9", OrganName: "x"}, Speaks: []string{"?"}},
	} {
		if err := w.hub.Add(ctx, bad); err == nil {
			t.Errorf("hosted: %+v", bad)
		}
	}
	if _, err := w.hub.Change(ctx, "H41.77", func(*hub.Agency) error { return nil }); !errors.Is(err, hub.ErrNotHosted) {
		t.Errorf("changed nobody: %v", err)
	}

	send(t, a, "1", "một", "H41.02")
	if err := w.hub.Move(ctx, "H41.02", "H41.3"); err != nil {
		t.Fatal(err)
	}
	if err := w.hub.Move(ctx, "H41.3", "H41.02"); err == nil {
		t.Error("moved in a circle")
	}
	send(t, a, "2", "hai", "H41.02") // to its old code
	if _, err := old.Pending(ctx); err == nil {
		t.Error("an agency that moved was let in")
	}
	ids := waiting(t, b)
	if len(ids) != 2 {
		t.Fatalf("at the new place wait %v", ids)
	}
	var files []string
	for _, id := range ids {
		files = append(files, collect(t, b, id).file)
		if err := b.Acknowledge(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	if slices.Sort(files); !slices.Equal(files, []string{"hai", "một"}) {
		t.Errorf("collected %q", files)
	}
	if _, err := w.hub.Change(ctx, "H41.3", func(a *hub.Agency) error { a.Closed = time.Now(); return nil }); err != nil {
		t.Fatal(err)
	}
	_, err := a.Send(ctx, packet(t, letter("H41.1", "3", "x", "H41.3"), "x"))
	refused(t, err, edoc.CodeUnknownReceiver, "H41.3 (closed on this hub on "+time.Now().In(edxml.Vietnam).Format(time.DateOnly)+")")
	_, err = a.Send(ctx, packet(t, letter("H41.1", "3", "x", "H41.02"), "x")) // moved to one that is closed
	refused(t, err, edoc.CodeUnknownReceiver, "H41.02")
	organs, err := a.Organs(ctx)
	if err != nil || len(organs) != 1 || organs[0].OrganID != "H41.1" {
		t.Errorf("the directory has %+v, %v", organs, err)
	}
}

// TestClosed lets an agency that was closed collect what waits and say that it
// has it; it sends nothing new, over either wire, until it is opened again.
func TestClosed(t *testing.T) {
	w := open(t, nil, hub.Options{})
	ctx := t.Context()
	a, b := w.agency("H41.1"), w.agency("H41.2")
	system := w.system("H41.2")
	d := letter("H41.1", "1", "x", "H41.2")
	send(t, a, "1", "x", "H41.2")
	if _, err := w.hub.Change(ctx, "H41.2", func(a *hub.Agency) error { a.Closed = time.Now(); return nil }); err != nil {
		t.Fatal(err)
	}
	_, err := b.Send(ctx, packet(t, letter("H41.2", "2", "x", "H41.1"), "x"))
	refused(t, err, edoc.CodePermission, "H41.2 is closed")
	var file bytes.Buffer
	if err := edxml.Write(&file, letter("H41.2", "2", "x", "H41.1")); err != nil {
		t.Fatal(err)
	}
	_, err = system.Send(ctx, &transport.Packet{Envelope: bytesOf(file.Bytes())})
	refused(t, err, vxp.CodeFrom, "H41.2 is closed")
	id := one(t, b)
	one(t, system)
	if got := collect(t, b, id); got.file != "x" {
		t.Errorf("collected %q", got.file)
	}
	if err := b.Acknowledge(ctx, id); err != nil {
		t.Fatal(err)
	}
	if err := b.SendStatus(ctx, status("H41.2", d, edxml.StatusDone, "")); err != nil {
		t.Fatal(err)
	}
	if got := codes(t, a); got != "H41.2 01, H41.2 06" {
		t.Errorf("the sender sees %q", got)
	}
	if _, err := w.hub.Change(ctx, "H41.2", func(a *hub.Agency) error { a.Closed = time.Time{}; return nil }); err != nil {
		t.Fatal(err)
	}
	send(t, b, "2", "x", "H41.1")
}

// TestMerged sends to a province whose code was closed in 2025 and whose
// successor has its mailbox here.
func TestMerged(t *testing.T) {
	w := open(t, nil, hub.Options{})
	a, b := w.agency("H41"), w.agency("H01")
	for i, to := range []string{"H33", "000.00.00.H33"} { // Kiên Giang, merged into An Giang
		send(t, a, fmt.Sprint(i), "x", to)
		id := one(t, b)
		if err := b.Acknowledge(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	all, err := w.store.List(t.Context(), node.In, "", 10)
	if err != nil || len(all) != 2 || len(all[0].Findings) == 0 || !strings.Contains(all[0].Findings[len(all[0].Findings)-1].Message, "merged into H01") {
		t.Errorf("no warning: %+v, %v", all, err)
	}

	// Bình Dương went into Hồ Chí Minh City, which is not here.
	_, err = a.Send(t.Context(), packet(t, letter("H41", "8", "x", "H09", "H01"), "x"))
	refused(t, err, edoc.CodeUnknownReceiver, "1 receivers are not known: H09 (code H09 is closed and merged into H29)")
	// One that is closed in the register, and still has its mailbox here.
	w.agency("H09")
	send(t, a, "9", "x", "H09")
	all, err = w.store.List(t.Context(), node.In, "", 1)
	if last := all[0].Findings; err != nil || len(last) == 0 || !strings.Contains(last[len(last)-1].Message, "H09 is closed and merged into H29; its mailbox is still here") {
		t.Errorf("no warning: %+v, %v", last, err)
	}
}

// TestLimits bounds how often, how much, and how far ahead of its receiver an
// agency sends.
func TestLimits(t *testing.T) {
	w := open(t, nil, hub.Options{Default: hub.Limits{Bytes: 3 << 20, Waiting: 2}})
	a, b := w.agency("H41.1"), w.agency("H41.2")
	fast := w.agency("H41.3", func(a *hub.Agency) { a.Limits = hub.Limits{Rate: 0.001, Burst: 3} })

	var f *transport.Fault
	for range 3 {
		waiting(t, fast)
	}
	if _, err := fast.Pending(t.Context()); !errors.As(err, &f) || !f.Temporary() {
		t.Errorf("the fourth call within the burst of 3: %v", err)
	}
	if _, err := a.Pending(t.Context()); err != nil {
		t.Errorf("another agency suffers: %v", err)
	}

	send(t, a, "1", "x", "H41.2")
	send(t, a, "2", "y", "H41.2")
	_, err := a.Send(t.Context(), packet(t, letter("H41.1", "3", "z", "H41.2"), "z"))
	if refused(t, err, edoc.CodeBusy, "H41.2"); !errors.As(err, &f) || !f.Temporary() {
		t.Errorf("a full mailbox is for good: %v", err)
	}
	if err := b.Acknowledge(t.Context(), waiting(t, b)[0]); err != nil {
		t.Fatal(err)
	}
	send(t, a, "3", "z", "H41.2")

	if err := b.Acknowledge(t.Context(), waiting(t, b)[0]); err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("x", 4<<20)
	_, err = a.Send(t.Context(), packet(t, letter("H41.1", "4", big, "H41.2"), big))
	if refused(t, err, edoc.CodeBusy, "3145728"); !errors.As(err, &f) || !f.Temporary() {
		t.Errorf("too many octets are for good: %v", err)
	}
}

// TestImpatient polls a hundred times a second, as fast as it may by default
// and then faster: it is told to come back later, gets its mail then, and its
// neighbour notices nothing.
func TestImpatient(t *testing.T) {
	w := open(t, nil, hub.Options{Default: hub.Limits{Rate: 20, Burst: 100}}) // the defaults; those of tests are higher
	a, b := w.agency("H41.1"), w.agency("H41.2")
	send(t, a, "1", "x", "H41.2")
	given, busy := 0, 0
	for range 200 {
		list, err := b.Pending(t.Context())
		var f *transport.Fault
		switch {
		case err == nil && len(list) == 1:
			given++
		case errors.As(err, &f) && f.Temporary() && f.Code == edoc.CodeBusy:
			busy++
		default:
			t.Fatalf("%v, %v", list, err)
		}
	}
	if given < 100 || busy == 0 {
		t.Errorf("%d answers, %d times told to come later", given, busy)
	}
	if _, err := a.Pending(t.Context()); err != nil {
		t.Errorf("its neighbour is held up: %v", err)
	}
	var id string
	eventually(t, "a call that is let in", func() bool {
		list, err := b.Pending(t.Context())
		if err != nil {
			return false
		}
		id = list[0].ID
		return true
	})
	eventually(t, "its mail", func() bool { in, err := b.Fetch(t.Context(), id); return err == nil && in.Close() == nil })
}

// TestTwoWires lets agencies of either wire write to one another; the packet
// changes its profile on the way, and no octet of its file.
func TestTwoWires(t *testing.T) {
	w := open(t, nil, hub.Options{})
	a := w.agency("H41.1")
	w.agency("H41.2")
	b := w.system("H41.2")
	const content = "%PDF-1.7 qua hai đường"

	d := letter("H41.1", "1", content, "H41.2")
	receipt := send(t, a, "1", content, "H41.2")
	id := one(t, b)
	got := collect(t, b, id)
	if got.Profile != edxml.ProfileQCVN102 || got.file != content || got.Document.DocumentID != d.DocumentID {
		t.Errorf("over VXP: %s, %q", got.Profile, got.file)
	}
	if err := b.Acknowledge(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := b.SendStatus(t.Context(), status("H41.2", d, edxml.StatusDone, "")); err != nil {
		t.Fatal(err)
	}
	if got := codes(t, a); got != "H41.2 06" { // a receiver on this wire reports 01 itself
		t.Errorf("the sender sees %q", got)
	}

	back := letter("H41.2", "2", content, "H41.1")
	var file strings.Builder
	if err := edxml.Write(&file, back); err != nil {
		t.Fatal(err)
	}
	r, err := b.Send(t.Context(), &transport.Packet{Envelope: bytesOf([]byte(file.String()))})
	if err != nil {
		t.Fatal(err)
	}
	id = one(t, a)
	got = collect(t, a, id)
	if got.Profile != edxml.ProfileSOAP || got.file != content || got.Document.Subject != back.Subject {
		t.Errorf("over SOAP: %s, %q", got.Profile, got.file)
	}
	sent := func() vxp.State {
		t.Helper()
		list, err := b.Sent(t.Context(), r.ID, edxml.KindDocument)
		if err != nil || len(list) != 1 || list[0].To != "H41.1" {
			t.Fatalf("sent: %+v, %v", list, err)
		}
		return list[0].State
	}
	if s := sent(); s != vxp.Waiting {
		t.Errorf("not collected, but %s", s)
	}
	if err := a.Acknowledge(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if s := sent(); s != vxp.Done {
		t.Errorf("collected, but %s", s)
	}
	if got := codes(t, b); got != "H41.1 01" {
		t.Errorf("the sender over VXP sees %q", got)
	}
	if _, err := b.Sent(t.Context(), receipt.ID, edxml.KindDocument); err == nil {
		t.Error("one sees what another sent")
	}
	if err := b.Register(t.Context(), vxp.Agency{Code: "H41.9", Name: "x"}); err == nil {
		t.Error("an agency entered another")
	}
}

// TestManyReceivers names the three that nobody knows among 4,000, and delivers
// to none.
func TestManyReceivers(t *testing.T) {
	w := open(t, nil, hub.Options{})
	speaks := make([]string, 0, 4000)
	for i := range 3997 {
		speaks = append(speaks, fmt.Sprintf("H41.%d", 100+i))
	}
	a := w.agency("G22")
	b := w.agency("H41", func(a *hub.Agency) { a.Speaks = speaks })
	to := append(append([]string{"H99.1"}, speaks...), "H99.2", "H99.3")
	_, err := a.Send(t.Context(), packet(t, letter("G22", "1", "x", to...), "x"))
	refused(t, err, edoc.CodeUnknownReceiver, "3 receivers are not known: H99.1, H99.2, H99.3")
	if n := waiting(t, b); len(n) != 0 {
		t.Errorf("delivered all the same: %v", n)
	}
	send(t, a, "1", "x", speaks...)
	one(t, b)
}

// TestSecrets keeps neither tokens nor secrets in clear.
func TestSecrets(t *testing.T) {
	w := open(t, nil, hub.Options{})
	c := w.agency("H41.1")
	s := w.system("H41.1")
	all, err := w.store.Values(t.Context(), "", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		for _, secret := range []edxml.Secret{c.Token, s.Secret} {
			if strings.Contains(string(v.Value), string(secret)) {
				t.Errorf("%s holds a secret in clear", v.Name)
			}
		}
	}
	send(t, c, "1", "x", "H41.1")
	id := one(t, c)
	if got := collect(t, c, id); got.Credential != nil {
		t.Error("the receiver gets the sender's token")
	}
	other := open(t, nil, hub.Options{Key: []byte(strings.Repeat("k", 32))})
	other.agency("H41.1")
	sealed, err := w.hub.Seal("H41.1", "bí mật")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.hub.Change(t.Context(), "H41.1", func(a *hub.Agency) error { a.Secret = sealed; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := other.hub.System(t.Context(), "H41.1"); err == nil || errors.Is(err, vxp.ErrSystem) {
		t.Errorf("a secret of another key: %v", err)
	}
	for _, bad := range [][]byte{[]byte("short")} {
		if _, err := hub.New(w.node, hub.Options{Key: bad}); err == nil {
			t.Error("a short key was taken")
		}
	}
	plain, err := hub.New(w.node, hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Seal("H41.1", "x"); !errors.Is(err, hub.ErrNoKey) {
		t.Errorf("sealed without a key: %v", err)
	}
}

// Statuses are read page by page from a cursor on, and what comes later from
// the mark of the last page on.
func TestStatusesFrom(t *testing.T) {
	w := open(t, nil, hub.Options{})
	sender, receiver := w.agency("G22"), w.agency("H41.1")
	send(t, sender, "1", "x", "H41.1")
	d := letter("G22", "1", "x", "H41.1")
	say := func(n int) {
		s := status("H41.1", d, edxml.StatusProcessing, fmt.Sprint(n))
		s.Timestamp = edxml.TimestampOf(time.Now().Add(time.Duration(n) * time.Second)) // each is another one
		if err := receiver.SendStatus(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 5 {
		say(n)
	}
	read := func(cursor string) (all []string, mark string) {
		for more := true; more; more = cursor != "" {
			var list []edxml.Status
			var err error
			list, cursor, mark, err = w.hub.StatusesFrom(t.Context(), "G22", time.Now().Add(-time.Hour), cursor, 2)
			if err != nil || len(list) > 2 {
				t.Fatal(list, err)
			}
			for _, s := range slices.Backward(list) {
				all = append(all, s.Description)
			}
		}
		return all, mark
	}
	all, mark := read("0")
	if got := fmt.Sprint(all); got != "[0 1 2 3 4]" {
		t.Errorf("statuses %s", got)
	}
	say(5)
	if got, _ := read(mark); len(got) == 0 || got[len(got)-1] != "5" {
		t.Errorf("behind the mark there is %v, want 5 at the end", got)
	}
	for _, bad := range []string{"1", "x", mark + "0"} {
		if _, _, _, err := w.hub.StatusesFrom(t.Context(), "G22", time.Now(), bad, 2); !errors.Is(err, edoc.ErrCursor) {
			t.Errorf("cursor %q: error %v", bad, err)
		}
	}
}
