package node

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Watermarks keep the disk from filling up. Below Slow octets of free space
// nothing is fetched, so that the axis goes on keeping what waits there, and
// each submission has to wait a second; below Stop no submission is accepted.
// What was accepted before goes on.
type Watermarks struct {
	Slow, Stop int64 // octets; 0: 1 GiB and 256 MiB
	// Free returns the octets that are free where the store keeps its content;
	// nil: nobody looks.
	Free func() (int64, error)
}

func (w Watermarks) withDefaults() Watermarks {
	if w.Slow == 0 {
		w.Slow = 1 << 30
	}
	if w.Stop == 0 {
		w.Stop = 256 << 20
	}
	return w
}

// slowness is how long a submission waits below Watermarks.Slow.
const slowness = time.Second

// recheck is after how many octets of a packet the free space is looked at again.
const recheck = 16 << 20

// SpaceError says that the disk has less free space than a watermark.
type SpaceError struct {
	Limit string // the watermark: "intake.slow" or "intake.stop"
	Free  int64  // octets
	Max   int64  // the watermark, in octets
}

// Error names the watermark and what is left.
func (e *SpaceError) Error() string {
	return fmt.Sprintf("node: the disk has %d MiB free, less than %s = %d MiB: nothing more is taken in until there is space", e.Free>>20, e.Limit, e.Max>>20)
}

// space returns a *SpaceError when less is free than the watermark that limit
// names. Where the free space cannot be found out, there is taken to be enough.
func (n *Node) space(ctx context.Context, limit string, mark int64) error {
	if n.Intake.Free == nil {
		return nil
	}
	free, err := n.Intake.Free()
	if err != nil {
		n.Log.WarnContext(ctx, "free space not known", "error", err)
		return nil
	}
	if free < mark {
		return &SpaceError{Limit: limit, Free: free, Max: mark}
	}
	return nil
}

// Room says why no submission is taken in now, a *SpaceError; nil when one is.
func (n *Node) Room(ctx context.Context) error { return n.roomToStop(ctx) }

// roomToStop and roomToSlow look at the two watermarks.
func (n *Node) roomToStop(ctx context.Context) error {
	return n.space(ctx, "intake.stop", n.Intake.Stop)
}

func (n *Node) roomToSlow(ctx context.Context) error {
	return n.space(ctx, "intake.slow", n.Intake.Slow)
}

// admit lets a submission in, later or not at all where the disk is filling
// up, and watches over the space while the packet comes in.
func (n *Node) admit(ctx context.Context, r io.Reader) (io.Reader, error) {
	if err := n.roomToStop(ctx); err != nil {
		return nil, err
	}
	if err := n.roomToSlow(ctx); err != nil {
		n.Log.WarnContext(ctx, "the disk is filling up: intake is slow", "error", err)
		if err := sleep(ctx, slowness); err != nil {
			return nil, err
		}
	}
	return &roomy{r, n, ctx, 0}, nil
}

// roomy is a packet on its way in that stops when the space does.
type roomy struct {
	io.Reader
	n    *Node
	ctx  context.Context
	read int
}

func (r *roomy) Read(p []byte) (int, error) {
	if r.read >= recheck {
		r.read = 0
		if err := r.n.roomToStop(r.ctx); err != nil {
			return 0, err
		}
	}
	n, err := r.Reader.Read(p)
	r.read += n
	return n, err
}

// maxIntake is how many packets are taken in at once. Each takes some hundred
// kilobytes of memory, and a disk that stands still makes them many.
const maxIntake = 256

// ErrBusy says that as many packets are being taken in as may be. It passes:
// whoever gets it hands the packet over again some seconds later.
var ErrBusy = fmt.Errorf("node: %d packets are being taken in already; hand this one over again in a few seconds", maxIntake)

// enter counts a packet that is being taken in, until leave is called.
func (n *Node) enter() (leave func(), err error) {
	leave = func() { n.intake.Add(-1) }
	if n.intake.Add(1) > maxIntake {
		leave()
		return nil, ErrBusy
	}
	return leave, nil
}
