package wire

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hooklift/gowsdl/soap"
)

const instances = "../../../../wsdl/testdata/valid"

func ptr[T any](v T) *T { return &v }

// TestDecode reads the instances that the schemas are tested with: a WSDL that no longer yields these types fails here.
func TestDecode(t *testing.T) {
	success := &Report{IsSuccess: true, ErrorList: &ErrorList{}}
	refusal := &Report{ErrorList: &ErrorList{Error: []*Error{{Code: "Permission", Description: "token không đúng"}}}}
	for file, want := range map[string]any{
		"01-send-document-response.xml": &SendDocumentResponse{Report: success, DocumentId: "40215"},
		"02-send-document-refused.xml":  &SendDocumentResponse{Report: refusal},
		"03-pending-response.xml": &GetPendingDocumentIdsResponse{DocumentIds: &DocumentIds{
			DocumentId: []*AxisDocumentId{ptr(AxisDocumentId("40215")), ptr(AxisDocumentId("40216"))}}},
		"04-pending-none.xml":              &GetPendingDocumentIdsResponse{DocumentIds: &DocumentIds{}},
		"05-pending-refused.xml":           &GetPendingDocumentIdsResponse{Report: refusal},
		"06-get-document-refused.xml":      refusal,
		"07-confirm-received-response.xml": &ConfirmReceivedResponse{Report: success},
		"08-update-traces-response.xml":    &UpdateTracesResponse{Report: success},
		"09-check-permission-response.xml": &CheckPermissionResponse{Report: &Report{ErrorList: &ErrorList{}}},
		"10-get-traces-response.xml": &GetTracesResponse{Traces: &Traces{Status: []*TraceStatus{{
			From: &Organization{OrganId: "000.00.16.H41", OrganizationInCharge: "UBND tỉnh Nghệ An", OrganName: "Sở Khoa học và Công nghệ"},
			ResponseFor: &TraceResponseFor{OrganId: "000.00.00.G22", Code: "118/BC-TTTH", PromulgationDate: "2026/03/02 00:00:00",
				DocumentId: "000.00.00.G22,2026/03/02,118/BC-TTTH"},
			StaffInfo:  &TraceStaffInfo{Department: "Văn phòng", Staff: "Lê Thị Mai"},
			StatusCode: "3", Description: "Đã tiếp nhận", Timestamp: "2026/03/02 09:15:00",
		}}}},
		"11-get-organizations-response.xml": &GetOrganizationsResponse{Organizations: &Organizations{Organization: []*Organization{
			{OrganId: "000.00.16.H41", OrganizationInCharge: "Nghệ An", OrganName: "Sở Khoa học và Công nghệ", OrganAdd: "Vinh",
				Agency: ptr(FlagTrue), Send_vpcp: ptr(FlagTrue), Is_integrator_center: ptr(FlagFalse), Domain_new: "H41.16"},
			{OrganId: "000.00.00.G22", OrganName: "Bộ Khoa học và Công nghệ"},
			{OrganId: "H41.2"},
		}}},
		"20-get-pending-request.xml":  &GetPendingDocumentIdsRequest{OrganId: "000.00.16.H41", Token: "tok"},
		"21-get-document-request.xml": &GetDocumentRequest{OrganId: "000.00.16.H41", DocumentId: "40215", Token: "tok"},
		"22-confirm-received.xml":     &ConfirmReceived{OrganId: "000.00.16.H41", DocumentId: "40215", Token: "tok"},
		"23-get-traces.xml":           &GetTraces{OrganId: "000.00.00.G22", Token: "tok", TimeStamp: "2026/03/01 00:00:00"},
		"24-get-traces-once.xml":      &GetTraces{OrganId: "000.00.00.G22", Token: "tok"},
		"25-get-organizations.xml":    &GetOrganizations{OrganId: "000.00.16.H41", Token: "tok"},
		"26-check-permission.xml":     &CheckPermission{OrganId: "000.00.16.H41", Token: "tok"},
		"27-update-traces.xml": &Status{
			ResponseFor: &StatusResponseFor{OrganId: "000.00.00.G22", Code: "118/BC-TTTH", PromulgationDate: "2026/03/02",
				DocumentId: "000.00.00.G22,2026/03/02,118/BC-TTTH"},
			From:       &StatusFrom{OrganId: "000.00.16.H41", OrganizationInCharge: "UBND tỉnh Nghệ An", OrganName: "Sở Khoa học và Công nghệ"},
			StatusCode: "03", Description: "Đã tiếp nhận", Timestamp: "2026/03/02 09:15:00",
			StaffInfo: &StatusStaffInfo{Department: "Văn phòng", Staff: "Lê Thị Mai"},
		},
		"34-signature.xml": &Signature{KeyInfo: &KeyInfo{OrganId: "000.00.00.G22", Token: "tok"}},
	} {
		data, err := os.ReadFile(filepath.Join(instances, file))
		if err != nil {
			t.Fatal(err)
		}
		got := reflect.New(reflect.TypeOf(want).Elem()).Interface()
		if err := xml.Unmarshal(data, got); err != nil {
			t.Errorf("%s: %v", file, err)
		} else if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(xml.Name{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

// TestClient makes the four calls that the generated client serves and looks at what reaches the axis.
func TestClient(t *testing.T) {
	for _, tc := range []struct {
		action, request, answer string
		call                    func(Edoc) (any, error)
		want                    any
	}{
		{
			"GetPendingDocumentIds",
			"<GetPendingDocumentIdsRequest><OrganId>H41</OrganId><Token>a&amp;b</Token></GetPendingDocumentIdsRequest>",
			"04-pending-none.xml",
			func(c Edoc) (any, error) {
				return c.GetPendingDocumentIdsContext(t.Context(), &GetPendingDocumentIdsRequest{OrganId: "H41", Token: "a&b"})
			},
			&GetPendingDocumentIdsResponse{DocumentIds: &DocumentIds{}},
		},
		{
			"ConfirmReceived",
			"<ConfirmReceived><OrganId>H41</OrganId><DocumentId>7</DocumentId><Token>tok</Token></ConfirmReceived>",
			"07-confirm-received-response.xml",
			func(c Edoc) (any, error) {
				return c.ConfirmReceivedContext(t.Context(), &ConfirmReceived{OrganId: "H41", DocumentId: "7", Token: "tok"})
			},
			&ConfirmReceivedResponse{Report: &Report{IsSuccess: true, ErrorList: &ErrorList{}}},
		},
		{
			"GetTraces",
			"<GetTraces><OrganId>H41</OrganId><Token>tok</Token><TimeStamp>2026/03/02 08:00:00</TimeStamp></GetTraces>",
			"10-get-traces-response.xml",
			func(c Edoc) (any, error) {
				r, err := c.GetTracesContext(t.Context(), &GetTraces{OrganId: "H41", Token: "tok", TimeStamp: "2026/03/02 08:00:00"})
				if err != nil {
					return nil, err
				}
				return r.Traces.Status[0].StatusCode, nil
			},
			"3",
		},
		{
			"GetOrganizations",
			"<GetOrganizations><Token>tok</Token><OrganId>H41</OrganId></GetOrganizations>",
			"11-get-organizations-response.xml",
			func(c Edoc) (any, error) {
				r, err := c.GetOrganizationsContext(t.Context(), &GetOrganizations{OrganId: "H41", Token: "tok"})
				if err != nil {
					return nil, err
				}
				return len(r.Organizations.Organization), nil
			},
			3,
		},
	} {
		t.Run(tc.action, func(t *testing.T) {
			answer, err := os.ReadFile(filepath.Join(instances, tc.answer))
			if err != nil {
				t.Fatal(err)
			}
			axis := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if action := strings.Trim(r.Header.Get("SOAPAction"), `"`); action != tc.action {
					t.Errorf("SOAPAction %q", action)
				}
				if !bytes.Contains(body, []byte("<soap:Body>"+tc.request+"</soap:Body>")) {
					t.Errorf("request:\n%s\nlacks\n%s", body, tc.request)
				}
				w.Header().Set("Content-Type", "text/xml; charset=utf-8")
				io.WriteString(w, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>`+string(answer)+`</s:Body></s:Envelope>`)
			}))
			defer axis.Close()
			got, err := tc.call(NewEdoc(soap.NewClient(axis.URL)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreTypes(xml.Name{})); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGeneratedIsFresh generates wire_gen.go again and compares: a change of the WSDL without `go generate` fails.
func TestGeneratedIsFresh(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	run("tool", "gowsdl", "-p", "wire", "-d", dir, "-o", "wire_gen.go", "../../../../wsdl/edoc.wsdl")
	run("run", "tags.go", filepath.Join(dir, "wire"))
	got, err := os.ReadFile(filepath.Join(dir, "wire", "wire_gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("wire_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("wire_gen.go differs from what wsdl/edoc.wsdl gives; run go generate ./transport/edoc/...\n%s", cmp.Diff(string(want), string(got)))
	}
}
