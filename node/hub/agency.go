package hub

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
	"github.com/lienthong/lienthong/node"
)

// agencyPrefix begins the names of the values that hold agencies; changedName
// is the value that changes with every one of them, so that all nodes on one
// store notice.
const (
	agencyPrefix = "agency "
	changedName  = "agencies changed"
)

// The bounds of what an agency may have.
const (
	maxTokens = 8    // at once: the old and the new one overlap while a client changes
	maxSpeaks = 4000 // organs beside its own; the whole agency is a value of 64 KiB
)

// Agency is an organ whose mailbox is on this hub.
type Agency struct {
	edxml.Organ
	Parent  string    `json:"parent,omitempty"`  // OrganId of the body above it
	Speaks  []string  `json:"speaks,omitempty"`  // organs beside its own that it may send and collect for: their mail goes to its mailbox
	Tokens  []Token   `json:"tokens,omitempty"`  // any of them is good
	Certs   []string  `json:"certs,omitempty"`   // SHA-256 of client certificates (DER), hex; any of them is good without a token
	Secret  []byte    `json:"secret,omitempty"`  // of its VXP system, encrypted; see Hub.Seal
	Closed  time.Time `json:"closed,omitzero"`   // gets and sends nothing new from then on; it may collect what waits, unless it moved
	MovedTo string    `json:"movedTo,omitempty"` // the hosted agency that has its mailbox and its mail now
	Limits  Limits    `json:"limits,omitzero"`
}

// Token is an access token as it is stored. The token itself is shown once.
type Token struct {
	SHA256  string    `json:"sha256"` // lower-case hex; tokens have 256 random bits, so that a plain digest does
	Created time.Time `json:"created"`
	Note    string    `json:"note,omitempty"` // where it is used
}

// Limits bound what one agency may ask of the hub. A zero field is the
// default.
type Limits struct {
	Rate    float64 `json:"rate,omitempty"`    // requests a second, on average; 0: 20
	Burst   int     `json:"burst,omitempty"`   // requests at once; 0: 100
	Bytes   int64   `json:"bytes,omitempty"`   // octets handed in within 24 hours; 0: 64 GiB
	Waiting int64   `json:"waiting,omitempty"` // Documents that wait for it uncollected; 0: 100,000
}

// The reasons why a change of an agency is refused that callers branch on.
var (
	// ErrNotHosted says that no agency with this OrganId is hosted here.
	ErrNotHosted = errors.New("hub: no such agency is hosted here")
	// ErrHosted says that the agency, under one of its two identifiers, is
	// hosted here already.
	ErrHosted = errors.New("hub: the agency is hosted here already")
)

// speaks returns all organs that a credential of the agency stands for.
func (a *Agency) speaks() []string {
	all := append([]string{a.OrganID}, a.Speaks...)
	if other, ok := organ.ID(a.OrganID).Counterpart(); ok && !slices.Contains(all, string(other)) {
		all = append(all, string(other))
	}
	return all
}

// closed reports whether the agency takes nothing new.
func (a *Agency) closed(at time.Time) bool { return !a.Closed.IsZero() && !at.Before(a.Closed) }

// holds reports whether a token is one of the agency's.
func (a *Agency) holds(token edxml.Secret) bool {
	digest := digestOf(token)
	found := 0
	for _, t := range a.Tokens {
		found |= subtle.ConstantTimeCompare([]byte(t.SHA256), []byte(digest))
	}
	return found == 1
}

func digestOf(token edxml.Secret) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// check refuses an agency that could not be found or trusted later.
func (a *Agency) check() error {
	for _, id := range append([]string{a.OrganID}, a.Speaks...) {
		parsed, err := organ.Parse(id)
		if err != nil {
			return fmt.Errorf("hub: agency %q: %w", a.OrganID, err)
		}
		if parsed.Generation() == organ.Other {
			return fmt.Errorf("hub: agency %q: %q has the form of no identifier (QCVN 102, QĐ 20/2020)", a.OrganID, id)
		}
		if string(parsed) != id {
			return fmt.Errorf("hub: agency %q: write the identifier %q as %q", a.OrganID, id, parsed)
		}
	}
	switch {
	case strings.TrimSpace(a.OrganName) == "":
		return fmt.Errorf("hub: agency %s has no name", a.OrganID)
	case len(a.Tokens) > maxTokens:
		return fmt.Errorf("hub: agency %s has %d tokens, at most %d at once: revoke one first", a.OrganID, len(a.Tokens), maxTokens)
	case len(a.Speaks) > maxSpeaks:
		return fmt.Errorf("hub: agency %s speaks for %d organs, at most %d", a.OrganID, len(a.Speaks), maxSpeaks)
	case a.MovedTo == a.OrganID:
		return fmt.Errorf("hub: agency %s cannot move to itself", a.OrganID)
	}
	return nil
}

// valueName is where an agency is stored: under one name for both generations
// of its identifier, so that two nodes cannot host it twice at once.
func valueName(id string) string {
	if other, ok := organ.ID(id).Counterpart(); ok && string(other) > id {
		id = string(other) // that of QĐ 20/2020, which begins with a letter
	}
	return agencyPrefix + id
}

