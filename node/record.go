package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// A record is a Transfer as every store keeps it: one JSON object, with the times
// that the store looks at in UTC. Nodes of two versions may share a store, and
// the older one rewrites what the newer one wrote. So it keeps what it does not
// know; what that asks of whoever adds a field stands in ARCHITECTURE.md, under
// "A record keeps what it does not know".

// Unknown is what a newer program wrote into an object of a record and this one
// has no field for: members of JSON as text, as they came, each with a comma
// before it; "" is none, as almost always. It stays in the record for as long as
// the value does that has it. Nobody looks at it, and it is never shown.
//
// Content and the types of edxml have none: what is unknown in them is lost when
// an older program changes the record.
type Unknown string

// OpenRecord reads the record of the Transfer with an ID, which only an error
// names. It takes what encoding/json takes.
func OpenRecord(id string, record []byte) (*Transfer, error) {
	t := new(Transfer)
	if strictly(t, record) {
		return t, nil
	}
	t = new(Transfer)
	if err := json.Unmarshal(record, t); err != nil {
		return nil, fmt.Errorf("node: the record of transfer %.300q cannot be read: %w", id, err)
	}
	w := recordWalk{text: record, object: func(o reflect.Value, unknown []byte, _ bool) {
		o.SetString(strings.ToValidUTF8(string(unknown), "\ufffd")) // as encoding/json does with what it reads
	}}
	w.more() // to its beginning
	w.value(reflect.ValueOf(t), transferForm())
	return t, nil
}

// Record returns t as a store keeps it, always in the same octets.
func (t *Transfer) Record() ([]byte, error) {
	stored := *t
	stored.Due, stored.LeasedUntil = t.Due.UTC(), t.LeasedUntil.UTC()
	record, err := json.Marshal(&stored)
	if err == nil && stored.foreign() {
		if record = stored.complete(record); !json.Valid(record) {
			err = errors.New("what is Unknown in it is not as OpenRecord gave it")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("node: transfer %.300q cannot be made a record: %w", t.ID, err)
	}
	return record, nil
}

// complete returns what t was encoded to with what is Unknown in it.
func (t *Transfer) complete(encoded []byte) (record []byte) {
	copied := 0
	w := recordWalk{text: encoded}
	w.object = func(o reflect.Value, _ []byte, empty bool) {
		unknown := o.String()
		if empty {
			unknown = strings.TrimPrefix(unknown, ",")
		}
		record, copied = append(append(record, encoded[copied:w.at]...), unknown...), w.at
	}
	w.value(reflect.ValueOf(t), transferForm())
	return append(record, encoded[copied:]...)
}

// decoders keeps what reads strictly: a new json.Decoder has to grow its buffer.
var decoders = sync.Pool{New: func() any {
	d := new(strictDecoder)
	d.Decoder = json.NewDecoder(&d.from)
	d.DisallowUnknownFields()
	return d
}}

type strictDecoder struct {
	from bytes.Reader
	*json.Decoder
}

// strictly decodes a record in which there is nothing unknown. It costs what
// json.Unmarshal does; see BenchmarkRecord.
func strictly(t *Transfer, record []byte) bool {
	d := decoders.Get().(*strictDecoder)
	d.from.Reset(record)
	began := d.InputOffset()
	if d.Decode(t) != nil || d.InputOffset() != began+int64(len(record)) {
		return false // d is in the middle of something, and is used no more
	}
	d.from.Reset(nil)
	decoders.Put(d)
	return true
}

// foreign reports whether anything in t is Unknown. It stands on the way of
// every record, so it goes by no reflection.
func (t *Transfer) foreign() bool {
	some := t.Unknown != "" || t.Signature != nil && t.Signature.Unknown != "" || t.Pickup != nil && t.Pickup.Unknown != "" ||
		t.Held != nil && t.Held.Unknown != "" || t.Withdrawn != nil && t.Withdrawn.Unknown != ""
	for i := 0; i < len(t.Receivers) && !some; i++ {
		r := &t.Receivers[i]
		some = r.Unknown != "" || slices.ContainsFunc(r.Events, func(e Event) bool { return e.Unknown != "" })
	}
	return some || slices.ContainsFunc(t.Parts, func(p Part) bool { return p.Unknown != "" }) ||
		slices.ContainsFunc(t.Attempts, func(a Attempt) bool { return a.Unknown != "" }) ||
		slices.ContainsFunc(t.Followers, func(f Follower) bool { return f.Unknown != "" }) ||
		slices.ContainsFunc(t.Acts, func(a Act) bool { return a.Unknown != "" })
}

// recordForm is what there is to know of a struct that has an Unknown.
type recordForm struct {
	unknown int                     // the index of that field
	members map[string]recordMember // the other fields, by their names in JSON
}

type recordMember struct {
	index int
	form  *recordForm // of the struct that it is, points to or has many of; nil for anything else
}

var transferForm = sync.OnceValue(func() *recordForm { return formOf(reflect.TypeFor[Transfer]()) })

func formOf(t reflect.Type) *recordForm {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	unknown, there := t.FieldByName("Unknown")
	if !there || unknown.Type != reflect.TypeFor[Unknown]() {
		return nil
	}
	f := &recordForm{unknown.Index[0], map[string]recordMember{}}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); i != f.unknown {
			f.members[name] = recordMember{i, formOf(t.Field(i).Type)}
		}
	}
	return f
}

