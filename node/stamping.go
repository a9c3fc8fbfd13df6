package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lienthong/lienthong/signature"
)

// A time-stamping authority may take minutes, or be away for days (seen: 2 to
// 131 s a call). So nothing waits for it: a Document is signed, queued and sent,
// and its stamp comes when it comes. It is kept beside the packet, whose bytes
// stay as they were signed and sent.

// stampKey finds the Transfers whose signature has no time stamp yet.
const stampKey = "stamp due"

// stampPage is how many of them are looked at together.
const stampPage = 100

// stamping asks for the stamps that are missing, one at a time, until ctx ends.
func (n *Node) stamping(ctx context.Context) error {
	for failures := 0; ; {
		got, err := n.stampAll(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := n.Poll
		if err != nil {
			failures++
			wait = n.Retry.after(failures)
			n.Log.WarnContext(ctx, "no time stamp", "error", err, "again in", wait)
		} else if failures = 0; got > 0 {
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-n.unstamped:
		case <-t.C:
		}
		t.Stop()
	}
}

// stampAll stamps what waits, up to the first temporary trouble, and returns
// how many Transfers it is done with.
func (n *Node) stampAll(ctx context.Context) (done int, err error) {
	due, err := n.Store.Find(ctx, stampKey, "", stampPage)
	if err != nil {
		return 0, err
	}
	for _, t := range due {
		if err := n.stampOne(ctx, t); err != nil {
			return done, fmt.Errorf("transfer %s: %w", t.ID, err)
		}
		done++
	}
	return done, nil
}

// stampOne gets a stamp for each signature of a packet. What the authority
// refuses for good, or what has no deadline left, is noted and let go.
func (n *Node) stampOne(ctx context.Context, t *Transfer) error {
	stamps, err := n.stampsOf(ctx, t)
	var refused *signature.TSAError
	given := ""
	switch {
	case err == nil:
	case errors.As(err, &refused) && !refused.Temporary(), errors.Is(err, ErrNotFound):
		given = err.Error()
	case !t.Deadline.IsZero() && time.Now().After(t.Deadline):
		given = "no time stamp within the deadline: " + err.Error()
	default:
		return err
	}
	_, err = n.Store.Update(ctx, t.ID, func(t *Transfer) error {
		t.Lookup = slices.DeleteFunc(t.Lookup, func(k string) bool { return k == stampKey })
		if given != "" {
			note(t, "SIG-T", given)
			return nil
		}
		t.Stamps = stamps
		for _, s := range stamps {
			t.Holds = append(t.Holds, s.SHA256)
		}
		return nil
	})
	if err == nil {
		n.Log.InfoContext(ctx, "time stamp", "transfer", t.ID, "stamps", len(stamps), "refused", given)
	}
	return err
}

func (n *Node) stampsOf(ctx context.Context, t *Transfer) ([]Content, error) {
	f, err := n.Store.Open(ctx, t.Envelope.SHA256)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	imprints, err := signature.Imprints(f, f.Size())
	if err != nil {
		return nil, err
	}
	var all []Content
	for _, of := range imprints {
		stamp, err := n.TSA.Stamp(ctx, of)
		if err != nil {
			return nil, err
		}
		c, err := n.Store.Put(ctx, bytes.NewReader(stamp))
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// wantStamp marks a Document that was signed here as one that lacks its stamp.
func (n *Node) wantStamp(t *Transfer) {
	if n.TSA != nil && n.key.Load() != nil {
		t.Lookup = append(t.Lookup, stampKey)
	}
}

// tellStamper makes stamping look at once.
func (n *Node) tellStamper() {
	select {
	case n.unstamped <- struct{}{}:
	default:
	}
}
