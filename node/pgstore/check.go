package pgstore

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lienthong/lienthong/node"
)

const (
	maxID    = 255       // octets of a Transfer's ID
	maxKey   = 1000      // octets of a key that is indexed as it is
	maxWords = 512 << 10 // octets of all words of a Transfer; a tsvector ends at 1 MiB
)

// directions returns every Direction.
func directions() []node.Direction { return []node.Direction{node.Out, node.In, node.Box} }

func known(d node.Direction) bool { return slices.Contains(directions(), d) }

func unknownDirection(d node.Direction) error {
	return fmt.Errorf("pgstore: unknown direction %.80q", string(d))
}

// plain reports whether PostgreSQL can have s as text.
func plain(s string) bool { return s != "" && utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// keyOf returns a key in the form in which it is indexed, as octets of bounded
// length. The digest of a long one follows 0xff, with which no UTF-8 begins.
func keyOf(k string) string {
	if len(k) <= maxKey {
		return k
	}
	sum := sha256.Sum256([]byte(k))
	return "\xff" + string(sum[:])
}

// check refuses what could not be found again. JSON would replace octets that
// are not UTF-8, and the indices would no longer follow from the record.
func check(t *node.Transfer) error {
	switch {
	case !plain(t.ID) || len(t.ID) > maxID:
		return fmt.Errorf("pgstore: %.300q is no ID: 1 to %d octets of UTF-8 without NUL", t.ID, maxID)
	case !known(t.Direction):
		return unknownDirection(t.Direction)
	}
	for _, keys := range [][]string{t.Unique, t.Lookup, t.Count, t.Words} {
		for _, k := range keys {
			if !utf8.ValidString(k) {
				return fmt.Errorf("pgstore: transfer %s: the key %.80q is not UTF-8", t.ID, k)
			}
		}
	}
	for _, digest := range t.Needs() {
		if !isDigest(digest) {
			return fmt.Errorf("pgstore: transfer %s: %w", t.ID, &node.MissingError{SHA256: digest})
		}
	}
	for _, k := range t.Count {
		if k == "" || len(k) > maxKey {
			return fmt.Errorf("pgstore: transfer %s: %.80q is no key to count by: 1 to %d octets", t.ID, k, maxKey)
		}
	}
	size := 0
	for _, w := range t.Words {
		size += len(w)
	}
	if size > maxWords {
		return fmt.Errorf("pgstore: transfer %s: its words have %d octets, more than %d", t.ID, size, maxWords)
	}
	for _, at := range []time.Time{t.Due, t.LeasedUntil} {
		if at.Year() < -4000 || at.Year() > 9999 {
			return fmt.Errorf("pgstore: transfer %s: %v is no time to store", t.ID, at)
		}
	}
	return nil
}

const digestLen = 2 * sha256.Size // hexadecimal digits

func isDigest(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == digestLen
}
