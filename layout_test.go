package lienthong_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lienthong/lienthong"

// folders is the order of the top-level folders; it is also the order of the
// ladder. A test may use its own folder whole and every folder left of it.
var folders = []string{"wsdl", "edxml", "signature", "transport", "node", "cmd"}

// files are the folders that hold no package of the product.
var files = []string{"docs", "testdata"}

// ladder says, for each package, the next ones down; what those may import, it
// may import too. A folder below a package (internal/…) stands on its rung.
// Packages on the same line do not know each other.
var ladder = []struct{ packages, down string }{
	{"wsdl edxml/xmlscan edxml/organ", ""},
	{"edxml", "wsdl edxml/xmlscan edxml/organ"},
	{"signature/c14n", "edxml/xmlscan"},
	{"signature", "edxml signature/c14n"},
	{"transport", "signature"},
	{"transport/soap", "transport"},
	{"transport/edoc transport/vxp", "transport/soap"},
	{"transport/axistest transport/conform", "transport/edoc transport/vxp"},
	{"node/failpoint", ""},
	{"node", "transport/edoc transport/vxp node/failpoint"},
	{"node/boltstore node/pgstore node/storetest node/sink node/api node/console node/hub node/metrics", "node"},
	{"node/drop node/traces", "node/api"},
	{"docs/examples/go", ""}, // a client uses nothing of ours but the door
	{"cmd", "node/boltstore node/pgstore node/sink node/console node/hub node/drop node/traces node/metrics transport/axistest transport/conform"},
}

// rungs turns the table into: package → every package it may import.
func rungs() map[string][]string {
	below := map[string][]string{}
	for _, row := range ladder {
		var down []string
		for _, d := range strings.Fields(row.down) {
			down = append(append(down, d), below[d]...)
		}
		for _, p := range strings.Fields(row.packages) {
			below[p] = down
		}
	}
	return below
}

// rungOf is the longest row of the ladder that path is, or lies under.
func rungOf(below map[string][]string, path string) (string, bool) {
	for ; path != "."; path = filepath.ToSlash(filepath.Dir(path)) {
		if _, ok := below[path]; ok {
			return path, true
		}
	}
	return "", false
}

// pkg is what this test asks of `go list -json`.
type pkg struct {
	Dir, ImportPath, Name, Doc         string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Imports, TestImports, XTestImports []string
}

// path is the folder of the package, "" for the root.
func (p pkg) path() string { return folder(p.ImportPath) }

func folder(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
}

// ours keeps the imports that belong to this module, as paths below it.
func ours(imports ...string) []string {
	var out []string
	for _, i := range imports {
		if i == module || strings.HasPrefix(i, module+"/") {
			out = append(out, folder(i))
		}
	}
	return out
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=Dir,ImportPath,Name,Doc,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports", "./...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// TestFolders also walks the tree so that the test cache, which watches what a
// test opens but not what its children open, notices a new package.
func TestFolders(t *testing.T) {
	ignored, err := os.ReadFile(".gitignore")
	if err != nil {
		t.Fatal(err)
	}
	built := strings.Split(string(ignored), "\n")
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case !e.IsDir(), strings.HasPrefix(name, "."), slices.Contains(built, "/"+name+"/"), slices.Contains(files, name):
		case slices.Contains(folders, name):
			if err := filepath.WalkDir(name, func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
				t.Error(err)
			}
		default:
			t.Errorf("folder %s: the top level holds %s only", name, strings.Join(append(folders, files...), ", "))
		}
	}
}

func TestLadder(t *testing.T) {
	below := rungs()
	for _, p := range list(t) {
		if p.path() == "" {
			if up := ours(p.Imports...); len(up) > 0 {
				t.Errorf("the root holds no code, but imports %v", up)
			}
			continue
		}
		rung, ok := rungOf(below, p.path())
		if !ok {
			t.Errorf("%s stands on no rung: give it a line in the ladder", p.path())
			continue
		}
		for _, i := range ours(p.Imports...) {
			if to, ok := rungOf(below, i); !ok || to != rung && !slices.Contains(below[rung], to) {
				t.Errorf("%s imports %s, which is not below it", p.path(), i)
			}
		}
		for _, i := range ours(append(p.TestImports, p.XTestImports...)...) {
			if level(i) > level(p.path()) {
				t.Errorf("a test of %s imports %s: tests use their own folder and those below", p.path(), i)
			}
		}
	}
}

