package signature

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Outage says what becomes of a signature when nobody can tell now whether its
// certificates were revoked. Each use has its own: what arrives can wait, what
// a clerk looks at cannot.
type Outage string

// The policies for an outage; the zero value is OutageFail.
const (
	OutageFail  Outage = "fail"  // the signature is refused: [ErrRevocation]
	OutageGrace Outage = "grace" // the last known answer counts for a while behind its next update, with a warning
	OutageQueue Outage = "queue" // no verdict yet, ask again later: [ErrPending]
)

const (
	revocationTimeout = 30 * time.Second // for one question
	revocationGrace   = 24 * time.Hour
	revocationRest    = 30 * time.Second // how long an address that failed is left alone
	maxOCSP           = 1 << 20          // bytes of an OCSP response
	maxCRL            = 64 << 20         // bytes of a CRL
	maxRemembered     = 10_000           // answers kept
)

// Revocation knows where to ask whether a certificate was revoked, and
// remembers the answers until their next update. It is safe for concurrent
// use; one serves a whole program. It must not be copied.
//
// The addresses are the operator's. What a certificate says about where to
// ask came with the packet, and is followed only to the named Hosts.
type Revocation struct {
	OCSP    []string               // addresses of responders (RFC 6960), asked in this order
	CRLs    []string               // addresses of revocation lists (RFC 5280)
	Lists   []*x509.RevocationList // lists at hand, see [ReadCRL]
	Hosts   []string               // host names to which addresses in certificates (AIA, CRL distribution points) may lead; none by default
	Timeout time.Duration          // for one question; 0 is 30 s
	Client  *http.Client           // nil is one that follows no redirect

	mu      sync.Mutex
	answers map[string]*standing // by source and certificate
	lists   map[string]*x509.RevocationList
	indexes map[*x509.RevocationList]*crlIndex
	resting map[string]rest // addresses that failed
}

type rest struct {
	until time.Time
	err   error
}

// Standing is what is known about the revocation of one certificate: it was in
// force then, as this source said.
type Standing struct {
	Certificate *x509.Certificate
	Source      string    // the address that was asked, or "CRL" for a list at hand
	Updated     time.Time // when the source knew it
	Next        time.Time // when it will know more; zero when it does not say
	Evidence    []byte    // the OCSP response or the list, DER, to be kept with the verdict
}

// standing is an answer that was authenticated, good or not.
type standing struct {
	Standing
	revoked time.Time // zero: it was not
}

// ReadCRL reads a revocation list, DER or PEM.
func ReadCRL(data []byte) (*x509.RevocationList, error) {
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	list, err := x509.ParseRevocationList(data)
	if err != nil {
		return nil, fmt.Errorf("signature: this is no revocation list: %w", err)
	}
	return list, nil
}

// Check asks about every certificate of a chain but the last, the root, as of
// a time: one revoked later was good then, and a warning says so. The error
// wraps [ErrRevoked], or, by policy, [ErrRevocation] or [ErrPending]. grace is
// for [OutageGrace], 0 is 24 hours. A source that answers "unknown" is one that
// does not answer.
func (r *Revocation) Check(chain []*x509.Certificate, at time.Time, policy Outage, grace time.Duration) ([]Standing, []string, error) {
	var all []Standing
	var warnings []string
	for i := range len(chain) - 1 {
		s, warning, err := r.one(chain[i], chain[i+1], at, policy, grace)
		if err != nil {
			return all, warnings, err
		}
		if warning != "" {
			warnings = append(warnings, warning)
		}
		all = append(all, s)
	}
	return all, warnings, nil
}

