package boltstore

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/node"
)

// testdata/format-1 was written by the last program of format 1: three
// Transfers, one of them under a lease, two contents, two values.
func TestUpgradeFromFormat1(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "format-1"))); err != nil {
		t.Fatal(err)
	}
	for range 2 { // once upgraded, and once as any other
		if records := audit(t, dir); records != 3 {
			t.Errorf("%d records, want 3", records)
		}
	}
	s := open(t, dir)
	defer s.Close()
	const one, two, three = "0195c2a0-0000-7000-8000-000000000001", "0195c2a0-0000-7000-8000-000000000002", "0195c2a0-0000-7000-8000-000000000003"
	first, err := s.Transfer(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	if first.Subject != "V/v thử nghiệm" || first.Receivers[0].Code != "01" {
		t.Errorf("another record: %+v", first)
	}
	for key, want := range map[string]string{"name 7/BNV": one, "code out 8/BNV": two, "axis 18": three} {
		if found, err := s.Find(t.Context(), key, "", 9); err != nil || len(found) != 1 || found[0].ID != want {
			t.Errorf("%s: %v, error %v", key, found, err)
		}
	}
	for _, d := range []node.Direction{node.Out, node.In} {
		if due, err := s.NextDue(t.Context(), d); err != nil || due.Year() != 2026 {
			t.Errorf("%s: due %v, error %v", d, due, err)
		}
	}
	swept, err := s.Sweep(t.Context(), later(), false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(node.Swept{Kept: 2, KeptBytes: 15}, swept); diff != "" {
		t.Errorf("swept (-want +got):\n%s", diff)
	}
	o, err := s.Open(t.Context(), first.Envelope.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if b, err := io.ReadAll(o); err != nil || string(b) != "<envelope/>" {
		t.Errorf("%q, error %v", b, err)
	}
	if v, err := s.Value(t.Context(), "statuses since"); err != nil || string(v) != "2026-03-02T08:00:00Z" {
		t.Errorf("%q, error %v", v, err)
	}
	rows, err := s.Journal(t.Context(), s.chain, 0, 9)
	if err != nil || len(rows) != 3 {
		t.Errorf("%d rows of the journal, error %v", len(rows), err)
	}
}
