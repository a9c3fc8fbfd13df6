package organ

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		why      string
	}{
		{"000.00.00.H41", "000.00.00.H41", "first generation"},
		{"H41.1.2", "H41.1.2", "second generation"},
		{"28.22.H17", "28.22.H17", "three groups, in a sample packet"},
		{"01.02.G22", "01.02.G22", "three groups"},
		{"777.77.03.D77", "777.77.03.D77", "a test agency"},
		{"001.00.20.TT2", "001.00.20.TT2", "a root of two letters, in a trace"},
		{"vxp.saas.03", "vxp.saas.03", "lower case"},
		{"H37.DN.001", "H37.DN.001", "letters below the root"},
		{"null", "null", "a sender's fault that the axis let pass"},
		{"0100109106-001", "0100109106-001", "a registration code"},
		{"\r\n\t H53 \n", "H53", "white space of pretty-printed XML"},
		{"h53", "h53", "case is kept"},
		{"ĐVT.Xã", "ĐVT.Xã", "composed already"},
		{"ĐVT.Xa\u0303", "ĐVT.Xã", "decomposed on the way"},
		{strings.Repeat("9", 50), strings.Repeat("9", 50), "the longest"},
		{strings.Repeat("a\u0323\u0302", 50), strings.Repeat("ậ", 50), "the longest once composed"},
	} {
		got, err := Parse(tt.in)
		if err != nil || string(got) != tt.want {
			t.Errorf("Parse(%q) = %q, %v; want %q (%s)", tt.in, got, err, tt.want, tt.why)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ in, reason string }{
		{"", "empty"},
		{" \r\n\t", "empty"},
		{strings.Repeat("9", 51), "more than 50 characters"},
		{strings.Repeat("ậ", 51), "more than 50 characters"},
		{strings.Repeat("9", 1<<20), "more than 50 characters"},
		{"H53 13", "white space (U+0020)"},
		{"H53.\n13", "white space (U+000A)"},
		{"H53\u00a0", "white space (U+00A0)"},
		{"H53\x00", "control character U+0000"},
		{"H53\x7f.1", "control character U+007F"},
		{"\ufeffH53", "invisible character U+FEFF"},
		{"H53\u200b", "invisible character U+200B"},
		{"\u202e35H", "invisible character U+202E"},
		{"H53\xff", "invalid UTF-8"},
	} {
		got, err := Parse(tt.in)
		var pe *ParseError
		if !errors.As(err, &pe) {
			t.Errorf("Parse(%.60q) = %q, %v; want a *ParseError", tt.in, got, err)
			continue
		}
		if got != "" || !strings.HasPrefix(pe.Reason, tt.reason) {
			t.Errorf("Parse(%.60q) = %q, reason %q; want %q", tt.in, got, pe.Reason, tt.reason)
		}
		if !strings.HasPrefix(tt.in, pe.Input) || len(pe.Input) > 64 || !strings.HasPrefix(err.Error(), "organ: ") {
			t.Errorf("Parse(%.60q): input %q, error %q", tt.in, pe.Input, err)
		}
	}
}

// vietnamese holds every vowel of the alphabet with every tone: none, grave,
// acute, hook, tilde, dot below.
const vietnamese = `a à á ả ã ạ
ă ằ ắ ẳ ẵ ặ
â ầ ấ ẩ ẫ ậ
e è é ẻ ẽ ẹ
ê ề ế ể ễ ệ
i ì í ỉ ĩ ị
o ò ó ỏ õ ọ
ô ồ ố ổ ỗ ộ
ơ ờ ớ ở ỡ ợ
u ù ú ủ ũ ụ
ư ừ ứ ử ữ ự
y ỳ ý ỷ ỹ ỵ`

