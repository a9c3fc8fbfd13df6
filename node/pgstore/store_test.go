package pgstore

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/pgstore/pgtest"
	"github.com/lienthong/lienthong/node/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestStore runs the definition of a correct store, with large content in rows
// and in a folder.
func TestStore(t *testing.T) {
	t.Run("rows", func(t *testing.T) { runStore(t, func(string) Options { return Options{Node: "n1"} }) })
	t.Run("files", func(t *testing.T) {
		runStore(t, func(dir string) Options { return Options{Node: "n1", ContentDir: filepath.Join(dir, "content")} })
	})
}

func runStore(t *testing.T, options func(dir string) Options) {
	var mu sync.Mutex
	urls := map[string]string{} // by folder: opening again must give the same store
	storetest.Run(t, func(t *testing.T, dir string) node.Store {
		mu.Lock()
		url := urls[dir]
		if url == "" {
			url = pgtest.URL(t)
			urls[dir] = url
		}
		mu.Unlock()
		s, err := Open(t.Context(), url, options(dir))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
