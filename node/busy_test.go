package node_test

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"sync"
	"testing"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
)

// TestBusy takes in as many packets at once as it says, refuses one more
// without reading it, and takes it when the others are through.
func TestBusy(t *testing.T) {
	s := must(boltstore.Open(t.TempDir()))
	defer s.Close()
	n := newNode(t, node.Config{Organ: ministry, Store: s})
	const most = 256
	var entered, done sync.WaitGroup
	goOn := make(chan struct{})
	for i := range most {
		packet := plain(t, strconv.Itoa(i+1))
		r, w := io.Pipe()
		entered.Add(1)
		done.Go(func() {
			if _, err := n.Submit(t.Context(), r); err != nil {
				t.Errorf("packet %d: %v", i+1, err)
				_ = r.CloseWithError(err)
			}
		})
		done.Go(func() {
			_, err := w.Write(packet[:1]) // whoever reads it has entered
			entered.Done()
			<-goOn
			if err == nil {
				_, err = w.Write(packet[1:])
			}
			_ = w.CloseWithError(err)
		})
	}
	entered.Wait()
	late := bytes.NewReader(plain(t, "257"))
	whole := late.Len()
	if _, err := n.Submit(t.Context(), late); !errors.Is(err, node.ErrBusy) || late.Len() != whole {
		t.Errorf("one more: %v, %d of %d octets left", err, late.Len(), whole)
	}
	if _, err := n.Keep(t.Context(), nil, nil); !errors.Is(err, node.ErrBusy) {
		t.Errorf("one more by the hub: %v", err)
	}
	if _, err := n.KeepFile(t.Context(), late); !errors.Is(err, node.ErrBusy) {
		t.Errorf("one more file by the hub: %v", err)
	}
	close(goOn)
	done.Wait()
	if _, err := n.Submit(t.Context(), late); err != nil {
		t.Errorf("when the others are through: %v", err)
	}
}
