package organ

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// mark is a combining mark of the Vietnamese alphabet, with its canonical
// combining class and the letters it makes: each pair is a letter without the
// mark and the same letter with it, as Unicode decomposes it.
type mark struct {
	rune  rune
	class int
	pairs string
}

// markOf finds a combining mark by its code point; its class is 0 when it is
// none of the Vietnamese ones.
func markOf(r rune) mark {
	for _, m := range marks() {
		if m.rune == r {
			return m
		}
	}
	return mark{rune: r}
}

// marks lists the eight marks: five tones, then circumflex, breve and horn.
func marks() [8]mark {
	return [8]mark{
		{'\u0300', 230, "AÀĂẰÂẦEÈÊỀIÌOÒÔỒƠỜUÙƯỪYỲaàăằâầeèêềiìoòôồơờuùưừyỳ"},
		{'\u0301', 230, "AÁĂẮÂẤEÉÊẾIÍOÓÔỐƠỚUÚƯỨYÝaáăắâấeéêếiíoóôốơớuúưứyý"},
		{'\u0303', 230, "AÃĂẴÂẪEẼÊỄIĨOÕÔỖƠỠUŨƯỮYỸaãăẵâẫeẽêễiĩoõôỗơỡuũưữyỹ"},
		{'\u0309', 230, "AẢĂẲÂẨEẺÊỂIỈOỎÔỔƠỞUỦƯỬYỶaảăẳâẩeẻêểiỉoỏôổơởuủưửyỷ"},
		{'\u0323', 220, "AẠEẸIỊOỌUỤYỴƠỢƯỰaạeẹiịoọuụyỵơợưự"},
		{'\u0302', 230, "AÂEÊOÔẠẬẸỆỌỘaâeêoôạậẹệọộ"},
		{'\u0306', 230, "AĂẠẶaăạặ"},
		{'\u031b', 216, "OƠUƯoơuư"},
	}
}

// with gives the letter that base and the mark make together.
func (m mark) with(base rune) (rune, bool) {
	for pairs := m.pairs; pairs != ""; {
		plain, n := utf8.DecodeRuneInString(pairs)
		marked, k := utf8.DecodeRuneInString(pairs[n:])
		if plain == base {
			return marked, true
		}
		pairs = pairs[n+k:]
	}
	return 0, false
}

// split takes the outermost mark off a letter.
func split(r rune) (rune, mark, bool) {
	if r < utf8.RuneSelf {
		return r, mark{}, false
	}
	for _, m := range marks() {
		for pairs := m.pairs; pairs != ""; {
			plain, n := utf8.DecodeRuneInString(pairs)
			marked, k := utf8.DecodeRuneInString(pairs[n:])
			if marked == r {
				return plain, m, true
			}
			pairs = pairs[n+k:]
		}
	}
	return r, mark{}, false
}

// compose brings Vietnamese letters to Unicode NFC (UAX #15): letters apart,
// marks in canonical order, letters together again.
func compose(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return s
	}
	var out strings.Builder
	runes := []rune(s)
	for i := 0; i < len(runes); {
		base := runes[i]
		i++
		var over []mark
		for plain, m, ok := split(base); ok; plain, m, ok = split(base) {
			base, over = plain, append([]mark{m}, over...)
		}
		for i < len(runes) && markOf(runes[i]).class != 0 {
			over = append(over, markOf(runes[i]))
			i++
		}
		slices.SortStableFunc(over, func(a, b mark) int { return a.class - b.class })
		var left []rune
		blocked := 0
		for _, m := range over {
			letter, ok := m.with(base)
			if !ok || m.class == blocked {
				left, blocked = append(left, m.rune), m.class
				continue
			}
			base = letter
		}
		out.WriteRune(base)
		out.WriteString(string(left))
	}
	return out.String()
}
