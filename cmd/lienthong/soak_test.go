//go:build linux

package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport/axistest"
)

const (
	soakRate  = 50 // documents a second
	soakSize  = 20 << 10
	soakCalm  = 2 * time.Minute // in which at least one more document comes to its end
	soakEvery = 20              // one document of so many is for a receiver that makes trouble
)

// TestSoak has one node send 50 documents a second to another over an axis with
// bad manners: all come to the right end, once, statistics add up, and memory
// stays what it is. LIENTHONG_SOAK is for how long ("10m"); without it the test
// is skipped.
func TestSoak(t *testing.T) {
	span, err := time.ParseDuration(os.Getenv("LIENTHONG_SOAK"))
	if err != nil {
		t.Skip("LIENTHONG_SOAK is not set: a soak takes minutes")
	}
	k := &soak{t: t, scene: openScene(t)}
	k.feed(span)
	k.await()
	k.judge()
	k.statistics()
}

// soak is a run of TestSoak.
type soak struct {
	t *testing.T
	*scene
	sent    int
	again   atomic.Int64                // documents that were handed over again, as the node was busy
	lacking atomic.Int64                // documents that no node would take
	memory  map[string][]int64          // RssAnon by role, a look every second
	to      map[string]axistest.Trouble // by DocumentId: what its receiver does, "" for the province
}

// troubles are the receivers that soakEvery-th documents go to, besides the
// province: those for which there is nobody to collect them.
func troubles() []axistest.Script {
	var all []axistest.Script
	for _, s := range axistest.Scripts() {
		switch s.Trouble {
		case axistest.Refuse, axistest.Busy, axistest.Drop, axistest.Gateway, axistest.Page, axistest.Twice:
			all = append(all, s)
		}
	}
	return all
}

// feed submits documents at their rate.
func (k *soak) feed(span time.Duration) {
	k.t.Helper()
	k.memory, k.to = map[string][]int64{}, map[string]axistest.Trouble{}
	content := make([]byte, soakSize)
	_, _ = rand.Read(content) // does not fail
	var busy sync.WaitGroup
	began, looked := time.Now(), time.Now()
	tick := time.NewTicker(time.Second / soakRate)
	defer tick.Stop()
	for time.Since(began) < span {
		<-tick.C
		for due := int(time.Since(began) * soakRate / time.Second); k.sent < due; k.sent++ { // a ticker drops what comes too late
			packet := k.packet(content)
			busy.Go(func() {
				_, err := k.sender.client.Submit(k.t.Context(), bytes.NewReader(packet))
				for ; errors.Is(err, node.ErrBusy); _, err = k.sender.client.Submit(k.t.Context(), bytes.NewReader(packet)) {
					k.again.Add(1)
					if err := pause(k.t.Context(), 5*time.Second); err != nil {
						break
					}
				}
				if err != nil {
					k.lacking.Add(1)
					k.t.Errorf("not accepted: %v", err)
				}
			})
		}
		if time.Since(looked) > time.Second {
			looked = time.Now()
			for _, v := range k.victims() {
				k.memory[v.role] = append(k.memory[v.role], rssAnon(k.t, v))
			}
		}
	}
	busy.Wait()
	k.t.Logf("%d documents in %v, %d handed over again as the node was busy, %d not accepted",
		k.sent, time.Since(began).Round(time.Second), k.again.Load(), k.lacking.Load())
}

// packet writes the next document.
func (k *soak) packet(content []byte) []byte {
	k.t.Helper()
	copy(content, "%PDF-1.7 "+strconv.Itoa(k.sent)+"\n")
	d := k.letterOf(edxml.Code{CodeNumber: strconv.Itoa(k.sent + 1), CodeNotation: "LAU"}, bytes.NewReader(content))
	trouble := axistest.Trouble("")
	if k.sent%soakEvery == soakEvery-1 {
		all := troubles()
		script := all[k.sent/soakEvery%len(all)]
		d.To, trouble = []edxml.Organ{{OrganID: script.Organ, OrganName: "Đơn vị thử"}}, script.Trouble
	}
	k.to[d.DocumentID] = trouble
	var b bytes.Buffer
	if err := edxml.Write(&b, d); err != nil {
		k.t.Fatal(err)
	}
	return b.Bytes()
}

// await waits until nothing has a step left, and every document to the
// province has its 01.
func (k *soak) await() {
	k.t.Helper()
	began, since, fewest := time.Now(), time.Now(), math.MaxInt
	for {
		open := k.open()
		if open == 0 {
			k.t.Logf("all at their end %v after the last was submitted", time.Since(began).Round(time.Second))
			return
		}
		if open < fewest {
			since, fewest = time.Now(), open
		}
		if time.Since(since) > soakCalm {
			k.t.Errorf("%d documents did not come to their end", open)
			return
		}
		if err := pause(k.t.Context(), 2*time.Second); err != nil {
			k.t.Fatal(err)
		}
	}
}

