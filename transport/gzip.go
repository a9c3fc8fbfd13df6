package transport

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxRatio and freeGzip are the limit on unpacking: beyond the first 10 MB, a
// body may not become more than 200 times what came over the wire.
const (
	maxRatio = 200
	freeGzip = 10 << 20
)

// RatioError is returned where a body in gzip unpacks to more than anything
// honest would.
type RatioError struct {
	Max int // octets out for one octet in
}

// Error names the limit.
func (e *RatioError) Error() string {
	return fmt.Sprintf("transport: body in gzip exceeds the limit \"unzip\" of %d:1", e.Max)
}

// EncodingError is returned for a Content-Encoding that is not read here.
type EncodingError struct {
	Encoding string // as received, at most 60 octets of it
}

// Error names the encoding.
func (e *EncodingError) Error() string {
	return fmt.Sprintf("transport: Content-Encoding %q is neither gzip nor identity", e.Encoding)
}

// Decode returns body after its Content-Encoding, which is that of a request
// or an answer: gzip, identity or nothing; any other is an *EncodingError.
func Decode(contentEncoding string, body io.Reader) (io.Reader, error) {
	switch strings.ToLower(strings.TrimSpace(contentEncoding)) {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		return Gunzip(body), nil
	}
	return nil, &EncodingError{Encoding: contentEncoding[:min(len(contentEncoding), 60)]}
}

// Gunzip unpacks src as it is read. It fails with a *RatioError where that
// gives more than 200 octets for one, the first 10 MB apart.
func Gunzip(src io.Reader) io.Reader { return &gunzip{src: &counted{src: src}} }

type gunzip struct {
	src  *counted
	zip  *gzip.Reader
	out  int64
	err  error
	from *bufio.Reader
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	if g.zip == nil {
		g.from = bufio.NewReaderSize(g.src, 32<<10)
		if g.zip, g.err = gzip.NewReader(g.from); g.err != nil {
			return 0, g.fail(g.err)
		}
	}
	n, err := g.zip.Read(p)
	g.out += int64(n)
	if g.out > freeGzip && g.out/maxRatio > g.src.n {
		return 0, g.fail(&RatioError{Max: maxRatio})
	}
	if err != nil {
		return n, g.fail(err)
	}
	return n, nil
}

// fail keeps an error; that of the wire goes before what it does to gzip.
func (g *gunzip) fail(err error) error {
	switch {
	case g.src.err != nil && g.src.err != io.EOF:
		err = g.src.err
	case g.out == 0 && err == io.EOF && g.src.n == 0: // an empty body is no gzip, and no error of it
	case err == gzip.ErrHeader, err == gzip.ErrChecksum:
		err = fmt.Errorf("transport: body is not the gzip it says: %w", err)
	}
	g.err = err
	return err
}

// Gzip packs src as it is read, without holding it.
func Gzip(src io.ReadCloser) io.ReadCloser {
	g := &zipping{src: src}
	g.zip = gzip.NewWriter(&g.ready)
	return g
}

type zipping struct {
	src   io.ReadCloser
	zip   *gzip.Writer
	ready bytes.Buffer // packed, not read yet
	raw   [32 << 10]byte
	err   error
}

func (g *zipping) Read(p []byte) (int, error) {
	for g.ready.Len() == 0 {
		if g.err != nil {
			return 0, g.err
		}
		var n int
		n, g.err = g.src.Read(g.raw[:])
		_, _ = g.zip.Write(g.raw[:n]) // a bytes.Buffer does not fail
		if g.err == io.EOF {
			_ = g.zip.Close()
		}
	}
	return g.ready.Read(p)
}

func (g *zipping) Close() error { return g.src.Close() }

// TakesGzip tells whether the sender of a request takes gzip in the answer
// (RFC 9110 §12.5.3).
func TakesGzip(h http.Header) bool {
	for coding := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		weight = strings.ReplaceAll(weight, " ", "")
		if name = strings.TrimSpace(name); strings.EqualFold(name, "gzip") || name == "*" {
			return strings.Trim(strings.TrimPrefix(strings.ToLower(weight), "q="), "0.") != "" || weight == ""
		}
	}
	return false
}

// counted counts what is read and keeps the error.
type counted struct {
	src io.Reader
	n   int64
	err error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	c.n += int64(n)
	if err != nil {
		c.err = err
	}
	return n, err
}
