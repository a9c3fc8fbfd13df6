package signature

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/digitorus/timestamp"
)

// stampTimeout is how long a TSA may take. QUIRK: the authority for state
// agencies was measured at 2 to 131 s for one stamp.
const stampTimeout = 150 * time.Second

// TSA is a time-stamping authority that is asked over HTTP (RFC 3161 §3.4).
type TSA struct {
	URL     string         // http or https; a stamp is signed, so plain HTTP gives nothing away
	Roots   *x509.CertPool // refuse a stamp at once that does not lead here; nil leaves that to Verify
	Timeout time.Duration  // for one stamp; 0 is 150 s
	Client  *http.Client   // nil is one that follows no redirect
}

// TSAError says that an authority gave no stamp.
type TSAError struct {
	URL string
	Err error // what happened; wraps [ErrStamp] when the answer was no good

	temporary bool
}

// Error gives the address and the cause.
func (e *TSAError) Error() string {
	return "signature: no time stamp from " + e.URL + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *TSAError) Unwrap() error { return e.Err }

// Temporary reports whether asking again later can help: no answer, not in
// time, HTTP 5xx or 429, or an authority that says so.
func (e *TSAError) Temporary() bool { return e.temporary }

// Stamp asks for a stamp once and waits for it, up to the timeout or the end of
// ctx. So it is called by a worker of its own, never while a document waits to
// be accepted: [Imprints] says what to ask for, and what comes back is stored
// beside the packet. The answer must bind the imprint and repeat the nonce.
// Every error is a *[TSAError].
func (t TSA) Stamp(ctx context.Context, of Imprint) (Stamp, error) {
	timeout := t.Timeout
	if timeout <= 0 {
		timeout = stampTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return nil, &TSAError{t.URL, err, true}
	}
	ask := timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: of[:], Certificates: true, Nonce: nonce}
	query, err := ask.Marshal()
	if err != nil {
		return nil, &TSAError{t.URL, err, false}
	}
	body, err := t.post(ctx, query)
	var status *statusError
	switch {
	case errors.As(err, &status):
		return nil, &TSAError{t.URL, err, status.code >= 500 || status.code == http.StatusTooManyRequests}
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &TSAError{t.URL, fmt.Errorf("no answer within %v: %w", timeout, err), true}
	case err != nil:
		var no net.Error
		return nil, &TSAError{t.URL, err, errors.As(err, &no)}
	}
	return t.accept(body, of, nonce)
}

func (t TSA) post(ctx context.Context, query []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(query))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/timestamp-query")
	return fetch(t.Client, request, maxStamp)
}

// statusError is an HTTP answer that is none.
type statusError struct{ code int }

func (e *statusError) Error() string {
	return fmt.Sprintf("HTTP %d %s", e.code, http.StatusText(e.code))
}

// fetch makes a request to an address the operator configured, and reads up to
// limit bytes. Redirects are not followed: whoever answers there is not who was
// configured.
func fetch(client *http.Client, request *http.Request, limit int64) ([]byte, error) {
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, &statusError{response.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return body, err
}

// tsaResponse is TimeStampResp (RFC 3161 §2.4.2).
type tsaResponse struct {
	Status struct {
		Status   int
		Text     []string       `asn1:"optional,utf8"`
		FailInfo asn1.BitString `asn1:"optional"`
	}
	Token asn1.RawValue `asn1:"optional"`
}

// The PKIStatus values and the PKIFailureInfo bits that are told apart.
const (
	tsaGrantedWithMods = 1
	tsaWaiting         = 3
	tsaTimeNotThere    = 14
	tsaSystemFailure   = 25
)

// accept takes a response apart.
func (t TSA) accept(body []byte, of Imprint, nonce *big.Int) (Stamp, error) {
	bad := func(format string, args ...any) (Stamp, error) {
		return nil, &TSAError{t.URL, fmt.Errorf("%w: %s", ErrStamp, fmt.Sprintf(format, args...)), false}
	}
	var response tsaResponse
	if rest, err := asn1.Unmarshal(body, &response); err != nil || len(rest) > 0 {
		return bad("the answer is no TimeStampResp")
	}
	if s := response.Status; s.Status > tsaGrantedWithMods {
		temporary := s.Status == tsaWaiting || s.FailInfo.At(tsaTimeNotThere) == 1 || s.FailInfo.At(tsaSystemFailure) == 1
		return nil, &TSAError{t.URL, fmt.Errorf("the authority refuses: status %d %q", s.Status, strings.Join(s.Text, "; ")), temporary}
	}
	stamp := Stamp(response.Token.FullBytes)
	got, err := stamp.read()
	switch {
	case err != nil:
		return nil, &TSAError{t.URL, err, false}
	case got.info.HashAlgorithm != crypto.SHA256 || !bytes.Equal(got.info.HashedMessage, of[:]):
		return bad("it binds something else than was sent")
	case got.info.Nonce == nil || got.info.Nonce.Cmp(nonce) != 0:
		return bad("it answers another request (nonce)")
	}
	if t.Roots != nil {
		if _, err := got.trusted(t.Roots, nil); err != nil {
			return nil, &TSAError{t.URL, err, false}
		}
	}
	return stamp, nil
}
