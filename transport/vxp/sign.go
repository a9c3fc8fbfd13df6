package vxp

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/lienthong/lienthong/edxml"
)

// The headers of every call; prefix stands before the name of a parameter.
const (
	prefix           = "XroadVnpt-"
	headerSigned     = prefix + "sign-header"     // the signed text
	headerSignedKeys = prefix + "sign-header-key" // the names in it
	headerHash       = prefix + "hash-header"     // its HMAC
	headerVersion    = prefix + "version"
)

// The parameters that the two ends name.
const (
	paramSystem   = "systemid"
	paramTime     = "timestamp"
	paramType     = "Content-Type"
	paramFileHash = "hash-file"
	paramFrom     = "from"
	paramTo       = "to"
	paramService  = "servicetype"
	paramMessage  = "messagetype"
	paramID       = "docId"
	paramState    = "status"
	paramText     = "description"
	paramAgency   = "AgencyCode"
	paramLevel    = "level"
	paramSince    = "fromDate"
	paramUntil    = "toDate"
	paramPageSize = "pageSize"
	paramPage     = "pageIndex"
)

// maxSigned bounds the signed text, in octets. What carries it, the header of
// a request, has a bound of its own in every server.
const maxSigned = 512 << 10

// maxParams bounds the parameters of a call.
const maxParams = 200

// ErrSignature says that a signed text does not have the form of one.
var ErrSignature = errors.New("vxp: XroadVnpt-sign-header is no JSON object of texts")

// HeaderError says that a value cannot stand in a header: the signature covers
// octets, and what the SDK's HTTP stacks make of others than ASCII differs.
type HeaderError struct {
	Name string // of the parameter
}

// Error names the parameter.
func (e *HeaderError) Error() string {
	return fmt.Sprintf("vxp: parameter %q has characters that no header can carry: only printable ASCII can", e.Name)
}

// Sign returns the signature of a signed text as XroadVnpt-hash-header has it:
// HMAC-SHA256, the secret taken as text whatever it looks like.
func Sign(secret edxml.Secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, text)
	return hex.EncodeToString(mac.Sum(nil))
}

// verify tells whether hash is the signature of text.
func verify(secret edxml.Secret, text, hash string) bool {
	got, err := hex.DecodeString(hash)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, text)
	return hmac.Equal(mac.Sum(nil), got)
}

// FileHash writes the SHA-256 of a file as XroadVnpt-hash-file has it.
//
// QUIRK: each octet is written without a leading zero (the SDK, captured), so
// the text cannot be read back, only compared.
func FileHash(sum [sha256.Size]byte) string {
	var b strings.Builder
	for _, octet := range sum {
		b.WriteString(strconv.FormatUint(uint64(octet), 16))
	}
	return b.String()
}

// sameFile tells whether hash names a file with this digest, in the SDK's form
// or in the proper one.
func sameFile(hash string, sum [sha256.Size]byte) bool {
	return hash == FileHash(sum) || strings.EqualFold(hash, hex.EncodeToString(sum[:]))
}

// param is one parameter of a call, without the prefix.
type param struct{ name, value string }

// sign sets the headers of a call.
func sign(h http.Header, secret edxml.Secret, params []param) error {
	var text bytes.Buffer
	var names strings.Builder
	text.WriteByte('{')
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // the SDK escapes only what JSON must
	for i, p := range params {
		if !printable(p.name) || !printable(p.value) {
			return &HeaderError{Name: clip(p.name)}
		}
		if i > 0 {
			text.WriteByte(',')
			names.WriteByte(';')
		}
		for j, s := range []string{prefix + p.name, p.value} {
			if j > 0 {
				text.WriteByte(':')
			}
			if err := enc.Encode(s); err != nil {
				return err
			}
			text.Truncate(text.Len() - 1) // the encoder ends a value with a line
		}
		names.WriteString(p.name)
		h[prefix+p.name] = []string{p.value} // as spelt: a canonical form would not be the SDK's
	}
	text.WriteByte('}')
	signed := text.String()
	h[headerSignedKeys] = []string{names.String()}
	h[headerSigned] = []string{signed}
	h[headerHash] = []string{Sign(secret, signed)}
	h[headerVersion] = []string{"3.0.201608"}
	return nil
}

// printable tells whether a header can carry s exactly.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return strings.TrimSpace(s) == s
}

// parseSigned reads the signed text: the parameters in their order, without
// the prefix. A name may come twice in two spellings.
func parseSigned(text string) ([]param, error) {
	if len(text) > maxSigned {
		return nil, &LimitError{Limit: "sign-header", Max: maxSigned}
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, ErrSignature
	}
	var params []param
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, ErrSignature
		}
		value, err := dec.Token()
		if err != nil {
			return nil, ErrSignature
		}
		if len(params) == maxParams {
			return nil, &LimitError{Limit: "parameters", Max: maxParams}
		}
		p := param{name: trimPrefix(name.(string))} // a key of an object, else Token had failed
		switch v := value.(type) {
		case string:
			p.value = v
		case json.Number:
			p.value = v.String()
		case bool:
			p.value = strconv.FormatBool(v)
		default:
			return nil, ErrSignature
		}
		params = append(params, p)
	}
	if _, err := dec.Token(); err != nil {
		return nil, ErrSignature
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, ErrSignature
	}
	return params, nil
}

// trimPrefix takes the prefix off a name, in any case.
func trimPrefix(name string) string {
	if len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
		return name[len(prefix):]
	}
	return name
}

// signedParams reads the parameters of a call and holds them against its
// headers: only what both say is believed.
//
// QUIRK: an SDK object sends the parameters of earlier calls again, and a name
// may be there in two spellings (docId, docid) with two values. The first
// header counts; HttpURLConnection sends only one of them, while the signed
// text has both.
func signedParams(h http.Header, text string) (map[string]string, error) {
	list, err := parseSigned(text)
	if err != nil {
		return nil, err
	}
	signed := map[string][]string{}
	for _, p := range list {
		name := strings.ToLower(p.name)
		signed[name] = append(signed[name], p.value)
	}
	params := make(map[string]string, len(signed))
	for name, values := range signed {
		sent := h.Values(prefix + name)
		if len(sent) == 0 {
			return nil, &MismatchError{Name: clip(name)}
		}
		for _, s := range sent {
			if !contains(values, s) {
				return nil, &MismatchError{Name: clip(name)}
			}
		}
		params[name] = strings.TrimSpace(sent[0])
	}
	return params, nil
}

// contains tells whether s is one of values as a header carries it: without
// white space around it.
func contains(values []string, s string) bool {
	for _, v := range values {
		if strings.TrimSpace(v) == strings.TrimSpace(s) {
			return true
		}
	}
	return false
}

// MismatchError says that a signed parameter and the header of its name differ.
type MismatchError struct {
	Name string
}

// Error names the header.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("vxp: header %s%s is not what was signed", prefix, e.Name)
}
