package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// AmbiguousError says that a reference fits more than one Transfer.
type AmbiguousError struct {
	Ref string
	IDs []string
}

// Error names the candidates.
func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("node: %q fits %d transfers: %s", e.Ref, len(e.IDs), strings.Join(e.IDs, ", "))
}

// recent is how many Transfers are searched for the end of an ID.
const recent = 1000

// Resolve finds a Transfer of one direction by what a person would type: its
// ID, the last characters of its ID (at least four, among the newest 1,000),
// or its DocumentId. It returns ErrNotFound or an *AmbiguousError.
func (n *Node) Resolve(ctx context.Context, d Direction, ref string) (*Transfer, error) {
	if t, err := n.Store.Transfer(ctx, ref); err == nil && t.Direction == d {
		return t, nil
	}
	found, err := n.Store.Find(ctx, documentKey(d, ref), "", recent)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(t *Transfer) bool { return t.SameAs != "" })
	if len(found) == 0 && len(ref) >= 4 {
		all, err := n.Store.List(ctx, d, "", recent)
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			if strings.HasSuffix(t.ID, ref) {
				found = append(found, t)
			}
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w: nothing in the %sbox is %q", ErrNotFound, d, ref)
	case 1:
		return found[0], nil
	}
	e := &AmbiguousError{Ref: ref}
	for _, t := range found {
		e.IDs = append(e.IDs, t.ID)
	}
	return nil, e
}
