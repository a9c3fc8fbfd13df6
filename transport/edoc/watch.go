package edoc

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// StallError says that a call was given up because nothing moved.
type StallError struct {
	Idle time.Duration
}

// Error names the time waited.
func (e *StallError) Error() string {
	return fmt.Sprintf("edoc: nothing moved between here and the axis for %v", e.Idle)
}

// Timeout reports true.
func (e *StallError) Timeout() bool { return true }

// watch cancels a call in which nothing moves, however long the whole may take.
type watch struct {
	idle     time.Duration
	timer    *time.Timer
	cancel   context.CancelCauseFunc
	answered atomic.Bool // the answer has begun; what is still sent no longer counts
}

// watchOver returns a context that ends when ctx does, or when idle passes
// after the last touch.
func watchOver(ctx context.Context, idle time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{idle: idle, cancel: cancel}
	w.timer = time.AfterFunc(idle, func() { cancel(&StallError{Idle: idle}) })
	return ctx, w
}

func (w *watch) touch() { w.timer.Reset(w.idle) }

// stop ends the watch and frees its context.
func (w *watch) stop() {
	w.answered.Store(true)
	w.timer.Stop()
	w.cancel(nil)
}

// upload watches a request on its way out: each read means that what was read
// before has gone.
func (w *watch) upload(r io.ReadCloser) io.ReadCloser { return &outgoing{r, w} }

type outgoing struct {
	io.ReadCloser
	w *watch
}

func (r *outgoing) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if !r.w.answered.Load() {
		r.w.touch()
	}
	return n, err
}

// download watches an answer; time the caller takes between reads does not count.
func (w *watch) download(r io.ReadCloser) io.ReadCloser {
	w.answered.Store(true)
	w.timer.Stop()
	return &arriving{r, w}
}

type arriving struct {
	io.ReadCloser
	w *watch
}

func (r *arriving) Read(p []byte) (int, error) {
	r.w.touch()
	n, err := r.ReadCloser.Read(p)
	r.w.timer.Stop()
	return n, err
}
