package wsdl_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lienthong/lienthong/wsdl"
)

const (
	edocNamespace   = "http://www.e-doc.vn/Schema/"
	soapNamespace   = "http://schemas.xmlsoap.org/soap/envelope/"
	qcvnNamespace   = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
	schemaNamespace = "http://www.w3.org/2001/XMLSchema"
)

// xmllint returns the path of xmllint; with CI set its absence fails the test.
func xmllint(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("xmllint is not installed (package libxml2-utils)")
		}
		t.Skip("xmllint is not installed (package libxml2-utils)")
	}
	return path
}

// unpack writes the embedded files to a folder, so that the tests see what importers of the package get.
func unpack(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, wsdl.Files); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFilesAreWellFormed(t *testing.T) {
	tool, dir := xmllint(t), unpack(t)
	names, err := fs.Glob(wsdl.Files, "*")
	if err != nil || len(names) != 9 {
		t.Fatalf("embedded files: %v, %v", names, err)
	}
	for _, name := range names {
		if out, err := exec.Command(tool, "--noout", "--nonet", filepath.Join(dir, name)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestInstances validates one instance of every element of the contract, and instances that each break one rule.
func TestInstances(t *testing.T) {
	tool, dir := xmllint(t), unpack(t)
	const invalid = 3 // xmllint's exit status for a document that breaks a schema which itself compiled
	for _, tc := range []struct {
		folder string
		want   int
	}{{"valid", 0}, {"invalid", invalid}} {
		files, err := filepath.Glob(filepath.Join("testdata", tc.folder, "*.xml"))
		if err != nil || len(files) < 10 {
			t.Fatalf("testdata/%s holds %d files, %v", tc.folder, len(files), err)
		}
		for _, file := range files {
			schema := schemaOf(t, file)
			out, err := exec.Command(tool, "--noout", "--nonet", "--schema", filepath.Join(dir, schema), file).CombinedOutput()
			got := 0
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				got = exit.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("%s: xmllint exit %d, want %d\n%s", file, got, tc.want, out)
			}
		}
	}
}

// schemaOf tells the schema an instance is held against. Document and status share their root; their names tell them
// apart.
func schemaOf(t *testing.T, file string) string {
	t.Helper()
	switch root(t, file).Space {
	case edocNamespace:
		return "edoc.xsd"
	case soapNamespace:
		return "edxml-soap.xsd"
	case qcvnNamespace:
		if strings.Contains(filepath.Base(file), "status") {
			return "edxml-status.xsd"
		}
		return "edxml-qcvn102.xsd"
	}
	return "edoc-requests.xsd"
}

// TestSchemasStandAlone: no schema has a DOCTYPE, and each names only files beside it.
func TestSchemasStandAlone(t *testing.T) {
	names, err := fs.Glob(wsdl.Files, "*")
	if err != nil {
		t.Fatal(err)
	}
	locations := 0
	for _, name := range names {
		data, err := wsdl.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(bytes.NewReader(data)); ; {
			tok, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			switch tok := tok.(type) {
			case xml.Directive:
				t.Errorf("%s has a directive <!%s>", name, tok)
			case xml.StartElement:
				if tok.Name.Space != schemaNamespace {
					continue
				}
				if tok.Name.Local == "redefine" {
					t.Errorf("%s redefines, which not every validator can do", name)
				}
				for _, a := range tok.Attr {
					if a.Name.Local != "schemaLocation" {
						continue
					}
					locations++
					if _, err := fs.Stat(wsdl.Files, a.Value); err != nil {
						t.Errorf("%s needs %q: %v", name, a.Value, err)
					}
				}
			}
		}
	}
	if locations < 7 {
		t.Errorf("only %d references between the files", locations)
	}
}

// TestInstancesCoverElements fails when a global element of the contract has no instance in testdata/valid.
func TestInstancesCoverElements(t *testing.T) {
	files, err := filepath.Glob("testdata/valid/*.xml")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[xml.Name]bool{}
	for _, file := range files {
		seen[root(t, file)] = true
	}
	for name := range globalElements(t) {
		if !seen[name] {
			t.Errorf("no instance of %s in testdata/valid", name.Local)
		}
	}
}

// TestOperations reads the WSDL as a tool would: every part names an element that exists, and the wire is SOAP 1.1,
// document/literal, with bare-word SOAPActions.
func TestOperations(t *testing.T) {
	data, err := wsdl.Files.ReadFile("edoc.wsdl")
	if err != nil {
		t.Fatal(err)
	}
	var d description
	if err := xml.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	elements := globalElements(t)
	messages := map[string]string{}
	for _, m := range d.Messages {
		messages["tns:"+m.Name] = ""
		for i, p := range m.Parts {
			name := xml.Name{Local: p.Element}
			if prefix, local, ok := strings.Cut(p.Element, ":"); ok {
				if prefix != "edXML" {
					t.Errorf("message %s: unknown prefix in %q", m.Name, p.Element)
				}
				name = xml.Name{Space: edocNamespace, Local: local}
			}
			if !elements[name] {
				t.Errorf("message %s: no schema declares element %q", m.Name, p.Element)
			}
			if i == 0 {
				messages["tns:"+m.Name] = p.Element
			}
		}
	}
	got := map[string][3]string{}
	for i, op := range d.PortType.Operations {
		b := d.Binding.Operations[i]
		if b.Name != op.Name || b.Operation.Style != "document" {
			t.Errorf("binding of %s: %+v", op.Name, b)
		}
		got[op.Name] = [3]string{b.Operation.Action, messages[op.Input.Message], messages[op.Output.Message]}
	}
	want := map[string][3]string{
		"SendDocument":          {"SendDocument", "edXML:Manifest", "edXML:SendDocumentResponse"},
		"GetPendingDocumentIds": {"GetPendingDocumentIds", "GetPendingDocumentIdsRequest", "edXML:GetPendingDocumentIdsResponse"},
		"GetDocument":           {"GetDocument", "GetDocumentRequest", "edXML:Manifest"},
		"ConfirmReceived":       {"ConfirmReceived", "ConfirmReceived", "edXML:ConfirmReceivedResponse"},
		"UpdateTraces":          {"UpdateTraces", "Status", "edXML:UpdateTracesResponse"},
		"GetTraces":             {"GetTraces", "GetTraces", "edXML:GetTracesResponse"},
		"GetOrganizations":      {"GetOrganizations", "GetOrganizations", "edXML:GetOrganizationsResponse"},
		"CheckPermission":       {"CheckPermission", "", "edXML:CheckPermissionResponse"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operation → {SOAPAction, request, answer} (-want +got):\n%s", diff)
	}
	if d.Binding.SOAP.Style != "document" || d.Binding.SOAP.Transport != "http://schemas.xmlsoap.org/soap/http" {
		t.Errorf("binding is not SOAP 1.1 document over HTTP: %+v", d.Binding.SOAP)
	}
	if n := bytes.Count(data, []byte(`use="literal"`)); n < 16 || bytes.Contains(data, []byte(`use="encoded"`)) {
		t.Errorf("%d literal bodies, or an encoded one", n)
	}
	if n := bytes.Count(data, []byte("<mime:multipartRelated>")); n != 2 {
		t.Errorf("%d multipart messages, want 2: the request of SendDocument and the answer of GetDocument", n)
	}
}

// description is the part of a WSDL that TestOperations reads.
type description struct {
	Messages []struct {
		Name  string `xml:"name,attr"`
		Parts []struct {
			Element string `xml:"element,attr"`
		} `xml:"part"`
	} `xml:"message"`
	PortType struct {
		Operations []struct {
			Name  string `xml:"name,attr"`
			Input struct {
				Message string `xml:"message,attr"`
			} `xml:"input"`
			Output struct {
				Message string `xml:"message,attr"`
			} `xml:"output"`
		} `xml:"operation"`
	} `xml:"portType"`
	Binding struct {
		SOAP struct {
			Transport string `xml:"transport,attr"`
			Style     string `xml:"style,attr"`
		} `xml:"http://schemas.xmlsoap.org/wsdl/soap/ binding"`
		Operations []struct {
			Name      string `xml:"name,attr"`
			Operation struct {
				Action string `xml:"soapAction,attr"`
				Style  string `xml:"style,attr"`
			} `xml:"http://schemas.xmlsoap.org/wsdl/soap/ operation"`
		} `xml:"http://schemas.xmlsoap.org/wsdl/ operation"`
	} `xml:"http://schemas.xmlsoap.org/wsdl/ binding"`
}

// globalElements collects the global element declarations of the embedded schemas.
func globalElements(t *testing.T) map[xml.Name]bool {
	t.Helper()
	names := map[xml.Name]bool{}
	for _, file := range []string{"edoc.xsd", "edoc-requests.xsd", "edxml-blocks.xsd", "edxml-soap.xsd", "edxml-qcvn102.xsd", "edxml-status.xsd"} {
		data, err := wsdl.Files.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var schema struct {
			XMLName  xml.Name
			Target   string `xml:"targetNamespace,attr"`
			Elements []struct {
				Name string `xml:"name,attr"`
			} `xml:"element"`
		}
		if err := xml.Unmarshal(data, &schema); err != nil || schema.XMLName.Space != schemaNamespace {
			t.Fatalf("%s: %v, %v", file, schema.XMLName, err)
		}
		for _, e := range schema.Elements {
			names[xml.Name{Space: schema.Target, Local: e.Name}] = true
		}
	}
	if len(names) < 21 {
		t.Fatalf("only %d global elements", len(names))
	}
	return names
}

// root returns the name of a file's root element.
func root(t *testing.T, file string) xml.Name {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for d := xml.NewDecoder(f); ; {
		tok, err := d.Token()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if start, ok := tok.(xml.StartElement); ok {
			return start.Name
		}
	}
}