// open counts what has a step left, or no 01 yet.
func (k *soak) open() (n int) {
	k.t.Helper()
	for _, v := range k.victims() {
		for _, box := range []node.Direction{node.Out, node.In} {
			all, err := transfers(k.t.Context(), v, box)
			if err != nil {
				k.t.Fatal(err)
			}
			for _, x := range all {
				if waits := box == node.Out && k.to[x.DocumentID] == "" && x.Kind == edxml.KindDocument && x.Receivers[0].Code == ""; waits || x.Finished.IsZero() {
					n++
				}
			}
		}
	}
	return n
}

// judge looks at every document in both boxes, and in the folder of the sink.
func (k *soak) judge() {
	k.t.Helper()
	ended := map[string]int{}
	out, err := transfers(k.t.Context(), k.sender, node.Out)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, x := range out {
		trouble := k.to[x.DocumentID]
		want, code := node.Sent, edxml.StatusCode("")
		switch trouble {
		case "":
			code = edxml.StatusArrived
		case axistest.Refuse:
			want = node.Failed
		}
		if x.State != want || code != "" && x.Receivers[0].Code != code {
			k.t.Errorf("to %s (%s): %s, status %q; %s", x.Receivers[0].OrganID, trouble, x.State, x.Receivers[0].Code, x.LastError)
		}
		ended[fmt.Sprintf("%s %s", trouble, x.State)]++
	}
	in, err := transfers(k.t.Context(), k.receiver, node.In)
	if err != nil {
		k.t.Fatal(err)
	}
	came := map[string]int{}
	for _, x := range in {
		if came[x.DocumentID]++; x.State != node.Confirmed {
			k.t.Errorf("in the inbox: %s is %s; %s", x.DocumentID, x.State, x.LastError)
		}
	}
	folders, err := os.ReadDir(filepath.Join(k.receiver.home, "incoming"))
	if err != nil {
		k.t.Fatal(err)
	}
	expected := 0
	for id, trouble := range k.to {
		if trouble != "" {
			continue
		}
		if expected++; came[id] != 1 {
			k.t.Errorf("%s came %d times", id, came[id])
		}
	}
	if len(out) != k.sent || len(in) != expected || len(folders) != expected {
		k.t.Errorf("%d in the outbox of %d, %d in the inbox and %d handed over of %d", len(out), k.sent, len(in), len(folders), expected)
	}
	k.t.Logf("outbox: %v; inbox: %d, handed over: %d", ended, len(in), len(folders))
	for role, all := range k.memory {
		early, late := most(all[len(all)/10:len(all)/2]), most(all[len(all)/2:])
		k.t.Logf("memory of the %s: %d MB at most in the first half, %d MB in the second", role, early>>20, late>>20)
		if late > early+early/2+8<<20 {
			k.t.Errorf("the memory of the %s grows", role)
		}
	}
}

func most(all []int64) (m int64) {
	for _, n := range all {
		m = max(m, n)
	}
	return m
}

// statistics looks whether they say what was sent and received.
func (k *soak) statistics() {
	k.t.Helper()
	failed, expected := int64(0), int64(0)
	for _, trouble := range k.to {
		switch trouble {
		case axistest.Refuse:
			failed++
		case "":
			expected++
		}
	}
	for _, c := range []struct {
		*victim
		direction node.Direction
		want      map[node.Outcome]int64
	}{
		{k.sender, node.Out, map[node.Outcome]int64{node.OnTime: int64(k.sent) - failed, node.GivenUp: failed}},
		{k.receiver, node.In, map[node.Outcome]int64{node.Received: expected}},
	} {
		stats, err := c.client.Stats(k.t.Context(), edxml.DateOf(k.began), edxml.DateOf(time.Now()))
		if err != nil {
			k.t.Fatal(err)
		}
		got := map[node.Outcome]int64{}
		for _, row := range stats.Rows {
			if row.Direction == c.direction && row.Agency == "" {
				for outcome, n := range row.Outcomes {
					got[outcome] += n
				}
			}
		}
		k.t.Logf("statistics of the %s: %v", c.role, got)
		for outcome, n := range c.want {
			if got[outcome] != n {
				k.t.Errorf("statistics of the %s: %d %s, want %d", c.role, got[outcome], outcome, n)
			}
		}
	}
}
