package organ

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Generation is the numbering an identifier belongs to, judged by its form
// alone.
type Generation int

// The generations.
const (
	// Other is everything that no published form covers. Such ids are in use.
	Other Generation = iota
	// QCVN102 is four groups of 3, 2, 2 and 3 characters with the root last,
	// "000.00.00.H41" (QĐ 28/2018 Art. 10(2)(a)). Only digits and upper-case
	// letters; the root begins with a letter.
	QCVN102
	// QD20 is a root such as "H41" and any number of groups below it,
	// "H41.1.2", of digits and upper-case letters, at most 35 characters
	// (QĐ 20/2020 Art. 4).
	QD20
	// Scheme is Z01…Z99 and up to 32 characters whose structure the issuer
	// of the scheme decides, without a separator (QĐ 20/2020 Art. 6 and 7).
	// The three characters alone name the scheme itself.
	Scheme
	// TaxCode is the registration code of an enterprise, co-operative or
	// household: 10 digits, for a dependent unit three more, with or without
	// a hyphen (QĐ 20/2020 Art. 5; the digits are practice).
	TaxCode
)

// String gives the short name of the decision or code.
func (g Generation) String() string {
	switch g {
	case QCVN102:
		return "QCVN 102:2016"
	case QD20:
		return "QĐ 20/2020"
	case Scheme:
		return "scheme"
	case TaxCode:
		return "tax code"
	default:
		return "other"
	}
}

// Generation says which numbering the form of id belongs to. Whether the
// agency exists is for the register and the axis's directory.
func (id ID) Generation() Generation {
	s := string(id)
	groups := strings.Split(s, ".")
	short := utf8.RuneCountInString(s) <= 35
	switch {
	case isScheme(s) && short:
		return Scheme
	case isTaxCode(s):
		return TaxCode
	case slices.ContainsFunc(groups, func(g string) bool { return !isPlain(g) }):
		return Other
	case isRoot(groups[0]) && short:
		return QD20
	case !isRoot(groups[0]) && isQCVN102(groups):
		return QCVN102
	}
	return Other
}

// Levels gives the groups of id from the root down, without the zeros of
// unused levels; a zero level above one in use stays. For an [Other] id the
// end that has the form of a root decides the order; it is nil when neither
// has it.
func (id ID) Levels() []string {
	s := string(id)
	groups := strings.Split(s, ".")
	last := groups[len(groups)-1]
	switch id.Generation() {
	case Scheme:
		if len(s) == 3 {
			return []string{s}
		}
		return []string{s[:3], s[3:]}
	case TaxCode:
		if len(s) == 10 {
			return []string{s}
		}
		return []string{s[:10], s[len(s)-3:]}
	case QD20:
		return groups
	case QCVN102:
		return rootLast(groups)
	}
	switch {
	case slices.Contains(groups, ""):
		return nil
	case isRoot(groups[0]):
		return groups
	case isRoot(last):
		return rootLast(groups)
	}
	return nil
}

// Root gives the code of the level-1 agency id belongs to, such as "H41"; of
// a scheme "Z01", of a tax code its first ten digits. It is empty when
// [ID.Levels] is nil.
func (id ID) Root() string {
	if levels := id.Levels(); levels != nil {
		return levels[0]
	}
	return ""
}

// Parent gives the id one level up in the same generation. A root has none,
// and neither have [Scheme] and [Other] ids, whose structure is not published.
func (id ID) Parent() (ID, bool) {
	levels := id.Levels()
	if len(levels) < 2 {
		return "", false
	}
	switch id.Generation() {
	case TaxCode:
		return ID(levels[0]), true
	case QD20:
		return id[:strings.LastIndexByte(string(id), '.')], true
	case QCVN102:
		groups := strings.Split(string(id), ".")
		deepest := slices.IndexFunc(groups, func(g string) bool { return !isZero(g) })
		groups[deepest] = strings.Repeat("0", len(groups[deepest]))
		return ID(strings.Join(groups, ".")), true
	}
	return "", false
}

