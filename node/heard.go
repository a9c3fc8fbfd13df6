package node

import (
	"crypto/sha256"
	"fmt"

	"github.com/lienthong/lienthong/edxml"
)

// maxHeard is how many statuses one generation of heard remembers, 16 octets
// each.
const maxHeard = 50_000

// heard remembers statuses that were applied already, so that the overlap of
// two looks costs no question to the store. It is forgotten with the process,
// and what falls out of it is applied again, which changes nothing.
type heard struct {
	young, old map[[16]byte]bool
}

// heardKey is all that a Status says.
func heardKey(s *edxml.Status) [16]byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %q %q", s.From.OrganID, s.ResponseFor.OrganID, s.ResponseFor.DocumentID, s.ResponseFor.Code,
		string(s.StatusCode), string(s.Timestamp), s.Description))
	return [16]byte(sum[:])
}

// news returns the statuses that were not applied yet.
func (h *heard) news(all []edxml.Status) []edxml.Status {
	var fresh []edxml.Status
	for i := range all {
		if key := heardKey(&all[i]); !h.young[key] && !h.old[key] {
			fresh = append(fresh, all[i])
		}
	}
	return fresh
}

// keep remembers what was applied.
func (h *heard) keep(applied []*edxml.Status) {
	for _, s := range applied {
		if len(h.young) >= maxHeard {
			h.old, h.young = h.young, nil
		}
		if h.young == nil {
			h.young = map[[16]byte]bool{}
		}
		h.young[heardKey(s)] = true
	}
}
