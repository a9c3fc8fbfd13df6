package signature_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/signature"
)

// changing is a packet or file that can be changed after it was verified.
type changing struct{ text []byte }

func (c *changing) ReadAt(p []byte, at int64) (int, error) {
	return bytes.NewReader(c.text).ReadAt(p, at)
}

// TestSigned: what a verdict covers can be read as it was signed, and nothing
// of it once it is another.
func TestSigned(t *testing.T) {
	for _, s := range shapes() {
		for _, o := range []signature.SignOptions{{Placement: s.at}, {Placement: s.at, Plain: true}} {
			signed, err := signWith(s.packet, s.contents, ca().rsa, o)
			if err != nil {
				t.Fatal(err)
			}
			packet := &changing{[]byte(signed)}
			v, err := signature.Verify(packet, int64(len(signed)), s.contents, signature.VerifyOptions{Roots: ca().roots})
			if err != nil || len(v) != 1 || v[0].Err != nil {
				t.Fatalf("%s: %v %v", s.name, v, err)
			}
			var names []string
			for _, piece := range v[0].Signed {
				r, err := piece.Open()
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(r)
				if err := errors.Join(err, r.Close()); err != nil {
					t.Errorf("%s: %s: %v", s.name, piece.Name, err)
				}
				names = append(names, piece.Name)
				sum := sha256.Sum256(got)
				digested := strings.Contains(signed, "<ds:DigestValue>"+base64Of(sum[:])+"</ds:DigestValue>")
				switch {
				case piece.ID == "" || !v[0].Coverage.Whole:
					if !digested {
						t.Errorf("%s: %s: other octets than were digested:\n%s", s.name, piece.Name, got)
					}
				default:
					for _, f := range files {
						if f.id == piece.ID && string(got) != f.content {
							t.Errorf("%s: %s: %q", s.name, piece.Name, got)
						}
					}
				}
			}
			want := append([]string{}, v[0].Coverage.Attachments...)
			switch c := v[0].Coverage; {
			case c.Whole:
				want = append([]string{"packet"}, want...)
			default:
				want = append([]string{"MessageHeader", "Bussiness", "Manifest"}[:len(names)-len(want)], want...)
			}
			if fmt.Sprint(names) != fmt.Sprint(want) {
				t.Errorf("%s: %q, want %q", s.name, names, want)
			}
			// Half read and closed: the rest is not looked at.
			r, err := v[0].Signed[0].Open()
			if err != nil {
				t.Fatal(err)
			}
			r.Read(make([]byte, 1))
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			// Changed since: nobody gets to the end.
			packet.text = bytes.Replace(packet.text, []byte("000.00.00."), []byte("999.99.99."), -1)
			packet.text = bytes.Replace(packet.text, []byte(base64Of([]byte(files[0].content))), []byte(base64Of([]byte(strings.Repeat("x", len(files[0].content))))), 1)
			for _, piece := range v[0].Signed {
				inside := !strings.Contains(s.packet, "SOAP-ENV") || piece.ID == ""
				if piece.Name == "Manifest" || piece.Name == "Bussiness" || piece.ID == files[1].id && !v[0].Coverage.Whole || !inside {
					continue
				}
				r, err := piece.Open()
				if err == nil {
					_, err = io.Copy(io.Discard, r)
					r.Close()
				}
				if !errors.Is(err, signature.ErrDigest) {
					t.Errorf("%s: %s, changed since: %v", s.name, piece.Name, err)
				}
			}
		}
	}
	if _, err := (signature.Signed{Name: "x"}).Open(); !errors.Is(err, signature.ErrCoverage) {
		t.Error(err)
	}
	bad := one(t, swap(t, sign(t, single(files...), nil, ca().rsa, signature.Auto), "V/v kết nối", "V/v ngắt nối"), nil)
	if bad.Signed != nil {
		t.Error("content of a signature that is not acceptable")
	}
}