// member finds what encoding/json decodes a member into, by its name as it
// stands in the text.
func (f *recordForm) member(quoted []byte) (recordMember, bool) {
	m, there := f.members[string(quoted[1:len(quoted)-1])]
	if there {
		return m, true
	}
	var name string
	_ = json.Unmarshal(quoted, &name) // it is valid
	if m, there = f.members[name]; there {
		return m, true
	}
	for known, m := range f.members {
		if strings.EqualFold(known, name) {
			return m, true
		}
	}
	return m, false
}

// recordWalk goes through a record, of which encoding/json has said that it is
// valid, beside the Transfer that it became or was made of.
type recordWalk struct {
	text []byte
	at   int
	// object is called before the brace that ends an object whose struct has an
	// Unknown: with that field, and the members that belong to no field, as
	// Unknown has them; empty says that there are no members at all.
	object func(field reflect.Value, unknown []byte, empty bool)
}

// value goes to the end of a value, which is v, of the form f.
func (w *recordWalk) value(v reflect.Value, f *recordForm) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem() // invalid if it is nil
	}
	switch c := w.text[w.at]; {
	case f != nil && c == '[' && v.Kind() == reflect.Slice:
		w.at++
		for i := 0; w.more(); i++ {
			element := reflect.Value{}
			if i < v.Len() { // less where a member came twice
				element = v.Index(i)
			}
			w.value(element, f)
		}
		w.at++
	case f != nil && c == '{' && v.Kind() == reflect.Struct:
		w.at++
		var unknown []byte
		empty := true
		for ; w.more(); empty = false {
			begin := w.at
			w.skip()
			m, known := f.member(w.text[begin:w.at])
			w.more() // to the value
			if known {
				w.value(v.Field(m.index), m.form)
				continue
			}
			w.skip()
			unknown = append(append(unknown, ','), w.text[begin:w.at]...)
		}
		w.object(v.Field(f.unknown), unknown, empty)
		w.at++
	default:
		w.skip()
	}
}

// more goes to what comes next in an object or array, and reports whether that
// is not its end.
func (w *recordWalk) more() bool {
	for {
		switch w.text[w.at] {
		case ' ', '\t', '\r', '\n', ',', ':':
			w.at++
		case '}', ']':
			return false
		default:
			return true
		}
	}
}

// skip goes to the end of a value, or of a name.
func (w *recordWalk) skip() {
	for depth := 0; w.at < len(w.text); w.at++ {
		switch w.text[w.at] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return // of what the value is in
			}
		case '"':
			for w.at++; w.text[w.at] != '"'; w.at++ {
				if w.text[w.at] == '\\' {
					w.at++
				}
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return
			}
		}
	}
}
