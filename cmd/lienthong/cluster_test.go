package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/pgstore/pgtest"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

const (
	clusterHubs    = 3
	clusterSenders = 4
	clusterEnd     = 3 * time.Minute // for what was accepted to be collected
)

// TestCluster kills -9 one of three hubs on one PostgreSQL, over and over, and
// now and then PostgreSQL itself, while agencies hand documents in and collect
// them at any of them: nothing is lost, nothing comes twice. LIENTHONG_CLUSTER says how often, 10 by default.
func TestCluster(t *testing.T) {
	kills, err := strconv.Atoi(cmp.Or(os.Getenv("LIENTHONG_CLUSTER"), "10"))
	if err != nil {
		t.Fatal(err)
	}
	server := pgtest.New(t, "")
	c := newCluster(t, server.Schema(t), clusterHubs)
	began := time.Now()
	ctx, stop := context.WithCancel(t.Context())
	var senders, receiver sync.WaitGroup
	for i := range clusterSenders {
		senders.Go(func() { c.send(ctx, i) })
	}
	receiver.Go(c.collect)
	killed := make([]int, clusterHubs)
	crashes := 0
	for n := range kills {
		for range 1 + rand.IntN(15) { // documents
			select {
			case <-c.accepted:
			case <-time.After(clusterEnd):
				t.Fatal("the cluster has come to a standstill")
			}
		}
		if n%10 == 5 {
			crashes++
			if err := errors.Join(server.Stop("immediate"), server.Start()); err != nil {
				t.Fatal(err)
			}
		}
		i := rand.IntN(clusterHubs)
		killed[i]++
		c.hubs[i].kill()
		c.hubs[i].start(t)
	}
	stop()
	c.end(&senders, &receiver)
	c.report(killed, crashes, time.Since(began))
}

// TestOutage takes PostgreSQL away for longer than anybody waits for it, for a
// minute where LIENTHONG_CLUSTER is set: the hub refuses what comes, for a while
// only, and the same process goes on when it is back. Nothing is lost or doubled.
func TestOutage(t *testing.T) {
	outage := 7 * time.Second
	if os.Getenv("LIENTHONG_CLUSTER") != "" {
		outage = time.Minute
	}
	server := pgtest.New(t, "")
	c := newCluster(t, server.Schema(t), 1)
	began := time.Now()
	ctx, stop := context.WithCancel(t.Context())
	var senders, receiver sync.WaitGroup
	for i := range clusterSenders {
		senders.Go(func() { c.send(ctx, i) })
	}
	receiver.Go(c.collect)
	c.take(20)
	if err := server.Stop("fast"); err != nil {
		t.Fatal(err)
	}
	client := c.client("G09")
	defer client.Close()
	back := time.After(outage)
	for gone := true; gone; {
		_, p := clusterLetter(t, "99999")
		_, err := client.Send(t.Context(), p)
		var fault *transport.Fault
		if !errors.As(err, &fault) || !fault.Temporary() {
			t.Errorf("without PostgreSQL a document is answered with %v", err)
		}
		select {
		case <-back:
			gone = false
		default:
		}
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	c.take(20)
	stop()
	c.end(&senders, &receiver)
	c.report([]int{0}, 0, time.Since(began))
}

// take waits until so many documents were taken.
func (c *cluster) take(n int) {
	c.t.Helper()
	for range n {
		select {
		case <-c.accepted:
		case <-time.After(2 * clusterEnd):
			c.t.Fatalf("no hub takes anything any more: %s", c.hubs[0].said.String())
		}
	}
}

// end waits until the senders have stopped and all that was taken was collected.
func (c *cluster) end(senders, receiver *sync.WaitGroup) {
	go func() {
		for range c.accepted { // nobody counts any more
		}
	}()
	senders.Wait()
	close(c.accepted)
	close(c.sent)
	receiver.Wait()
}

// cluster is some hubs, two agencies and what passed between them.
type cluster struct {
	t        *testing.T
	hubs     []*hubProcess
	tokens   map[string]edxml.Secret
	accepted chan struct{} // one for each document that a hub took
	sent     chan struct{} // closed when no more come

	tries   atomic.Int64
	mu      sync.Mutex
	took    map[string]bool            // DocumentIds that a hub took
	numbers map[string]map[string]bool // by DocumentId: under which numbers it was collected
	again   int                        // documents that were listed after they had been acknowledged
}

// hubProcess is one process of the program, started anew when it was killed.
type hubProcess struct {
	program, config string
	mu              sync.Mutex
	cmd             *exec.Cmd
	url             string
	said            bytes.Buffer
}

// newCluster starts so many hubs on one store.
func newCluster(t *testing.T, store string, hubs int) *cluster {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "lienthong") // the test's binary is the program, under this name
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	c := &cluster{
		t: t, tokens: map[string]edxml.Secret{}, accepted: make(chan struct{}), sent: make(chan struct{}),
		took: map[string]bool{}, numbers: map[string]map[string]bool{},
	}
	for i := range hubs {
		name := fmt.Sprint("hub", i+1)
		config := filepath.Join(dir, name+".toml")
		text := fmt.Sprintf("organ = \"G22\"\nstore = %q\n[cluster]\nnode = %q\nfolder = %q\n[api]\nlisten = \"off\"\n[hub]\nlisten = \"127.0.0.1:0\"\nrate = 100000.0\nburst = 100000\n", store, name, name)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.hubs = append(c.hubs, &hubProcess{program: program, config: config})
	}
	for _, id := range []string{"G09", "H41"} {
		c.run("agency", "add", id, "--config", c.hubs[0].config)
		c.tokens[id] = edxml.Secret(strings.TrimSpace(c.run("agency", "token", id, "--config", c.hubs[0].config)))
	}
	for _, h := range c.hubs {
		h.start(t)
		t.Cleanup(h.kill)
	}
	return c
}

