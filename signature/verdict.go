package signature

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// Verdict is the result for one signature.
type Verdict struct {
	// Err is nil when the signature is acceptable; else it wraps one of the
	// reasons ErrDigest … ErrDuplicateID and says what was found.
	Err error
	// Signer is the certificate whose key made the signature value, nil when
	// none did. It is to be believed only when Err is nil.
	Signer *x509.Certificate
	// Chain leads from Signer to a trusted root; nil unless there is one.
	Chain []*x509.Certificate
	// Algorithm is the signature method, for example "rsa-sha256".
	Algorithm string
	// Claimed is the signing time the signer wrote into the signed properties
	// (XAdES), zero without any. Nobody but the signer vouches for it.
	Claimed time.Time
	// Trusted is the time the earliest believed time stamp proves: the
	// signature was there by then, and the signer's certificate is judged as of
	// then. Zero without one; then the time of the verdict counts.
	Trusted time.Time
	// Revocation is what was learned about each certificate of Chain but the
	// root; nil unless VerifyOptions.Revocation asked.
	Revocation []Standing
	// Coverage says what the signature binds.
	Coverage Coverage
	// Signed is the content the signature binds, to be read as it was signed;
	// nil unless Err is.
	Signed []Signed
	// Place is where the signature begins.
	Place xmlscan.Pos
	// Warnings are weaknesses the caller said to accept, and oddities, in English.
	Warnings []string
}

// Coverage says which parts of the packet a signature binds: those whose
// digests were compared and are right.
type Coverage struct {
	Whole       bool     `json:"whole"`       // every byte of the XML but the signature itself
	Header      bool     `json:"header"`      // MessageHeader
	Business    bool     `json:"business"`    // Bussiness; false as well when the packet has none
	Manifest    bool     `json:"manifest"`    // Manifest; false as well when the packet has none
	Attachments []string `json:"attachments"` // by name
	Missing     []string `json:"missing"`     // parts and attachments the signature does not bind, by name
}

// MarshalJSON gives empty lists as [], never as null.
func (c Coverage) MarshalJSON() ([]byte, error) {
	type plain Coverage
	if c.Attachments == nil {
		c.Attachments = []string{}
	}
	if c.Missing == nil {
		c.Missing = []string{}
	}
	return json.Marshal(plain(c))
}

// Reason is the stable code of why the signature is not acceptable, for
// example "digest"; "" when it is acceptable.
func (v Verdict) Reason() string {
	var why *reason
	switch {
	case v.Err == nil:
		return ""
	case errors.As(v.Err, &why):
		return why.code
	}
	return "unreadable"
}

// Message says the verdict in one sentence, in both languages; names and
// details that were found follow the reason as they are.
func (v Verdict) Message() edxml.Text {
	var why *reason
	switch {
	case v.Err == nil:
		return edxml.Text{VI: "chữ ký hợp lệ, người ký: " + v.signer(), EN: "the signature is acceptable, signed by " + v.signer()}
	case !errors.As(v.Err, &why):
		return edxml.Text{VI: v.Err.Error(), EN: v.Err.Error()}
	}
	detail := strings.TrimPrefix(v.Err.Error(), why.Error())
	return edxml.Text{VI: why.text.VI + detail, EN: why.text.EN + detail}
}

func (v Verdict) signer() string {
	if v.Signer == nil {
		return ""
	}
	return v.Signer.Subject.String()
}

// MarshalJSON gives reason ("" when acceptable), message, signer, issuer,
// serial (hexadecimal), algorithm, claimed_time and trusted_time (RFC 3339),
// coverage, revocation (certificate, source, updated and next), line, column
// and warnings.
func (v Verdict) MarshalJSON() ([]byte, error) {
	out := struct {
		Reason    string   `json:"reason"`
		Message   string   `json:"message"`
		Signer    string   `json:"signer,omitempty"`
		Issuer    string   `json:"issuer,omitempty"`
		Serial    string   `json:"serial,omitempty"`
		Algorithm string   `json:"algorithm,omitempty"`
		Claimed   string   `json:"claimed_time,omitempty"`
		Trusted   string   `json:"trusted_time,omitempty"`
		Coverage  Coverage `json:"coverage"`
		Revoked   []asked  `json:"revocation,omitempty"`
		Line      int      `json:"line"`
		Column    int      `json:"column"`
		Warnings  []string `json:"warnings,omitempty"`
	}{
		Reason: v.Reason(), Message: v.Message().EN, Signer: v.signer(), Algorithm: v.Algorithm,
		Coverage: v.Coverage, Line: v.Place.Line, Column: v.Place.Column, Warnings: v.Warnings,
	}
	out.Claimed, out.Trusted = moment(v.Claimed), moment(v.Trusted)
	for _, s := range v.Revocation {
		out.Revoked = append(out.Revoked, asked{s.Certificate.Subject.String(), s.Source, moment(s.Updated), moment(s.Next)})
	}
	if v.Signer != nil {
		out.Issuer, out.Serial = v.Signer.Issuer.String(), fmt.Sprintf("%x", v.Signer.SerialNumber)
	}
	return json.Marshal(out)
}

// asked is a [Standing] in JSON.
type asked struct {
	Certificate string `json:"certificate"`
	Source      string `json:"source"`
	Updated     string `json:"updated"`
	Next        string `json:"next,omitempty"`
}

// moment writes a time, "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}
