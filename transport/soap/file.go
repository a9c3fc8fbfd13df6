package soap

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strings"
)

// maxFileHeader is the limit for the header lines of a message in one file.
const maxFileHeader = 16 << 10

// IsFile reports whether bytes are the beginning of a message in one file:
// header lines, the first of them a Content- field or MIME-Version.
func IsFile(head []byte) bool {
	name, _, ok := strings.Cut(string(head[:min(len(head), 64)]), ":")
	name = strings.ToLower(name)
	return ok && (strings.HasPrefix(name, "content-") || name == "mime-version")
}

// ReadFile begins to read a message in one file: header lines with its
// Content-Type, an empty line, the body. Its errors are those of Read.
func ReadFile(r io.Reader, limits Limits) (*Message, error) {
	in := bufio.NewReader(r)
	var head []byte
	for {
		line, err := in.ReadSlice('\n')
		head = append(head, line...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) || len(head) > maxFileHeader:
			return nil, &LimitError{Limit: "header", Max: maxFileHeader}
		case err == io.EOF:
			return nil, fmt.Errorf("%w: no empty line ends the header", ErrTruncated)
		case err != nil:
			return nil, err
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			break
		}
	}
	header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(head))).ReadMIMEHeader()
	if err != nil {
		return nil, fmt.Errorf("%w: header lines: %v", ErrMalformed, err)
	}
	return Read(header.Get("Content-Type"), in, limits)
}

// WriteFile writes the message in the form that ReadFile reads.
func (b *Body) WriteFile(w io.Writer) error {
	r, err := b.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := fmt.Fprintf(w, "Content-Type: %s\r\n\r\n", b.ContentType()); err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}
