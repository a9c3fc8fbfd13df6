package boltstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.etcd.io/bbolt"

	"github.com/lienthong/lienthong/node"
)

const (
	uniqueBucket = "unique"
	lookupBucket = "lookup"
	leasedBucket = "leased" // the Transfers that have a holder
	holdsBucket  = "holds"  // content and who needs it
	countsBucket = "counts"

	due, box, words, tail = ".due", ".box", ".words", ".tail" // after the direction

	maxID  = 255  // octets of a Transfer's ID
	maxKey = 1000 // octets of a key that is indexed as it is; bbolt takes 32 KiB with the ID
)

// directions returns every Direction.
func directions() []node.Direction { return []node.Direction{node.Out, node.In, node.Box} }

// indices returns the names of all buckets that follow from the Transfers and
// values.
func indices() []string {
	names := []string{uniqueBucket, lookupBucket, leasedBucket, holdsBucket, countsBucket}
	for _, d := range directions() {
		names = append(names, string(d)+due, string(d)+box, string(d)+words, string(d)+tail)
	}
	return names
}

// entry is one key in one bucket.
type entry struct{ bucket, key string }

// value returns what stands beside the key: the ID where the key has none.
func (e entry) value(id string) []byte {
	if e.bucket == uniqueBucket {
		return []byte(id)
	}
	return nil
}

// ordered returns a bucket whose keys mostly come in their order. A page that
// is full is then split near its end, as nothing will come into it later.
func ordered(tx *bbolt.Tx, name []byte) *bbolt.Bucket {
	b := tx.Bucket(name)
	b.FillPercent = 0.9
	return b
}

// entries is the one place that says what is indexed of a Transfer at once;
// countKeys says how it is counted, prefixes how it is searched.
func entries(t *node.Transfer) map[entry]bool {
	all := map[entry]bool{{string(t.Direction) + box, t.ID}: true}
	if at := leasable(t); !at.IsZero() {
		all[entry{string(t.Direction) + due, string(timeKey(at)) + t.ID}] = true
	}
	if !t.LeasedUntil.IsZero() {
		all[entry{leasedBucket, t.ID}] = true
	}
	for _, k := range t.Unique {
		all[entry{uniqueBucket, plainKey(k)}] = true
	}
	for _, k := range t.Lookup {
		all[entry{lookupBucket, plainKey(k) + "\x00" + t.ID}] = true
	}
	for _, digest := range t.Needs() {
		all[entry{holdsBucket, digest + transferHolds + t.ID}] = true
	}
	return all
}

// leasable returns the moment from which Lease may take t, zero for never.
func leasable(t *node.Transfer) time.Time {
	if t.Due.IsZero() || t.LeasedUntil.Before(t.Due) {
		return t.Due
	}
	return t.LeasedUntil
}

// reindex makes the entries of one Transfer those of its new form.
func reindex(tx *bbolt.Tx, id string, before, after map[entry]bool) error {
	for e := range before {
		if !after[e] {
			if err := tx.Bucket([]byte(e.bucket)).Delete([]byte(e.key)); err != nil {
				return err
			}
		}
	}
	for e := range after {
		if !before[e] {
			bucket := tx.Bucket([]byte(e.bucket))
			if strings.HasSuffix(e.bucket, box) || strings.HasSuffix(e.bucket, due) {
				bucket = ordered(tx, []byte(e.bucket))
			}
			if err := bucket.Put([]byte(e.key), e.value(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// plainKey returns k in the form in which it is indexed: free of NUL and of
// bounded length, as keys may hold text out of packets. The digest of a key that
// cannot stand for itself follows a 0x01, with which no key stands for itself.
func plainKey(k string) string {
	if k != "" && len(k) <= maxKey && k[0] != 1 && strings.IndexByte(k, 0) < 0 {
		return k
	}
	sum := sha256.Sum256([]byte(k))
	return "\x01" + hex.EncodeToString(sum[:])
}

const timeSize = 12 // octets of a timeKey

// timeKey returns t as octets that sort like time: seconds, nanoseconds.
func timeKey(t time.Time) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, timeSize), uint64(t.Unix())^1<<63)
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

// keyTime is the way back, in UTC.
func keyTime(k []byte) time.Time {
	return time.Unix(int64(binary.BigEndian.Uint64(k)^1<<63), int64(binary.BigEndian.Uint32(k[8:]))).UTC()
}

// check refuses what could not be found again. JSON would replace octets that
// are not UTF-8, and the index would no longer follow from the record.
func check(t *node.Transfer) error {
	switch {
	case t.ID == "" || len(t.ID) > maxID || !utf8.ValidString(t.ID):
		return fmt.Errorf("boltstore: %.300q is no ID: 1 to %d octets of UTF-8", t.ID, maxID)
	case !known(t.Direction):
		return unknown(t.Direction)
	}
	for _, keys := range [][]string{t.Unique, t.Lookup, t.Count, t.Words} {
		for _, k := range keys {
			if !utf8.ValidString(k) {
				return fmt.Errorf("boltstore: transfer %s: the key %.80q is not UTF-8", t.ID, k)
			}
		}
	}
	for _, digest := range t.Needs() {
		if !isDigest(digest) {
			return fmt.Errorf("boltstore: transfer %s: %w", t.ID, &node.MissingError{SHA256: digest})
		}
	}
	return checkCount(t)
}

func known(d node.Direction) bool { return slices.Contains(directions(), d) }

func unknown(d node.Direction) error {
	return fmt.Errorf("boltstore: unknown direction %.80q", string(d))
}

// taken returns an *ExistsError if another Transfer has a Unique key of t.
func taken(tx *bbolt.Tx, t *node.Transfer) error {
	unique := tx.Bucket([]byte(uniqueBucket))
	for _, k := range t.Unique {
		if owner := unique.Get([]byte(plainKey(k))); owner != nil && string(owner) != t.ID {
			return &node.ExistsError{Key: k, ID: string(owner)}
		}
	}
	return nil
}

// head returns the first entry of a due index, a zero time if it is empty.
func head(tx *bbolt.Tx, d node.Direction) (at time.Time, id string) {
	k, _ := tx.Bucket([]byte(string(d) + due)).Cursor().First()
	if k == nil {
		return time.Time{}, ""
	}
	return keyTime(k), string(k[timeSize:])
}

// found returns the IDs above after that have key, at most limit, in order.
func found(tx *bbolt.Tx, key, after string, limit int) []string {
	var ids []string
	owner := string(tx.Bucket([]byte(uniqueBucket)).Get([]byte(plainKey(key))))
	prefix := []byte(plainKey(key) + "\x00")
	c := tx.Bucket([]byte(lookupBucket)).Cursor()
	for k, _ := c.Seek(append(slices.Clip(prefix), after...)); bytes.HasPrefix(k, prefix) && len(ids) < limit; k, _ = c.Next() {
		if id := string(k[len(prefix):]); id > after && id != owner {
			ids = append(ids, id)
		}
	}
	if at, _ := slices.BinarySearch(ids, owner); owner > after {
		ids = slices.Insert(ids, at, owner)
	}
	return ids[:min(len(ids), limit)]
}

// errStray is an index that names what is not there: the file is damaged.
var errStray = errors.New("an index names a transfer that is not there; the file is damaged")
