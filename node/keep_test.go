package node_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/sink"
)

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// TestPartsAsTheyCame stores the octets of each part as they came, whatever
// they are wrapped in, and knows the Document by the files inside: small and
// large, and whatever a file in two wraps is cut off at.
func TestPartsAsTheyCame(t *testing.T) {
	zipped := func(name string, content []byte) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		must(must(w.Create(name)).Write(content))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	text := func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }
	for _, size := range []int{4000, 700_000} {
		content := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("nội dung "), size/10)...)
		for _, c := range []struct {
			name   string
			octets []byte
			broken bool
		}{
			{"raw", content, false},
			{"zip", zipped("a.pdf", content), false},
			{"base64", text(content), false},
			{"zip in base64", text(zipped("a.pdf", content)), false},
			{"base64 that breaks off", append(text(content)[:len(text(content))-1], '*', '*', '*'), true},
			{"zip that breaks off", zipped("a.pdf", content)[:60+size/1000], true},
		} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d := document("1", "H41")
					env := envelope(t, d, file{"a.pdf", nil}, file{"b.txt", nil})
					second := []byte("tệp thứ hai")
					axis := newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(env, file{"a.pdf", c.octets}, file{"b.txt", second}) }})
					s := bubbleStore(t, t.TempDir())
					run(t, newNode(t, node.Config{Organ: province, Store: s, Axis: axis}))
					<-time.After(5 * time.Minute)
					x := must(s.List(t.Context(), node.In, "", 10))[0]
					if len(x.Parts) != 2 || x.Parts[0].Content.SHA256 != sumOf(c.octets) || x.Parts[1].Content.SHA256 != sumOf(second) {
						t.Fatalf("parts %+v", x.Parts)
					}
					if got := must(io.ReadAll(must(s.Open(t.Context(), x.Parts[0].Content.SHA256)))); !bytes.Equal(got, c.octets) {
						t.Errorf("%d octets are stored, %d came", len(got), len(c.octets))
					}
					damaged := slices.ContainsFunc(x.Findings, func(f edxml.FindingText) bool { return f.Rule == "ATT-6" || f.Rule == "ATT-8" })
					if damaged != c.broken {
						t.Errorf("findings %+v", x.Findings)
					}
					if c.broken {
						return
					}
					d.Attachments = []edxml.Attachment{{Name: "a.pdf", SHA256: sumOf(content)}, {Name: "b.txt", SHA256: sumOf(second)}}
					if x.Digest != d.Digest() {
						t.Errorf("digest %s, that of the files is %s", x.Digest, d.Digest())
					}
				})
			})
		}
	}
}

// spoiled is a store whose disk damages what is read.
type spoiled struct {
	node.Store
	digest string
}

func (s *spoiled) Open(ctx context.Context, sha256 string) (node.Opened, error) {
	f, err := s.Store.Open(ctx, sha256)
	if err != nil || sha256 != s.digest {
		return f, err
	}
	return flipped{f}, nil
}

type flipped struct{ node.Opened }

func (f flipped) Read(p []byte) (int, error) {
	n, err := f.Opened.Read(p)
	for i := range p[:n] {
		p[i] ^= 1
	}
	return n, err
}

// TestDamagedOnDisk hands nothing over that is not what was signed: what the
// disk spoils behind the verification is noticed when it is handed out.
func TestDamagedOnDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := file{"a.pdf", pdf}
		good := signed(t, envelope(t, document("1", "H41"), a), a)
		axis := newMailbox(map[string]func() *pieces{"7": func() *pieces { return incoming(good, a) }})
		s := &spoiled{bubbleStore(t, t.TempDir()), sumOf(pdf)}
		dir := filepath.Join(t.TempDir(), "in")
		n := newNode(t, node.Config{Organ: province, Store: s, Axis: axis, Sink: sink.Folder{Dir: dir}, Policy: node.Require, Roots: tested().roots})
		run(t, n)
		<-time.After(5 * time.Minute)
		x := must(s.List(t.Context(), node.In, "", 10))[0]
		if x.State != node.Verified || !strings.Contains(x.LastError, "the disk has damaged stored content") {
			t.Errorf("%s: %s", x.State, x.LastError)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "*", "a.pdf")); err != nil || len(left) > 0 {
			t.Errorf("handed over all the same: %v, %v", left, err)
		}
		f := must(n.Open(t.Context(), x, x.Parts[0].Content))
		defer f.Close()
		if got, err := io.ReadAll(f); !errors.Is(err, node.ErrDamaged) || len(got) == len(pdf) {
			t.Errorf("handed out: %d octets, %v", len(got), err)
		}
	})
}
