package signature

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"errors"
	"hash"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// inlineDigests takes the digest of every inline attachment of a single-file
// packet, over the octets that its base64 stands for.
type inlineDigests struct {
	method crypto.Hash
	sums   []inlineSum // in document order
	cur    *decoder
}

type inlineSum struct {
	sum []byte
	err error
}

func (d *inlineDigests) tree(*etree.Element) {}

func (d *inlineDigests) token(o *outline, t *xmlscan.Token) {
	switch t.Kind {
	case xmlscan.Start:
		switch {
		case o.inAttachment(0):
			d.sums = append(d.sums, inlineSum{err: errors.New("it has no content")})
		case o.inAttachment(1) && t.Name.Local == "ContentTransferEncoded":
			d.cur = &decoder{h: d.method.New()}
		}
	case xmlscan.Text:
		if d.cur != nil && o.inAttachment(1) {
			d.cur.write(t.Text)
		}
	case xmlscan.End:
		if d.cur != nil && o.inAttachment(1) {
			sum, err := d.cur.close()
			d.sums[len(d.sums)-1] = inlineSum{sum, err}
			d.cur = nil
		}
	}
}

// decoder hashes what base64 text stands for, with white space anywhere.
type decoder struct {
	h     hash.Hash
	carry []byte // fewer than four characters
	text  []byte // a chunk without its white space
	out   []byte
	ended bool // padding was seen
	err   error
}

func (d *decoder) write(b []byte) {
	if bytes.IndexByte(b, '\n') >= 0 || bytes.IndexByte(b, ' ') >= 0 || bytes.IndexByte(b, '\r') >= 0 || bytes.IndexByte(b, '\t') >= 0 {
		d.text = d.text[:0]
		for _, c := range b {
			if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
				d.text = append(d.text, c)
			}
		}
		b = d.text
	}
	if len(d.carry) > 0 {
		n := min(4-len(d.carry), len(b))
		d.carry = append(d.carry, b[:n]...)
		b = b[n:]
		if len(d.carry) < 4 {
			return
		}
		d.decode(d.carry)
		d.carry = d.carry[:0]
	}
	whole := len(b) &^ 3
	d.decode(b[:whole])
	d.carry = append(d.carry, b[whole:]...)
}

func (d *decoder) decode(b []byte) {
	if d.err != nil || len(b) == 0 {
		return
	}
	if d.ended {
		d.err = errors.New("its base64 goes on behind the padding")
		return
	}
	if n := base64.StdEncoding.DecodedLen(len(b)); cap(d.out) < n {
		d.out = make([]byte, n)
	}
	n, err := base64.StdEncoding.Strict().Decode(d.out[:cap(d.out)], b)
	if err != nil {
		d.err = errors.New("its content is no base64")
		return
	}
	d.ended = b[len(b)-1] == '='
	d.h.Write(d.out[:n])
}

func (d *decoder) close() ([]byte, error) {
	if d.err == nil && len(d.carry) > 0 {
		d.err = errors.New("its base64 ends too early")
	}
	if d.err != nil {
		return nil, d.err
	}
	return d.h.Sum(nil), nil
}
