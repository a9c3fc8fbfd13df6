package node

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/soap"
)

// Cause says what an error is about, for whoever has to do something about it.
type Cause string

// The causes.
const (
	CauseUnreached   Cause = "unreached"   // the axis is not reached, or does not answer
	CauseCredential  Cause = "credential"  // the axis does not accept organ and token
	CauseReceiver    Cause = "receiver"    // the axis does not know a receiver
	CauseCertificate Cause = "certificate" // the axis's certificate, or ours, is not accepted
	CauseExpired     Cause = "expired"     // the axis's certificate, or ours, has expired
	CauseClock       Cause = "clock"       // this machine's clock is wrong, so that certificates seem out of date
	CauseOversize    Cause = "oversize"    // the packet is larger than somebody allows
	CauseSpace       Cause = "space"       // the disk is full
	CauseSink        Cause = "sink"        // the document system does not take it
	CauseRefused     Cause = "refused"     // the axis refuses the packet for what is in it
	CauseAxis        Cause = "axis"        // the axis is out of order, by its own word
	CauseNoAxis      Cause = "no-axis"     // no axis is configured
)

// skew is how far clocks may differ before that counts as a cause.
const skew = 2 * time.Minute

// causeOf finds what an error in the latest attempt of t is about.
func (n *Node) causeOf(t *Transfer, err error) Cause {
	var space *SpaceError
	step := t.Attempts[len(t.Attempts)-1].Step
	switch {
	case errors.Is(err, errNoAxis):
		return CauseNoAxis
	case errors.As(err, &space), errors.Is(err, syscall.ENOSPC):
		return CauseSpace
	case step == "deliver" || step == "notify" || step == "withdraw":
		return CauseSink
	case outOfDate(err):
		if n.LinkNow().Offset.Abs() >= skew {
			return CauseClock
		}
		return CauseExpired
	case certificate(err):
		return CauseCertificate
	}
	var limit *soap.LimitError
	if errors.As(err, &limit) {
		return CauseOversize
	}
	var fault *transport.Fault
	if errors.As(err, &fault) {
		return causeOfFault(fault)
	}
	return CauseUnreached
}

func causeOfFault(f *transport.Fault) Cause {
	text := strings.ToLower(f.Text)
	switch {
	case f.Credential, f.Code == edoc.CodePermission, f.Code == "CheckPermission", f.Code == "CheckSignature", strings.Contains(text, "wrong token"):
		return CauseCredential
	case f.Code == edoc.CodeUnknownReceiver, f.Code == "MessageHeader.To.OrganId", !f.Transient && strings.Contains(text, "receiver"):
		return CauseReceiver
	case oversize(f):
		return CauseOversize
	case f.Err != nil && !answering(f.Err):
		return CauseUnreached
	case f.Transient:
		return CauseAxis
	}
	return CauseRefused
}

// oversize reports whether a refusal is about size: by HTTP, by our own axis,
// which names the limit, or in words of others.
func oversize(f *transport.Fault) bool {
	if f.Err != nil {
		return strings.Contains(f.Err.Error(), "HTTP 413")
	}
	text := strings.ToLower(f.Text)
	return !f.Transient && (strings.Contains(text, `limit "`) || strings.Contains(text, "too large") || strings.Contains(text, "dung lượng"))
}

// answering reports whether something at the other end spoke HTTP.
func answering(err error) bool {
	var network net.Error
	return !errors.As(err, &network) && strings.Contains(err.Error(), "HTTP ")
}

// outOfDate reports whether a certificate is refused for the time.
func outOfDate(err error) bool {
	var invalid x509.CertificateInvalidError
	var alert tls.AlertError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired || errors.As(err, &alert) && alert == alertExpired
}

// alertExpired is certificate_expired (RFC 8446 §6): the axis says it of ours.
const alertExpired tls.AlertError = 45

// certificate reports whether TLS failed over a certificate.
func certificate(err error) bool {
	var verification *tls.CertificateVerificationError
	var alert tls.AlertError
	return errors.As(err, &verification) || errors.As(err, &alert)
}
