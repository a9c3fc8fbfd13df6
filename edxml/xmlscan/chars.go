package xmlscan

import (
	"encoding/binary"
	"unicode/utf8"
)

// isChar reports production [2] Char of XML 1.0.
func isChar(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r <= 0xD7FF:
		return true
	case r < 0xE000:
		return false
	case r <= 0xFFFD:
		return true
	}
	return r >= 0x10000 && r <= 0x10FFFF
}

// isNameStart reports production [4] NameStartChar of XML 1.0, without the
// colon (Namespaces in XML §3, NCName).
func isNameStart(r rune) bool {
	switch {
	case r < 0x80:
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '_'
	case r < 0xC0:
		return false
	case r <= 0x2FF:
		return r != 0xD7 && r != 0xF7
	case r < 0x370:
		return false
	case r <= 0x1FFF:
		return r != 0x37E
	}
	return r == 0x200C || r == 0x200D ||
		0x2070 <= r && r <= 0x218F || 0x2C00 <= r && r <= 0x2FEF ||
		0x3001 <= r && r <= 0xD7FF || 0xF900 <= r && r <= 0xFDCF ||
		0xFDF0 <= r && r <= 0xFFFD || 0x10000 <= r && r <= 0xEFFFF
}

// isName reports production [4a] NameChar of XML 1.0, without the colon.
func isName(r rune) bool {
	return isNameStart(r) || '0' <= r && r <= '9' || r == '-' || r == '.' || r == 0xB7 ||
		0x300 <= r && r <= 0x36F || r == 0x203F || r == 0x2040
}

// asciiName holds 2 for the ASCII characters that may begin a name, 1 for those
// that may only go on in it.
var asciiName = func() (table [256]byte) {
	for c := range rune(utf8.RuneSelf) {
		switch {
		case isNameStart(c):
			table[c] = 2
		case isName(c):
			table[c] = 1
		}
	}
	return table
}()

// asciiRun returns how many leading bytes of b are ASCII characters of a name.
func asciiRun(b []byte) int {
	for i, c := range b {
		if asciiName[c] == 0 {
			return i
		}
	}
	return len(b)
}

// IsName reports whether s can be the local name of an element or attribute:
// Namespaces in XML [4] NCName.
func IsName(s string) bool {
	for i, r := range s {
		if i == 0 && !isNameStart(r) || !isName(r) || r == utf8.RuneError {
			return false
		}
	}
	return s != ""
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plainRun returns how many leading bytes of b are printable ASCII other than
// '&', '<' and '>': bytes that need no further look in character data. It
// tests eight bytes at a time, since nearly all bytes of a packet are the
// base64 text of its attachments.
func plainRun(b []byte) int {
	n := 0
	for len(b)-n >= 8 {
		x := binary.LittleEndian.Uint64(b[n:])
		angle := (x | 2*ones) ^ '>'*ones // '<' and '>' differ in bit 1 alone
		amp := x ^ '&'*ones
		if (x|(x-' '*ones)|(angle-ones)|(amp-ones))&highs != 0 {
			break
		}
		n += 8
	}
	for n < len(b) {
		c := b[n]
		if c < ' ' || c >= utf8.RuneSelf || c == '&' || c == '<' || c == '>' {
			return n
		}
		n++
	}
	return n
}