// TestComposeEveryLetter writes every letter in each of the ways a keyboard or
// file system may leave it, and wants the one composed letter back.
func TestComposeEveryLetter(t *testing.T) {
	tones := []string{"", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323"}
	shapes := map[string][2]string{
		"ă": {"a", "\u0306"}, "â": {"a", "\u0302"}, "ê": {"e", "\u0302"},
		"ô": {"o", "\u0302"}, "ơ": {"o", "\u031b"}, "ư": {"u", "\u031b"},
	}
	letters := 0
	for _, text := range []string{vietnamese, strings.ToUpper(vietnamese)} {
		for row := range strings.SplitSeq(text, "\n") {
			toned := strings.Fields(row)
			for i, want := range toned {
				letters++
				ways := []string{want, toned[0] + tones[i]}
				if shape, ok := shapes[strings.ToLower(toned[0])]; ok {
					base := shape[0]
					if toned[0] != strings.ToLower(toned[0]) {
						base = strings.ToUpper(base)
					}
					ways = append(ways, base+shape[1]+tones[i], base+tones[i]+shape[1])
					if i != 5 && shape[1] != "\u031b" {
						// Two marks above stack in the order written: only the shape first is this letter.
						ways = ways[:len(ways)-1]
					}
				}
				for _, way := range ways {
					if got := compose("x" + way + "x"); got != "x"+want+"x" {
						t.Errorf("compose(%+q) = %+q, want %+q", way, got, want)
					}
				}
			}
		}
	}
	if letters != 144 {
		t.Errorf("%d letters in the table, want 12 vowels × 6 tones × 2 cases", letters)
	}
}

func TestComposeLeavesOtherText(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"H53", "H53"},
		{"đĐ", "đĐ"},
		{"\u0301a", "\u0301a"},               // a mark without a letter
		{"a\u0300\u0302", "à\u0302"},         // circumflex over grave is no Vietnamese letter
		{"a\u0302\u0300", "ầ"},               // grave over circumflex is
		{"x\u0301\u0323", "x\u0323\u0301"},   // canonical order without a composed form
		{"a\u0327\u0301", "a\u0327\u0301"},   // a mark of another alphabet in between
		{"a\u0301\u0301", "á\u0301"},         // the same mark twice
		{"â\u0323", "ậ"},                     // half composed
		{"u\u0323\u031b", "ự"},               // the horn attaches first
		{"\U0001f600a\u0301", "\U0001f600á"}, // beyond the basic plane
	} {
		if got := compose(tt.in); got != tt.want {
			t.Errorf("compose(%+q) = %+q, want %+q", tt.in, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", " ", "000.00.13.H53", "H53.13", "H41.1.2", "28.22.H17", "01.02.G22", "777.77.03.D77",
		"001.00.20.TT2", "vxp.saas.03", "H37.DN.001", "001.00.41.W00", "Z01ABC", "Z01", "0100109106-001",
		"H37.02.02.001", "...", ".H53", "000.00.00.000", "A12.00.00.H53", "Xa\u0303", "\u0323", "H\x00", "\xff",
		strings.Repeat("a\u0323\u0302", 51),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ID(s).Counterpart() // any string is safe
		ID(s).Transit()
		ID(s).Parent()
		id, err := Parse(s)
		if err != nil {
			var pe *ParseError
			if id != "" || !errors.As(err, &pe) {
				t.Fatalf("Parse(%q) = %q, %v", s, id, err)
			}
			return
		}
		if n := utf8.RuneCountInString(string(id)); n == 0 || n > maxCharacters {
			t.Fatalf("Parse(%q) = %q, %d characters", s, id, n)
		}
		if again, err := Parse(string(id)); again != id || err != nil {
			t.Fatalf("Parse(%q) = %q, and that parses to %q, %v", s, id, again, err)
		}
		checkLaws(t, id)
	})
}

// checkLaws holds what is true of every identifier.
func checkLaws(t *testing.T, id ID) {
	t.Helper()
	levels := id.Levels()
	if len(levels) == 0 && id.Generation() != Other || len(levels) > 0 && levels[0] != id.Root() {
		t.Errorf("%q is %v, levels %q, root %q", id, id.Generation(), levels, id.Root())
	}
	if other, ok := id.Counterpart(); ok {
		back, ok := other.Counterpart()
		if !ok || back != id || !slices.Equal(other.Levels(), levels) || other.Generation() == id.Generation() {
			t.Errorf("%q has counterpart %q, levels %q, and that has %q", id, other, other.Levels(), back)
		}
	}
	if up, ok := id.Parent(); ok {
		above := up.Levels()
		if up.Root() != id.Root() || len(above) >= len(levels) || !slices.Equal(above, levels[:len(above)]) {
			t.Errorf("%q, levels %q, has parent %q, levels %q", id, levels, up, above)
		}
	}
}
