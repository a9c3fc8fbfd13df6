package vxp

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"net/http"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/transport"
)

// errFileHash says that the file is not the one that was signed.
var errFileHash = errors.New("vxp: the file is not the one whose hash-file was signed")

// send serves sendEdoc.
func (s *served) send() error {
	signed, err := s.need(paramFileHash)
	if err != nil {
		return err
	}
	if from := s.param(paramFrom); from != "" {
		if err := s.speaksFor(from); err != nil {
			return err
		}
	}
	kind, err := s.kind()
	if err != nil {
		return err
	}
	max := s.h.o.Limits.Packet
	limit := &LimitError{Limit: "packet", Max: max}
	if kind == edxml.KindStatus {
		max = s.h.o.Limits.Status
		limit = &LimitError{Limit: "status", Max: max}
	}
	if s.r.ContentLength > max+int64(len(lineEnd)) {
		return limit
	}
	body := &upload{src: s.r.Body, hash: sha256.New(), signed: signed, left: max + int64(len(lineEnd)), limit: limit}
	id, existed, err := s.take(body, kind)
	if err != nil {
		return s.whyNot(err, body)
	}
	o := good()
	o.field("DocId", id)
	if existed {
		o.field("existed", true)
	}
	s.answer(http.StatusOK, o)
	return nil
}

// take hands a packet to the backend and returns its number.
func (s *served) take(body *upload, kind edxml.Kind) (id string, existed bool, err error) {
	if service := s.service(); service != "" {
		return s.carry(body, service)
	}
	var head bytes.Buffer // what the reader takes to see the header
	r, err := edxml.NewReader(io.TeeReader(body, &head), edxml.ReadOptions{})
	if err != nil {
		return "", false, err
	}
	p := r.Packet()
	switch {
	case p.Profile != edxml.ProfileQCVN102:
		return "", false, ErrNotFile
	case (p.Status != nil) != (kind == edxml.KindStatus) && s.param(paramMessage) != "":
		return "", false, s.refusal(CodeRequest, edxml.Text{
			VI: "messagetype %q không khớp với gói tin", EN: "messagetype %q is not what the packet is"}, s.param(paramMessage))
	case p.Status != nil:
		id, err = s.takeStatus(p.Status, body)
		return id, false, err
	}
	d := p.Document
	if err := s.speaksFor(d.From.OrganID); err != nil {
		return "", false, err
	}
	to, err := s.receivers(d)
	if err != nil {
		return "", false, err
	}
	receipt, err := s.h.backend.AcceptFile(s.r.Context(), &File{
		SystemID: s.systemID, Key: s.key(), To: to, Packet: p, Content: io.MultiReader(&head, body),
	})
	if err != nil {
		return "", false, err
	}
	// A backend that knows the Key need not read.
	if _, err := io.Copy(io.Discard, body); err != nil && !receipt.Existed {
		return "", false, err
	}
	return receipt.ID, receipt.Existed, nil
}

// service returns the servicetype that a call names, "" for edXML.
func (s *served) service() string {
	if v := s.param(paramService); !strings.EqualFold(v, "edoc") {
		return v
	}
	return ""
}

// carry hands on a file of another service, of which only the way is looked at:
// from and to stand in the headers alone.
func (s *served) carry(body *upload, service string) (id string, existed bool, err error) {
	from, err := s.need(paramFrom)
	if err != nil {
		return "", false, err
	}
	to, err := s.receivers(&edxml.Document{})
	if err != nil {
		return "", false, err
	}
	receipt, err := s.h.backend.AcceptFile(s.r.Context(), &File{
		Service: service, From: from, SystemID: s.systemID, Key: s.key(), To: to, Content: body,
	})
	if err != nil {
		return "", false, err
	}
	if _, err := io.Copy(io.Discard, body); err != nil && !receipt.Existed {
		return "", false, err
	}
	return receipt.ID, receipt.Existed, nil
}

// takeStatus hands a Status to the backend, once the file is known to be the
// one that was signed. Its number follows from the call.
func (s *served) takeStatus(st *edxml.Status, body *upload) (string, error) {
	if st.From.OrganID == "" || st.ResponseFor.OrganID == "" {
		return "", s.refusal(CodeRequest, edxml.Text{
			VI: "trạng thái thiếu From/OrganId hoặc ResponseFor/OrganId", EN: "the status has no From/OrganId or no ResponseFor/OrganId"})
	}
	if err := s.speaksFor(st.From.OrganID); err != nil {
		return "", err
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return "", err
	}
	if err := s.h.backend.AcceptStatus(s.r.Context(), st); err != nil {
		return "", err
	}
	return s.key()[:24], nil // the length of the real axis's numbers
}

// key names the call: the SDK signs once for all the times it sends it; ours
// says itself what a file is on all of its way.
func (s *served) key() string {
	if k := s.r.Header.Get(KeyHeader); s.service() != "" && keyForm(k) {
		return k
	}
	sum := sha256.Sum256([]byte(s.r.Header.Get(headerSigned))) // systemid and hash-file are in it
	return hex.EncodeToString(sum[:])
}

