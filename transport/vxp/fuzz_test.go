package vxp

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzPacket reads an answer of getEdoc. What it takes, encoding/json and
// encoding/base64 take for the same; what those two take whole, it takes.
func FuzzPacket(f *testing.F) {
	for _, seed := range []string{
		`{"status":"OK","ErrorCode":"0","ErrorDesc":"Thanh cong","data":"PGVkWE1MPg=="}`,
		`{"data":"PGVk\r\nWE1M\/\u003d","status":"OK","ErrorCode":0,"ErrorDesc":"x","x":[{"data":null}]}`,
		`{"status":"OK","ErrorCode":"0","ErrorDesc":"Thanh cong","data":"PGVk WE1M Pg =="}`, // breaks are left out, as in MIME
		`{"data":null}`, `{"data":"`, `{}`, `[`, "<html>", "\ufeff{\"data\" : \"\"}", `{"data":"AA==","data":"AA=="}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readPacket(bytes.NewReader(b))
		slow, serr := readPacket(iotest.OneByteReader(bytes.NewReader(b)))
		if (err == nil) != (serr == nil) || err == nil && !bytes.Equal(got, slow) {
			t.Fatalf("in one piece %q, %v; octet by octet %q, %v", got, err, slow, serr)
		}
		var whole struct {
			Status, ErrorCode, ErrorDesc *string
			Data                         *string
		}
		jerr := json.Unmarshal(bytes.TrimPrefix(b, []byte("\ufeff")), &whole)
		if jerr != nil || whole.Data == nil || strings.ContainsAny(*whole.Data, " \t\r\n") {
			return
		}
		want, berr := base64.StdEncoding.DecodeString(*whole.Data)
		if err == nil && (berr != nil || !bytes.Equal(got, want)) {
			t.Fatalf("read %q, but it holds %q, %v", got, want, berr)
		}
		// Names in another case, doubled ones, and escapes that base64 never has are apart.
		plain := whole.Status != nil && whole.ErrorCode != nil && whole.ErrorDesc != nil && bytes.Count(bytes.ToLower(b), []byte("data")) == 1
		if err != nil && plain && berr == nil && !bytes.Contains(b, []byte(`\`)) && len(b) < maxValue && !ambiguous(b) {
			t.Fatalf("refused with %v: %q", err, b)
		}
	})
}

// ambiguous tells whether a field stands twice, where the two readers differ.
func ambiguous(b []byte) bool {
	low := bytes.ToLower(b)
	for _, name := range []string{"status", "errorcode", "errordesc", "docid", "count"} {
		if bytes.Count(low, []byte(name)) > 1 || name != "status" && name[0] != 'e' && bytes.Contains(low, []byte(name)) {
			return true
		}
	}
	return bytes.ContainsRune(low, 'ſ') // folds to s
}

// readPacket reads an answer of getEdoc whole.
func readPacket(src io.Reader) ([]byte, error) {
	r := newReader(src, "packet", 1<<20)
	if err := r.open(); err != nil {
		return nil, err
	}
	found, err := r.toData()
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, &FieldError{Field: "data", Fault: "missing"}
	}
	text := r.text()
	b, err := io.ReadAll(newDecoder(text))
	if err != nil {
		return nil, err
	}
	return b, r.behind(text)
}

// FuzzList reads an answer with a list: every entry of what it takes is one
// that encoding/json finds, too.
func FuzzList(f *testing.F) {
	for _, seed := range []string{
		`{"status":"OK","ErrorCode":"0","ErrorDesc":"","data":[{"docId":"1","to":null},{"docId":2}]}`,
		`{"data":[null],"status":"OK","ErrorCode":"0","ErrorDesc":""}`,
		`{"status":"FAIL","ErrorCode":"1","ErrorDesc":"x","data":{}}`,
		`{"data":[{"docId":["a","b"]}]}`, `{"data":null}`, `{"data":[`, `{"status":null}`, `{"count":{}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var got []received
		r := newReader(bytes.NewReader(b), "directory", 1<<20)
		err := r.all(func(r *reader) error {
			return listed(r, func(w received) error { got = append(got, w); return nil })
		})
		if err != nil {
			return
		}
		if r.a.code == CodeOK && !r.seen["data"] {
			t.Fatal("success without data")
		}
		// The object itself; what stands behind it was not looked at.
		var whole map[string]json.RawMessage
		if err := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff")))).Decode(&whole); err != nil {
			t.Fatalf("taken, but encoding/json says %v", err)
		}
	})
}

// FuzzSigned reads the signed text of a call: what it takes is an object of
// scalars for encoding/json, too, and signing it again gives what it read.
func FuzzSigned(f *testing.F) {
	for _, seed := range []string{
		`{"XroadVnpt-systemid":"sys-a","XroadVnpt-timestamp":"22112026T080727+0466","XroadVnpt-Content-Type":"application/json"}`,
		`{"XroadVnpt-to":"[\"000.00.00.H41\",\"000.00.00.H14\"]","XroadVnpt-docId":"1","XroadVnpt-docid":"2"}`,
		`{"a":1,"b":true,"c":1e400}`, `{"a":null}`, `{"a":{}}`, `{"a":"b"}x`, `{`, `[]`, `{"\u0041":"\ud800"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		params, err := parseSigned(text)
		if err != nil {
			var limit *LimitError
			if !errors.Is(err, ErrSignature) && !errors.As(err, &limit) {
				t.Fatalf("an error without a name: %v", err)
			}
			return
		}
		var whole map[string]any
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&whole); err != nil {
			t.Fatalf("taken, but encoding/json says %v", err)
		}
		h := http.Header{}
		if sign(h, "k", params) != nil {
			return // not for a header
		}
		sent := map[string][]string(h) // under the SDK's spelling, which is not Go's
		again, err := parseSigned(sent[headerSigned][0])
		if err != nil || len(again) != len(params) {
			t.Fatalf("signed again: %v, %v", again, err)
		}
		for i, p := range params {
			if again[i].value != p.value || again[i].name != trimPrefix(prefix+p.name) {
				t.Fatalf("signed again: %v, was %v", again[i], p)
			}
		}
		if !verify("k", sent[headerSigned][0], sent[headerHash][0]) {
			t.Fatal("the signature does not fit")
		}
	})
}

// FuzzUpload finds the file in the body of sendEdoc, whatever the file is and
// whatever stands behind it.
func FuzzUpload(f *testing.F) {
	for _, seed := range []string{"", "\r\n", "<edXML/>", "x\r", "\r\n\r\n"} {
		f.Add([]byte(seed), 3, true)
		f.Add([]byte(seed), 1, false)
	}
	f.Fuzz(func(t *testing.T, file []byte, room int, end bool) {
		if room < 1 || room > 1<<16 {
			return
		}
		body := file
		if end {
			body = append(bytes.Clone(file), lineEnd...)
		}
		u := &upload{src: bytes.NewReader(body), hash: sha256.New(), signed: FileHash(sha256.Sum256(file)), left: int64(len(body)), limit: &LimitError{}}
		var got []byte
		p := make([]byte, room)
		for {
			n, err := u.Read(p)
			got = append(got, p[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, file) {
			t.Fatalf("got %q, want %q", got, file)
		}
		u = &upload{src: bytes.NewReader(append(bytes.Clone(body), 'x')), hash: sha256.New(), signed: FileHash(sha256.Sum256(file)), left: 1 << 20, limit: &LimitError{}}
		if _, err := io.ReadAll(u); err != errFileHash {
			t.Fatalf("a changed file: %v", err)
		}
	})
}
