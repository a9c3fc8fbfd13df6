package signature_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/signature"
)

// TestStates: what packets carry in place of a good signature has names.
func TestStates(t *testing.T) {
	in := func(block string) string {
		return swap(t, single(files...), "</edXML:edXMLHeader>", block+"</edXML:edXMLHeader>")
	}
	second := "<edXML:TraceHeader><edXML:OrganId>000.00.00.G00</edXML:OrganId></edXML:TraceHeader>"
	whole := sign(t, single(files...), nil, ca().rsa, signature.Whole)
	soaped := sign(t, soap(files...), beside(files...), ca().rsa, signature.Parts)
	traced := func(packet string) string {
		return swap(t, packet, "</edXML:TraceHeaderList>", second+"</edXML:TraceHeaderList>")
	}
	rebuilt := strings.Replace(traced(soaped), "<edXML:From>", "<edXML:From >\n", 1)
	noID := between(t, soaped, `<edXML:MessageHeader Id="`, `">`)
	for _, c := range []struct {
		why, packet string
		contents    []signature.Content
		reason      string // of the packet
		verdicts    int
		also        error
	}{
		{"signed", whole, nil, "", 1, nil},
		{"unsigned", single(files...), nil, "unsigned", 0, signature.ErrUnsigned},
		{"a token is no signature", swap(t, soap(), "<edXML:ErrorList/>", "<edXML:Signature><edXML:KeyInfo><edXML:Token>x</edXML:Token></edXML:KeyInfo></edXML:Signature>"), nil, "unsigned", 0, nil},
		{"the block of a sample", in("<edXML:Signature><edXML:SignedInfo/><edXML:SignatureValue>x</edXML:SignatureValue></edXML:Signature>"), nil, "namespace", 1, signature.ErrNamespace},
		{"a placeholder", in("<edXML:Signature>chữ ký</edXML:Signature>"), nil, "dummy", 1, signature.ErrNamespace},
		{"an empty Signature", in("<edXML:Signature/>"), nil, "dummy", 1, signature.ErrNamespace},
		{"an empty DigitalSignature", in("<edXML:DigitalSignature />"), nil, "empty", 1, signature.ErrNamespace},
		{"white space alone", in("<edXML:DigitalSignature>\n </edXML:DigitalSignature>"), nil, "empty", 1, signature.ErrNamespace},
		{"an empty DigitalSignature in SOAP", swap(t, soap(), "<edXML:ErrorList/>", "<edXML:DigitalSignature/>"), nil, "empty", 1, signature.ErrNamespace},
		{"a DigitalSignature with text", in("<edXML:DigitalSignature>x</edXML:DigitalSignature>"), nil, "dummy", 1, signature.ErrNamespace},
		{"a DigitalSignature around a signature", in("<edXML:DigitalSignature>" + between(t, whole, "<ds:Signature ", "</ds:Signature>") + "</edXML:DigitalSignature>"), nil, "coverage", 1, nil},
		{"a dummy beside a signature", swap(t, soaped, "<edXML:ErrorList/>", "<edXML:ErrorList/><edXML:DigitalSignature/>"), beside(files...), "", 2, nil},
		{"a trace added to the whole", traced(whole), nil, "rebuilt", 1, signature.ErrDigest},
		{"a trace added to the parts", traced(soaped), beside(files...), "", 1, nil},
		{"written anew by an axis", rebuilt, beside(files...), "rebuilt", 1, signature.ErrRebuilt},
		{"written anew without the Ids", swap(t, traced(soaped), noID, "<edXML:MessageHeader>"), beside(files...), "rebuilt", 1, signature.ErrRebuilt},
		{"a file changed, whatever the traces", traced(soaped), beside(files[0], file{files[1].id, files[1].name, "x"}), "digest", 1, signature.ErrDigest},
		{"changed under one trace", swap(t, whole, "V/v kết nối", "V/v ngắt nối"), nil, "digest", 1, signature.ErrDigest},
	} {
		v := verify(t, c.packet, c.contents)
		err := signature.Judge(v)
		got := signature.Verdict{Err: err}
		if got.Reason() != c.reason || len(v) != c.verdicts || c.also != nil && !errors.Is(err, c.also) {
			t.Errorf("%s: %q, %d verdicts: %v", c.why, got.Reason(), len(v), err)
		}
		if m := got.Message(); m.VI == "" || m.VI == m.EN {
			t.Errorf("%s: %+v", c.why, m)
		}
	}
}