// Counterpart guesses the same agency's id in the other generation:
// "000.00.13.H53" and "H53.13", "000.12.31.H53" and "H53.31.12". It is a hint
// for a lookup, never a reason to rewrite a packet: no decision states the
// mapping, and agencies have been renumbered. Groups keep their width, so an
// id that does not fit the other form, or that skips a level, has none.
//
// Evidence for level 2 is the pairs in the directory of the Lâm Đồng axis.
func (id ID) Counterpart() (ID, bool) {
	levels := id.Levels()
	if len(levels) == 0 || !isRoot(levels[0]) || slices.ContainsFunc(levels, isZero) {
		return "", false
	}
	switch id.Generation() {
	case QCVN102:
		return ID(strings.Join(levels, ".")), true
	case QD20:
		groups := []string{"000", "00", "00", levels[0]}
		if len(levels) > len(groups) {
			return "", false
		}
		for i, level := range levels[1:] {
			at := len(groups) - 2 - i
			if len(level) != len(groups[at]) {
				return "", false
			}
			groups[at] = level
		}
		if other := ID(strings.Join(groups, ".")); other.Generation() == QCVN102 {
			return other, true
		}
		// Level 4 has the form of a root and, in front, would be read as one.
	}
	return "", false
}

// Transit says that id names a system that carries documents for others, not
// an addressee: a root beginning with W, or W00 as one of the groups.
//
// QUIRK: "001.00.41.W00", "00.53.W00" in directories of the axis; W is a root
// by form, but QĐ 20/2020 Phụ lục I gives it no meaning.
func (id ID) Transit() bool {
	root := id.Root()
	return isRoot(root) && root[0] == 'W' || slices.Contains(strings.Split(string(id), "."), "W00")
}

// rootLast turns groups around and drops the zeros of unused levels.
func rootLast(groups []string) []string {
	levels := slices.Clone(groups)
	slices.Reverse(levels)
	for len(levels) > 1 && isZero(levels[len(levels)-1]) {
		levels = levels[:len(levels)-1]
	}
	return levels
}

// isRoot reports the form of a level-1 code: A…Y and two digits (QĐ 20/2020
// Art. 4(2)).
func isRoot(s string) bool {
	return len(s) == 3 && 'A' <= s[0] && s[0] <= 'Y' && isDigits(s[1:])
}

// isQCVN102 reports four groups of the right widths with a letter at the head
// of the last.
//
// QUIRK: the root need not be a letter and two digits; 001.00.20.TT2 stands in
// the trace of a packet of 2019, written there by a system on its way.
func isQCVN102(groups []string) bool {
	return len(groups) == 4 &&
		len(groups[0]) == 3 && len(groups[1]) == 2 && len(groups[2]) == 2 && len(groups[3]) == 3 &&
		'A' <= groups[3][0] && groups[3][0] <= 'Y'
}

// isScheme reports Z01…Z99 at the head.
func isScheme(s string) bool {
	return len(s) >= 3 && s[0] == 'Z' && isDigits(s[1:3]) && s[1:3] != "00"
}

// isTaxCode reports 10 digits, 13 digits, or 10 digits, a hyphen and 3 digits.
func isTaxCode(s string) bool {
	switch len(s) {
	case 10, 13:
		return isDigits(s)
	case 14:
		return isDigits(s[:10]) && s[10] == '-' && isDigits(s[11:])
	}
	return false
}

// isPlain reports a group of the alphabet of QĐ 20/2020 Art. 4(1).
func isPlain(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || '9' < r) && (r < 'A' || 'Z' < r)
	})
}

// isDigits reports a text of the digits 0 to 9 and nothing else.
func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// isZero reports the filling of an unused level.
func isZero(s string) bool {
	return strings.Trim(s, "0") == ""
}
