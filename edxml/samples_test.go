package edxml_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
)

// samples opens a vendor's packet; they are not part of the project.
func sample(t *testing.T, name string) (*edxml.Packet, []string) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "shared", "samples", name))
	if os.IsNotExist(err) {
		t.Skip("the vendor's sample packets are not beside the checkout")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := edxml.Read(f, edxml.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p, findingLines(append(p.Findings, edxml.Validate(p, now)...))
}

func TestSampleDocuments(t *testing.T) {
	const fake = "SIG-5 /edXML/edXMLEnvelope/edXMLHeader/Signature"
	for _, c := range []struct {
		name     string
		kind     edxml.BusinessDocType
		findings string
		fact     func(*edxml.Document) bool
	}{
		{"edoc_new.edxml", edxml.New, "XML-1 -|" + fake + "|XML-5 -|DOC-3b Bussiness/DocumentId", func(d *edxml.Document) bool {
			return d.From.OrganID == "002.00.20.H13" && len(d.To) == 1 && d.Code.CodeNumber == "74fass22" && strings.Contains(d.Business.DocumentID, "2014/02/30")
		}},
		{"edoc_update.edxml", edxml.Update, fake + "|DOC-3b Bussiness/DocumentId", func(d *edxml.Document) bool {
			b := d.Business
			return b.DocumentInfo == "1" && b.DocumentReceiver == "1" && len(b.Receivers) == 2 && b.Receivers[0] == edxml.Receiver{OrganID: "000.00.00.H41", ReceiverType: "0"} &&
				strings.Contains(b.DocumentID, "2014/02/30")
		}},
		{"edoc_replacement.edxml", edxml.Replace, fake, func(d *edxml.Document) bool {
			r := d.Business.Replacements
			return len(r) == 2 && len(r[0].OrganIDs) == 2 && r[1].OrganIDs[1] == "000.00.00.H14" && d.Business.DocumentID == ""
		}},
		{"edoc_revocation.edxml", edxml.Recall, fake, func(d *edxml.Document) bool {
			return len(d.ResponseFor) == 1 && d.ResponseFor[0].OrganID == "000.00.00.H14" && d.ResponseFor[0].PromulgationDate == "2018/09/28"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, findings := sample(t, c.name)
			if got := strings.Join(findings, "|"); got != c.findings {
				t.Errorf("findings %s\nwant     %s", got, c.findings)
			}
			d := p.Document
			if d == nil || d.DocType() != c.kind || !c.fact(d) {
				t.Fatalf("kind %v: %+v", p.Kind, d)
			}
			if d.Business.StaffInfo == nil || d.Business.StaffInfo.Mobile == "" || len(d.ToPlaces) != 2 || len(d.OtherInfo.Appendixes) != 1 || len(d.TraceHeaders) != 1 {
				t.Errorf("fields are missing: %+v", d)
			}
			if len(d.Attachments) != 1 {
				t.Fatalf("%d attachments", len(d.Attachments))
			}
			a := d.Attachments[0]
			if a.ContentID != "209" || filepath.Ext(a.Name) != ".doc" || a.ContentType != "application/zip" || a.Size < 100_000 || len(a.SHA256) != 64 || a.DetectedType == "application/zip" {
				t.Errorf("attachment %+v: the zip around it should be gone", a)
			}
			if len(p.Signatures) != 1 || p.Signatures[0].Name.Space != edxml.NamespaceQCVN102 {
				t.Errorf("signatures %+v", p.Signatures)
			}
		})
	}
}

func TestSampleStatuses(t *testing.T) {
	for name, code := range map[string]edxml.StatusCode{
		"status_inbox_01.edxml": edxml.StatusArrived, "status_rejection_02.edxml": edxml.StatusRefused, "status_acceptance_03.edxml": edxml.StatusAccepted,
		"status_assignment_04.edxml": edxml.StatusAssigned, "status_processing_05.edxml": edxml.StatusProcessing, "status_finish_06.edxml": edxml.StatusDone,
		"status_cancellation_13.edxml": edxml.StatusTakeBack, "status_change-acceptance_15.edxml": edxml.StatusTakeBackAgreed,
		"status_change-rejection_16.edxml": edxml.StatusTakeBackDenied,
	} {
		t.Run(name, func(t *testing.T) {
			p, findings := sample(t, name)
			if len(findings) > 0 {
				t.Errorf("findings %v", findings)
			}
			s := p.Status
			if s == nil || s.StatusCode != code {
				t.Fatalf("status %+v, want code %s", s, code)
			}
			from, about := "000.00.00.H41", "000.00.00.G22"
			if code == edxml.StatusTakeBack { // the sender asks, so the roles are reversed
				from, about = about, from
			}
			if s.From.OrganID != from || s.ResponseFor.OrganID != about || s.From.OrganizationInCharge == "" || s.StaffInfo == nil || s.Description == "" {
				t.Errorf("%+v", s)
			}
			if at, err := s.Timestamp.Time(); err != nil || at.Year() != 2015 {
				t.Errorf("at %v, %v", at, err)
			}
		})
	}
}

// TestSamplesAreAllKnown: a packet that somebody adds gets its facts, too.
func TestSamplesAreAllKnown(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "shared", "samples", "*.edxml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("the vendor's sample packets are not beside the checkout")
	}
	if len(files) != 13 {
		t.Errorf("%d sample packets, the tables of this file hold 13", len(files))
	}
}
