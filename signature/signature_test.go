package signature_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/signature"
)

type shape struct {
	name     string
	packet   string
	contents []signature.Content
	at       signature.Placement
	coverage signature.Coverage
}

func shapes() []shape {
	names := []string{"công văn.pdf", "phụ lục.docx"}
	parts := signature.Coverage{Header: true, Business: true, Manifest: true, Attachments: names}
	whole := parts
	whole.Whole = true
	return []shape{
		{"single file, whole", single(files...), nil, signature.Auto, whole},
		{"single file, parts", single(files...), nil, signature.Parts, parts},
		{"SOAP, parts", soap(files...), beside(files...), signature.Auto, parts},
		{"an empty element before the block", strings.Replace(single(files...), "\n  </edXML:edXMLHeader>", "<edXML:ErrorList/></edXML:edXMLHeader>", 1), nil, signature.Auto, whole},
		{"no attachments", soap(), nil, signature.Parts, signature.Coverage{Header: true, Business: true, Manifest: true}},
		{"status", status(), nil, signature.Auto, signature.Coverage{Whole: true, Header: true}},
		{"status with a processing instruction", "<?p?>" + status()[strings.Index(status(), "?>")+2:], nil, signature.Whole, signature.Coverage{Whole: true, Header: true}},
	}
}

func TestSignVerify(t *testing.T) {
	for _, s := range shapes() {
		for alg, key := range map[string]*signature.Key{"rsa-sha256": ca().rsa, "ecdsa-sha256": ca().ec} {
			t.Run(s.name+"/"+alg, func(t *testing.T) {
				signed := sign(t, s.packet, s.contents, key, s.at)
				v := one(t, signed, s.contents)
				if v.Err != nil {
					t.Fatalf("%v\n%s", v.Err, signed)
				}
				if !v.Signer.Equal(key.Chain[0]) || len(v.Chain) != 2 || v.Algorithm != alg || len(v.Warnings) > 0 {
					t.Errorf("signer %v, chain %d, algorithm %s, warnings %v", v.Signer.Subject, len(v.Chain), v.Algorithm, v.Warnings)
				}
				if d := cmp.Diff(s.coverage, v.Coverage); d != "" {
					t.Errorf("coverage (-want +got):\n%s", d)
				}
				if rest := stripped(t, signed); rest != s.packet {
					t.Errorf("more than the signature was changed:\n%s\n%s", rest, s.packet)
				}
				if line := 1 + strings.Count(signed[:strings.Index(signed, "<ds:Signature ")], "\n"); v.Place.Line != line {
					t.Errorf("the signature is at line %d, not %d", line, v.Place.Line)
				}
			})
		}
	}
}

// stripped takes the signature and the Ids out again.
func stripped(t *testing.T, signed string) string {
	rest := strings.Replace(signed, between(t, signed, "<ds:Signature ", "</ds:Signature>"), "", 1)
	for strings.Contains(rest, ` Id="`) {
		rest = strings.Replace(rest, between(t, rest, ` Id="`, `" `[:1]), " Id=", 1)
		rest = strings.Replace(rest, between(t, rest, ` Id=`, `"`), "", 1)
	}
	return rest
}

func TestUnsigned(t *testing.T) {
	for _, s := range shapes() {
		if v := verify(t, s.packet, s.contents); len(v) != 0 {
			t.Errorf("%s: %v", s.name, v)
		}
	}
	token := swap(t, soap(), "<edXML:ErrorList/>", `<edXML:Signature><KeyInfo><OrganId>1</OrganId><Token>test</Token></KeyInfo></edXML:Signature>`)
	if v := verify(t, token, nil); len(v) != 0 {
		t.Errorf("the token block is no signature, but: %v", v[0].Err)
	}
}

// TestSurvivesTheWay adds what the wire and an honest axis add.
func TestSurvivesTheWay(t *testing.T) {
	signed := sign(t, soap(files...), beside(files...), ca().rsa, signature.Auto)
	token := `<edXML:Signature><edXML:KeyInfo><edXML:OrganId>1</edXML:OrganId><edXML:Token>secret</edXML:Token></edXML:KeyInfo></edXML:Signature>`
	for name, sent := range map[string]string{
		"the token before the signature": swap(t, signed, "<ds:Signature ", token+"<ds:Signature "),
		"the token behind it":            swap(t, signed, "</SOAP-ENV:Header>", token+"</SOAP-ENV:Header>"),
		"a TraceHeader": swap(t, signed, "</edXML:TraceHeader>",
			"</edXML:TraceHeader><edXML:TraceHeader><edXML:OrganId>001.00.20.TT2</edXML:OrganId></edXML:TraceHeader>"),
		"an XML declaration": `<?xml version="1.0" encoding="UTF-8"?>` + "\r\n" + signed,
	} {
		if v := one(t, sent, beside(files...)); v.Err != nil {
			t.Errorf("%s: %v", name, v.Err)
		}
	}
}