// level is the place of a package's folder in the order of folders.
func level(path string) int {
	top, _, _ := strings.Cut(path, "/")
	return slices.Index(folders, top)
}

// TestLadderRefuses proves that the table forbids what it is there to forbid.
func TestLadderRefuses(t *testing.T) {
	below := rungs()
	for _, c := range []struct {
		from, to string
		may      bool
	}{
		{"edxml", "edxml/xmlscan", true},
		{"edxml/organ", "edxml", false},
		{"edxml/xmlscan", "wsdl", false},
		{"signature", "edxml/organ", true},
		{"signature/c14n", "edxml", false},
		{"edxml", "signature", false},
		{"transport/soap", "transport/edoc", false},
		{"transport/edoc", "transport/vxp", false},
		{"transport/edoc", "transport/axistest", false},
		{"node", "transport/edoc", true},
		{"node", "transport/axistest", false},
		{"node", "node/boltstore", false},
		{"node/boltstore", "node", true},
		{"node/pgstore", "node/boltstore", false},
		{"node/api", "node/sink", false},
		{"cmd", "transport/axistest", true},
		{"cmd", "node/storetest", false},
	} {
		for _, known := range []string{c.from, c.to} {
			if _, ok := below[known]; !ok {
				t.Fatalf("%s is not on the ladder", known)
			}
		}
		if got := slices.Contains(below[c.from], c.to); got != c.may {
			t.Errorf("%s → %s: allowed is %v, want %v", c.from, c.to, got, c.may)
		}
	}
	for path, want := range map[string]string{
		"transport/edoc/internal": "transport/edoc", "cmd/lienthong": "cmd", "node/internal/x": "node", "wsdl2/x": "", "misc": "",
	} {
		if got, _ := rungOf(below, path); got != want {
			t.Errorf("%s stands on rung %q, want %q", path, got, want)
		}
	}
}

func TestPackageComments(t *testing.T) {
	for _, p := range list(t) {
		if want := "Package " + p.Name + " "; p.Name != "main" && !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: no package comment that begins with %q, but %q", p.ImportPath, want, p.Doc)
		}
		if p.Name == "main" && p.Doc == "" {
			t.Errorf("%s: a command needs a package comment", p.ImportPath)
		}
	}
}

// TestSize prints how big each package is (go test -v -run Size .). The house
// aims at files under 400 lines and few exported names.
func TestSize(t *testing.T) {
	t.Logf("%-28s %6s %6s %9s %6s %6s", "package", "files", "lines", "exported", "tests", "lines")
	for _, p := range list(t) {
		code := measure(t, p.Dir, p.GoFiles)
		tests := measure(t, p.Dir, append(p.TestGoFiles, p.XTestGoFiles...))
		t.Logf("%-28s %6d %6d %9d %6d %6d", "/"+p.path(), code.files, code.lines, code.exported, tests.files, tests.lines)
	}
}

type size struct{ files, lines, exported int }

// measure counts the hand-written files: generated ones are exempt. A method
// does not count as an exported name, its type does.
func measure(t *testing.T, dir string, names []string) size {
	t.Helper()
	var s size
	for _, name := range names {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if ast.IsGenerated(f) {
			continue
		}
		s.files++
		s.lines += fset.File(f.FileStart).LineCount() - 1
		for _, d := range f.Decls {
			s.exported += exported(d)
		}
	}
	return s
}

func exported(d ast.Decl) (n int) {
	count := func(names ...*ast.Ident) {
		for _, name := range names {
			if name.IsExported() {
				n++
			}
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			count(d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				count(spec.Name)
			case *ast.ValueSpec:
				count(spec.Names...)
			}
		}
	}
	return n
}
