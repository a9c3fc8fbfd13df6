package vxp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxValue bounds one value of an answer, such as an entry of a list, in
// octets; the packet in an answer of getEdoc is no value, it is streamed.
const maxValue = 1 << 20

// answer is what every JSON answer says, and the small fields beside it.
type answer struct {
	status, code, text string
	docID              string
	count              string
	existed            bool // ours: DocId is of an earlier call

	http       int
	retryAfter time.Duration
}

// scalar is a text, number or boolean of an answer as text; null is "".
type scalar string

// UnmarshalJSON implements json.Unmarshaler.
func (s *scalar) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		return json.Unmarshal(b, (*string)(s))
	case '{', '[':
		return errNotScalar
	case 'n':
		*s = ""
	default:
		*s = scalar(b)
	}
	return nil
}

var errNotScalar = errors.New("not a text")

// reader reads an answer as it arrives. Its memory is bounded by [maxValue],
// however long the answer is.
type reader struct {
	src  *window
	dec  *json.Decoder
	a    answer
	seen map[string]bool
}

// newReader begins to read an answer of at most max octets.
func newReader(src io.Reader, limit string, max int64) *reader {
	r := &reader{seen: map[string]bool{}}
	r.src = &window{src: bufio.NewReaderSize(src, 64<<10), left: max, limit: LimitError{Limit: limit, Max: max}}
	r.dec = json.NewDecoder(r.src)
	r.src.used = r.dec.InputOffset
	return r
}

// open reads the first octets: whatever is no JSON object is named.
func (r *reader) open() error {
	head, err := r.src.src.Peek(512)
	if len(head) == 0 {
		if err == io.EOF {
			return ErrEmpty
		}
		return err
	}
	if bytes.HasPrefix(head, []byte("\ufeff")) {
		_, _ = r.src.src.Discard(3)
		head = head[3:]
	}
	head = bytes.ToLower(bytes.TrimLeft(head, " \t\r\n"))
	if bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html")) {
		return ErrHTML
	}
	if t, err := r.dec.Token(); err != nil || t != json.Delim('{') {
		if err == io.EOF {
			return ErrEmpty
		}
		return fmt.Errorf("%w: it begins %.60q", ErrNotJSON, head)
	}
	return nil
}

// toData reads on to the field data, true, or to the end of the object.
func (r *reader) toData() (bool, error) {
	for r.dec.More() {
		key, err := r.dec.Token()
		if err != nil {
			return false, broken(err)
		}
		name := strings.ToLower(key.(string)) // a key of an object, else Token had failed
		if r.seen[name] && name == "data" {
			return false, &FieldError{Field: "data", Fault: "there twice"}
		}
		r.seen[name] = true
		if name == "data" {
			return true, nil
		}
		if err := r.field(key.(string), name); err != nil {
			return false, err
		}
	}
	if _, err := r.dec.Token(); err != nil {
		return false, broken(err)
	}
	for _, f := range []string{"status", "ErrorCode", "ErrorDesc"} {
		if !r.seen[strings.ToLower(f)] {
			return false, &FieldError{Field: f, Fault: "missing"}
		}
	}
	return false, nil
}

// field reads the value of a field other than data.
func (r *reader) field(key, name string) error {
	into := map[string]*string{
		"status": &r.a.status, "errorcode": &r.a.code, "errordesc": &r.a.text, "docid": &r.a.docID, "count": &r.a.count,
	}[name]
	var raw json.RawMessage
	if err := r.dec.Decode(&raw); err != nil {
		return broken(err)
	}
	switch {
	case name == "existed":
		r.a.existed = string(raw) == "true"
		return nil
	case into == nil:
		return nil
	case string(raw) == "null":
		return &FieldError{Field: clip(key), Fault: "null"}
	}
	var s scalar
	if err := s.UnmarshalJSON(raw); err != nil {
		return &FieldError{Field: clip(key), Fault: "not a text"}
	}
	*into = strings.TrimSpace(string(s))
	return nil
}

// listed reads the array behind the key data, one entry at a time.
func listed[T any](r *reader, each func(T) error) error {
	t, err := r.dec.Token()
	switch {
	case err != nil:
		return broken(err)
	case t == nil:
		return &FieldError{Field: "data", Fault: "null"}
	case t != json.Delim('['):
		return &FieldError{Field: "data", Fault: "not a list"}
	}
	for i := 0; r.dec.More(); i++ {
		var entry T
		err := r.dec.Decode(&entry)
		var kind *json.UnmarshalTypeError
		if errors.Is(err, errNotScalar) || errors.As(err, &kind) {
			return &FieldError{Field: "data[" + strconv.Itoa(i) + "]", Fault: "not an object of texts"}
		}
		if err != nil {
			return broken(err)
		}
		if err := each(entry); err != nil {
			return err
		}
	}
	if _, err := r.dec.Token(); err != nil {
		return broken(err)
	}
	return nil
}

// text returns the string behind the key data as a stream; [reader.behind]
// goes on when it has been read to its end.
func (r *reader) text() *jsonText {
	r.src.used = nil // what is streamed is not held
	return &jsonText{src: bufio.NewReaderSize(io.MultiReader(r.dec.Buffered(), r.src), 64<<10)}
}

// behind reads what stands behind a text that was streamed.
func (r *reader) behind(t *jsonText) error {
	r.dec = json.NewDecoder(io.MultiReader(strings.NewReader(`{"":0`), t.src))
	before := r.src.read
	r.src.used = func() int64 { return before + r.dec.InputOffset() }
	if _, err := r.dec.Token(); err != nil {
		return broken(err)
	}
	_, err := r.toData()
	return err
}

// broken names an error of the JSON decoder.
func broken(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrTruncated
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: %w", ErrNotJSON, err)
	}
	return err
}

// window is an answer as it arrives: it refuses to bring more than its limit,
// and more than maxValue that the decoder has not used.
type window struct {
	src   *bufio.Reader
	left  int64
	read  int64
	used  func() int64 // nil: nothing is held
	limit LimitError
}

// Read implements io.Reader.
func (w *window) Read(p []byte) (int, error) {
	if w.used != nil {
		room := maxValue - (w.read - w.used())
		if room <= 0 {
			return 0, &LimitError{Limit: "value", Max: maxValue}
		}
		p = p[:min(int64(len(p)), room)]
	}
	n, err := w.src.Read(p)
	w.read += int64(n)
	if w.left -= int64(n); w.left < 0 {
		return 0, &w.limit
	}
	return n, err
}