// TestSamples signs packets as vendors publish them, where they are at hand.
func TestSamples(t *testing.T) {
	names, _ := filepath.Glob("../../shared/samples/*.edxml")
	if len(names) == 0 {
		t.Skip("the samples are not here")
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		dummies := verify(t, string(b), nil)
		for _, v := range dummies {
			if !errors.Is(v.Err, signature.ErrNamespace) {
				t.Errorf("%s: %v", name, v.Err)
			}
		}
		var out bytes.Buffer
		err = signature.Sign(&out, bytes.NewReader(b), int64(len(b)), nil, ca().rsa, signature.SignOptions{})
		if b[0] != '<' && !bytes.HasPrefix(b, []byte("\uFEFF<")) {
			if !errors.Is(err, signature.ErrTolerance) {
				t.Errorf("%s: stray bytes in front, but %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Logf("%s cannot be signed: %v", name, err)
			if !errors.Is(err, signature.ErrTolerance) {
				t.Error("and not for its XML")
			}
			continue
		}
		good := 0
		for _, v := range verify(t, out.String(), nil) {
			if v.Err == nil && v.Coverage.Whole {
				good++
			}
		}
		if good != 1 {
			t.Errorf("%s: %d good signatures", name, good)
		}
	}
}

func TestExistingIds(t *testing.T) {
	packet := swap(t, soap(files...), "<edXML:MessageHeader>", `<edXML:MessageHeader Id="mh" id="x">`)
	signed := sign(t, packet, beside(files...), ca().rsa, signature.Auto)
	if v := one(t, signed, beside(files...)); v.Err != nil || !strings.Contains(signed, `URI="#mh"`) {
		t.Errorf("an Id that is there is used: %v\n%s", v.Err, signed)
	}
}

func TestAttachmentChanged(t *testing.T) {
	var twelve []file
	for i := range 12 {
		n := string(rune('a' + i))
		twelve = append(twelve, file{n + "@a.vn", "tệp " + n + ".pdf", strings.Repeat(n, 1000)})
	}
	changed := slices.Clone(twelve)
	changed[7].content += "!"
	signed := sign(t, soap(twelve...), beside(twelve...), ca().rsa, signature.Auto)
	v := one(t, signed, beside(changed...))
	if !errors.Is(v.Err, signature.ErrDigest) || !strings.Contains(v.Err.Error(), "tệp h.pdf") || strings.Contains(v.Err.Error(), "tệp a.pdf") {
		t.Errorf("the verdict must name the attachment: %v", v.Err)
	}
	if len(v.Coverage.Attachments) != 11 || !v.Coverage.Manifest {
		t.Errorf("the rest is still bound: %+v", v.Coverage)
	}
	inline := sign(t, single(twelve...), nil, ca().rsa, signature.Parts)
	if v := one(t, strings.Replace(inline, "aGhoaGhoaGho", "aGhoaGhpaGho", 1), nil); !errors.Is(v.Err, signature.ErrDigest) || !strings.Contains(v.Err.Error(), "tệp h.pdf") {
		t.Errorf("inline: %v", v.Err)
	}
	v = one(t, signed, beside(twelve[1:]...))
	if !errors.Is(v.Err, signature.ErrMissingContent) || !strings.Contains(v.Err.Error(), "tệp a.pdf") {
		t.Errorf("missing: %v", v.Err)
	}
	more := append(beside(twelve...), beside(file{"z@a.vn", "lạ.exe", "MZ"})...)
	if v = one(t, signed, more); !errors.Is(v.Err, signature.ErrCoverage) || !slices.Equal(v.Coverage.Missing, []string{"lạ.exe"}) {
		t.Errorf("a file nobody signed: %v, %v", v.Err, v.Coverage.Missing)
	}
	twice := append(beside(twelve...), beside(twelve[0])...)
	if v = one(t, signed, twice); !errors.Is(v.Err, signature.ErrDuplicateID) {
		t.Errorf("two files of one Content-ID: %v", v.Err)
	}
	failing := beside(twelve...)
	boom := errors.New("boom")
	failing[3].Open = func() (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(boom)), nil }
	if v = one(t, signed, failing); !errors.Is(v.Err, signature.ErrMissingContent) || !errors.Is(v.Err, boom) {
		t.Errorf("a file that cannot be read: %v", v.Err)
	}
}

// TestKnownDigest signs and verifies files whose digest the caller has: none is
// opened, a wrong one is a changed file, and one of another length, or for
// another method, counts for nothing.
func TestKnownDigest(t *testing.T) {
	files := []file{{"a@a.vn", "a.pdf", "nội dung"}, {"b@a.vn", "b.pdf", "khác"}}
	opened := 0
	known := func(text string) []signature.Content {
		all := beside(files...)
		for i := range all {
			sum := sha256.Sum256([]byte(files[i].content + text))
			all[i].SHA256 = sum[:]
			open := all[i].Open
			all[i].Open = func() (io.ReadCloser, error) { opened++; return open() }
		}
		return all
	}
	signed := sign(t, soap(files...), known(""), ca().rsa, signature.Auto)
	if v := one(t, signed, known("")); v.Err != nil || len(v.Coverage.Attachments) != 2 || opened != 0 {
		t.Errorf("%v, %+v, %d opened", v.Err, v.Coverage, opened)
	}
	if v := one(t, signed, beside(files...)); v.Err != nil {
		t.Errorf("to whoever digests them: %v", v.Err)
	}
	if v := one(t, signed, known("!")); !errors.Is(v.Err, signature.ErrDigest) || opened != 0 {
		t.Errorf("another digest: %v, %d opened", v.Err, opened)
	}
	short := known("!")
	short[0].SHA256, short[1].SHA256 = short[0].SHA256[:20], nil
	if v := one(t, signed, short); v.Err != nil || opened != 2 {
		t.Errorf("no digest: %v, %d opened", v.Err, opened)
	}
	var other bytes.Buffer
	packet := soap(files...)
	err := signature.Sign(&other, strings.NewReader(packet), int64(len(packet)), known("!"), ca().rsa, signature.SignOptions{Algorithm: "rsa-sha512"})
	if err != nil {
		t.Fatal(err)
	}
	if v := one(t, other.String(), known("!")); v.Err != nil || opened != 6 {
		t.Errorf("by SHA-512: %v, %d opened", v.Err, opened)
	}
}

// TestEveryByte changes bytes all over signed packets. Whatever is still read
// is not acceptable, unless the change is one that canonical XML does not see
// or that lies outside what the profile signs.
func TestEveryByte(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, s := range shapes() {
		signed := sign(t, s.packet, s.contents, ca().ec, s.at)
		free := func(i int) bool { // what the signature is not about
			for _, span := range [][2]string{{"<?xml", "?>"}, {"<!--", "-->"}, {"<edXML:TraceHeader>", "</edXML:TraceHeader>"}, {"<ds:KeyInfo>", "</ds:KeyInfo>"}, {"xmlns:xsi=", `instance"`}} {
				if from := strings.Index(signed, span[0]); from >= 0 && i >= from && i < from+len(between(t, signed, span[0], span[1])) {
					return true
				}
			}
			return false
		}
		for i := 0; i < len(signed); i += 1 + r.IntN(40) {
			if free(i) {
				continue
			}
			for _, with := range []byte{signed[i] ^ 1, signed[i] ^ 0x20, 'A'} {
				if with == signed[i] {
					continue
				}
				tampered := signed[:i] + string(with) + signed[i+1:]
				if acceptable(tampered, s.contents) && !same(tampered, signed, s) {
					t.Fatalf("%s: byte %d, %q to %q, is not noticed: %q", s.name, i, signed[i], with, signed[max(0, i-40):min(len(signed), i+40)])
				}
			}
		}
	}
}

// same reports a change that has no meaning: white space or quotes inside
// tags, and for Parts what is outside the parts.
func same(tampered, signed string, s shape) bool {
	plain := func(p string) string {
		p = strings.NewReplacer("\r\n", "\n", "\r", "\n", "'", `"`, "\t", " ").Replace(p)
		return p
	}
	if plain(tampered) == plain(signed) {
		return true
	}
	if s.coverage.Whole {
		return false
	}
	keep := func(p string) string {
		var out strings.Builder
		for _, span := range [][2]string{{"<edXML:MessageHeader", "</edXML:MessageHeader>"}, {"<edXML:Bussiness ", "</edXML:Bussiness>"},
			{"anifest ", "anifest>"}, {"<ds:SignedInfo>", "</ds:SignatureValue>"}} {
			i := strings.Index(p, span[0])
			if i < 0 {
				return p
			}
			k := strings.Index(p[i:], span[1])
			if k < 0 {
				return p
			}
			out.WriteString(p[i : i+k])
		}
		for _, piece := range strings.Split(p, "<edXML:ContentTransferEncoded")[1:] {
			i, k := strings.Index(piece, ">"), strings.Index(piece, "</")
			if i < 0 || k < i {
				return p
			}
			out.WriteString(piece[i:k])
		}
		return out.String()
	}
	return keep(tampered) == keep(signed)
}

func acceptable(packet string, contents []signature.Content) bool {
	v, err := signature.Verify(strings.NewReader(packet), int64(len(packet)), contents, signature.VerifyOptions{Roots: ca().roots})
	if err != nil || len(v) == 0 {
		return false
	}
	for _, v := range v {
		if v.Err != nil {
			return false
		}
	}
	return true
}

func TestRefusedToSign(t *testing.T) {
	weak := *ca().rsa
	weak.Chain = ca().ec.Chain
	signed := sign(t, single(files...), nil, ca().rsa, signature.Auto)
	for _, c := range []struct {
		why      string
		packet   string
		contents []signature.Content
		at       signature.Placement
		key      *signature.Key
		want     error
	}{
		{"signed already", signed, nil, signature.Auto, nil, signature.ErrSigned},
		{"stray bytes in front", "1212" + single(), nil, signature.Auto, nil, signature.ErrTolerance},
		{"the same attribute twice", swap(t, single(), ` version="1.0">`, ` version="1.0" version="2">`), nil, signature.Auto, nil, signature.ErrTolerance},
		{"an unbound prefix", swap(t, soap(), "<edXML:ErrorList/>", "<x:y/>"), nil, signature.Auto, nil, signature.ErrTolerance},
		{"no packet", "<html/>", nil, signature.Auto, nil, signature.ErrNotPacket},
		{"a packet without a header", `<edXML xmlns="` + nsQCVN + `"/>`, nil, signature.Auto, nil, signature.ErrNotPacket},
		{"a file of the Manifest is missing", soap(files...), beside(files[0]), signature.Auto, nil, signature.ErrMissingContent},
		{"two files of one identifier", soap(files...), append(beside(files...), beside(files[0])...), signature.Auto, nil, signature.ErrDuplicateID},
		{"the whole of a SOAP envelope", soap(files...), beside(files...), signature.Whole, nil, signature.ErrShape},
		{"two MessageHeaders", swap(t, soap(), "<edXML:ErrorList/>", "<MessageHeader/>"), nil, signature.Auto, nil, signature.ErrCoverage},
		{"no MessageHeader", strings.ReplaceAll(soap(), "MessageHeader", "Header"), nil, signature.Auto, nil, signature.ErrCoverage},
		{"duplicate Ids", swap(t, strings.Replace(soap(), "<edXML:TraceHeader>", `<edXML:TraceHeader Id="a">`, 1), "<edXML:ErrorList/>", `<edXML:ErrorList Id="a"/>`), nil, signature.Auto, nil, signature.ErrDuplicateID},
		{"two contents in one Attachment", strings.Replace(single(files...), "</Attachment>", "<ContentTransferEncoded>QUJD</ContentTransferEncoded></Attachment>", 1), nil, signature.Parts, nil, signature.ErrShape},
		{"another name beside the content", swap(t, single(files...), "<AttachmentName>công văn.pdf", "<AttachmentName>công văn.exe"), nil, signature.Parts, nil, signature.ErrCoverage},
		{"key of another certificate", single(), nil, signature.Auto, &weak, signature.ErrKeyMismatch},
	} {
		key := c.key
		if key == nil {
			key = ca().rsa
		}
		var out bytes.Buffer
		err := signature.Sign(&out, strings.NewReader(c.packet), int64(len(c.packet)), c.contents, key, signature.SignOptions{Placement: c.at})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.why, err, c.want)
		}
		if out.Len() > 0 {
			t.Errorf("%s: %d bytes were written", c.why, out.Len())
		}
	}
	packet := single()
	if err := signature.Sign(failing{io.ErrClosedPipe}, strings.NewReader(packet), int64(len(packet)), nil, ca().rsa, signature.SignOptions{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the writer's error is lost: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestTrust(t *testing.T) {
	signed := sign(t, single(files...), nil, ca().rsa, signature.Auto)
	self := sign(t, single(files...), nil, ca().self, signature.Auto)
	selfRoot := x509.NewCertPool()
	selfRoot.AddCert(ca().self.Chain[0])
	other := x509.NewCertPool()
	for _, c := range []struct {
		why    string
		packet string
		o      signature.VerifyOptions
		want   error
	}{
		{"now", signed, signature.VerifyOptions{Roots: ca().roots}, nil},
		{"a self-signed certificate given as root", self, signature.VerifyOptions{Roots: selfRoot}, nil},
		{"a self-signed certificate nobody knows", self, signature.VerifyOptions{Roots: ca().roots}, signature.ErrUntrusted},
		{"no roots", signed, signature.VerifyOptions{}, signature.ErrUntrusted},
		{"other roots", signed, signature.VerifyOptions{Roots: other}, signature.ErrUntrusted},
		{"too late", signed, signature.VerifyOptions{Roots: ca().roots, At: ca().to.Add(time.Hour)}, signature.ErrExpired},
		{"too early", signed, signature.VerifyOptions{Roots: ca().roots, At: ca().from.Add(-time.Hour)}, signature.ErrNotYetValid},
		{"too late, and unknown", self, signature.VerifyOptions{Roots: ca().roots, At: ca().to.Add(time.Hour)}, signature.ErrUntrusted},
	} {
		v, err := signature.Verify(strings.NewReader(c.packet), int64(len(c.packet)), nil, c.o)
		if err != nil || len(v) != 1 {
			t.Fatal(err, v)
		}
		if c.want == nil && v[0].Err != nil || c.want != nil && !errors.Is(v[0].Err, c.want) {
			t.Errorf("%s: %v, want %v", c.why, v[0].Err, c.want)
		}
	}
}

// TestKeyUsage: a certificate for other uses is refused, and with AllowLegacy named.
func TestKeyUsage(t *testing.T) {
	key := *ca().rsa
	for usage, want := range map[x509.KeyUsage]error{
		0: nil, x509.KeyUsageDigitalSignature: nil, x509.KeyUsageContentCommitment: nil,
		x509.KeyUsageKeyEncipherment: signature.ErrKeyUsage, x509.KeyUsageCertSign: signature.ErrKeyUsage,
	} {
		key.Chain = []*x509.Certificate{ca().issue(&x509.Certificate{Subject: name("Dung vao viec khac"), KeyUsage: usage}, key.Signer, ca().root)}
		signed := sign(t, single(files...), nil, &key, signature.Auto)
		if v := one(t, signed, nil); !errors.Is(v.Err, want) {
			t.Errorf("%b: %v", usage, v.Err)
		}
		v, err := signature.Verify(strings.NewReader(signed), int64(len(signed)), nil, signature.VerifyOptions{Roots: ca().roots, AllowLegacy: true})
		if err != nil || v[0].Err != nil || (len(v[0].Warnings) > 0) != (want != nil) {
			t.Errorf("%b, legacy: %v %v", usage, v, err)
		}
	}
}

func TestVerdictJSON(t *testing.T) {
	signed := sign(t, single(files...), nil, ca().rsa, signature.Auto)
	good := one(t, signed, nil)
	bad := one(t, swap(t, signed, "V/v kết nối", "V/v ngắt nối"), nil)
	for _, c := range []struct {
		v      signature.Verdict
		reason string
		vi     string
	}{{good, "", "chữ ký hợp lệ"}, {bad, "digest", "nội dung đã bị thay đổi sau khi ký"}} {
		b, err := json.Marshal(c.v)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Reason, Message, Signer, Serial, Algorithm string
			Coverage                                   map[string]any
			Line                                       int
		}
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if got.Reason != c.reason || got.Signer != "CN=Van phong thu nghiem,C=VN" || got.Serial == "" || got.Algorithm != "rsa-sha256" || got.Line != 8 ||
			got.Coverage["whole"] != (c.reason == "") || got.Coverage["missing"] == nil || got.Message == "" {
			t.Errorf("%s", b)
		}
		if vi := c.v.Message().VI; !strings.HasPrefix(vi, c.vi) {
			t.Errorf("in Vietnamese: %s", vi)
		}
	}
}

func TestUnreadable(t *testing.T) {
	for why, packet := range map[string]string{
		"empty": "", "truncated": single()[:200], "DTD": "<!DOCTYPE a><a/>", "no packet": "<a/>",
		"too many signatures":  swap(t, soap(), "<edXML:ErrorList/>", strings.Repeat(`<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`, 17)),
		"too many attachments": strings.Replace(single(), "<AttachmentEncoded>", "<AttachmentEncoded>"+strings.Repeat("<Attachment/>", 1001), 1),
		"a name without end":   swap(t, single(file{"a", strings.Repeat("x", 5000), ""}), "</edXML:Reference>", "</edXML:Reference >"),
	} {
		if v, err := signature.Verify(strings.NewReader(packet), int64(len(packet)), nil, signature.VerifyOptions{}); err == nil {
			t.Errorf("%s: no error, %v", why, v)
		}
	}
}
