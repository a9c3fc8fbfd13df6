package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

// progress is how much has to move, in octets, to count as progress.
const progress = 4 << 10

// The phases of a call that a StallError names.
const (
	sending   = "sending"
	waiting   = "waiting for the answer"
	receiving = "receiving"
)

// smallBody is the size up to which a request is held in memory when it goes.
const smallBody = 64 << 10

// bigBody is the size from which on a request asks before it sends.
const bigBody = 1 << 20

// StallError says that a call was given up because a phase of it took too long.
type StallError struct {
	Phase string        // "sending", "waiting for the answer", "receiving"
	After time.Duration // the time allowed
}

// Error names the phase and the time waited.
func (e *StallError) Error() string {
	return fmt.Sprintf("transport: nothing moved for %v while %s", e.After, e.Phase)
}

// Timeout reports true.
func (e *StallError) Timeout() bool { return true }

// watched is a RoundTripper whose calls are given up when nothing moves.
type watched struct {
	base                *http.Transport
	reach, answer, idle time.Duration
}

// CloseIdleConnections closes the connections that no call uses.
func (t *watched) CloseIdleConnections() { t.base.CloseIdleConnections() }

// RoundTrip implements http.RoundTripper.
func (t *watched) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	w := &watch{cancel: cancel, answer: t.answer, idle: t.idle}
	out := req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { w.sent(true) },
	}))
	held, err := small(req)
	if err != nil {
		cancel(err)
		return nil, err
	}
	w.begin(sending, t.reach+t.idle)
	switch {
	case held != nil:
		out.Body = io.NopCloser(bytes.NewReader(held))
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(held)), nil }
	case req.Body != nil && req.Body != http.NoBody:
		out.Body = &upload{ReadCloser: req.Body, w: w}
		if req.GetBody != nil {
			out.GetBody = func() (io.ReadCloser, error) {
				body, err := req.GetBody()
				if err != nil {
					return nil, err
				}
				return &upload{ReadCloser: body, w: w}, nil
			}
		}
	}
	gzip := req.Header.Get("Accept-Encoding") == ""
	if expect := req.ContentLength < 0 || req.ContentLength > bigBody; gzip || expect {
		out.Header = req.Header.Clone()
		if gzip {
			out.Header.Set("Accept-Encoding", "gzip")
		}
		if expect {
			out.Header.Set("Expect", "100-continue")
		}
	}
	res, err := t.base.RoundTrip(out)
	if err == nil {
		err = w.download(res)
	}
	if err != nil {
		err = w.named(ctx, err)
		w.stop()
		return nil, err
	}
	return res, nil
}

// small returns the body of a request that is not worth streaming: in one
// piece, header and body reach the wire together.
func small(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.ContentLength <= 0 || req.ContentLength > smallBody {
		return nil, nil
	}
	held := make([]byte, req.ContentLength)
	_, err := io.ReadFull(req.Body, held)
	if err == nil {
		if n, end := io.ReadFull(req.Body, make([]byte, 1)); n > 0 {
			err = fmt.Errorf("transport: body is longer than the %d octets announced", req.ContentLength)
		} else if end != io.EOF {
			err = end
		}
	}
	if closing := req.Body.Close(); err == nil {
		err = closing
	}
	return held, err
}

// watch cancels a call in which nothing moves, however long the whole may take.
type watch struct {
	cancel       context.CancelCauseFunc
	answer, idle time.Duration

	mu       sync.Mutex
	timer    *time.Timer
	stall    StallError // what there is to say when the timer fires
	answered bool       // the answer has begun; what is still sent no longer counts
}

// begin starts a phase that may take so long.
func (w *watch) begin(phase string, most time.Duration) {
	w.stall = StallError{Phase: phase, After: most}
	if w.timer != nil {
		w.timer.Reset(most)
		return
	}
	w.timer = time.AfterFunc(most, func() {
		w.mu.Lock()
		stall := w.stall
		w.mu.Unlock()
		w.cancel(&stall)
	})
}

// sent is told that something went out, and when all of it has.
func (w *watch) sent(done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.answered:
	case done:
		w.begin(waiting, w.answer)
	default:
		w.begin(sending, w.idle)
	}
}

// stop ends the watch and frees its context.
func (w *watch) stop() {
	w.mu.Lock()
	w.answered = true
	w.timer.Stop()
	w.mu.Unlock()
	w.cancel(nil)
}

// named puts a stall in the place of what it did to the call.
func (w *watch) named(ctx context.Context, err error) error {
	var stall *StallError
	if errors.As(context.Cause(ctx), &stall) && !errors.As(err, new(*StallError)) {
		return fmt.Errorf("%w (%w)", stall, err)
	}
	return err
}

// upload is a request on its way out: each read means that what was read
// before has gone.
type upload struct {
	io.ReadCloser
	w     *watch
	moved int
}

func (u *upload) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if u.moved += n; u.moved >= progress {
		u.moved = 0
		u.w.sent(false)
	}
	return n, err
}

// download turns to the answer: its encoding, and its pace.
func (w *watch) download(res *http.Response) error {
	w.mu.Lock()
	w.answered = true
	w.timer.Stop()
	w.stall = StallError{Phase: receiving, After: w.idle}
	w.mu.Unlock()
	body := &download{body: res.Body, w: w, ctx: res.Request.Context(), left: w.idle}
	content, err := Decode(strings.Join(res.Header.Values("Content-Encoding"), ","), body)
	if err != nil {
		res.Body.Close()
		return err
	}
	if content != io.Reader(body) {
		res.Header.Del("Content-Encoding")
		res.Header.Del("Content-Length")
		res.ContentLength, res.Uncompressed = -1, true
	}
	res.Body = &answerBody{content, body}
	return nil
}

// answerBody reads the content and closes what it comes from.
type answerBody struct {
	io.Reader
	io.Closer
}

// download is an answer as it arrives; time the caller takes between reads
// does not count.
type download struct {
	body  io.ReadCloser
	w     *watch
	ctx   context.Context
	moved int
	left  time.Duration // of the time in which progress has to be made
}

func (d *download) Read(p []byte) (int, error) {
	begun := time.Now()
	d.w.timer.Reset(d.left)
	n, err := d.body.Read(p)
	d.w.timer.Stop()
	if d.moved += n; d.moved >= progress {
		d.moved, d.left = 0, d.w.idle
	} else {
		d.left = max(d.left-time.Since(begun), time.Millisecond)
	}
	if err != nil && err != io.EOF {
		err = d.w.named(d.ctx, err)
	}
	return n, err
}

func (d *download) Close() error {
	err := d.body.Close()
	d.w.stop()
	return err
}
