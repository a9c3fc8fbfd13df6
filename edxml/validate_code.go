package edxml

import (
	"strings"
	"unicode"

	"github.com/lienthong/lienthong/edxml/organ"
)

// kinds are the document kinds with their abbreviations, "" where notations
// have none: those of NĐ 30/2020 Art. 7 and Phụ lục III, two that only SĐ
// 1:2022 QCVN 102:2016/BTTTT list B has, and the legal normative documents,
// which travel on the axis, too.
var kinds = map[string]string{
	"nghị quyết": "NQ", "quyết định": "QĐ", "chỉ thị": "CT", "quy chế": "QC", "quy định": "QyĐ", "thông cáo": "TC", "thông báo": "TB",
	"hướng dẫn": "HD", "chương trình": "CTr", "kế hoạch": "KH", "phương án": "PA", "đề án": "ĐA", "dự án": "DA", "báo cáo": "BC",
	"biên bản": "BB", "tờ trình": "TTr", "hợp đồng": "HĐ", "công điện": "CĐ", "bản ghi nhớ": "BGN", "bản thỏa thuận": "BTT",
	"giấy ủy quyền": "GUQ", "giấy mời": "GM", "giấy giới thiệu": "GGT", "giấy nghỉ phép": "GNP", "phiếu gửi": "PG", "phiếu chuyển": "PC",
	"phiếu báo": "PB", "công văn": "", "thư công": "", "bản sao y": "SY", "bản trích sao": "TrS", "bản sao lục": "SL",
	"bản cam kết": "", "giấy chứng nhận": "",
	"hiến pháp": "", "bộ luật": "", "luật": "", "pháp lệnh": "", "lệnh": "", "nghị định": "NĐ", "nghị quyết liên tịch": "NQLT",
	"thông tư": "TT", "thông tư liên tịch": "TTLT",
}

// plainlyNamed are the abbreviations that stand for a kind of document wherever
// they begin a notation. The others may begin a letter's notation, too, since
// agencies and offices are abbreviated in the same letters: TTr is also an
// inspectorate, CT a chairman, TC a finance office.
var plainlyNamed = map[string]string{
	"QĐ": "quyết định", "QyĐ": "quy định", "NQ": "nghị quyết", "CTr": "chương trình", "HĐ": "hợp đồng", "GM": "giấy mời", "GUQ": "giấy ủy quyền",
	"GGT": "giấy giới thiệu", "GNP": "giấy nghỉ phép", "BGN": "bản ghi nhớ", "BTT": "bản thỏa thuận",
}

// plainD are abbreviations as they come out of a keyboard without Đ. HD and DA
// are not among them: they are kinds of their own.
var plainD = map[string]string{"QD": "QĐ", "CD": "CĐ", "QyD": "QyĐ", "ND": "NĐ"}

// code checks number, notation and kind against the rules for writing them.
func (v *validation) code(d *Document) {
	number, notation := d.Code.CodeNumber, d.Code.CodeNotation
	if len(number) == 1 && number[0] >= '1' && number[0] <= '9' {
		v.find("DOC-5", "Code/CodeNumber", number)
	}
	v.letters("Code/CodeNumber", "CodeNumber", number)
	v.letters("Code/CodeNotation", "CodeNotation", notation)
	name := kindName(d.DocumentType.TypeName)
	if name == "" {
		return
	}
	short, known := kinds[name]
	if !known {
		v.find("DOC-4", "DocumentType/TypeName", shorten(d.DocumentType.TypeName))
	}
	first := abbreviation(notation)
	if other, clear := plainlyNamed[first]; known && short == "" && clear && other != name {
		v.find("DOC-4b", "Code/CodeNotation", shorten(notation), first, other, shorten(d.DocumentType.TypeName))
	}
	if short == "" || first == "" || first == short || plainD[first] == short {
		return // the last one is told as DOC-6
	}
	v.find("DOC-4a", "Code/CodeNotation", shorten(notation), short, d.DocumentType.TypeName)
}

// kindName brings the name of a kind of document to the form of the list.
func kindName(name string) string {
	name = strings.ToLower(strings.Join(strings.Fields(compose(name)), " "))
	name, _, _ = strings.Cut(name, " (")
	return olderTones.Replace(name)
}

// olderTones writes two syllables of the list as the decree does.
var olderTones = strings.NewReplacer("thoả", "thỏa", "uỷ", "ủy")

// abbreviation returns the first group of a notation, without the year that
// legal normative documents put before it.
func abbreviation(notation string) string {
	notation = compose(notation)
	if year, rest, ok := strings.Cut(notation, "/"); ok && len(year) == 4 && strings.Trim(year, "0123456789") == "" {
		notation = rest
	}
	first, _, _ := strings.Cut(notation, "-")
	return strings.TrimSpace(first)
}

// letters names what looks right in a number or a notation and is not.
func (v *validation) letters(path, name, value string) {
	tell := func(vi, en string) { v.find("DOC-6", path, name, shorten(value), Text{vi, en}) }
	switch {
	case strings.ContainsFunc(value, unicode.IsSpace):
		tell("có khoảng trắng", "has white space")
	case strings.ContainsAny(value, "Ðð"):
		tell("có chữ Ð (U+00D0) thay cho Đ (U+0110)", "has Ð (U+00D0) instead of Đ (U+0110)")
	case strings.ContainsFunc(value, func(r rune) bool { return unicode.Is(unicode.Mn, r) }):
		tell("có dấu tổ hợp, không phải chữ dựng sẵn (NFC)", "has combining marks instead of composed letters (NFC)")
	default:
		if d := plainD[abbreviation(value)]; d != "" && name == "CodeNotation" {
			v.find("DOC-6", path, name, shorten(value), Text{"viết D thay cho Đ: " + d, "has D instead of Đ: " + d})
		}
	}
}

// compose brings Vietnamese words to composed letters (NFC), as package organ
// does for identifiers; a word that cannot stand in one is left as it is.
func compose(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Mn, r) }) {
		return s
	}
	words := strings.Split(s, " ")
	for i, w := range words {
		if id, err := organ.Parse(w); err == nil {
			words[i] = string(id)
		}
	}
	return strings.Join(words, " ")
}