// keyForm reports whether a text is 64 hex digits.
func keyForm(k string) bool {
	b, err := hex.DecodeString(k)
	return err == nil && len(b) == sha256.Size
}

// receivers returns who a Document goes to: the parameter to, where it is
// there, else those in the packet.
//
// QUIRK: to is the text of a JSON array, or of a JSON string (the SDK), and a
// plain identifier from clients of other makers.
func (s *served) receivers(d *edxml.Document) ([]string, error) {
	var to []string
	if text := s.param(paramTo); text != "" {
		var one string
		if json.Unmarshal([]byte(text), &to) != nil {
			if json.Unmarshal([]byte(text), &one) != nil {
				one = text
			}
			to = []string{one}
		}
	} else {
		for _, o := range d.To {
			to = append(to, o.OrganID)
		}
	}
	kept := to[:0]
	for _, id := range to {
		if id = strings.TrimSpace(id); id != "" && !contains(kept, id) {
			kept = append(kept, id)
		}
	}
	if len(kept) == 0 {
		return nil, s.refusal(CodeRequest, edxml.Text{VI: "văn bản không có nơi nhận (to, To)", EN: "the document has no receiver (to, To)"})
	}
	return kept, nil
}

// whyNot turns an error of taking a packet into what the caller is told.
func (s *served) whyNot(err error, body *upload) error {
	var f *transport.Fault
	var limit *LimitError
	var reading *edxml.LimitError
	switch {
	case errors.As(err, &f) && body.err == nil, errors.As(err, &limit):
		return err
	case errors.As(body.err, &limit):
		return body.err
	case errors.Is(body.err, errFileHash):
		return s.refusal(CodeRequest, edxml.Text{
			VI: "tệp nhận được không khớp với hash-file đã ký", EN: "the file received is not the one of the signed hash-file"})
	case body.err != nil && body.err != io.EOF: // the caller has gone, or sent less than it said
		return &transport.Fault{Operation: s.op, Code: CodeInternal, Transient: true, Text: "tệp bị ngắt giữa chừng / the file broke off", Err: body.err}
	case errors.As(err, &f):
		return err
	case errors.As(err, &reading):
		return s.refusal(CodeLimit, edxml.Text{VI: "gói tin vượt giới hạn: %v", EN: "the packet exceeds a limit: %v"}, err)
	case unreadable(err):
		return s.refusal(CodeRequest, edxml.Text{VI: "tệp không phải gói tin edXML: %v", EN: "the file is no edXML packet: %v"}, clip(err.Error()))
	}
	return err
}

// upload is the body of sendEdoc as the file it carries: the two octets behind
// the file are held back, and the end is io.EOF only for the file that was
// signed.
type upload struct {
	src    io.Reader
	hash   hash.Hash
	signed string // hash-file
	left   int64
	limit  *LimitError
	held   [len(lineEnd)]byte // read, not handed out
	nheld  int
	rest   []byte // to be handed out before err
	err    error
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(u.rest) > 0 {
		n := copy(p, u.rest)
		u.rest = u.rest[n:]
		return n, nil
	}
	if u.err != nil {
		return 0, u.err
	}
	if len(p) <= len(u.held) { // too little room to move what is held through it
		small := make([]byte, 512)
		n, err := u.Read(small)
		if n > 0 {
			u.rest = small[:n]
			return u.Read(p)
		}
		return 0, err
	}
	// What is held goes in front of what comes; the last of both is held anew.
	at := copy(p, u.held[:u.nheld])
	n, err := u.src.Read(p[at:])
	if u.left -= int64(n); u.left < 0 {
		u.err = u.limit
		return 0, u.err
	}
	all := at + n
	u.nheld = min(all, len(u.held))
	out := all - u.nheld
	copy(u.held[:], p[out:all])
	u.hash.Write(p[:out])
	if err != nil {
		u.err = err
		if err == io.EOF {
			u.end()
		}
	}
	if out == 0 && u.err != nil {
		return u.Read(p)
	}
	return out, nil
}

// end decides about the two octets at the end of the body, and whether the
// file is the one that was signed.
func (u *upload) end() {
	last := u.held[:u.nheld]
	if string(last) == lineEnd && u.is(nil) {
		return
	}
	if u.is(last) {
		u.rest = append([]byte(nil), last...)
		return
	}
	u.err = errFileHash
}

// is tells whether the file that ends in more is the one that was signed.
func (u *upload) is(more []byte) bool {
	state, err := u.hash.(encoding.BinaryMarshaler).MarshalBinary() // as every hash of the standard library
	if err != nil {
		return false
	}
	h := sha256.New()
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		return false
	}
	h.Write(more)
	return sameFile(u.signed, [sha256.Size]byte(h.Sum(nil)))
}

// unreadable tells whether an error of the reader is the packet's fault.
func unreadable(err error) bool {
	var syntax *xmlscan.SyntaxError
	var limit *xmlscan.LimitError
	for _, fault := range []error{ErrNotFile, edxml.ErrNotPacket, edxml.ErrAntivirusReport, xmlscan.ErrDTD} {
		if errors.Is(err, fault) {
			return true
		}
	}
	return errors.As(err, &syntax) || errors.As(err, &limit)
}
