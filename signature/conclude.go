package signature

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/lienthong/lienthong/edxml"
)

// conclude finishes a verdict once the whole packet has passed. The order is
// that of what may be believed: the packet, the block, where it points, what
// is there, and who signed it.
func (v *verifying) conclude(c *candidate) {
	switch {
	case errors.Is(c.Err, ErrNamespace): // no signature at all, whatever the packet is
		return
	case v.tolerated() != nil:
		c.Err = v.tolerated()
	case v.ids.twice != "":
		c.Err = refuse(ErrDuplicateID, "Id %q", v.ids.twice)
	case c.Err == nil:
		c.Err = v.compare(c)
	}
	if c.Err == nil {
		v.judgeSigner(c)
	}
	if c.Err == nil {
		c.Signed = v.contents(c)
	}
}

// compare follows every Reference and compares the digests.
func (v *verifying) compare(c *candidate) error {
	bound := make(map[string]bool) // attachments, by identifier
	var changed []string
	inside := false // what changed is more than an attachment
	for i, r := range c.block.refs {
		var name string
		var sum []byte
		var err error
		own := c.block.properties != nil && c.block.properties.ref == r
		if job := c.jobs[i]; own {
			name = "SignedProperties"
			sum, err = v.ownProperties(c.block.properties)
		} else if job != nil {
			name, sum, err = v.sameDocument(job)
		} else {
			id := strings.TrimPrefix(r.uri, "cid:")
			bound[id] = true
			name = v.nameOf(id)
			sum, err = v.attached(id, r)
		}
		if err != nil {
			return err
		}
		if !bytes.Equal(sum, r.digest) {
			changed = append(changed, name)
			inside = inside || c.jobs[i] != nil
			continue
		}
		if job := c.jobs[i]; own {
			c.block.properties.claim(&c.Verdict)
		} else if job != nil {
			v.cover(&c.Coverage, job)
		} else {
			c.Coverage.Attachments = append(c.Coverage.Attachments, name)
		}
	}
	err := v.unbound(c, bound)
	if inside && v.traces > 1 {
		return refuse(ErrRebuilt, "%s", strings.Join(changed, ", "))
	}
	if len(changed) > 0 {
		return refuse(ErrDigest, "%s", strings.Join(changed, ", "))
	}
	return err
}

// sameDocument returns the digest of a same-document Reference that points
// where the profile has it point.
func (v *verifying) sameDocument(job *octets) (name string, sum []byte, err error) {
	if job.whole {
		sum, err = job.sum()
		return "the packet", sum, digestError(err)
	}
	switch {
	case job.hits == 0 && v.traces > 1 && v.ids.has(job.id) == 0:
		return "", nil, refuse(ErrRebuilt, "there is no element with the Id %q", job.id)
	case job.hits == 0:
		return "", nil, refuse(ErrCoverage, "there is no element with the Id %q", job.id)
	case job.hits > 1 || v.ids.has(job.id)&otherID != 0:
		return "", nil, refuse(ErrDuplicateID, "Id %q", job.id)
	case job.part == noPart:
		return "", nil, refuse(ErrCoverage, "Reference %q points to %s", "#"+job.id, job.where)
	case v.claims[job.part] != 1:
		return "", nil, refuse(ErrCoverage, "there are %d elements named %s", v.claims[job.part], job.part)
	}
	sum, err = job.sum()
	return job.part.String(), sum, digestError(err)
}

// ownProperties returns the digest of what the signer signed about the signature.
func (v *verifying) ownProperties(p *properties) ([]byte, error) {
	if v.ids.has(p.id)&otherID != 0 {
		return nil, refuse(ErrDuplicateID, "Id %q", p.id)
	}
	return p.sum()
}

func digestError(err error) error {
	if err != nil {
		return refuse(ErrShape, "a Reference has no canonical form: %v", err)
	}
	return nil
}