// TestSignedFileChanged: a file beside the envelope is another when it is read.
func TestSignedFileChanged(t *testing.T) {
	text := files[0].content
	contents := []signature.Content{{ID: files[0].id, Name: files[0].name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}}
	v := one(t, sign(t, soap(files[0]), contents, ca().rsa, signature.Auto), contents)
	if v.Err != nil {
		t.Fatal(v.Err)
	}
	text = "khác"
	r, err := v.Signed[len(v.Signed)-1].Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, signature.ErrDigest) {
		t.Error(err)
	}
}

// TestTwelve: of twelve attachments one was changed after signing; the verdict
// names that one and no other, wherever the files are.
func TestTwelve(t *testing.T) {
	var twelve []file
	for i := range 12 {
		twelve = append(twelve, file{fmt.Sprintf("f%d@a.vn", i+1), fmt.Sprintf("phụ lục %d.pdf", i+1), fmt.Sprintf("%%PDF-1.7 số %d", i+1)})
	}
	changed := append([]file{}, twelve...)
	changed[6].content = "%PDF-1.7 số bảy, sửa"
	soaped := sign(t, soap(twelve...), beside(twelve...), ca().rsa, signature.Auto)
	inline := sign(t, single(twelve...), nil, ca().rsa, signature.Parts)
	inlineChanged := swap(t, inline, base64Of([]byte(twelve[6].content)), base64Of([]byte(changed[6].content)))
	for why, v := range map[string]signature.Verdict{
		"beside the envelope": one(t, soaped, beside(changed...)),
		"in one file":         one(t, inlineChanged, nil),
	} {
		if !errors.Is(v.Err, signature.ErrDigest) || !strings.HasSuffix(v.Err.Error(), ": phụ lục 7.pdf") || len(v.Coverage.Attachments) != 11 {
			t.Errorf("%s: %v, %q", why, v.Err, v.Coverage.Attachments)
		}
	}
	for why, v := range map[string]signature.Verdict{"beside": one(t, soaped, beside(twelve...)), "inline": one(t, inline, nil)} {
		if v.Err != nil || len(v.Coverage.Attachments) != 12 {
			t.Errorf("%s: %v", why, v.Err)
		}
	}
}

