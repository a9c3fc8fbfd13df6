package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/failpoint"
	"github.com/lienthong/lienthong/signature"
)

// verify judges signature and completeness (QĐ 28/2018/QĐ-TTg Art. 9).
func (n *Node) verify(ctx context.Context, t *Transfer) (func(*Transfer), error) {
	found, policy := (*Signature)(nil), n.policyFor(t.From)
	if policy != Off {
		verdicts, err := n.verdicts(ctx, t)
		if err != nil {
			return nil, err
		}
		for _, v := range verdicts {
			if errors.Is(v.Err, signature.ErrPending) { // tried again until somebody can tell
				return nil, fmt.Errorf("node: whether the signer's certificate was revoked cannot be found out now: %w", v.Err)
			}
		}
		found = judge(verdicts)
		if found.Reason == unsigned && len(t.Via) > 0 {
			found.Reason = rebuilt
		}
	}
	reason := ""
	if missing := n.incomplete(t); missing != "" {
		reason = missing
	} else if found != nil && found.Reason != "" && policy == Require {
		reason = "signature not acceptable: " + found.Reason
	}
	return func(t *Transfer) {
		t.Signature = found
		if t.State = Verified; reason != "" {
			t.State, t.Refusal = Rejected, reason
			// the same Document sent again is to be judged anew
			t.Unique = slices.DeleteFunc(t.Unique, func(k string) bool { return k == identityKey(In, t) })
		}
	}, nil
}

// verifyAtOnce judges a Document that was fetched before that is recorded, so
// that both are one commit; nil where nothing is to be judged, and where it may
// fail or take its time, and so is a step of its own: somebody else is asked
// about revocation.
func (n *Node) verifyAtOnce(ctx context.Context, t *Transfer, fetched func(*Transfer)) func(*Transfer) {
	if t.State != Listed || n.Revocation != nil {
		return nil
	}
	will := *t
	if fetched(&will); will.State != Fetched {
		return nil
	}
	began := time.Now().UTC()
	verified, err := n.verify(ctx, &will)
	if err != nil {
		return nil // and so will the step say
	}
	took := max(time.Since(began), 1)
	failpoint.Hit(failpoint.VerifyDone)
	return func(t *Transfer) {
		fetched(t)
		remember(t, Attempt{Step: "verify", Start: began, Duration: took})
		verified(t)
	}
}

func (n *Node) verdicts(ctx context.Context, t *Transfer) ([]signature.Verdict, error) {
	envelope, err := n.Store.Open(ctx, t.Envelope.SHA256)
	if err != nil {
		return nil, err
	}
	defer envelope.Close()
	var files []signature.Content // a single file has its own inside
	if t.Profile != edxml.ProfileQCVN102 {
		files = n.signedContents(ctx, t.Parts)
	}
	return signature.Verify(envelope, envelope.Size(), files, signature.VerifyOptions{
		Roots: n.roots.Load(), Revocation: n.Revocation, Outage: n.Outage, Grace: n.Grace,
	})
}

// signedContents are the parts of a packet as signing and verifying take them.
// The store digested their octets when it took them in; handOut looks whether
// they still are the same.
func (n *Node) signedContents(ctx context.Context, parts []Part) []signature.Content {
	var files []signature.Content
	for _, p := range parts {
		sum, _ := hex.DecodeString(p.Content.SHA256) // one that is none is computed
		files = append(files, signature.Content{ID: p.ID, Name: p.Name, Open: n.sendable(ctx, p.Content).Open, SHA256: sum})
	}
	return files
}

// incomplete names what the packet lacks to be a Document.
func (n *Node) incomplete(t *Transfer) string {
	for _, f := range t.Findings {
		if f.Rule == "ATT-1" || f.Rule == "ATT-6" || f.Rule == "ATT-8" {
			return f.Message
		}
	}
	return ""
}

// The reasons of a packet that has no signature.
const (
	unsigned = "unsigned"
	// rebuilt: an axis on the way left its TraceHeader. One that writes packets
	// anew in another profile cannot keep a signature; what its sender signed is
	// in its files, and the axis vouches for the rest.
	rebuilt = "rebuilt by axis"
)

// judge sums up the verdicts for a Transfer.
func judge(verdicts []signature.Verdict) *Signature {
	s := &Signature{}
	switch err := signature.Judge(verdicts); {
	case errors.Is(err, signature.ErrUnsigned):
		s.Reason = unsigned
	case err != nil:
		s.Reason = err.Error()
		s.Broken = misfit(err)
	}
	for _, v := range verdicts {
		if errors.Is(v.Err, signature.ErrNamespace) {
			continue // a block that is no signature
		}
		s.Signed = true
		if v.Signer != nil {
			s.Signer = v.Signer.Subject.String()
		}
		s.Coverage = append(s.Coverage, covered(v.Coverage)...)
		s.Missing = append(s.Missing, v.Coverage.Missing...)
	}
	return s
}

// misfit reports whether a reason says that the signature does not belong to
// these bytes. An axis that rebuilt the packet is none.
func misfit(err error) bool {
	if errors.Is(err, signature.ErrRebuilt) {
		return false
	}
	for _, bad := range []error{signature.ErrDigest, signature.ErrSignatureValue, signature.ErrCertificate, signature.ErrCoverage,
		signature.ErrDuplicateID, signature.ErrMissingContent, signature.ErrShape} {
		if errors.Is(err, bad) {
			return true
		}
	}
	return false
}

// covered names what a signature binds.
func covered(c signature.Coverage) []string {
	var names []string
	for _, part := range []struct {
		bound bool
		name  string
	}{{c.Whole, "packet"}, {c.Header, "MessageHeader"}, {c.Business, "Bussiness"}, {c.Manifest, "Manifest"}} {
		if part.bound {
			names = append(names, part.name)
		}
	}
	return append(names, c.Attachments...)
}
