package hub

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/soap"
	"github.com/lienthong/lienthong/transport/vxp"
)

// Options says how a Hub listens. The zero value is the default.
type Options struct {
	Limits  soap.Limits // of one SendDocument
	Default Limits      // of an agency that has none of its own

	// Key encrypts the secrets of VXP systems (32 octets, AES-256-GCM). Without
	// it agencies have tokens and certificates only.
	Key []byte
	// Upstream is the wire to the node's axis.
	Upstream Wire
	// Next is where a Document for the node's own agency goes, which has no
	// mailbox here; nil: it stays in the inbox.
	Next node.Sink
	// Alone says that no other process writes to the node's store, so that a
	// Status can be read from the moment it is filed. Else those of the last
	// seconds are given out again at every look.
	Alone bool
	// Name marks what this hub asks of other hubs, so that one that is its own
	// upstream is found out.
	Name string
}

// Wire names the wire to the upstream axis.
type Wire string

// The wires.
const (
	EDoc Wire = "edoc" // SOAP, also ""; there the hub's own acknowledgement is status 01
	VXP  Wire = "vxp"  // the national axis's adapter; status 01 goes when the agency has collected
)

// Profile returns the profile that a wire carries.
func (w Wire) Profile() edxml.Profile {
	if w == VXP {
		return edxml.ProfileQCVN102
	}
	return edxml.ProfileSOAP
}

var (
	_ edoc.Backend  = (*Hub)(nil)
	_ edoc.Follower = (*Hub)(nil)
	_ vxp.Backend   = (*Hub)(nil)
	_ node.Sink     = (*Hub)(nil)
)

// Hub is a node that listens. It is the Backend of both wires, and the Sink of
// its node for what comes from upstream.
type Hub struct {
	node    *node.Node
	o       Options
	seal    *seal
	meter   meter
	numbers numbers
	filing  filing

	mu    sync.Mutex
	known *directory
	asked time.Time
}

// New makes a hub of a node.
func New(n *node.Node, o Options) (*Hub, error) {
	h := &Hub{node: n, o: o, filing: filing{alone: o.Alone}, meter: meter{agencies: map[string]*gauge{}}}
	if len(o.Key) > 0 {
		s, err := newSeal(o.Key)
		if err != nil {
			return nil, err
		}
		h.seal = s
	}
	return h, nil
}

// peerKey is the context key of the client's certificate, a SHA-256 in hex.
type peerKey struct{}

// NameHeader carries the name of the hub that asks.
const NameHeader = "Lienthong-Hub"

// Handler answers both wires: VXP to a request that is signed in its headers,
// SOAP to any other.
func (h *Hub) Handler() http.Handler {
	soapWire := edoc.NewHandler(h, edoc.HandlerOptions{Limits: h.o.Limits, Done: func(c edoc.Call) { h.note(c.Operation, c.Organ, c.Code, c.Err) }})
	vxpWire := vxp.NewHandler(h, vxp.HandlerOptions{Done: func(c vxp.Call) { h.note(c.Operation, c.SystemID, c.Code, c.Err) }})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := r.Header.Get(NameHeader); h.o.Name != "" && name == h.o.Name {
			http.Error(w, "this hub asks itself: its upstream axis is its own address", http.StatusLoopDetected)
			return
		}
		if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
			r = r.WithContext(context.WithValue(r.Context(), peerKey{}, Fingerprint(r.TLS.PeerCertificates[0])))
		}
		if vxp.Asks(r) {
			vxpWire.ServeHTTP(w, r)
			return
		}
		soapWire.ServeHTTP(w, r)
	})
}

// Fingerprint returns the SHA-256 of a certificate as Agency.Certs has it.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// note logs what was refused.
func (h *Hub) note(operation, organ, code string, err error) {
	if err == nil {
		return
	}
	var f *transport.Fault
	if errors.As(err, &f) {
		h.node.Log.Warn("refused", "operation", operation, "organ", organ, "code", code, "error", err)
		return
	}
	h.node.Log.Error("request failed", "operation", operation, "organ", organ, "error", err)
}

// Authenticate implements edoc.Backend: a token of the agency is good, and so
// is a client certificate that is registered for it. One that is closed may
// still collect what waits; what is left by one that moved is its successor's.
func (h *Hub) Authenticate(ctx context.Context, id string, token edxml.Secret) (edoc.Speaker, error) {
	d, err := h.directory(ctx)
	if err != nil {
		return edoc.Speaker{}, err
	}
	a := d.hosted(id)
	if a == nil || a.MovedTo != "" {
		return edoc.Speaker{}, edoc.ErrCredential
	}
	if peer, _ := ctx.Value(peerKey{}).(string); !a.holds(token) && !a.presents(peer) {
		return edoc.Speaker{}, edoc.ErrCredential
	}
	if err := h.pace(a); err != nil {
		return edoc.Speaker{}, err
	}
	return edoc.Speaker{Organs: a.speaks()}, nil
}

// pace refuses an agency that asks faster than it may.
func (h *Hub) pace(a *Agency) error {
	wait := h.meter.request(a, h.limits(a), time.Now())
	if wait <= 0 {
		return nil
	}
	return &transport.Fault{Code: edoc.CodeBusy, Transient: true, RetryAfter: wait, Text: fmt.Sprintf(
		"đơn vị %[1]s gọi quá nhanh, thử lại sau %[2]s / organ %[1]s calls too fast, try again in %[2]s", a.OrganID, wait.Round(time.Millisecond))}
}

// presents reports whether a client certificate is one of the agency's.
func (a *Agency) presents(fingerprint string) bool {
	for _, c := range a.Certs {
		if fingerprint != "" && c == fingerprint {
			return true
		}
	}
	return false
}

// Organs implements edoc.Backend: those hosted here and those the upstream axis
// has, each once.
func (h *Hub) Organs(ctx context.Context) ([]edxml.Organ, error) {
	d, err := h.directory(ctx)
	if err != nil {
		return nil, err
	}
	agencies, err := h.Agencies(ctx)
	if err != nil {
		return nil, err
	}
	var all []edxml.Organ
	now := time.Now()
	for _, a := range agencies {
		if a.closed(now) {
			continue
		}
		all = append(all, a.Organ)
		for _, id := range a.Speaks {
			if d.owner(id) == a { // its name is not known here
				all = append(all, edxml.Organ{OrganID: id, OrganName: id, OrganizationInCharge: a.OrganName})
			}
		}
	}
	up, err := h.node.Directory(ctx)
	if err != nil {
		return nil, err
	}
	for o := range up.All() {
		if d.owner(o.OrganID) == nil {
			all = append(all, o)
		}
	}
	return all, nil
}
