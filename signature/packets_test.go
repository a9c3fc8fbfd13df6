package signature_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lienthong/lienthong/signature"
)

const (
	nsQCVN = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
	nsEDoc = "http://www.e-doc.vn/Schema/"
)

// authority is a test CA with the keys of one agency.
type authority struct {
	root     *x509.Certificate
	rootKey  crypto.Signer
	rsa, ec  *signature.Key
	self     *signature.Key // a certificate that signed itself
	roots    *x509.CertPool
	serial   int64
	from, to time.Time
}

// ca makes the keys once: RSA keys take their time.
var ca = sync.OnceValue(func() *authority {
	a := &authority{from: time.Now().Add(-24 * time.Hour), to: time.Now().AddDate(30, 0, 0), roots: x509.NewCertPool()}
	rootKey := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	a.rootKey = rootKey
	a.root = a.issue(&x509.Certificate{Subject: name("Test CA"), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}, rootKey, nil)
	a.roots.AddCert(a.root)
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	leaf := &x509.Certificate{Subject: name("Van phong thu nghiem"), KeyUsage: x509.KeyUsageDigitalSignature}
	a.rsa = &signature.Key{Signer: rsaKey, Chain: []*x509.Certificate{a.issue(leaf, rsaKey, a.root)}}
	ecKey := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	a.ec = &signature.Key{Signer: ecKey, Chain: []*x509.Certificate{a.issue(leaf, ecKey, a.root)}}
	a.self = &signature.Key{Signer: rsaKey, Chain: []*x509.Certificate{a.issue(&x509.Certificate{Subject: name("Tu ky")}, rsaKey, nil)}}
	return a
})

func name(cn string) pkix.Name { return pkix.Name{CommonName: cn, Country: []string{"VN"}} }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// issue makes a certificate for key; without a parent it signs itself.
func (a *authority) issue(t *x509.Certificate, key crypto.Signer, parent *x509.Certificate) *x509.Certificate {
	c := *t
	a.serial++
	c.SerialNumber = big.NewInt(a.serial)
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = a.from, a.to
	}
	signer := key
	if parent == nil {
		parent = &c
	} else {
		signer = a.rootKey
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, &c, parent, key.Public(), signer))))
}

// file is an attachment of a test packet.
type file struct{ id, name, content string }

var files = []file{{"f1@a.vn", "công văn.pdf", "%PDF-1.7 một"}, {"f2@a.vn", "phụ lục.docx", strings.Repeat("hai\x00\xff", 500)}}

const headerText = `<edXML:From><edXML:OrganId>000.00.00.G22</edXML:OrganId></edXML:From>
 <edXML:To><edXML:OrganId>000.00.00.H41</edXML:OrganId></edXML:To>
 <edXML:Subject>V/v kết nối &amp; liên thông</edXML:Subject><!-- ghi chú -->`

const traces = `<edXML:TraceHeaderList><edXML:TraceHeader><edXML:OrganId>000.00.00.G22</edXML:OrganId></edXML:TraceHeader>` +
	`<edXML:Bussiness><edXML:BussinessDocType>0</edXML:BussinessDocType></edXML:Bussiness></edXML:TraceHeaderList>`

// single is a document in one file.
func single(files ...file) string {
	var refs, inline strings.Builder
	for _, f := range files {
		fmt.Fprintf(&refs, `<edXML:Reference><edXML:ContentId>cid:%s</edXML:ContentId><edXML:AttachmentName>%s</edXML:AttachmentName></edXML:Reference>`, f.id, f.name)
		fmt.Fprintf(&inline, "<Attachment><ContentId>cid:%s</ContentId><AttachmentName>%s</AttachmentName>\n<edXML:ContentTransferEncoded xmlns:edXML=%q>%s</edXML:ContentTransferEncoded></Attachment>",
			f.id, f.name, nsQCVN, base64.StdEncoding.EncodeToString([]byte(f.content)))
	}
	return fmt.Sprintf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<?style x?>\n"+
		"<edXML xmlns=%q>\r\n <edXML:edXMLEnvelope xmlns:edXML=%q>\n  <edXML:edXMLHeader><edXML:MessageHeader>%s</edXML:MessageHeader>%s\n  </edXML:edXMLHeader>"+
		"<edXML:edXMLBody><edXML:edXMLManifest version=\"1.0\">%s</edXML:edXMLManifest></edXML:edXMLBody></edXML:edXMLEnvelope>"+
		"<AttachmentEncoded>%s</AttachmentEncoded></edXML>\n", nsQCVN, nsQCVN, headerText, traces, refs.String(), inline.String())
}

