package signature_test

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/signature"
)

// The fixtures are for every implementation: NN-title.xml is a packet,
// NN-title.txt says in "field: value" lines why it exists and what must come
// of it, ca.pem is the trusted root. -write makes them anew from the attacks.
var writeFixtures = flag.Bool("write", false, "write the fixtures in testdata/signature anew")

const fixtures = "../testdata/signature"

// fixtureTime is the time of verdict of every fixture.
func fixtureTime() time.Time { return ca().from.Add(time.Hour).UTC().Truncate(time.Second) }

func TestWriteFixtures(t *testing.T) {
	if !*writeFixtures {
		t.Skip("only with -write")
	}
	old, err := filepath.Glob(filepath.Join(fixtures, "[0-9]*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(fixtures, "files"), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(fixtures, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca().root.Raw})))
	n, written := 0, map[string]string{}
	for _, a := range attacks(t) {
		if a.title == "" {
			continue
		}
		n++
		title := fmt.Sprintf("%02d-%s", n, a.title)
		head := fmt.Sprintf("why: %s\nat: %s\nreason: %s\n", a.why, fixtureTime().Format(time.RFC3339), signature.Verdict{Err: a.want}.Reason())
		for _, f := range a.contents {
			path, ok := written[f.content]
			if !ok {
				path = fmt.Sprintf("files/%d.bin", len(written)+1)
				written[f.content] = path
				write(path, f.content)
			}
			head += fmt.Sprintf("attachment: %s %s %s\n", f.id, path, f.name)
		}
		write(title+".xml", a.packet)
		write(title+".txt", head)
	}
}

// fixture is the header of a case.
type fixture struct {
	why, reason string
	at          time.Time
	contents    []signature.Content
}

func readFixture(t *testing.T, name string) fixture {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out fixture
	for lines := bufio.NewScanner(f); lines.Scan(); {
		field, value, ok := strings.Cut(lines.Text(), ":")
		value = strings.TrimSpace(value)
		switch field {
		case "why":
			out.why = value
		case "reason":
			out.reason = value
		case "at":
			if out.at, err = time.Parse(time.RFC3339, value); err != nil {
				t.Fatal(err)
			}
		case "attachment":
			id, rest, _ := strings.Cut(value, " ")
			path, name, _ := strings.Cut(rest, " ")
			out.contents = append(out.contents, signature.Content{ID: id, Name: name, Open: func() (io.ReadCloser, error) {
				return os.Open(filepath.Join(fixtures, path))
			}})
		default:
			ok = false
		}
		if !ok {
			t.Fatalf("%s: unknown line %q", name, lines.Text())
		}
	}
	if out.why == "" || out.at.IsZero() {
		t.Fatalf("%s: no why or at", name)
	}
	return out
}

func TestFixtures(t *testing.T) {
	ca, err := os.ReadFile(filepath.Join(fixtures, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("ca.pem holds no certificate")
	}
	names, err := filepath.Glob(filepath.Join(fixtures, "[0-9]*.xml"))
	if err != nil || len(names) == 0 {
		t.Fatal("no fixtures", err)
	}
	reasons := map[string]int{}
	for _, name := range names {
		want := readFixture(t, strings.TrimSuffix(name, ".xml")+".txt")
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		v, err := signature.Verify(f, info.Size(), want.contents, signature.VerifyOptions{Roots: roots, At: want.at})
		f.Close()
		if err != nil || len(v) != 1 {
			t.Errorf("%s: %v, %d verdicts", name, err, len(v))
			continue
		}
		reasons[v[0].Reason()]++
		if v[0].Reason() != want.reason {
			t.Errorf("%s (%s): %v, want reason %q", name, want.why, v[0].Err, want.reason)
		}
		late := signature.VerifyOptions{Roots: roots, At: want.at.AddDate(100, 0, 0)}
		if want.reason == "" {
			f, _ := os.Open(name)
			v, err := signature.Verify(f, info.Size(), want.contents, late)
			f.Close()
			if err != nil || len(v) != 1 || !errors.Is(v[0].Err, signature.ErrExpired) {
				t.Errorf("%s: a century later: %v", name, v)
			}
		}
	}
	if len(reasons) < 10 {
		t.Errorf("the fixtures show only the reasons %v", reasons)
	}
}
