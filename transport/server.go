package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// pace is how long a caller of ours may take to move 4 KiB either way, and
// headerTime how long to state its request.
const (
	pace       = 2 * time.Minute
	headerTime = 15 * time.Second
)

// NewHTTPServer returns a server with the bounds that a door to the network
// needs and the zero http.Server lacks: a request's header takes at most 15 s
// and 64 KiB, an idle connection ends after 2 minutes, TLS is 1.2 or later,
// HTTP/2 is offered over it. What a request carries is bounded by [Paced].
func NewHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}},
	}
}

// Paced gives up on callers that move less than 4 KiB in idle (0 is 2
// minutes) while a request is read or its answer written, however long the
// whole may take. Time that h itself takes does not count.
func Paced(h http.Handler, idle time.Duration) http.Handler {
	if idle == 0 {
		idle = pace
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if r.Body != nil && r.Body != http.NoBody {
			body := &pacedBody{ReadCloser: r.Body, control: control, idle: idle, left: idle}
			r = r.WithContext(r.Context())
			r.Body = body
			defer body.leave()
		}
		h.ServeHTTP(&pacedWriter{ResponseWriter: w, control: control, idle: idle}, r)
	})
}

// pacedBody is a request as it arrives. Deadlines stand only while it is read.
// A ResponseWriter that knows none is one of a test.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	idle    time.Duration
	left    time.Duration // of the time in which progress has to be made
	moved   int
	ended   bool
}

func (b *pacedBody) Read(p []byte) (int, error) {
	if b.ended {
		return b.ReadCloser.Read(p)
	}
	begun := time.Now()
	_ = b.control.SetReadDeadline(begun.Add(b.left))
	n, err := b.ReadCloser.Read(p)
	_ = b.control.SetReadDeadline(time.Time{})
	b.ended = err != nil
	if b.moved += n; b.moved >= progress {
		b.moved, b.left = 0, b.idle
	} else {
		b.left -= time.Since(begun)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &StallError{Phase: receiving, After: b.idle}
	}
	return n, err
}

// leave bounds what the server still reads of a request that was not read whole.
func (b *pacedBody) leave() {
	if !b.ended {
		_ = b.control.SetReadDeadline(time.Now().Add(b.left))
	}
}

// pacedWriter is an answer on its way out.
type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	idle    time.Duration
}

// Unwrap serves http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *pacedWriter) Write(p []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.idle))
	n, err := w.ResponseWriter.Write(p)
	_ = w.control.SetWriteDeadline(time.Time{})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &StallError{Phase: sending, After: w.idle}
	}
	return n, err
}
