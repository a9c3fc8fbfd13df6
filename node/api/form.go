package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"unicode"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
)

// header is what a form says about a packet: one of the two is set.
type header struct {
	document *edxml.Document
	status   *edxml.Status
}

// parts is a form that is read as it comes: the header first, then the files.
type parts struct {
	form *multipart.Reader
}

// form returns the parts of a form, nil when the body is something else.
func form(r *http.Request) (*parts, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return nil, nil // a packet; the reader says what is wrong with it
	}
	if params["boundary"] == "" {
		return nil, badRequest(errors.New("multipart/form-data without a boundary"))
	}
	return &parts{multipart.NewReader(r.Body, params["boundary"])}, nil
}

// next returns the next part, io.EOF after the last.
func (p *parts) next() (*multipart.Part, error) {
	part, err := p.form.NextRawPart()
	if err == nil || err == io.EOF {
		return part, err
	}
	return nil, cut(err)
}

// cut names what can go wrong while a form is read.
func cut(err error) error {
	var large *http.MaxBytesError
	var stalled *transport.StallError
	switch {
	case errors.As(err, &large):
		return large
	case errors.As(err, &stalled):
		return stalled
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("api: the form ends in the middle: %w", io.ErrUnexpectedEOF)
	}
	return badRequest(err)
}

// header reads the first part.
func (p *parts) header() (*header, error) {
	part, err := p.next()
	if err == io.EOF {
		return nil, badRequest(errors.New("the form is empty; its first part is header, a JSON object"))
	}
	if err != nil {
		return nil, err
	}
	if part.FormName() != "header" {
		return nil, badRequest(fmt.Errorf("the first part of the form is %q; it is header, a JSON object", part.FormName()))
	}
	text, err := io.ReadAll(io.LimitReader(part, maxHeader+1))
	if err != nil {
		return nil, cut(err)
	}
	if len(text) > maxHeader {
		return nil, &Problem{Status: http.StatusRequestEntityTooLarge, Code: "too-large", Detail: fmt.Sprintf("api: the header is larger than %d bytes", maxHeader)}
	}
	return parseHeader(text)
}

// frame is what the header may say beside the fields of the packet: inspect
// --json writes it. What it found out by itself is passed over.
type frame struct {
	Kind       edxml.Kind      `json:"kind"`
	Profile    edxml.Profile   `json:"profile"`
	File       json.RawMessage `json:"file"`
	Signatures json.RawMessage `json:"signatures"`
	Findings   json.RawMessage `json:"findings"`
}

// parseHeader reads a header as lienthong build does, in JSON.
func parseHeader(text []byte) (*header, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	var look struct {
		Kind       edxml.Kind      `json:"kind"`
		StatusCode json.RawMessage `json:"statusCode"`
	}
	if err := json.Unmarshal(text, &look); err != nil {
		return nil, badRequest(fmt.Errorf("header: %w", err))
	}
	strict := func(into any) error {
		in := json.NewDecoder(bytes.NewReader(text))
		in.DisallowUnknownFields()
		if err := in.Decode(into); err != nil {
			return badRequest(fmt.Errorf("header: %w", err))
		}
		return nil
	}
	switch {
	case look.Kind == edxml.KindStatus, look.Kind == "" && look.StatusCode != nil:
		var h struct {
			frame
			edxml.Status
		}
		return &header{status: &h.Status}, strict(&h)
	case look.Kind == edxml.KindDocument, look.Kind == "":
		var h struct {
			frame
			edxml.Document
		}
		return &header{document: &h.Document}, strict(&h)
	}
	return nil, badRequest(fmt.Errorf("header: kind is %q, it is document or status", look.Kind))
}

// files hands every file to put as it comes, and gives doc an attachment for
// each, in the order of the form. What the header says about an attachment of
// the same name stays.
func (p *parts) files(doc *edxml.Document, put func(io.Reader) (node.Content, error)) ([]node.Content, error) {
	described := map[string]edxml.Attachment{}
	for _, a := range doc.Attachments {
		described[a.Name] = a
	}
	doc.Attachments = nil
	var contents []node.Content
	for {
		part, err := p.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(contents) == maxFiles {
			return nil, &edxml.LimitError{Limit: "attachments", Max: maxFiles}
		}
		name, err := fileName(part)
		if err != nil {
			return nil, err
		}
		failed := &fails{r: part}
		c, err := put(failed)
		if failed.err != nil {
			return nil, cut(failed.err)
		}
		if err != nil {
			return nil, err
		}
		a, ok := described[name]
		if ok && (a.SHA256 != "" && !strings.EqualFold(a.SHA256, c.SHA256) || a.Size > 0 && a.Size != c.Size) {
			return nil, badRequest(fmt.Errorf("file %q is not the one that the header describes: size or digest differ", name))
		}
		delete(described, name)
		a.Name, a.Size, a.SHA256 = name, c.Size, c.SHA256
		doc.Attachments, contents = append(doc.Attachments, a), append(contents, c)
	}
	for name := range described {
		return nil, badRequest(fmt.Errorf("file %q, which the header describes, is not in the form", name))
	}
	return contents, nil
}

// fails remembers why reading ended too early.
type fails struct {
	r   io.Reader
	err error
}

func (f *fails) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// maxFileName is the limit for the name of a file, in octets.
const maxFileName = 255

// fileName returns the name of a file as the form gives it. It chooses nothing
// here; one that looks like a path is refused all the same, since it would
// only ever be a mistake or worse.
func fileName(part *multipart.Part) (string, error) {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return "", badRequest(fmt.Errorf("part %q: Content-Disposition: %w", part.FormName(), err))
	}
	name, ok := params["filename"]
	if !ok {
		return "", badRequest(fmt.Errorf("part %q is no file: it has no filename", part.FormName()))
	}
	bad := name == "" || name == "." || name == ".." || len(name) > maxFileName || strings.ToValidUTF8(name, "") != name ||
		strings.ContainsFunc(name, func(r rune) bool {
			return r == '/' || r == '\\' || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
		})
	if bad {
		return "", &Problem{Status: http.StatusUnprocessableEntity, Code: "file-name", Detail: fmt.Sprintf("api: file name %q is empty, too long, or holds a path or control characters", name)}
	}
	return name, nil
}