// run runs the program and returns what it printed.
func (c *cluster) run(args ...string) string {
	c.t.Helper()
	out, err := exec.Command(c.hubs[0].program, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		c.t.Fatalf("%v: %v", args, err)
	}
	return string(out)
}

// start starts the process and waits until it says where its hub listens.
func (h *hubProcess) start(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cmd = exec.Command(h.program, "node", "--config", h.config)
	h.said.Reset()
	h.cmd.Stderr = &h.said
	out, err := h.cmd.StdoutPipe()
	if err == nil {
		err = h.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "hub "); ok {
			h.url = url
			return
		}
	}
	_ = h.cmd.Wait()
	t.Fatalf("no hub: %s", h.said.String())
}

// kill kills -9.
func (h *hubProcess) kill() {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.cmd.Process.Kill()
	_ = h.cmd.Wait()
}

// client speaks for an agency to any of the hubs.
func (c *cluster) client(id string) *edoc.Client {
	h := c.hubs[rand.IntN(len(c.hubs))]
	h.mu.Lock()
	defer h.mu.Unlock()
	return &edoc.Client{URL: h.url, Organ: id, Token: c.tokens[id]}
}

// send hands documents in, each at one hub after the other until one takes it.
func (c *cluster) send(ctx context.Context, who int) {
	for n := 0; ctx.Err() == nil; n++ {
		d, p := clusterLetter(c.t, fmt.Sprintf("%d%04d", who+1, n))
		for {
			c.tries.Add(1)
			client := c.client("G09")
			_, err := client.Send(c.t.Context(), p)
			client.Close()
			var fault *transport.Fault
			if errors.As(err, &fault) && !fault.Temporary() {
				c.t.Errorf("%s: %v", d, err)
				return
			}
			if err == nil {
				break
			}
		}
		c.mu.Lock()
		c.took[d] = true
		c.mu.Unlock()
		c.accepted <- struct{}{}
	}
}

