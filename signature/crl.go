package signature

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// crlIndex is a list whose signature was checked, by serial number.
type crlIndex struct {
	issuer  *x509.Certificate // whose key it was checked with
	revoked map[string]time.Time
	names   []string // of the distribution point it is for; nil: all
	scope   crlScope
}

// crlScope is IssuingDistributionPoint (RFC 5280 §5.2.5).
type crlScope struct {
	Point     asn1.RawValue  `asn1:"optional,tag:0"`
	OnlyUser  bool           `asn1:"optional,tag:1"`
	OnlyCA    bool           `asn1:"optional,tag:2"`
	Reasons   asn1.BitString `asn1:"optional,tag:3"`
	Indirect  bool           `asn1:"optional,tag:4"`
	OnlyAttrs bool           `asn1:"optional,tag:5"`
}

// reasonRemoved takes a certificate off a list (removeFromCRL, RFC 5280 §5.3.1).
const reasonRemoved = 8

var (
	oidScope      = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidDelta      = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidCertIssuer = asn1.ObjectIdentifier{2, 5, 29, 29}
)

// crl looks into a list at an address, fetched anew when it has run out.
func (r *Revocation) crl(address string, cert, issuer *x509.Certificate, at time.Time) (*standing, error) {
	r.mu.Lock()
	list := r.lists[address]
	r.mu.Unlock()
	if list != nil {
		s, err := r.inList(list, address, cert, issuer)
		if err == nil && (s.covers(at) || !s.revoked.IsZero()) {
			return s, nil
		}
	}
	body, err := r.ask(address, maxCRL, func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	})
	if err == nil {
		var fresh *x509.RevocationList
		if fresh, err = ReadCRL(body); err == nil {
			s, bad := r.inList(fresh, address, cert, issuer)
			if bad == nil { // a list that is not authentic replaces none that is
				r.keep(address, list, fresh)
			}
			return s, bad
		}
	}
	if list != nil {
		return r.inList(list, address, cert, issuer) // out of date, which the caller sees
	}
	return nil, err
}

func (r *Revocation) keep(address string, old, fresh *x509.RevocationList) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lists == nil {
		r.lists = make(map[string]*x509.RevocationList)
	}
	r.lists[address] = fresh
	delete(r.indexes, old)
}

// inList looks a certificate up in a list of its issuer.
func (r *Revocation) inList(list *x509.RevocationList, name string, cert, issuer *x509.Certificate) (*standing, error) {
	if !bytes.Equal(list.RawIssuer, issuer.RawSubject) {
		return nil, fmt.Errorf("%s: a list of another issuer", name)
	}
	index, err := r.index(list, issuer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if !index.isFor(cert) {
		return nil, fmt.Errorf("%s: the list is not for this certificate", name)
	}
	s := &standing{Standing: Standing{Certificate: cert, Source: name, Updated: list.ThisUpdate, Next: list.NextUpdate, Evidence: list.Raw}}
	s.revoked = index.revoked[cert.SerialNumber.String()]
	return s, nil
}

// index checks the signature of a list once and sorts its entries.
func (r *Revocation) index(list *x509.RevocationList, issuer *x509.Certificate) (*crlIndex, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.indexes[list]; known != nil && known.issuer.Equal(issuer) { // two may have one name
		return known, nil
	}
	if err := list.CheckSignatureFrom(issuer); err != nil {
		return nil, err
	}
	index := &crlIndex{issuer: issuer, revoked: make(map[string]time.Time, len(list.RevokedCertificateEntries))}
	for _, e := range list.Extensions {
		switch {
		case e.Id.Equal(oidScope):
			if rest, err := asn1.Unmarshal(e.Value, &index.scope); err != nil || len(rest) > 0 {
				return nil, errors.New("its issuing distribution point cannot be read")
			}
			if s := index.scope; s.Indirect || s.OnlyAttrs || s.Reasons.BitLength > 0 {
				return nil, errors.New("an indirect or partial list is not supported")
			}
			index.names = pointNames(index.scope.Point)
		case e.Id.Equal(oidDelta):
			return nil, errors.New("a delta list is not supported")
		case e.Critical:
			return nil, fmt.Errorf("the critical extension %s is not known", e.Id)
		}
	}
	for _, e := range list.RevokedCertificateEntries {
		for _, x := range e.Extensions {
			if x.Id.Equal(oidCertIssuer) {
				return nil, errors.New("an indirect list is not supported")
			}
		}
		if e.ReasonCode != reasonRemoved {
			index.revoked[e.SerialNumber.String()] = e.RevocationTime
		}
	}
	if r.indexes == nil {
		r.indexes = make(map[*x509.RevocationList]*crlIndex)
	}
	r.indexes[list] = index
	return index, nil
}

// isFor reports whether the list speaks about certificates like this one.
func (i *crlIndex) isFor(cert *x509.Certificate) bool {
	if i.scope.OnlyUser && cert.IsCA || i.scope.OnlyCA && !cert.IsCA {
		return false
	}
	if len(i.scope.Point.FullBytes) == 0 {
		return true
	}
	return slices.ContainsFunc(i.names, func(n string) bool { return slices.Contains(cert.CRLDistributionPoints, n) })
}

// pointNames gives the addresses in a DistributionPointName (RFC 5280
// §4.2.1.13): fullName [0] GeneralNames with uniformResourceIdentifier [6].
func pointNames(point asn1.RawValue) []string {
	var full asn1.RawValue
	if _, err := asn1.Unmarshal(point.Bytes, &full); err != nil || full.Class != asn1.ClassContextSpecific || full.Tag != 0 {
		return nil
	}
	var names []string
	for rest := full.Bytes; len(rest) > 0; {
		var name asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &name); err != nil {
			return nil
		}
		if name.Class == asn1.ClassContextSpecific && name.Tag == 6 {
			names = append(names, string(name.Bytes))
		}
	}
	return names
}
