package edxml

import (
	"bytes"
	"strings"
)

// PDF is what can be told of a PDF file while it passes by.
type PDF struct {
	Version    string // "1.7": of the header, or of the catalog where that one is later
	Signatures int    // digital signatures of people and agencies, whether good or not; time stamps do not count
}

// Before reports a version before major.minor.
func (p *PDF) Before(version string) bool {
	return len(p.Version) < len(version) || len(p.Version) == len(version) && p.Version < version
}

const (
	pdfHead   = 1024 // readers take a header anywhere in the first kilobyte
	pdfWindow = 128  // what is looked at behind a name
)

// pdfWatch looks at a file that is read for whatever reason. It keeps a few
// hundred bytes of it, never more.
//
// A signature dictionary cannot be compressed, since its ByteRange counts the
// bytes of the file (ISO 32000-1 §12.8.1), so looking for that name finds
// every one.
type pdfWatch struct {
	head    []byte
	decided bool
	found   *PDF // nil when the file is no PDF
	stamps  int
	rest    []byte // the end of what was seen, to be looked at with what follows
}

// write looks at the next bytes of the file.
func (w *pdfWatch) write(p []byte) {
	if !w.decided {
		n := min(pdfHead-len(w.head), len(p))
		if w.head, p = append(w.head, p[:n]...), p[n:]; len(w.head) < pdfHead {
			return
		}
		w.decide()
	}
	if w.found != nil {
		w.look(p)
	}
}

// end returns what was found.
func (w *pdfWatch) end() *PDF {
	if !w.decided {
		w.decide()
	}
	if w.found == nil {
		return nil
	}
	w.count(w.rest, len(w.rest))
	w.found.Signatures = max(0, w.found.Signatures-w.stamps)
	return w.found
}

// decide tells from the first bytes whether the file is a PDF.
func (w *pdfWatch) decide() {
	w.decided = true
	_, after, ok := bytes.Cut(w.head, []byte("%PDF-"))
	if version := pdfVersion(after); ok && version != "" {
		w.found = &PDF{Version: version}
		w.look(w.head)
	}
	w.head = nil
}

// pdfVersion returns the version that text begins with, "" for none.
func pdfVersion(text []byte) string {
	if len(text) < 3 || text[0] < '1' || text[0] > '9' || text[1] != '.' || text[2] < '0' || text[2] > '9' {
		return ""
	}
	return string(text[:3])
}

// look counts in what is new all names that have a whole window behind them,
// and keeps the rest.
func (w *pdfWatch) look(p []byte) {
	if len(p) >= 4*pdfWindow {
		at := len(w.rest)
		w.count(append(w.rest, p[:pdfWindow]...), at)
		w.count(p, len(p)-pdfWindow)
		w.rest = append(w.rest[:0], p[len(p)-pdfWindow:]...)
		return
	}
	w.rest = append(w.rest, p...)
	if done := len(w.rest) - pdfWindow; done > 0 {
		w.count(w.rest, done)
		w.rest = append(w.rest[:0], w.rest[done:]...)
	}
}

// count counts the names that begin in the first n bytes of b.
func (w *pdfWatch) count(b []byte, n int) {
	names(b, n, "/ByteRange", func(after []byte) {
		if isByteRange(after) {
			w.found.Signatures++
		}
	})
	names(b, n, "/ETSI.RFC3161", func([]byte) { w.stamps++ }) // a document time stamp has a ByteRange, too
	if w.found.Before(copyVersion) {
		names(b, n, "/Version", func(after []byte) {
			if rest, ok := bytes.CutPrefix(bytes.TrimLeft(after, pdfSpace), []byte("/")); ok {
				w.found.Version = max(w.found.Version, pdfVersion(rest))
			}
		})
	}
}

// names calls found with what stands behind each name that begins in the first
// n bytes of b.
func names(b []byte, n int, name string, found func(after []byte)) {
	for at := 0; at < n; at++ {
		i := bytes.Index(b[at:min(len(b), n+len(name)-1)], []byte(name))
		if i < 0 {
			return
		}
		at += i
		found(b[at+len(name):])
	}
}

const pdfSpace = " \t\r\n\f\x00"

// isByteRange reports an array of four numbers; one that is still to be filled
// in has something else there.
func isByteRange(text []byte) bool {
	inside, ok := bytes.CutPrefix(bytes.TrimLeft(text, pdfSpace), []byte("["))
	if !ok {
		return false
	}
	inside, _, ok = bytes.Cut(inside, []byte("]"))
	fields := strings.FieldsFunc(string(inside), func(r rune) bool { return strings.ContainsRune(pdfSpace, r) })
	for _, f := range fields {
		if strings.Trim(f, "0123456789") != "" {
			return false
		}
	}
	return ok && len(fields) == 4
}
