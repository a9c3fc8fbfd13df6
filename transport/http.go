package transport

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxAnswerHeader bounds the header of an HTTP answer, in octets.
const maxAnswerHeader = 64 << 10

// HTTPOptions says how an axis is reached. The zero value is the default:
// the roots of the system, the environment's proxy, TLS 1.2 or later, HTTP/2
// where it is offered.
type HTTPOptions struct {
	// Proxy chooses the proxy of a request; nil is the environment's
	// (HTTPS_PROXY, NO_PROXY), [NoProxy] none, http.ProxyURL a fixed one:
	// http, https or socks5.
	Proxy func(*http.Request) (*url.URL, error)

	// Roots are trusted to name servers; nil is the roots of the system.
	Roots *x509.CertPool
	// Pins are the keys of which one must stand in the server's chain, beside
	// everything else that is checked; none asks for nothing.
	Pins []Pin
	// Certificate gives our certificate to a server that asks for one; nil
	// has none. The method Client of a [CertificateFiles] reads it from files.
	Certificate func(*tls.CertificateRequestInfo) (*tls.Certificate, error)

	Connect   time.Duration // to find and reach the host; default 15 s
	Handshake time.Duration // of TLS; default 15 s
	Answer    time.Duration // from the request's last octet to the answer's header; default 5 min
	// Idle is how long a request or an answer may go with less than 4 KiB
	// moving, however long the whole may take; default 2 min. Time the caller
	// takes between two reads does not count.
	Idle time.Duration
	// Conns is how many connections to one host are kept open between calls;
	// default 16. Each is closed after 90 s without a call.
	Conns int
}

func (o HTTPOptions) withDefaults() HTTPOptions {
	for field, standard := range map[*time.Duration]time.Duration{
		&o.Connect: 15 * time.Second, &o.Handshake: 15 * time.Second, &o.Answer: 5 * time.Minute, &o.Idle: 2 * time.Minute,
	} {
		if *field == 0 {
			*field = standard
		}
	}
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	if o.Conns == 0 {
		o.Conns = 16
	}
	return o
}

// NoProxy is the choice of no proxy at all, whatever the environment says.
func NoProxy(*http.Request) (*url.URL, error) { return nil, nil }

// NewHTTPClient returns the client that both wires reach an axis with. A call
// ends when its context does, the socket included, or with a [*StallError]
// when a phase of it takes too long. Answers in gzip are unpacked, at most to
// the ratio of [Gunzip]. A body of more than 1 MiB asks with Expect:
// 100-continue before it goes. Redirects are never followed: they would hand
// the access token on.
func NewHTTPClient(o HTTPOptions) *http.Client {
	o = o.withDefaults()
	base := &http.Transport{
		Proxy:                  o.Proxy,
		DialContext:            (&net.Dialer{Timeout: o.Connect, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        o.tls(),
		TLSHandshakeTimeout:    o.Handshake,
		ExpectContinueTimeout:  time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    o.Conns,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: maxAnswerHeader,
		DisableCompression:     true, // ours has a limit
		WriteBufferSize:        64 << 10,
		ReadBufferSize:         64 << 10,
	}
	return &http.Client{
		Transport:     &watched{base: base, reach: o.Connect + o.Handshake, answer: o.Answer, idle: o.Idle},
		CheckRedirect: stay,
	}
}

// WithoutRedirects returns a copy of a caller's client that follows no
// redirect, for the reason given at [NewHTTPClient]; for nil it returns
// NewHTTPClient of the default options.
func WithoutRedirects(c *http.Client) *http.Client {
	if c == nil {
		return NewHTTPClient(HTTPOptions{})
	}
	mine := *c
	mine.CheckRedirect = stay
	return &mine
}

// stay is the redirect policy of both wires: the answer itself is the result.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// tls returns the client's side of TLS.
func (o HTTPOptions) tls() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots, GetClientCertificate: o.Certificate}
	if len(o.Pins) > 0 {
		pins := slices.Clone(o.Pins)
		c.VerifyConnection = func(state tls.ConnectionState) error { return checkPins(pins, state) }
	}
	return c
}

// Pin is the SHA-256 of a public key (SubjectPublicKeyInfo) that is expected
// in the chain of a server: its own, or that of an authority above it.
type Pin [sha256.Size]byte

// PinOf returns the Pin of a certificate's key.
func PinOf(cert *x509.Certificate) Pin { return sha256.Sum256(cert.RawSubjectPublicKeyInfo) }

// ParsePin reads a Pin as curl and RFC 7469 write it: base64 of 32 octets,
// with or without "sha256//" before it.
func ParsePin(text string) (Pin, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(text), "sha256//"))
	if err != nil || len(raw) != sha256.Size {
		return Pin{}, fmt.Errorf("transport: pin %.60q is not sha256//BASE64 of 32 octets", text)
	}
	return Pin(raw), nil
}

// String writes the Pin as [ParsePin] reads it.
func (p Pin) String() string { return "sha256//" + base64.StdEncoding.EncodeToString(p[:]) }

// PinError says that a server is trusted but is not the one that was pinned.
type PinError struct {
	Server string // the name asked for
	Got    Pin    // of the server's own key
}

// Error names the server and its key.
func (e *PinError) Error() string {
	return fmt.Sprintf("transport: server %s has no pinned key in its chain; its own is %s", e.Server, e.Got)
}

// checkPins looks for a pin in the chains that were verified.
func checkPins(pins []Pin, state tls.ConnectionState) error {
	for _, chain := range state.VerifiedChains {
		for _, cert := range chain {
			if slices.Contains(pins, PinOf(cert)) {
				return nil
			}
		}
	}
	e := &PinError{Server: state.ServerName}
	if len(state.PeerCertificates) > 0 {
		e.Got = PinOf(state.PeerCertificates[0])
	}
	return e
}
