package vxp

import "strings"

// plain writes Vietnamese without diacritics, as the axis does in ErrorDesc;
// what else is not printable ASCII becomes a question mark.
func plain(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r >= 0x300 && r <= 0x36f: // a mark of its own, on the letter before
		case r == '\n' || r == '\t' || r == '\r':
			b.WriteByte(' ')
		case r == '…':
			b.WriteString("...")
		case r == '–' || r == '—':
			b.WriteByte('-')
		default:
			b.WriteByte(bare(r))
		}
	}
	return strings.TrimSpace(b.String())
}

// letters are the letters of the Vietnamese alphabet that bear marks.
var letters = [...]struct {
	bare   byte
	marked string
}{
	{'a', "àáảãạăằắẳẵặâầấẩẫậ"}, {'e', "èéẻẽẹêềếểễệ"}, {'i', "ìíỉĩị"}, {'o', "òóỏõọôồốổỗộơờớởỡợ"},
	{'u', "ùúủũụưừứửữự"}, {'y', "ỳýỷỹỵ"}, {'d', "đ"},
	{'A', "ÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬ"}, {'E', "ÈÉẺẼẸÊỀẾỂỄỆ"}, {'I', "ÌÍỈĨỊ"}, {'O', "ÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢ"},
	{'U', "ÙÚỦŨỤƯỪỨỬỮỰ"}, {'Y', "ỲÝỶỸỴ"}, {'D', "Đ"},
}

func bare(r rune) byte {
	for _, l := range letters {
		if strings.ContainsRune(l.marked, r) {
			return l.bare
		}
	}
	return '?'
}
