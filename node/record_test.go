package node_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/node"
)

// newer is a record as a program writes it that knows more than this one.
const newer = `{"zone":{"b":[1,2.50],"a":null},"id":"t1","direction":"in","kind":"document","state":"fetched","created":"2026-03-02T08:00:00Z",
	"subject":"V/v thử","big":12345678901234567890,"<&>":"<x>",
	"receivers":[{"organId":"A","lane":"fast","events":[{"code":"01","at":"2026-03-02T08:00:00Z","by":"x"},{"code":"03","at":"2026-03-02T09:00:00Z"}]},{"organId":"B"}],
	"parts":[{"id":"p","name":"a.pdf","content":{"sha256":"","size":0},"pages":3}],
	"signature":{"signed":true,"policy":"1.2"},
	"attempts":[{"step":"fetch","start":"2026-03-02T08:00:00Z","duration":1,"host":"n1"},{"step":"verify","start":"2026-03-02T08:00:00Z","duration":1,"host":"n2"}],
	"held":{"at":"2026-03-02T08:00:00Z","actor":"an","action":"hold","ticket":7},"withdrawn":{"at":"2026-03-02T08:00:00Z","actor":"an","action":"recall","ticket":8},
	"followers":[{"docType":2,"at":"2026-03-02T08:00:00Z","seen":true}],"pickup":{"queue":"q"},
	"acts":[{"at":"2026-03-02T08:00:00Z","actor":"an","action":"retry","ticket":9}],"due":"2026-03-02T15:00:00+07:00"}`

func opened(t testing.TB, record string) *node.Transfer {
	t.Helper()
	tr, err := node.OpenRecord("t1", []byte(record))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func recorded(t testing.TB, tr *node.Transfer) string {
	t.Helper()
	record, err := tr.Record()
	if err != nil {
		t.Fatal(err)
	}
	return string(record)
}

// TestRecordKeepsUnknown changes a record of a newer program as an older one
// does: what it does not know goes with what it is in.
func TestRecordKeepsUnknown(t *testing.T) {
	tr := opened(t, newer)
	tr.State, tr.Subject = node.Verified, "V/v khác"
	tr.Receivers[0].Code = "06"
	tr.Receivers[0].Events = append(tr.Receivers[0].Events, node.Event{Code: "06", At: tr.Created})
	tr.Receivers[0], tr.Receivers[1] = tr.Receivers[1], tr.Receivers[0]
	tr.Attempts = append(tr.Attempts[1:], node.Attempt{Step: "deliver", Start: tr.Created})
	tr.Withdrawn, tr.Acts = nil, append(tr.Acts, node.Act{At: tr.Created, Actor: "bình", Action: "release"})
	const want = `{"id":"t1","direction":"in","kind":"document","state":"verified","created":"2026-03-02T08:00:00Z","subject":"V/v khác",` +
		`"receivers":[{"organId":"B"},{"organId":"A","code":"06","events":[{"code":"01","at":"2026-03-02T08:00:00Z","by":"x"},` +
		`{"code":"03","at":"2026-03-02T09:00:00Z"},{"code":"06","at":"2026-03-02T08:00:00Z"}],"lane":"fast"}],` +
		`"parts":[{"id":"p","name":"a.pdf","content":{"sha256":"","size":0},"pages":3}],"signature":{"signed":true,"policy":"1.2"},` +
		`"attempts":[{"step":"verify","start":"2026-03-02T08:00:00Z","duration":1,"host":"n2"},{"step":"deliver","start":"2026-03-02T08:00:00Z","duration":0}],` +
		`"held":{"at":"2026-03-02T08:00:00Z","actor":"an","action":"hold","ticket":7},` +
		`"followers":[{"docType":2,"at":"2026-03-02T08:00:00Z","seen":true}],"pickup":{"queue":"q"},` +
		`"acts":[{"at":"2026-03-02T08:00:00Z","actor":"an","action":"retry","ticket":9},{"at":"2026-03-02T08:00:00Z","actor":"bình","action":"release"}],` +
		`"due":"2026-03-02T08:00:00Z","zone":{"b":[1,2.50],"a":null},"big":12345678901234567890,"<&>":"<x>"}`
	got := recorded(t, tr)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	again := opened(t, got)
	tr.Due = tr.Due.UTC()
	if diff := cmp.Diff(tr, again); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
	if second := recorded(t, again); second != got {
		t.Errorf("written again:\n%s\nwant\n%s", second, got)
	}
}

// TestUnknownIsNotShown looks at what doors and sinks give out.
func TestUnknownIsNotShown(t *testing.T) {
	shown, err := json.Marshal(opened(t, newer).Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"zone", "big", "lane", `"by":"x"`, "pages", "policy", "host", "ticket", "seen", "queue"} {
		if !strings.Contains(newer, name) || bytes.Contains(shown, []byte(name)) {
			t.Errorf("%s is shown: %s", name, shown)
		}
	}
}

// TestUnknownEverywhere holds every object of a record to the rule: it keeps
// what is unknown in it, or is one of those that ARCHITECTURE.md names.
func TestUnknownEverywhere(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var visit func(v reflect.Value)
	visit = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
			visit(v.Elem())
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			visit(v.Index(1))
		case reflect.Struct:
			place := v.FieldByName("Unknown")
			if !place.IsValid() {
				seen[v.Type()] = false
				return
			}
			seen[v.Type()] = true
			place.SetString(`,"later":1`)
			for field := range v.Type().Fields() {
				if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name == "" || field.Anonymous {
					t.Errorf("%s.%s has no name of its own in JSON", v.Type(), field.Name)
				}
			}
		}
	}
	for i := range reflect.TypeFor[node.Transfer]().NumField() { // each alone, so that none is found by another
		tr := &node.Transfer{ID: "t1"}
		field := reflect.ValueOf(tr).Elem().Field(i)
		if field.Kind() == reflect.String {
			continue
		}
		visit(field)
		if again := opened(t, recorded(t, tr)); !cmp.Equal(tr, again) {
			t.Errorf("%s:\n%s", reflect.TypeFor[node.Transfer]().Field(i).Name, cmp.Diff(tr, again))
		}
	}
	r := &node.Transfer{ID: "t1", Receivers: []node.Receiver{{OrganID: "A", Events: make([]node.Event, 1)}}}
	visit(reflect.ValueOf(&r.Receivers[0].Events[0]).Elem())
	if again := opened(t, recorded(t, r)); !cmp.Equal(r, again) {
		t.Errorf("events:\n%s", cmp.Diff(r, again))
	}
	var without []string
	for kind, keeps := range seen {
		if !keeps && kind != reflect.TypeFor[time.Time]() {
			without = append(without, kind.String())
		}
	}
	if len(without) != 3 || seen[reflect.TypeFor[node.Content]()] {
		t.Errorf("%q keep nothing, want node.Content, edxml.Status and edxml.FindingText alone", without)
	}
}

