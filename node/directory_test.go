package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
)

// TestDirectory reads an axis's list that names an organ twice and is in no
// order.
func TestDirectory(t *testing.T) {
	d, err := readDirectory(strings.NewReader(`{"organId":"H41","organName":"Nghệ An"}
{"organId":"G22","organName":"VPCP"}
{"organId":"H41","organName":"lần hai"}`))
	if err != nil {
		t.Fatal(err)
	}
	if d.Empty() || d.Len() != 2 {
		t.Errorf("%d organs, want 2", d.Len())
	}
	for id, known := range map[string]bool{"G22": true, "H41": true, "000.00.00.H41": false, "H4": false, "": false} {
		if d.Knows(id) != known {
			t.Errorf("knows %q: %v", id, !known)
		}
	}
	if o, ok := d.Lookup("H41"); !ok || o.OrganName != "Nghệ An" {
		t.Errorf("H41 is %q", o.OrganName)
	}
	if _, err := readDirectory(strings.NewReader(`{"organId":"H41"} [`)); err == nil {
		t.Error("half a list was read")
	}
	if empty, err := readDirectory(strings.NewReader("")); err != nil || !empty.Empty() {
		t.Errorf("nothing gives %v, %v", empty, err)
	}
}

// BenchmarkDirectory looks organs up in a directory of the size of the
// national one (123,265 organs in 2026), and reports what it takes in memory.
func BenchmarkDirectory(b *testing.B) {
	const organs = 125_000
	id := func(i int) string { return fmt.Sprintf("H%02d.%d.%d", i%64, i%300, i) }
	var list bytes.Buffer
	e := json.NewEncoder(&list)
	for i := range organs {
		if err := e.Encode(edxml.Organ{OrganID: id(i), OrganName: fmt.Sprintf("Ủy ban nhân dân xã số %d", i), Email: fmt.Sprintf("vt%d@example.vn", i)}); err != nil {
			b.Fatal(err)
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	d, err := readDirectory(&list)
	if err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	i := 0
	for b.Loop() {
		if i++; !d.Knows(id(i % organs)) {
			b.Fatal(id(i % organs))
		}
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
	runtime.KeepAlive(list.Bytes())
}
