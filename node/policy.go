package node

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lienthong/lienthong/edxml/organ"
)

// RecallPolicy says what the node answers when a sender takes a Document back.
type RecallPolicy string

// The policies. QĐ 28/2018/QĐ-TTg Art. 9(2) obliges the receiver to cancel the
// Document and to report it; denying is practice without a basis there.
const (
	AgreeRecall RecallPolicy = "agree" // seal, destroy, and report 15
	DenyRecall  RecallPolicy = "deny"  // keep the Document, and report 16
	PassRecall  RecallPolicy = "pass"  // leave it to those the Document is handed on to: what a hub does
)

// checkPolicies fills in the defaults and refuses what is no policy.
func (c *Config) checkPolicies() error {
	if c.Policy == "" {
		c.Policy = Warn
	}
	if c.Recalls == "" {
		c.Recalls = AgreeRecall
	}
	known := []SignaturePolicy{Off, Warn, Require}
	if !slices.Contains(known, c.Policy) {
		return fmt.Errorf("node: signature policy %q is none of %q", c.Policy, known)
	}
	for _, id := range slices.Sorted(maps.Keys(c.Senders)) {
		if !slices.Contains(known, c.Senders[id]) {
			return fmt.Errorf("node: signature policy %q for %s is none of %q", c.Senders[id], id, known)
		}
		if _, err := organ.Parse(id); err != nil {
			return fmt.Errorf("node: signature policy for %q: %w", id, err)
		}
	}
	if c.Recalls != AgreeRecall && c.Recalls != DenyRecall && c.Recalls != PassRecall {
		return fmt.Errorf("node: recall policy %q is none of %q, %q and %q", c.Recalls, AgreeRecall, DenyRecall, PassRecall)
	}
	return nil
}

// policyFor returns the policy for a sender: its own, that of its root, or the
// general one.
func (c *Config) policyFor(sender string) SignaturePolicy {
	if p, ok := c.Senders[sender]; ok {
		return p
	}
	if p, ok := c.Senders[organ.ID(sender).Root()]; ok {
		return p
	}
	return c.Policy
}

// sameOrgan reports whether two identifiers name one agency: directories list
// both generations of codes.
func sameOrgan(a, b string) bool {
	if a == b {
		return true
	}
	other, ok := organ.ID(a).Counterpart()
	return ok && string(other) == b
}
