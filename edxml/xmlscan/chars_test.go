package xmlscan

import "testing"

// plainRun agrees with a look at each byte, wherever in the eight the byte lies.
func TestPlainRun(t *testing.T) {
	for c := range 256 {
		for _, rest := range []byte{'A', ' ', '~', 0x7f, '=', '?', '%', '\''} {
			for length := range 20 {
				for at := range length {
					b := make([]byte, length)
					for i := range b {
						b[i] = rest
					}
					b[at] = byte(c)
					want := length
					if c < ' ' || c >= 0x80 || c == '&' || c == '<' || c == '>' {
						want = at
					}
					if got := plainRun(b); got != want {
						t.Fatalf("plainRun(%q) = %d, want %d", b, got, want)
					}
				}
			}
		}
	}
}

// The tables of characters and names, written down once more as the ranges of
// XML 1.0 [2], [4] and [4a].
func TestCharacterClasses(t *testing.T) {
	in := func(r rune, pairs ...rune) bool {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] <= r && r <= pairs[i+1] {
				return true
			}
		}
		return false
	}
	for r := rune(0); r <= 0x110000; r++ {
		char := in(r, 0x9, 0xA, 0xD, 0xD, 0x20, 0xD7FF, 0xE000, 0xFFFD, 0x10000, 0x10FFFF)
		start := in(r, 'A', 'Z', '_', '_', 'a', 'z', 0xC0, 0xD6, 0xD8, 0xF6, 0xF8, 0x2FF, 0x370, 0x37D, 0x37F, 0x1FFF,
			0x200C, 0x200D, 0x2070, 0x218F, 0x2C00, 0x2FEF, 0x3001, 0xD7FF, 0xF900, 0xFDCF, 0xFDF0, 0xFFFD, 0x10000, 0xEFFFF)
		name := start || in(r, '-', '.', '0', '9', 0xB7, 0xB7, 0x300, 0x36F, 0x203F, 0x2040)
		if isChar(r) != char || isNameStart(r) != start || isName(r) != name {
			t.Errorf("U+%04X: %v %v %v", r, isChar(r), isNameStart(r), isName(r))
		}
	}
}

func TestIsName(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "Hồ_sơ": true, "_1": true, "a·b-c.d": true, "": false, "1a": false, "a b": false, "p:a": false, "-a": false, "a\xff": false, "a>": false, "a\ufffd": false,
	} {
		if IsName(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