// TestRecordAsBefore: where nothing is unknown, records are what encoding/json
// makes of them, and what it refuses is refused.
func TestRecordAsBefore(t *testing.T) {
	for _, tr := range []*node.Transfer{usual(3), usual(4000), {}} {
		want, err := json.Marshal(tr)
		if err != nil {
			t.Fatal(err)
		}
		if got := recorded(t, tr); got != string(want) {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		if again := opened(t, string(want)+" \n"); !cmp.Equal(tr, again) {
			t.Errorf("read again (-want +got):\n%s", cmp.Diff(tr, again))
		}
	}
	for _, record := range []string{"", "{", "[]", `"x"`, `{"id":1}`, `{"id":"t1"}{}`, `{"later":1,"tries":"x"}`, `{"later":1}x`, `{"receivers":{}}`} {
		if tr, err := node.OpenRecord("t1", []byte(record)); err == nil || tr != nil || !strings.Contains(err.Error(), "transfer \"t1\"") {
			t.Errorf("%q: %v, error %v", record, tr, err)
		}
	}
	if _, err := (&node.Transfer{ID: "t1", Unknown: `,"x":`}).Record(); err == nil {
		t.Error("what is no JSON became a record")
	}
}

func FuzzOpenRecord(f *testing.F) {
	f.Add([]byte(newer))
	for _, record := range []string{
		`{"later":1}`, ` {"id":"x","pickup":{"a":1}} `, `{"RECEIVERS":[{"x":1}],"receivers":[{"organId":"A"},{"y":"` + "\xff" + `"}]}`, `{"held":{"a":1},"held":null}`,
		`{"receivers":[null,{"events":[null,{"":0}]}],"":1}`, `{"\u0000\ud800":1,"Unknown":2,"unknown":3}`, `{"acts":[{"x":1},{"x":2}],"acts":[{"y":3}]}`,
	} {
		f.Add([]byte(record))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		tr, err := node.OpenRecord("t1", record)
		if plain := json.Unmarshal(record, new(node.Transfer)); (err == nil) != (plain == nil) {
			t.Fatalf("error %v, where encoding/json says %v", err, plain)
		}
		if err != nil {
			return
		}
		first, err := tr.Record()
		if err != nil {
			if _, plain := json.Marshal(tr); plain == nil {
				t.Fatal(err)
			}
			return // a time that cannot be written
		}
		again, err := node.OpenRecord("t1", first)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := again.Record(); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s\nbecame\n%s, error %v", first, second, err)
		}
	})
}