// attached returns the digest of the attachment with the identifier id.
func (v *verifying) attached(id string, r *ref) ([]byte, error) {
	if v.profile == edxml.ProfileSOAP {
		if v.twice != "" {
			return nil, refuse(ErrDuplicateID, "two attachments have the Content-ID %q", v.twice)
		}
		f, ok := v.content[id]
		if !ok {
			return nil, refuse(ErrMissingContent, "%s (cid:%s)", v.nameOf(id), id)
		}
		key := fileKey{id, r.method}
		s, ok := v.fileSums[key]
		if !ok {
			s.sum, s.err = digestFile(f, r.method)
			v.fileSums[key] = s
		}
		return s.sum, s.err
	}
	var sum *inlineSum
	for i, a := range v.inline {
		if a.id != id {
			continue
		}
		if sum != nil {
			return nil, refuse(ErrDuplicateID, "two attachments have the ContentId %q", id)
		}
		if err := v.wellKept(a); err != nil {
			return nil, err
		}
		sum = &v.sums[r.method].sums[i]
	}
	if sum == nil {
		return nil, refuse(ErrMissingContent, "%s (cid:%s)", v.nameOf(id), id)
	}
	if sum.err != nil { // not what was signed, whatever it is
		return nil, refuse(ErrDigest, "%s: %v", v.nameOf(id), sum.err)
	}
	return sum.sum, nil
}

// wellKept refuses an Attachment that two readers could take differently: the
// digest binds its content, but neither its other children nor its name.
func (r *reading) wellKept(a *attachment) error {
	if a.ids != 1 || a.bodies != 1 || a.names > 1 {
		return refuse(ErrShape, "attachment %q has not exactly one ContentId, one content and at most one name", a.label())
	}
	for _, l := range r.listed {
		if l.id == a.id && l.name != "" && a.name != "" && l.name != a.name {
			return refuse(ErrCoverage, "attachment %q is called %q outside what can be signed", l.name, a.name)
		}
	}
	return nil
}

// nameOf gives the name of an attachment for reports: the Manifest's, the
// caller's, the packet's own, or the identifier.
func (v *verifying) nameOf(id string) string {
	for _, a := range v.listed {
		if a.id == id && a.name != "" {
			return a.name
		}
	}
	if f := v.content[id]; v.profile == edxml.ProfileSOAP && f.Name != "" {
		return f.Name
	}
	for _, a := range v.inline {
		if a.id == id {
			return a.label()
		}
	}
	return id
}

// cover notes what a right digest binds.
func (v *verifying) cover(to *Coverage, job *octets) {
	if !job.whole {
		switch job.part {
		case header:
			to.Header = true
		case business:
			to.Business = true
		case manifest:
			to.Manifest = true
		}
		return
	}
	to.Whole = true
	to.Header, to.Business, to.Manifest = v.found[header] > 0, v.found[business] > 0, v.found[manifest] > 0
	for _, a := range v.inline {
		if l := a.label(); !slices.Contains(to.Attachments, l) {
			to.Attachments = append(to.Attachments, l)
		}
	}
}

// unbound lists what the signature does not bind, and refuses it for that. A
// part the packet does not have need not be bound, but MessageHeader must be
// there in a packet signed by parts.
func (v *verifying) unbound(c *candidate, bound map[string]bool) error {
	signed := map[part]bool{}
	whole := false
	for _, job := range c.jobs {
		if job != nil {
			whole = whole || job.whole
			signed[job.part] = true
		}
	}
	miss := func(name string) {
		if !slices.Contains(c.Coverage.Missing, name) {
			c.Coverage.Missing = append(c.Coverage.Missing, name)
		}
	}
	for _, p := range []part{header, business, manifest} {
		if !whole && !signed[p] && (v.claims[p] > 0 || p == header) {
			miss(p.String())
		}
	}
	need := func(id, name string) {
		if !bound[id] {
			miss(name)
		}
	}
	if v.profile == edxml.ProfileSOAP {
		for _, id := range v.order {
			need(id, v.nameOf(id))
		}
	}
	if v.profile == edxml.ProfileSOAP || !whole {
		for _, a := range v.listed {
			if a.id != "" {
				need(a.id, a.label())
			}
		}
	}
	if !whole {
		for _, a := range v.inline {
			need(a.id, a.label())
		}
		for range v.strays {
			miss("an Attachment out of place")
		}
	}
	if len(c.Coverage.Missing) > 0 {
		return refuse(ErrCoverage, "not bound: %s", strings.Join(c.Coverage.Missing, ", "))
	}
	return nil
}