// clusterLetter is a document as the wire carries it, and its DocumentId.
func clusterLetter(t *testing.T, number string) (string, *transport.Packet) {
	content := strings.Repeat("nội dung "+number+"\n", 500)
	d := &edxml.Document{
		From: edxml.Organ{OrganID: "G09", OrganName: "Bộ Nội vụ"}, To: []edxml.Organ{{OrganID: "H41", OrganName: "UBND tỉnh Nghệ An"}},
		Code:             edxml.Code{CodeNumber: number, CodeNotation: "BNV-VP"},
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: "2026/03/02"}, Subject: "Về việc " + number,
		TraceHeaders: []edxml.TraceHeader{{OrganID: "G09", Timestamp: "2026/03/02 08:00:00"}},
		Attachments:  []edxml.Attachment{{Name: number + ".txt", ContentID: "file-1", Content: strings.NewReader(content)}},
	}
	d.DocumentID = edxml.DocumentID("G09", "2026/03/02", d.Code)
	var b bytes.Buffer
	err := edxml.WriteEnvelope(&b, d)
	if err != nil {
		t.Error(err)
	}
	r, err := edxml.NewReader(bytes.NewReader(b.Bytes()), edxml.ReadOptions{})
	if err != nil {
		t.Error(err)
	}
	of := func(b []byte) transport.Content {
		return transport.Content{Size: int64(len(b)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
	}
	return d.DocumentID, &transport.Packet{
		Envelope: of(b.Bytes()), TokenAt: r.Packet().HeaderEnd,
		Parts: []transport.Part{{ID: "file-1", Type: "text/plain", Content: of([]byte(content))}},
	}
}

var documentID = regexp.MustCompile(`DocumentId>([^<]+)<`)

// collect collects what waits, at any hub, until everything that was taken has
// come.
func (c *cluster) collect() {
	acknowledged := map[string]bool{}
	var end <-chan time.Time
	var last error
	sent, waiting := c.sent, 0
	for {
		select {
		case <-sent:
			sent, end = nil, time.After(clusterEnd)
		case <-end:
			c.t.Errorf("given up: %d wait, the last error is %v", waiting, last)
			return
		default:
		}
		client := c.client("H41")
		list, err := client.Pending(c.t.Context())
		for _, p := range list {
			if acknowledged[p.ID] {
				c.again++
			}
			if err = c.one(client, p.ID); err != nil {
				break // its hub was killed; it is listed again
			}
			acknowledged[p.ID] = true
		}
		client.Close()
		waiting = len(list)
		if err != nil {
			last = err
		}
		if sent == nil && err == nil && len(list) == 0 && c.missing() == 0 {
			return
		}
	}
}

// one collects one document.
func (c *cluster) one(client *edoc.Client, number string) error {
	in, err := client.Fetch(c.t.Context(), number)
	if err != nil {
		return err
	}
	defer in.Close()
	root, err := in.Next()
	if err != nil {
		return err
	}
	envelope, err := io.ReadAll(root.Content)
	if err != nil {
		return err
	}
	part, err := in.Next()
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, part.Content); err != nil {
		return err
	}
	found := documentID.FindSubmatch(envelope)
	if found == nil {
		c.t.Errorf("%s has no DocumentId", number)
		return nil
	}
	c.mu.Lock()
	id := string(found[1])
	if c.numbers[id] == nil {
		c.numbers[id] = map[string]bool{}
	}
	c.numbers[id][number] = true
	c.mu.Unlock()
	return client.Acknowledge(c.t.Context(), number)
}

// missing returns how many documents were taken and not collected.
func (c *cluster) missing() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.took {
		if c.numbers[id] == nil {
			n++
		}
	}
	return n
}

// report prints what happened, and judges it.
func (c *cluster) report(killed []int, crashes int, took time.Duration) {
	doubled := c.again
	for _, numbers := range c.numbers {
		doubled += len(numbers) - 1
	}
	unreported := c.unreported()
	var chains struct {
		Sound  bool `json:"sound"`
		Chains []struct {
			Chain string `json:"chain"`
			Rows  int    `json:"rows"`
		} `json:"chains"`
	}
	journal := c.run("journal", "verify", "--json", "--config", c.hubs[0].config)
	if err := json.Unmarshal([]byte(journal), &chains); err != nil {
		c.t.Errorf("%v: %s", err, journal)
	}
	rows := map[string]int{}
	for _, chain := range chains.Chains {
		rows[chain.Chain] = chain.Rows
	}
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "hub\tkilled -9\trows in its journal\t")
	sum := 0
	for i, n := range killed {
		name := fmt.Sprint("hub", i+1)
		fmt.Fprintf(w, "%s\t%d\t%d\t\n", name, n, rows[name])
		sum += n
	}
	fmt.Fprintf(w, "\t\t\t\nkills\tcrashes of PostgreSQL\tdocuments\ttries to hand in\tcollected\tlost\tdoubled\tstatus 01 missing\tdocuments/s\t\n")
	fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.0f\t\n", sum, crashes, len(c.took), c.tries.Load(), len(c.numbers), c.missing(), doubled, unreported, float64(len(c.took))/took.Seconds())
	w.Flush()
	if lost := c.missing(); lost+doubled+unreported > 0 || !chains.Sound {
		c.t.Errorf("%d lost, %d doubled, %d without status 01, journal sound: %v", lost, doubled, unreported, chains.Sound)
	}
}

// unreported returns of how many documents the sender is not told that they came.
func (c *cluster) unreported() int {
	client := c.client("G09")
	defer client.Close()
	all, err := client.Statuses(c.t.Context(), time.Now().Add(-time.Hour))
	if err != nil {
		c.t.Error(err)
		for _, h := range c.hubs {
			c.t.Logf("%s at %s said:\n%s", h.config, h.url, h.said.String())
		}
	}
	told := map[string]bool{}
	for _, s := range all {
		if s.StatusCode == edxml.StatusArrived {
			told[s.ResponseFor.DocumentID] = true
		}
	}
	n := 0
	for id := range c.took {
		if !told[id] {
			n++
		}
	}
	return n
}
