package organ

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// vn is a moment on a Vietnamese clock.
func vn(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s+"+07:00")
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestLookup(t *testing.T) {
	for _, tt := range []struct {
		id           ID
		at           string
		code, name   string
		closed       bool
		into         ID
		firstToCome  bool // the row begins after at
		unknownStart bool
	}{
		{id: "H53.13", at: "2023-01-01T00:00:00", code: "H53", name: "UBND tỉnh Tây Ninh"},
		{id: "000.00.13.H53", at: "2026-01-01T00:00:00", code: "H53", name: "UBND tỉnh Tây Ninh"},
		{id: "28.22.H17", at: "2023-01-01T00:00:00", code: "H17", name: "UBND thành phố Đà Nẵng"},
		// The last second of the old name and the first of the new one.
		{id: "G10", at: "2025-04-13T23:59:59", code: "G10", name: "Bộ Nông nghiệp và Phát triển nông thôn"},
		{id: "G10", at: "2025-04-14T00:00:00", code: "G10", name: "Bộ Nông nghiệp và Môi trường"},
		{id: "H57.1", at: "2025-04-13T23:59:59", code: "H57", name: "UBND tỉnh Thừa Thiên Huế"},
		{id: "H57.1", at: "2025-04-14T00:00:00", code: "H57", name: "UBND thành phố Huế"},
		// Closed by decree; where it went is not said.
		{id: "000.00.00.G14", at: "2025-04-13T23:59:59", code: "G14", name: "Bộ Thông tin và Truyền thông"},
		{id: "000.00.00.G14", at: "2025-04-14T00:00:00", code: "G14", name: "Bộ Thông tin và Truyền thông", closed: true},
		// Closed by merger.
		{id: "H02.5", at: "2025-06-30T23:59:59", code: "H02", name: "UBND tỉnh Bắc Giang", into: "H05"},
		{id: "H02.5", at: "2025-07-01T00:00:00", code: "H02", name: "UBND tỉnh Bắc Giang", into: "H05", closed: true},
		{id: "K39", at: "2026-07-01T00:00:00", code: "K39", name: "HĐND tỉnh Long An", into: "K53", closed: true},
		// Older than the decision that lists the code.
		{id: "000.00.00.H41", at: "2015-09-30T12:00:00", code: "H41", name: "UBND tỉnh Nghệ An", firstToCome: true},
		{id: "G21", at: "2019-01-01T00:00:00", code: "G21", name: "Ủy ban Dân tộc", firstToCome: true},
		{id: "G38", at: "2024-01-01T00:00:00", code: "G38", name: "Ủy ban sông Mê Công Việt Nam", firstToCome: true},
		// Nobody says who it was.
		{id: "G37", at: "2024-01-01T00:00:00", code: "G37", unknownStart: true},
		{id: "G37", at: "2025-04-14T00:00:00", code: "G37", unknownStart: true, closed: true},
		// Letters without a published list, and schemes.
		{id: "A07.12", at: "2023-01-01T00:00:00", code: "A", name: "Các cơ quan Đảng"},
		{id: "000.00.01.C01", at: "2023-01-01T00:00:00", code: "C", name: "Các cơ quan của Quốc hội"},
		{id: "Z01ABC", at: "2023-01-01T00:00:00", code: "Z", name: "Lược đồ định danh của tổ chức khác"},
	} {
		at := vn(t, tt.at)
		e, ok := Lookup(tt.id, at)
		if !ok || e.Code != tt.code || e.Name != tt.name || e.MergedInto != tt.into {
			t.Errorf("Lookup(%q, %s) = %+v, %v; want %s %s", tt.id, tt.at, e, ok, tt.code, tt.name)
			continue
		}
		if e.Closed(at) != tt.closed {
			t.Errorf("Lookup(%q, %s) closed %v, want %v", tt.id, tt.at, e.Closed(at), tt.closed)
		}
		if at.Before(e.From) != tt.firstToCome || e.From.IsZero() != tt.unknownStart {
			t.Errorf("Lookup(%q, %s) is a row from %v", tt.id, tt.at, e.From)
		}
	}
}

func TestLookupAnyZone(t *testing.T) {
	// 13 April 17:00 in London's winter is 14 April 00:00 in Hà Nội.
	at := time.Date(2025, 4, 13, 17, 0, 0, 0, time.UTC)
	if e, _ := Lookup("G10", at); e.Name != "Bộ Nông nghiệp và Môi trường" {
		t.Errorf("at %v G10 is %q", at, e.Name)
	}
	if e, _ := Lookup("G10", at.Add(-time.Second)); e.Name != "Bộ Nông nghiệp và Phát triển nông thôn" {
		t.Errorf("a second before %v G10 is %q", at, e.Name)
	}
	if e, ok := Lookup("G10", time.Time{}); !ok || e.To.IsZero() {
		t.Errorf("at the zero time G10 is %+v, %v; want the first row", e, ok)
	}
}

