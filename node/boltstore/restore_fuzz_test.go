package boltstore

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever a backup holds, restoring it ends, writes nowhere else, and leaves
// either a store that can be opened or nothing.
func FuzzRestore(f *testing.F) {
	s, err := Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	var b bytes.Buffer
	if _, err := s.Backup(f.Context(), &b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:600])
	f.Add(bytes.Replace(b.Bytes(), []byte("lienthong.db"), []byte("../../lt.db\x00"), 1))
	f.Fuzz(func(t *testing.T, backup []byte) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "a", "store")
		if err := os.Mkdir(filepath.Dir(dir), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := Restore(t.Context(), dir, bytes.NewReader(backup))
		want := []string(nil)
		if err == nil {
			want = []string{"store"}
			s, err := OpenWith(dir, Options{Existing: true})
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
		}
		for folder, want := range map[string][]string{parent: {"a"}, filepath.Dir(dir): want} {
			entries, err := os.ReadDir(folder)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, e := range entries {
				names = append(names, e.Name())
			}
			if diff := cmp.Diff(want, names); diff != "" {
				t.Errorf("%s (-want +got):\n%s", folder, diff)
			}
		}
	})
}