// Add hosts a new agency: ErrHosted if it is hosted here, by either generation
// of its identifier.
func (h *Hub) Add(ctx context.Context, a Agency) error {
	d, err := h.directory(ctx)
	if err != nil {
		return err
	}
	if found := d.hosted(a.OrganID); found != nil {
		return fmt.Errorf("%w: %s as %s", ErrHosted, a.OrganID, found.OrganID)
	}
	if err := a.check(); err != nil {
		return err
	}
	v, err := json.Marshal(a)
	if err != nil {
		return err
	}
	done, err := h.node.Store.SwapValue(ctx, valueName(a.OrganID), nil, v)
	if err != nil {
		return err
	}
	if !done {
		return fmt.Errorf("%w: %s", ErrHosted, a.OrganID)
	}
	return h.changed(ctx)
}

// Change alters an agency as it is stored; nothing comes between reading and
// writing it. change may run more than once; its error is returned as it is.
func (h *Hub) Change(ctx context.Context, id string, change func(*Agency) error) (*Agency, error) {
	name := valueName(id)
	for {
		old, err := h.node.Store.Value(ctx, name)
		if err != nil {
			return nil, err
		}
		if old == nil {
			return nil, fmt.Errorf("%w: %s", ErrNotHosted, id)
		}
		a := new(Agency)
		if err := json.Unmarshal(old, a); err != nil {
			return nil, fmt.Errorf("hub: agency %s: %w", id, err)
		}
		if a.OrganID != id {
			return nil, fmt.Errorf("%w: %s; it is entered as %s", ErrNotHosted, id, a.OrganID)
		}
		if err := change(a); err != nil {
			return nil, err
		}
		if a.OrganID != id {
			return nil, fmt.Errorf("hub: agency %s: the identifier cannot change; add the new one and move the old one to it", id)
		}
		if err := a.check(); err != nil {
			return nil, err
		}
		v, err := json.Marshal(a)
		if err != nil {
			return nil, err
		}
		done, err := h.node.Store.SwapValue(ctx, name, old, v)
		if err != nil {
			return nil, err
		}
		if done {
			return a, h.changed(ctx)
		}
	}
}

// NewToken makes a token for an agency and returns it; it is shown this once,
// only its digest is stored.
func (h *Hub) NewToken(ctx context.Context, id, note string) (edxml.Secret, error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("hub: %w", err)
	}
	token := edxml.Secret(hex.EncodeToString(b))
	_, err := h.Change(ctx, id, func(a *Agency) error {
		a.Tokens = append(a.Tokens, Token{SHA256: digestOf(token), Created: time.Now().UTC().Truncate(time.Second), Note: note})
		return nil
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// Move gives the mailbox of an agency, with all that waits in it, to another
// one that is hosted here: the agency was merged, renamed or moved. The old one
// is closed; what is sent to it from now on arrives at the new one.
func (h *Hub) Move(ctx context.Context, from, to string) error {
	d, err := h.directory(ctx)
	if err != nil {
		return err
	}
	if d.agencies[to] == nil {
		return fmt.Errorf("%w: %s", ErrNotHosted, to)
	}
	for at := to; at != ""; at = d.agencies[at].MovedTo {
		if at == from {
			return fmt.Errorf("hub: %s has moved to %s already: moving it back would make a circle", to, from)
		}
	}
	_, err = h.Change(ctx, from, func(a *Agency) error {
		a.MovedTo = to
		if a.Closed.IsZero() {
			a.Closed = time.Now().UTC().Truncate(time.Second)
		}
		return nil
	})
	return err
}

// Agencies returns every agency that is hosted here, closed ones included, in
// the order of their identifiers. They are shared: do not change them.
func (h *Hub) Agencies(ctx context.Context) ([]*Agency, error) {
	d, err := h.directory(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]*Agency, 0, len(d.agencies))
	for _, a := range d.agencies {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *Agency) int { return strings.Compare(a.OrganID, b.OrganID) })
	return all, nil
}

// changed makes every node on the store read the agencies anew.
func (h *Hub) changed(ctx context.Context) error {
	mark := make([]byte, 16)
	if _, err := rand.Read(mark); err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	if err := h.node.Store.SetValue(ctx, changedName, []byte(hex.EncodeToString(mark))); err != nil {
		return err
	}
	h.forget()
	return nil
}

// readAgencies reads all of them from the store.
func readAgencies(ctx context.Context, s node.Values) (map[string]*Agency, error) {
	all := map[string]*Agency{}
	after := ""
	for {
		page, err := s.Values(ctx, agencyPrefix, after, 1000)
		if err != nil {
			return nil, err
		}
		for _, v := range page {
			a := new(Agency)
			if err := json.Unmarshal(v.Value, a); err != nil {
				return nil, fmt.Errorf("hub: %s: %w", v.Name, err)
			}
			all[a.OrganID] = a
			after = v.Name
		}
		if len(page) < 1000 {
			return all, nil
		}
	}
}