func TestLookupUnknown(t *testing.T) {
	for _, id := range []ID{
		"H64", "G29", "B02", "D77", "777.77.03.D77", "W00.1", "00.53.W00", "TT2", "001.00.20.TT2",
		"A", "A00", "C00.1", "Z", "Z00A", "a01", "h53", "vxp.saas.03", "0100109106", "null", "",
	} {
		if e, ok := Lookup(id, vn(t, "2026-01-01T00:00:00")); ok {
			t.Errorf("Lookup(%q) = %+v, want nothing", id, e)
		}
	}
}

// TestRegister checks the rows against each other and against the counts of
// the two decisions.
func TestRegister(t *testing.T) {
	rows := slices.Collect(Register())
	kinds := map[string]int{}
	names := map[string][]Entry{}
	for i, e := range rows {
		kinds[e.Kind]++
		if id, err := Parse(e.Code); err != nil || string(id) != e.Code {
			t.Errorf("code %q parses to %q, %v", e.Code, id, err)
		}
		if e.Kind != "letter_group" && e.Kind != "scheme" && (ID(e.Code).Generation() != QD20 || len(e.Code) != 3) {
			t.Errorf("code %q is %v", e.Code, ID(e.Code).Generation())
		}
		if !strings.HasPrefix(e.Source, "QĐ ") {
			t.Errorf("%s: source %q", e.Code, e.Source)
		}
		if e.Name == "" && e.Code != "G37" || strings.TrimSpace(e.Name) != e.Name || compose(e.Name) != e.Name {
			t.Errorf("%s: name %q", e.Code, e.Name)
		}
		if !e.To.IsZero() && e.To.Before(e.From) || e.From.IsZero() && e.Code != "G37" {
			t.Errorf("%s: from %v to %v", e.Code, e.From, e.To)
		}
		if e.Code != "G37" && (e.From.Format("15:04:05-07:00") != "00:00:00+07:00") {
			t.Errorf("%s: from %v is no Vietnamese midnight", e.Code, e.From)
		}
		if i > 0 && rows[i-1].Code > e.Code {
			t.Errorf("%s stands after %s", e.Code, rows[i-1].Code)
		}
		if i > 0 && rows[i-1].Code == e.Code && !rows[i-1].To.AddDate(0, 0, 1).Equal(e.From) {
			t.Errorf("%s: a row to %v is followed by one from %v", e.Code, rows[i-1].To, e.From)
		}
		names[e.Code] = append(names[e.Code], e)
	}
	want := map[string]int{
		"provincial_peoples_committee": 63 + 1, // Huế twice
		"provincial_peoples_council":   63 + 1,
		"ministry":                     20,
		"ministry_level_agency":        4,
		"government_agency_or_other":   16,
		"central_non_government":       4,
		"socio_political_org":          6,
		"social_professional_org":      28,
		"letter_group":                 2,
		"scheme":                       1,
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	for _, e := range rows {
		if e.MergedInto == "" {
			continue
		}
		heirs := names[string(e.MergedInto)]
		if len(heirs) == 0 || heirs[0].Code[0] != e.Code[0] || heirs[len(heirs)-1].Closed(e.To.AddDate(1, 0, 0)) {
			t.Errorf("%s went into %s, which is %+v", e.Code, e.MergedInto, heirs)
		}
	}
}

// TestRegisterAfterTheMergers counts what is left: 34 provinces, whose councils
// merged alike, and the 26 codes of the G table of QĐ 09/2025.
func TestRegisterAfterTheMergers(t *testing.T) {
	at := vn(t, "2025-07-01T00:00:00")
	open := map[byte]int{}
	merged := map[string]ID{}
	for e := range Register() {
		if !e.Closed(at) {
			open[e.Code[0]]++
		}
		if e.MergedInto != "" {
			merged[e.Code] = e.MergedInto
		}
	}
	if open['H'] != 34 || open['K'] != 34 || open['G'] != 26 {
		t.Errorf("open codes: H %d, K %d, G %d; want 34, 34, 26", open['H'], open['K'], open['G'])
	}
	for code, into := range merged {
		if code[0] == 'H' && merged["K"+code[1:]] != "K"+into[1:] {
			t.Errorf("%s went into %s, its council into %s", code, into, merged["K"+code[1:]])
		}
	}
	if len(merged) != 2*29 {
		t.Errorf("%d codes merged, want 29 provinces and their councils", len(merged))
	}
}

func TestRegisterStopsEarly(t *testing.T) {
	n := 0
	for range Register() {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d rows before the break", n)
	}
}

func TestReadRegisterRefuses(t *testing.T) {
	const head = "code,from,to,merged_into,kind,name,source\n"
	for _, text := range []string{
		"",
		head + "H01,2020-09-15\n",
		head + "H01,2020-02-30,,,kind,name,source\n",
		head + "H01,2020-09-15,soon,,kind,name,source\n",
	} {
		if _, err := readRegister(text); err == nil {
			t.Errorf("readRegister(%q) found no fault", text)
		}
	}
}