// usual is a record of a document that was sent to so many receivers.
func usual(receivers int) *node.Transfer {
	at := time.Date(2026, 3, 2, 8, 0, 0, 123_456_789, time.UTC)
	digest := strings.Repeat("0123456789abcdef", 4)
	tr := &node.Transfer{
		ID: "0195c2a0-0000-7000-8000-000000000001", Direction: node.Out, Kind: "document", State: node.Sent, Created: at,
		From: "000.00.00.H41", FromName: "UBND tỉnh Nghệ An", DocumentID: "000.00.00.H41,2026/03/02,7/UBND", Code: "7/UBND",
		Subject: "V/v triển khai kết nối, liên thông phần mềm quản lý văn bản", PromulgationDate: "2026/03/02", Digest: digest,
		Envelope: node.Content{SHA256: digest, Size: 8192}, Parts: []node.Part{{ID: "a@b", Name: "công văn.pdf", Type: "application/pdf", Content: node.Content{SHA256: digest, Size: 300_000}}},
		Signature: &node.Signature{Signed: true, Signer: "CN=UBND tỉnh Nghệ An", Coverage: []string{"MessageHeader", "Bussiness", "Manifest"}},
		Attempts:  []node.Attempt{{Step: "send", Start: at, Duration: time.Second}}, AxisID: "17", Deadline: at.AddDate(0, 0, 3),
		Unique: []string{"out 000.00.00.H41,2026/03/02,7/UBND"}, Lookup: []string{"code out 7/UBND", "axis 17"}, Count: []string{"out/sent", "to/G22"},
		Words: []string{"trien", "khai", "ket", "noi", "lien", "thong", "phan", "mem", "quan", "ly", "van", "ban", "7", "ubnd"},
	}
	for n := range receivers {
		tr.Receivers = append(tr.Receivers, node.Receiver{OrganID: fmt.Sprintf("000.00.%02d.H%02d", n%100, n/100), OrganName: "Sở Nội vụ", Code: "01", Events: []node.Event{{Code: "01", At: at}}})
	}
	return tr
}

// BenchmarkRecord writes and reads a record. The floor is encoding/json, which
// keeps nothing; in "newer" there is a member that is unknown, and in "newer
// inside" one in every receiver too, which the floor leaves out. The times are
// those of the round in the middle.
func BenchmarkRecord(b *testing.B) {
	for _, receivers := range []int{3, 4000} {
		own, above, inside := usual(receivers), usual(receivers), usual(receivers)
		above.Unknown, inside.Unknown = `,"later":{"a":1}`, `,"later":{"a":1}`
		for i := range inside.Receivers {
			inside.Receivers[i].Unknown = `,"lane":7`
		}
		for _, c := range []struct {
			name string
			t    *node.Transfer
		}{{"own", own}, {"newer", above}, {"newer inside", inside}} {
			b.Run(fmt.Sprintf("%d receivers/%s", receivers, c.name), func(b *testing.B) {
				record := []byte(recorded(b, c.t))
				steps := [4]func() error{
					func() error { _, err := c.t.Record(); return err },
					func() error { stored := *c.t; _, err := json.Marshal(&stored); return err },
					func() error { _, err := node.OpenRecord("", record); return err },
					func() error { return json.Unmarshal(record, new(node.Transfer)) },
				}
				var rounds [4][]time.Duration
				for n := 0; b.Loop(); n++ {
					for i := range steps {
						i = (i + n) % len(steps)
						began := time.Now()
						if err := steps[i](); err != nil {
							b.Fatal(err)
						}
						rounds[i] = append(rounds[i], time.Since(began))
					}
				}
				middle := func(i int) float64 {
					slices.Sort(rounds[i])
					return rounds[i][len(rounds[i])/2].Seconds() * 1e6
				}
				b.ReportMetric(middle(0), "write-µs")
				b.ReportMetric(middle(1)/middle(0), "write-ratio")
				b.ReportMetric(middle(2), "read-µs")
				b.ReportMetric(middle(3)/middle(2), "read-ratio")
				b.ReportMetric(float64(len(record)), "octets")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
