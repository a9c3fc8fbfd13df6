package signature

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"
)

// ocsp asks a responder about one certificate, or remembers what it said.
//
// The CertID is of SHA-1, as every client sends and the responders of state
// agencies expect; it names the certificate and protects nothing. There is no
// nonce: pre-made answers do not repeat one, and their next update bounds how
// old an answer can be.
func (r *Revocation) ocsp(address string, cert, issuer *x509.Certificate, at time.Time) (*standing, error) {
	sum := sha256.Sum256(slices.Concat(issuer.RawSubjectPublicKeyInfo, cert.Raw))
	key := address + "\x00" + string(sum[:])
	known := r.remembered(key)
	if known != nil && (known.covers(at) || !known.revoked.IsZero()) {
		return known, nil
	}
	s, err := r.askOCSP(address, cert, issuer)
	if err != nil {
		if known != nil {
			return known, nil // out of date, which the caller sees
		}
		return nil, err
	}
	r.remember(key, s)
	return s, nil
}

func (r *Revocation) askOCSP(address string, cert, issuer *x509.Certificate) (*standing, error) {
	query, err := ocsp.CreateRequest(cert, issuer, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	body, err := r.ask(address, maxOCSP, func(ctx context.Context) (*http.Request, error) {
		ask, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(query))
		if err == nil {
			ask.Header.Set("Content-Type", "application/ocsp-request")
		}
		return ask, err
	})
	if err != nil {
		return nil, err
	}
	answer, err := ocsp.ParseResponseForCert(body, cert, issuer)
	if err == nil {
		err = mayAnswer(answer, issuer)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	s := &standing{Standing: Standing{Certificate: cert, Source: address, Updated: answer.ThisUpdate, Next: answer.NextUpdate, Evidence: body}}
	switch answer.Status {
	case ocsp.Good:
	case ocsp.Revoked:
		s.revoked = answer.RevokedAt
	default:
		return nil, fmt.Errorf("%s: the responder does not know the certificate", address)
	}
	return s, nil
}

// mayAnswer refuses an answer that a certificate of the same issuer signed
// which is not meant for that (RFC 6960 §4.2.2.2): the library checks who
// issued it and no more, so any agency could answer for any other.
func mayAnswer(answer *ocsp.Response, issuer *x509.Certificate) error {
	by := answer.Certificate
	if by == nil || by.Equal(issuer) {
		return nil
	}
	if !slices.Contains(by.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		return fmt.Errorf("the answer is signed by %s, which may not sign answers", by.Subject)
	}
	if answer.ThisUpdate.Before(by.NotBefore) || answer.ThisUpdate.After(by.NotAfter) {
		return errors.New("the answer is signed with a certificate that was not in force")
	}
	return nil
}
