package edxml

import "strings"

// Clause names what a rule stands on: articles of law and sections of
// specifications, or "practice: " and the evidence, running code or sample
// packets. It is English as it stands.
type Clause string

// In returns the clause in lang, see [Text.In]: articles are Điều in Vietnamese,
// and evidence is told.
func (c Clause) In(lang string) string {
	if lang != "vi" {
		return string(c)
	}
	parts := strings.Split(string(c), "; ")
	for i, p := range parts {
		if what, practice := strings.CutPrefix(p, "practice: "); practice {
			if vi, ok := evidence[what]; ok {
				what = vi
			}
			parts[i] = "thực tế: " + what
			continue
		}
		parts[i] = strings.ReplaceAll(p, "Art. ", "Điều ")
	}
	return strings.Join(parts, "; ")
}

// evidence is the practice that clauses name, in Vietnamese.
var evidence = map[string]string{
	"BKAV axis":                                                             "trục BKAV",
	"BKAV axis and older dialects":                                          "trục BKAV và các dạng gói tin cũ",
	"BKAV axis rolls the document back":                                     "trục BKAV hủy cả văn bản",
	"BKAV axis, GetDocument":                                                "trục BKAV, thao tác GetDocument",
	"BKAV axis, public server code":                                         "mã nguồn máy chủ công khai của trục BKAV",
	"VNPT library":                                                          "thư viện VNPT",
	"VNPT library doubles cid:, the .NET SDK leaves it out":                 "thư viện VNPT ghi cid: hai lần, bộ .NET bỏ hẳn",
	"VNPT library reads it, signatures bind UTF-8":                          "thư viện VNPT đọc được, nhưng chữ ký tính trên UTF-8",
	"VNPT's Java library":                                                   "thư viện Java của VNPT",
	"a .NET client writes 14 where it means 15":                             "một phần mềm .NET ghi 14 thay cho 15",
	"a library writes entries to disk under their own names":                "có thư viện ghi mục nén ra đĩa theo đúng tên trong tệp",
	"a signature binds bytes, and readers differ on what they skip":         "chữ ký tính trên từng byte, mỗi phần mềm đọc bỏ qua một kiểu",
	"a signature over the header covers nothing outside it":                 "chữ ký trên phần đầu không bao phủ gì bên ngoài",
	"axes keep empty elements":                                              "các trục giữ lại phần tử rỗng",
	"iVBDH by e-mail":                                                       "iVBDH gửi qua thư điện tử",
	"no code of a province's directory skips a level":                       "không mã nào trong danh bạ một tỉnh bỏ trống cấp ở giữa",
	"the national axis zips what it passes on":                              "trục quốc gia nén lại tệp khi chuyển tiếp",
	"the nine codes in use":                                                 "chín mã đang dùng",
	"the recommended DocumentId holds the promulgation date":                "dạng DocumentId khuyến nghị chứa ngày ban hành",
	"the schemas of package wsdl, made from sample packets and public code": "lược đồ trong gói wsdl, lập từ gói tin mẫu và mã nguồn công khai",
	"the states of a document, in the order that implementations agree on":  "trình tự trạng thái mà các phần mềm cùng dùng",
	"there is no district level since 1 July 2025":                          "không còn cấp huyện từ 01/7/2025",
	"vendor sample packets":                                                 "gói tin mẫu của nhà cung cấp",
	"vendor sample packets and public client code":                          "gói tin mẫu của nhà cung cấp và mã nguồn công khai",
	"vendor sample packets of every kind state it":                          "gói tin mẫu thuộc mọi loại đều ghi",
}
