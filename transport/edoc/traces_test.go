package edoc_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/soap"
)

// flood is an axis that has so many statuses to give, newest first, one for
// each second since the beginning of 2026.
func flood(t testing.TB, many int, header http.Header) *edoc.Client {
	t.Helper()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, edxml.Vietnam)
	srv := listen(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, since, _ := strings.Cut(string(body), "<TimeStamp>")
		since, _, _ = strings.Cut(since, "<")
		first, err := edxml.Timestamp(since).Time()
		if err != nil {
			t.Error(err)
		}
		maps.Copy(w.Header(), header)
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		fmt.Fprintf(w, `<s:Envelope xmlns:s="%s"><s:Body><GetTracesResponse %s><Traces>`, soap.Namespace, `xmlns="`+edxml.NamespaceEDoc+`"`)
		for i := many - 1; i >= 0; i-- {
			at := start.Add(time.Duration(i) * time.Second)
			if at.Before(first) {
				break
			}
			fmt.Fprintf(w, `<Status><From><OrganId>H41</OrganId><OrganName>%s</OrganName></From><ResponseFor><OrganId>G22</OrganId><DocumentId>%d</DocumentId></ResponseFor>`+
				`<StatusCode>1</StatusCode><Timestamp>%s</Timestamp></Status>`, strings.Repeat("Tỉnh ", 100), i, edxml.TimestampOf(at))
		}
		io.WriteString(w, `</Traces></GetTracesResponse></s:Body></s:Envelope>`)
	})
	return client(t, srv.URL, ministry)
}

// TestManyTraces asks for more statuses than are given at once: the oldest
// come, in order, and those since the latest of them the next time.
func TestManyTraces(t *testing.T) {
	const many = 2*transport.MostStatuses + 5
	c := flood(t, many, nil)
	since, got := time.Date(2026, 1, 1, 0, 0, 0, 0, edxml.Vietnam), 0
	for _, want := range []int{transport.MostStatuses, transport.MostStatuses, 7} { // the latest of each come again
		list, err := c.Statuses(t.Context(), since)
		if errors.Is(err, transport.ErrMore) != (want == transport.MostStatuses) || len(list) != want {
			t.Fatalf("%d statuses, want %d, error %v", len(list), want, err)
		}
		for i, s := range list {
			if s.ResponseFor.DocumentID != fmt.Sprint(got+i) || s.StatusCode != "01" || s.From.OrganID != "H41" {
				t.Fatalf("status %d: %+v", got+i, s)
			}
		}
		got += len(list) - 1
		if since, err = list[len(list)-1].Timestamp.Time(); err != nil {
			t.Fatal(err)
		}
	}
	if got != many-1 {
		t.Errorf("the last is %d", got)
	}
}

// TestManyTracesInAPage: an axis that says it pages, and gives everything at
// once all the same, fills no memory.
func TestManyTracesInAPage(t *testing.T) {
	for _, name := range []string{"Lienthong-Cursor", "Lienthong-Mark"} {
		c := flood(t, transport.MostStatuses+1, http.Header{name: {"c1"}})
		list, err := c.Statuses(t.Context(), time.Time{})
		if err == nil || !strings.Contains(err.Error(), "a page of 10001 statuses") {
			t.Errorf("%s: %d statuses, %v", name, len(list), err)
		}
	}
}

// TestTracesBounded: neither the list, nor one Status, nor what stands beside
// them is without a limit.
func TestTracesBounded(t *testing.T) {
	trace := `<Status><Description>` + strings.Repeat("x", 1000) + `</Description></Status>`
	var wide strings.Builder // a start tag of 960,000 octets, each of whose attributes is within its limit
	for i := range 16 {
		fmt.Fprintf(&wide, ` a%d="%s"`, i, strings.Repeat("x", 60_000))
	}
	for name, c := range map[string]struct{ before, traces, limit string }{
		"list":                     {"", strings.Repeat(trace, 200), `"envelope" of 100000 `},
		"list ends within one":     {"", strings.Repeat(trace, 90) + `<Status>` + strings.Repeat(`<a b="x"/>`, 2000) + `</Status>`, `"envelope" of 100000 `},
		"elements":                 {strings.Repeat("<a/>", 10_000), trace, `"envelope" of 20000 `},
		"comment":                  {"<!--" + strings.Repeat("x", 800_000) + "-->", trace, `"envelope" of 20000 `},
		"what stands before one":   {strings.Repeat("<a/>", 10_000), `<Status><!--` + strings.Repeat("x", 800_000) + `--></Status>`, `"envelope" of 20000 `},
		"status":                   {"", `<Status>` + strings.Repeat(`<a b="`+strings.Repeat("x", 1000)+`"/>`, 400) + `</Status>`, `"status" of 262144 `},
		"status behind others":     {"", strings.Repeat(trace, 50) + `<Status>` + strings.Repeat(`<a b="x"/>`, 40_000) + `</Status>`, `"status" of 262144 `},
		"text of a status":         {"", `<Status><Description>` + strings.Repeat("x", 300_000) + `</Description></Status>`, `"status" of 262144 `},
		"comment in a status":      {"", `<Status><!--` + strings.Repeat("x", 800_000) + `--></Status>`, `"status" of 262144 `},
		"wide element of a status": {"", trace + `<Status><a` + wide.String() + `/></Status>`, `"status" of 262144 `},
	} {
		a := answer(t, `<GetTracesResponse xmlns="`+edxml.NamespaceEDoc+`">`+c.before+`<Traces>`+c.traces+`</Traces></GetTracesResponse>`)
		a.Limits = edoc.Limits{Answer: 20_000, Traces: 1 << 20}
		if strings.HasPrefix(name, "list") {
			a.Limits.Traces = 100_000
		}
		_, err := a.Statuses(t.Context(), time.Time{})
		if err == nil || !strings.Contains(err.Error(), "limit "+c.limit) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(c.limit, "status") && !strings.Contains(err.Error(), "the Status at line 2, column ") {
			t.Errorf("%s: it does not say which: %v", name, err)
		}
		if f := (*transport.Fault)(nil); !errors.As(err, &f) || f.Temporary() {
			t.Errorf("%s: it would be no other when asked again, but is temporary: %v", name, err)
		}
	}
	// and what is within them is fine
	a := answer(t, `<GetTracesResponse xmlns="`+edxml.NamespaceEDoc+`"><Traces>`+strings.Repeat(trace, 200)+`</Traces></GetTracesResponse>`)
	a.Limits = edoc.Limits{Answer: 20_000}
	if list, err := a.Statuses(t.Context(), time.Time{}); err != nil || len(list) != 200 {
		t.Errorf("%d statuses, %v", len(list), err)
	}
}

// TestManyPending lists what gathered at an axis over days: a list must not be
// refused because it is long.
func TestManyPending(t *testing.T) {
	const many = 50_000
	var ids strings.Builder
	for i := range many {
		fmt.Fprintf(&ids, "<DocumentId>%d</DocumentId>", 7_000_000_000+i)
	}
	a := answer(t, `<GetPendingDocumentIdsResponse xmlns="`+edxml.NamespaceEDoc+`"><DocumentIds>`+ids.String()+`</DocumentIds></GetPendingDocumentIdsResponse>`)
	list, err := a.Pending(t.Context())
	if err != nil || len(list) != many || list[many-1].ID != "7000049999" {
		t.Errorf("%d documents, %v", len(list), err)
	}
}