// soap is a document as a SOAP envelope; its files travel beside it.
func soap(files ...file) string {
	var refs strings.Builder
	for _, f := range files {
		fmt.Fprintf(&refs, `<edXML:Reference xlink:href="cid:%s" edXML:z="1"><edXML:AttachmentName>%s</edXML:AttachmentName></edXML:Reference>`, f.id, f.name)
	}
	return fmt.Sprintf(`<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:edXML=%q>`+
		`<SOAP-ENV:Header><edXML:MessageHeader>%s</edXML:MessageHeader>%s<edXML:ErrorList/></SOAP-ENV:Header>`+
		`<SOAP-ENV:Body><edXML:Manifest>%s</edXML:Manifest></SOAP-ENV:Body></SOAP-ENV:Envelope>`, nsEDoc, headerText, traces, refs.String())
}

// status is a status packet in one file.
func status() string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?><edXML xmlns=%q xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><edXML:edXMLEnvelope xmlns:edXML=%q><edXML:edXMLHeader>`+
		`<edXML:MessageHeader><edXML:From><edXML:OrganId>000.00.00.H41</edXML:OrganId></edXML:From><edXML:StatusCode>01</edXML:StatusCode><edXML:Description a="x
y"/></edXML:MessageHeader></edXML:edXMLHeader></edXML:edXMLEnvelope></edXML>`, nsQCVN, nsQCVN)
}

// beside gives files as the parts of a SOAP message.
func beside(files ...file) []signature.Content {
	var out []signature.Content
	for _, f := range files {
		out = append(out, signature.Content{ID: f.id, Name: f.name, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(f.content)), nil
		}})
	}
	return out
}

func sign(t testing.TB, packet string, contents []signature.Content, key *signature.Key, p signature.Placement) string {
	t.Helper()
	var out bytes.Buffer
	if err := signature.Sign(&out, strings.NewReader(packet), int64(len(packet)), contents, key, signature.SignOptions{Placement: p}); err != nil {
		t.Fatalf("sign: %v", err)
	}
	return out.String()
}

func verify(t testing.TB, packet string, contents []signature.Content) []signature.Verdict {
	t.Helper()
	v, err := signature.Verify(strings.NewReader(packet), int64(len(packet)), contents, signature.VerifyOptions{Roots: ca().roots})
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	return v
}

// one verifies a packet with exactly one signature.
func one(t testing.TB, packet string, contents []signature.Content) signature.Verdict {
	t.Helper()
	v := verify(t, packet, contents)
	if len(v) != 1 {
		t.Fatalf("%d verdicts, want 1: %v", len(v), v)
	}
	return v[0]
}

// swap replaces exactly one occurrence.
func swap(t testing.TB, s, old, with string) string {
	t.Helper()
	if strings.Count(s, old) != 1 {
		t.Fatalf("%q stands %d times in the packet", old, strings.Count(s, old))
	}
	return strings.Replace(s, old, with, 1)
}

// between returns what stands from the first from up to and including the next to.
func between(t testing.TB, s, from, to string) string {
	t.Helper()
	i := strings.Index(s, from)
	if i < 0 {
		t.Fatalf("%q is not in the packet", from)
	}
	k := strings.Index(s[i:], to)
	if k < 0 {
		t.Fatalf("%q is not behind %q", to, from)
	}
	return s[i : i+k+len(to)]
}
func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func base64Decode(s string) ([]byte, error) { return base64.StdEncoding.DecodeString(s) }
