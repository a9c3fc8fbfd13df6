package signature

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// at is the time of the verdict.
func (o VerifyOptions) at() time.Time {
	if o.At.IsZero() {
		return time.Now()
	}
	return o.At
}

// judgeSigner judges who signed: as of the time a trusted time stamp proves, else
// as of the time of the verdict.
func (v *verifying) judgeSigner(c *candidate) {
	v.stamped(c)
	at := v.o.at()
	if !c.Trusted.IsZero() {
		at = c.Trusted
	}
	if c.Chain, c.Err = v.o.trust(c.Signer, c.block.certs, at); c.Err != nil || v.o.Revocation == nil {
		return
	}
	var warnings []string
	c.Revocation, warnings, c.Err = v.o.Revocation.Check(c.Chain, at, v.o.Outage, v.o.Grace)
	c.Warnings = append(c.Warnings, warnings...)
}

// trust finds a chain from the signer to a root. Nothing that came with the
// packet is trusted; its certificates only help to build the chain. A
// certificate that is itself among the roots is accepted as signer.
func (o VerifyOptions) trust(signer *x509.Certificate, given []*x509.Certificate, at time.Time) ([]*x509.Certificate, error) {
	roots := o.Roots
	if roots == nil {
		roots = x509.NewCertPool() // nil would mean the system's web roots
	}
	between := x509.NewCertPool()
	if o.Intermediates != nil {
		between = o.Intermediates.Clone()
	}
	for _, c := range given {
		between.AddCert(c)
	}
	check := func(at time.Time) ([]*x509.Certificate, error) {
		chains, err := signer.Verify(x509.VerifyOptions{
			Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		})
		if err != nil {
			return nil, err
		}
		return chains[0], nil
	}
	early, late := at.Before(signer.NotBefore), at.After(signer.NotAfter)
	if early || late {
		// Is it only a matter of time? An unknown signer is named as such.
		if _, err := check(signer.NotAfter); err != nil {
			return nil, refuse(ErrUntrusted, "%s", signer.Subject)
		}
		if early {
			return nil, refuse(ErrNotYetValid, "%s, from %s", signer.Subject, signer.NotBefore.Format(time.RFC3339))
		}
		return nil, refuse(ErrExpired, "%s, on %s", signer.Subject, signer.NotAfter.Format(time.RFC3339))
	}
	chain, err := check(at)
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		return chain, nil
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return nil, refuse(ErrExpired, "%s, an issuer of %s", invalid.Cert.Subject, signer.Subject)
	}
	return nil, refuse(ErrUntrusted, "%s: %v", signer.Subject, err)
}

// strength refuses short keys, and certificates for other uses (RFC 5280
// §4.2.1.3), and names what was let pass.
func (o VerifyOptions) strength(signer *x509.Certificate) (warnings []string, err error) {
	if key, ok := signer.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minRSA {
		if bits := key.N.BitLen(); !o.AllowLegacy || bits < minLegacyRSA {
			return nil, refuse(ErrAlgorithm, "an RSA key of %d bits", bits)
		}
		warnings = append(warnings, fmt.Sprintf("an RSA key of %d bits", key.N.BitLen()))
	}
	if u := signer.KeyUsage; u != 0 && u&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		if !o.AllowLegacy {
			return nil, refuse(ErrKeyUsage, "%s", signer.Subject)
		}
		warnings = append(warnings, "the certificate is not meant for signatures (key usage)")
	}
	return warnings, nil
}