// TestDetached: a signature in its own file over files beside it, and xmlsec1
// agrees both ways.
func TestDetached(t *testing.T) {
	tool := xmlsec1(t)
	named := signature.Content{Name: "gói tin.xml", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("<a/>")), nil }}
	all := append(beside(files...), named)
	for kind, key := range keys() {
		var out bytes.Buffer
		if err := signature.SignDetached(&out, all, key, signature.SignOptions{}); err != nil {
			t.Fatal(err)
		}
		look := func(block string, files []signature.Content) signature.Verdict {
			v, err := signature.VerifyDetached(strings.NewReader(block), int64(len(block)), files, signature.VerifyOptions{Roots: ca().roots})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		block := out.String()
		v := look(block, all)
		if v.Err != nil || len(v.Coverage.Attachments) != 3 || len(v.Coverage.Missing) > 0 || v.Claimed.IsZero() || len(v.Signed) != 3 {
			t.Errorf("%s: %v %+v", kind, v.Err, v.Coverage)
		}
		r := must(v.Signed[1].Open())
		if got := must(io.ReadAll(r)); string(got) != files[1].content {
			t.Errorf("%q", got)
		}
		more := append(all, beside(file{"new", "mới.pdf", "x"})...)
		if v := look(block, more); v.Err != nil || fmt.Sprint(v.Coverage.Missing) != "[mới.pdf]" {
			t.Errorf("%s: one file more: %v %+v", kind, v.Err, v.Coverage)
		}
		if v := look(block, all[1:]); !errors.Is(v.Err, signature.ErrMissingContent) {
			t.Errorf("%s: one file less: %v", kind, v.Err)
		}
		if v := look(block, append(beside(files[0], file{files[1].id, files[1].name, "x"}), named)); !errors.Is(v.Err, signature.ErrDigest) || !strings.Contains(v.Err.Error(), files[1].name) || v.Signed != nil {
			t.Errorf("%s: one file changed: %v", kind, v.Err)
		}
		if v := look(strings.Replace(block, "cid:"+files[0].id, "file:///etc/passwd", 1), all); !errors.Is(v.Err, signature.ErrSignatureValue) {
			t.Errorf("%s: another name: %v", kind, v.Err)
		}
		if kind == "ed25519" {
			continue // xmlsec1 1.2.37 does not know it
		}
		dir := folder(t, key)
		for name, text := range map[string]string{"gói tin.xml": "<a/>", "sig.xml": block} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		run := func(args ...string) ([]byte, error) {
			cmd := exec.Command(tool, args...)
			cmd.Dir = dir
			return cmd.CombinedOutput()
		}
		verify := append(append([]string{"--verify", "--trusted-pem", "ca.pem"}, idAttrs(nsQCVN)...), "sig.xml")
		if out, err := run(verify...); err != nil {
			t.Errorf("%s: xmlsec1: %v\n%s", kind, err, out)
		}
		if err := os.WriteFile(filepath.Join(dir, "cid:"+files[0].id), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := run(verify...); err == nil {
			t.Errorf("%s: xmlsec1 accepts a changed file", kind)
		}
	}
	dir := folder(t, ca().rsa)
	template := fmt.Sprintf(`<Signature xmlns=%q><SignedInfo><CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/><SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>%s</SignedInfo><SignatureValue/><KeyInfo><X509Data/></KeyInfo></Signature>`,
		nsDSig, templateRef("cid:"+files[0].id, ""))
	if err := os.WriteFile(filepath.Join(dir, "t.xml"), []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool, "--sign", "--privkey-pem", "key.pem,cert.pem", "t.xml")
	cmd.Dir = dir
	made, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	v, err := signature.VerifyDetached(bytes.NewReader(made), int64(len(made)), beside(files...), signature.VerifyOptions{Roots: ca().roots})
	if err != nil || v.Err != nil || len(v.Coverage.Missing) != 1 {
		t.Errorf("xmlsec1's: %v %v %+v", err, v.Err, v.Coverage)
	}
}

func TestDetachedRefused(t *testing.T) {
	for why, bad := range map[string][]signature.Content{
		"nothing": nil, "a path": {{Name: "../x"}}, "no name": {{}}, "twice": append(beside(files[0]), beside(files[0])...), "no content": {{Name: "x"}},
	} {
		var out bytes.Buffer
		if err := signature.SignDetached(&out, bad, ca().rsa, signature.SignOptions{}); err == nil || out.Len() > 0 {
			t.Errorf("%s: %v", why, err)
		}
	}
	for why, c := range map[string]struct {
		block string
		want  error
	}{
		"about an element":        {forge(reference("#x", excC14N, "")), signature.ErrAlgorithm},
		"about itself":            {forge(reference("", excC14N, "")), signature.ErrAlgorithm},
		"about a file on a disk":  {forge(reference("file:///etc/passwd", "", "")), signature.ErrMissingContent},
		"about a page":            {forge(reference("http://a.vn/", "", "")), signature.ErrMissingContent},
		"about a file not given":  {forge(reference("x", "", "")), signature.ErrMissingContent},
		"something behind it":     {forge(reference("cid:"+files[0].id, "", files[0].content)) + "<b/>", signature.ErrTolerance},
		"stray bytes in the file": {"12" + forge(reference("cid:"+files[0].id, "", files[0].content)), signature.ErrTolerance},
	} {
		v, err := signature.VerifyDetached(strings.NewReader(c.block), int64(len(c.block)), beside(files...), signature.VerifyOptions{Roots: ca().roots})
		if err != nil || !errors.Is(v.Err, c.want) {
			t.Errorf("%s: %v %v", why, err, v.Err)
		}
	}
	for _, block := range []string{"", "<a/>", "<a>"} {
		if _, err := signature.VerifyDetached(strings.NewReader(block), int64(len(block)), nil, signature.VerifyOptions{}); err == nil {
			t.Errorf("%q is read", block)
		}
	}
}