// one asks about one certificate: what is at hand first, then who can be asked.
func (r *Revocation) one(cert, issuer *x509.Certificate, at time.Time, policy Outage, grace time.Duration) (Standing, string, error) {
	var best *standing
	var troubles []string
	sources := append(r.atHand(cert), r.remote(cert)...)
	for _, ask := range sources {
		s, err := ask(cert, issuer, at)
		if err != nil {
			troubles = append(troubles, err.Error())
			continue
		}
		switch {
		case !s.revoked.IsZero() && !s.revoked.After(at):
			return Standing{}, "", refuse(ErrRevoked, "%s, on %s", cert.Subject, s.revoked.UTC().Format(time.RFC3339))
		case !s.revoked.IsZero():
			return s.Standing, fmt.Sprintf("%s was revoked later, on %s", cert.Subject, s.revoked.UTC().Format(time.RFC3339)), nil
		case s.Updated.After(cert.NotAfter):
			troubles = append(troubles, s.Source+": made after the certificate ended, when lists no longer name it")
		case s.covers(at):
			return s.Standing, "", nil
		default:
			troubles = append(troubles, fmt.Sprintf("%s: out of date since %s", s.Source, s.until().UTC().Format(time.RFC3339)))
			if best == nil || best.until().Before(s.until()) {
				best = s
			}
		}
	}
	if len(sources) == 0 {
		troubles = append(troubles, "there is nobody to ask")
	}
	if grace <= 0 {
		grace = revocationGrace
	}
	detail := fmt.Sprintf("%s: %s", cert.Subject, joined(troubles))
	switch {
	case policy == OutageGrace && best != nil && !at.After(best.until().Add(grace)):
		return best.Standing, "the last word on revocation is out of date: " + detail, nil
	case policy == OutageQueue:
		return Standing{}, "", refuse(ErrPending, "%s", detail)
	}
	return Standing{}, "", refuse(ErrRevocation, "%s", detail)
}

func joined(troubles []string) string {
	var b bytes.Buffer
	for i, t := range slices.Compact(troubles) {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(t)
	}
	return b.String()
}

// until is when the answer stops counting.
func (s *standing) until() time.Time {
	if s.Next.IsZero() { // RFC 6960 §4.2.2.1: newer information is always there
		return s.Updated.Add(clockSkew)
	}
	return s.Next
}

// covers reports whether a good answer says something about the time at: it
// was made later, or still counted then.
func (s *standing) covers(at time.Time) bool { return !s.Updated.Before(at) || !at.After(s.until()) }

// source answers for one certificate, or says why it cannot.
type source func(cert, issuer *x509.Certificate, at time.Time) (*standing, error)

func (r *Revocation) atHand(*x509.Certificate) []source {
	var all []source
	for _, list := range r.Lists {
		all = append(all, func(cert, issuer *x509.Certificate, _ time.Time) (*standing, error) {
			return r.inList(list, "CRL", cert, issuer)
		})
	}
	return all
}

// remote lists who can be asked: the configured addresses, and those of the
// certificate that lead to a configured host.
func (r *Revocation) remote(cert *x509.Certificate) []source {
	var all []source
	for _, a := range append(slices.Clone(r.OCSP), r.allowed(cert.OCSPServer)...) {
		all = append(all, func(cert, issuer *x509.Certificate, at time.Time) (*standing, error) {
			return r.ocsp(a, cert, issuer, at)
		})
	}
	for _, a := range append(slices.Clone(r.CRLs), r.allowed(cert.CRLDistributionPoints)...) {
		all = append(all, func(cert, issuer *x509.Certificate, at time.Time) (*standing, error) {
			return r.crl(a, cert, issuer, at)
		})
	}
	return all
}

// allowed keeps the addresses that lead to a host the operator named.
func (r *Revocation) allowed(addresses []string) []string {
	var all []string
	for _, a := range addresses {
		u, err := url.Parse(a)
		if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil && slices.Contains(r.Hosts, u.Host) {
			all = append(all, a)
		}
	}
	return all
}

// ask makes a request to an address unless it failed a moment ago.
func (r *Revocation) ask(address string, limit int64, request func(context.Context) (*http.Request, error)) ([]byte, error) {
	now := time.Now()
	r.mu.Lock()
	idle, ok := r.resting[address]
	r.mu.Unlock()
	if ok && now.Before(idle.until) {
		return nil, idle.err
	}
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = revocationTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	ask, err := request(ctx)
	var body []byte
	if err == nil {
		body, err = fetch(r.Client, ask, limit)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within %v", timeout)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		err = fmt.Errorf("%s: %w", address, err)
		if r.resting == nil {
			r.resting = make(map[string]rest)
		}
		r.resting[address] = rest{time.Now().Add(revocationRest), err}
		return nil, err
	}
	delete(r.resting, address)
	return body, nil
}

// remember keeps an answer; when there are too many, all are forgotten.
func (r *Revocation) remember(key string, s *standing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answers == nil || len(r.answers) >= maxRemembered {
		r.answers = make(map[string]*standing)
	}
	r.answers[key] = s
}

func (r *Revocation) remembered(key string) *standing {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.answers[key]
}
