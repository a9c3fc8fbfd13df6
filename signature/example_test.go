package signature_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"

	"github.com/lienthong/lienthong/signature"
)

// Sign a packet, and ask who signed what.
func Example() {
	packet := single(file{"f1", "công văn.pdf", "%PDF-1.7"})
	var signed bytes.Buffer
	err := signature.Sign(&signed, strings.NewReader(packet), int64(len(packet)), nil, ca().rsa, signature.SignOptions{})
	if err != nil {
		panic(err)
	}
	verdicts, err := signature.Verify(bytes.NewReader(signed.Bytes()), int64(signed.Len()), nil, signature.VerifyOptions{Roots: ca().roots})
	if err != nil {
		panic(err)
	}
	for _, v := range verdicts {
		fmt.Println(v.Message().EN)
		fmt.Println(v.Coverage.Whole, v.Coverage.Attachments)
	}
	// Output:
	// the signature is acceptable, signed by CN=Van phong thu nghiem,C=VN
	// true [công văn.pdf]
}

// A file beside a SOAP envelope was changed on the way.
func ExampleVerify() {
	sent := []file{{"f1", "công văn.pdf", "%PDF-1.7"}, {"f2", "phụ lục.docx", "PK"}}
	packet := soap(sent...)
	var signed bytes.Buffer
	err := signature.Sign(&signed, strings.NewReader(packet), int64(len(packet)), beside(sent...), ca().rsa, signature.SignOptions{})
	if err != nil {
		panic(err)
	}
	sent[1].content = "MZ"
	verdicts, err := signature.Verify(bytes.NewReader(signed.Bytes()), int64(signed.Len()), beside(sent...), signature.VerifyOptions{Roots: ca().roots})
	if err != nil {
		panic(err)
	}
	v := verdicts[0]
	fmt.Println(v.Reason(), errors.Is(v.Err, signature.ErrDigest))
	fmt.Println(v.Message().VI)
	fmt.Println(v.Coverage.Attachments)
	// Output:
	// digest true
	// nội dung đã bị thay đổi sau khi ký: phụ lục.docx
	// [công văn.pdf]
}

// A signature in any XML file: does it fit, and what exactly was signed?
func ExampleVerifyXML() {
	doc := `<r><a Id="x">một</a><b>hai</b>` + forge(reference("#x", excC14N, `<a Id="x">một</a>`)) + `</r>`
	var octets bytes.Buffer
	v, err := signature.VerifyXML(strings.NewReader(doc), int64(len(doc)), signature.XMLOptions{SignedOut: &octets})
	if err != nil {
		panic(err)
	}
	fmt.Println(v.Message().EN)
	fmt.Println(v.Algorithm, v.KeyFrom, v.References[0].Element)
	fmt.Println(octets.String())
	// Output:
	// the signature fits the content
	// rsa-sha256 X509Data /r/a
	// <a Id="x">một</a>
}

// A packet that only looks signed.
func ExampleJudge() {
	packet := strings.Replace(single(), "</edXML:edXMLHeader>", "<edXML:DigitalSignature/></edXML:edXMLHeader>", 1)
	verdicts, err := signature.Verify(strings.NewReader(packet), int64(len(packet)), nil, signature.VerifyOptions{})
	if err != nil {
		panic(err)
	}
	sum := signature.Verdict{Err: signature.Judge(verdicts)}
	fmt.Println(sum.Reason())
	// Output: empty
}

// The only way to content as it was signed is through a verdict.
func ExampleSigned_Open() {
	packet := single(file{"f1", "công văn.txt", "Kính gửi"})
	var signed bytes.Buffer
	err := signature.Sign(&signed, strings.NewReader(packet), int64(len(packet)), nil, ca().rsa, signature.SignOptions{Placement: signature.Parts})
	if err != nil {
		panic(err)
	}
	verdicts, err := signature.Verify(bytes.NewReader(signed.Bytes()), int64(signed.Len()), nil, signature.VerifyOptions{Roots: ca().roots})
	if err != nil || signature.Judge(verdicts) != nil {
		panic("not acceptable")
	}
	for _, s := range verdicts[0].Signed {
		if s.ID == "" {
			fmt.Println(s.Name)
			continue
		}
		r, err := s.Open()
		if err != nil {
			panic(err)
		}
		text, err := io.ReadAll(r) // without an error: it is what was signed
		if err := errors.Join(err, r.Close()); err != nil {
			panic(err)
		}
		fmt.Printf("%s: %s\n", s.Name, text)
	}
	// Output:
	// MessageHeader
	// Bussiness
	// Manifest
	// công văn.txt: Kính gửi
}

// A time stamp that is fetched when there is time for it, and kept beside the
// packet.
func ExampleTSA() {
	authority := httptest.NewServer(&authorityOfTime{key: clockKey().Signer, cert: clockKey().Chain[0]})
	defer authority.Close()
	packet := single()
	var signed bytes.Buffer
	err := signature.Sign(&signed, strings.NewReader(packet), int64(len(packet)), nil, ca().rsa, signature.SignOptions{})
	if err != nil {
		panic(err)
	}
	imprints, err := signature.Imprints(bytes.NewReader(signed.Bytes()), int64(signed.Len()))
	if err != nil {
		panic(err)
	}
	// A worker, some time later:
	stamp, err := signature.TSA{URL: authority.URL}.Stamp(context.Background(), imprints[0])
	if err != nil {
		panic(err) // (*TSAError).Temporary says whether to try again
	}
	verdicts, err := signature.Verify(bytes.NewReader(signed.Bytes()), int64(signed.Len()), nil,
		signature.VerifyOptions{Roots: ca().roots, Stamps: []signature.Stamp{stamp}})
	if err != nil {
		panic(err)
	}
	fmt.Println(verdicts[0].Err, verdicts[0].Trusted.IsZero())
	// Output: <nil> false
}
