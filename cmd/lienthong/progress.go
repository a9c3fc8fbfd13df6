package main

import (
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bigFile is the size in bytes from which on people want to see how far the
// reading is.
const bigFile = 50 << 20

// screen is the terminal that a person looks at, with one bar on its last line
// at most. A run whose standard error is no terminal has none, and its methods
// do nothing.
type screen struct {
	tty *os.File
	mu  sync.Mutex
	bar *progressbar.ProgressBar
	of  *watched
}

// newScreen returns the screen behind standard error, nil when that is none.
func newScreen(errs io.Writer) *screen {
	tty, ok := errs.(*os.File)
	if !ok || !term.IsTerminal(int(tty.Fd())) {
		return nil
	}
	return &screen{tty: tty}
}

// over returns w so that what is written there takes the bar's place.
func (s *screen) over(w io.Writer) io.Writer {
	if s == nil {
		return w
	}
	return clearing{w, s}
}

type clearing struct {
	io.Writer
	screen *screen
}

// Write implements io.Writer.
func (c clearing) Write(b []byte) (int, error) {
	c.screen.clear()
	return c.Writer.Write(b)
}

// clear takes the bar away. The next read brings it back.
func (s *screen) clear() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != nil {
		_ = s.bar.Clear()
		s.bar, s.of = nil, nil
	}
}

// watch returns r so that reading it moves the bar, if it is big.
func (s *screen) watch(name string, size int64, r io.ReaderAt) io.ReaderAt {
	if s == nil || size <= bigFile {
		return r
	}
	return &watched{ReaderAt: r, screen: s, name: filepath.Base(name), size: size}
}

// watched is a big file that is being read, front to back, as often as need be.
type watched struct {
	io.ReaderAt
	screen *screen
	name   string
	size   int64
	counts bool // of things, not of bytes
}

// ReadAt implements io.ReaderAt.
func (w *watched) ReadAt(b []byte, at int64) (int, error) {
	n, err := w.ReaderAt.ReadAt(b, at)
	w.screen.reached(w, at+int64(n))
	return n, err
}

// unit is what the bar of a file counts.
func unit(w *watched) progressbar.Option {
	if w.counts {
		return progressbar.OptionShowCount()
	}
	return progressbar.OptionShowBytes(true)
}

// reached moves the bar of a file, and makes it when another one was there.
func (s *screen) reached(w *watched, at int64) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != w {
		if s.bar != nil {
			_ = s.bar.Clear()
		}
		s.of, s.bar = w, progressbar.NewOptions64(w.size+1, // never full: the end of a pass is not that of the work
			progressbar.OptionSetWriter(s.tty), progressbar.OptionSetDescription(clean(w.name)), unit(w),
			progressbar.OptionSetWidth(20), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetRenderBlankState(true))
	}
	_ = s.bar.Set64(min(at, w.size)) // what cannot be shown is no reason to stop
}
