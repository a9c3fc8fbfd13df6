package signature_test

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	for _, a := range slices.Concat(attacks(t), peers(t), dated(t)) {
		if a.title == "" {
			continue
		}
		n++
		title := fmt.Sprintf("%02d-%s", n, a.title)
		head := fmt.Sprintf("why: %s\nat: %s\nreason: %s\n", strings.ReplaceAll(a.why, "\n", "\nwhy: "), fixtureTime().Format(time.RFC3339), signature.Verdict{Err: a.want}.Reason())
		if a.by != "" {
			head += "by: " + a.by + "\n"
		}
		if !a.trusted.IsZero() {
			head += "trusted: " + a.trusted.Format(time.RFC3339) + "\n"
		}
		if a.crl != nil {
			head += "crl: files/" + a.title + ".crl\n"
			write("files/"+a.title+".crl", string(a.crl))
		}
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
	at, trusted time.Time
	crl         string
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
			out.why += value + " "
		case "by": // the program that signed it
		case "crl":
			out.crl = value
		case "trusted":
			if out.trusted, err = time.Parse(time.RFC3339, value); err != nil {
				t.Fatal(err)
			}
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
		o := signature.VerifyOptions{Roots: roots, At: want.at}
		if want.crl != "" {
			o.Revocation = &signature.Revocation{Lists: []*x509.RevocationList{readCRL(must(os.ReadFile(filepath.Join(fixtures, want.crl))))}}
		}
		v, err := signature.Verify(f, info.Size(), want.contents, o)
		f.Close()
		if want.reason == "unreadable" {
			if err == nil {
				t.Errorf("%s (%s): it is read: %v", name, want.why, v)
			}
			reasons[want.reason]++
			continue
		}
		if err != nil || len(v) != 1 {
			t.Errorf("%s: %v, %d verdicts", name, err, len(v))
			continue
		}
		reasons[v[0].Reason()]++
		if !v[0].Trusted.Equal(want.trusted) {
			t.Errorf("%s (%s): the time stamp proves %v, want %v", name, want.why, v[0].Trusted, want.trusted)
		}
		if v[0].Reason() != want.reason {
			t.Errorf("%s (%s): %v, want reason %q", name, want.why, v[0].Err, want.reason)
		}
		late := signature.VerifyOptions{Roots: roots, At: want.at.AddDate(100, 0, 0)}
		if want.reason == "" && want.trusted.IsZero() {
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

// dated are packets with a time stamp and with a revocation list.
func dated(t *testing.T) []attack {
	at := fixtureTime().Add(-10 * time.Minute)
	tsa := clock(t, func(a *authorityOfTime) { a.at = at })
	stamped := must(signWith(single(files...), nil, ca().rsa, signature.SignOptions{Stamp: func(of signature.Imprint) (signature.Stamp, error) {
		return tsa.Stamp(t.Context(), of)
	}}))
	other := must(signWith(single(files...), nil, ca().rsa, signature.SignOptions{Stamp: func(signature.Imprint) (signature.Stamp, error) {
		return tsa.Stamp(t.Context(), signature.Imprint{})
	}}))
	list := func(serials ...*big.Int) []byte { return crl(at, fixtureTime().Add(time.Hour), nil, serials...) }
	return []attack{
		{title: "stamped", packet: stamped, trusted: at, why: "A time stamp over the signature value (XAdES-T).\nIt keeps the signature good after the certificate has ended."},
		{title: "stamp-of-another", packet: other, why: "A time stamp over something else.\nIt proves nothing about this signature, and spoils nothing."},
		{title: "not-revoked", packet: stamped, trusted: at, crl: list(big.NewInt(999)), why: "A revocation list without the signer's certificate.\nThe list was in force at the time of the stamp."},
		{title: "revoked", packet: stamped, trusted: at, crl: list(ca().rsa.Chain[0].SerialNumber), want: signature.ErrRevoked, why: "A revocation list that names the signer's certificate.\nIt was revoked when the stamp was made, not after it."},
		{title: "old-list", packet: sign(t, single(files...), nil, ca().rsa, signature.Auto), crl: crl(ca().from, ca().from.Add(time.Minute), nil), want: signature.ErrRevocation,
			why: "A revocation list that had run out.\nWhat it does not name may have been revoked since."},
	}
}

// peers are packets that xmlsec1 and the JDK sign over everything awkward at
// once, and the same packets changed afterwards.
func peers(t *testing.T) []attack {
	var all []attack
	add := func(by string, c cell, made string) {
		all = append(all,
			attack{title: strings.ToLower(strings.Fields(by)[0]) + "-" + c.name, by: by, packet: made,
				why: "A signature by another program, over a packet that is awkward to canonicalise.\nAttributes of several namespaces, xmlns=\"\", line ends, xml:lang above the part."},
			attack{title: strings.ToLower(strings.Fields(by)[0]) + "-" + c.name + "-changed", by: by, packet: swap(t, made, "000.00.00.H41", "000.00.00.H42"), want: signature.ErrDigest,
				why: "The same with another receiver.\nOne byte is enough."})
	}
	tool := xmlsec1(t)
	version := strings.Fields(string(must(exec.Command(tool, "--version").Output())))
	dirs := map[string]string{"rsa-sha256": folder(t, ca().rsa), "ecdsa-sha256": folder(t, ca().ec)}
	var list strings.Builder
	var made []cell
	jdkDir := t.TempDir()
	for _, alg := range []string{"rsa-sha256", "ecdsa-sha256"} {
		for _, short := range []string{"exc", "1.0", "1.1"} {
			key, dir := ca().rsa, dirs[alg]
			if alg != "rsa-sha256" {
				key = ca().ec
			}
			c := cell{name: alg + "-" + short, doc: everythingAwkward(), alg: alg, key: key, m: canonicals[short]}
			text := strings.Replace(c.doc, "</edXML:edXMLHeader>", template(c.alg, c.m, c.uri, "", "", "")+"</edXML:edXMLHeader>", 1)
			if err := os.WriteFile(filepath.Join(dir, "template.xml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(tool, append(append([]string{"--sign", "--privkey-pem", "key.pem,cert.pem"}, idAttrs(nsQCVN)...), "template.xml")...)
			cmd.Dir = dir
			add("xmlsec1 "+version[1], c, string(must(cmd.Output())))
			if err := os.WriteFile(filepath.Join(jdkDir, c.name+".in"), []byte(c.doc), 0o600); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&list, "%s\n", strings.Join([]string{c.name + ".in", c.name + ".out", filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem"), jdkKinds[alg],
				"http://www.w3.org/2001/04/xmldsig-more#" + alg, string(c.m), "", "edXMLHeader"}, "\t"))
			made = append(made, c)
		}
	}
	if err := os.WriteFile(filepath.Join(jdkDir, "list"), []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	jdk(t, jdkDir, "sign", "list")
	for _, c := range made {
		add("JDK 17", c, string(must(os.ReadFile(filepath.Join(jdkDir, c.name+".out")))))
	}
	return all
}

// everythingAwkward is one packet with what the awkward ones have.
func everythingAwkward() string {
	p := awkward()["inherited"]
	for _, what := range []string{
		`<edXML:R xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:a="urn:z" xmlns:z="urn:a" xlink:href="cid:x" edXML:id="y" z:q="1" a:q="2" edXML:z="3" b="4"/>`,
		`<x xmlns=""><y xmlns="urn:y"><z xmlns=""/></y></x>`, "<edXML:P>a\r\nb&#13;c</edXML:P>", "<edXML:P a=\"x\r\n\ty&#10;&#9;z\" b='\"&lt;>'/>",
		"<!-- b --><?pi in side?>", "<edXML:P><![CDATA[<&>]]>]]&gt;é &#x1F600;</edXML:P>",
	} {
		p = strings.Replace(p, "<edXML:Subject>", what+"<edXML:Subject>", 1)
	}
	return p
}
