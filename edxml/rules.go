package edxml

// Rule is an entry of the catalogue: what a Finding of that name says. The
// messages hold verbs for the particulars.
type Rule struct {
	ID       string
	Severity Severity
	Clause   string
	Message  Text
	Remedy   Text
}

// Rules returns the catalogue, in its own order.
func Rules() []Rule {
	return append([]Rule(nil), catalogue...)
}

// rule returns the entry of the catalogue with this ID.
func rule(id string) Rule {
	for _, r := range catalogue {
		if r.ID == id {
			return r
		}
	}
	panic("edxml: no rule " + id)
}

const (
	clauseBytes = "practice: a signature binds bytes, and readers differ on what they skip"
	clauseData  = "QĐ 28/2018/QĐ-TTg Art. 10(2)"
)

var catalogue = []Rule{
	{"XML-1", Warning, "XML 1.0 [1] document",
		Text{"có byte lạ trước khai báo XML: %s", "%s"},
		Text{"xóa các byte này ở phần mềm gửi; chữ ký trên gói tin như vậy không thể hợp lệ", "remove them in the sending system; no signature over such a packet can be valid"}},
	{"XML-2", Warning, "XML 1.0 [1] document",
		Text{"có dữ liệu thừa sau phần tử gốc: %s", "%s"},
		Text{"cắt phần thừa ở phần mềm gửi", "cut it off in the sending system"}},
	{"XML-3", Warning, "Namespaces in XML 1.0 §5",
		Text{"tiền tố không gian tên chưa được khai báo: %s", "%s"},
		Text{"khai báo tiền tố bằng xmlns", "declare the prefix with xmlns"}},
	{"XML-4", Warning, "XML 1.0 §3.1",
		Text{"thuộc tính bị lặp: %s", "%s"},
		Text{"giữ lại một thuộc tính; giá trị cuối được dùng", "keep one; the last value was taken"}},
	{"PKT-1", Error, "QCVN 102:2016/BTTTT",
		Text{"phần tử %s xuất hiện nhiều lần, giá trị cuối được dùng", "element %s stands more than once; the last one was taken"},
		Text{"chỉ ghi một phần tử", "write it once"}},
	{"PKT-2", Info, "QCVN 102:2016/BTTTT",
		Text{"phần tử %s không có trong quy chuẩn", "element %s is not in the standard"},
		Text{"bỏ phần tử này; trục sẽ xóa nó", "leave it out; an axis drops it"}},
	{"PKT-3", Info, "practice: BKAV axis and older dialects",
		Text{"cách viết %s thay cho %s", "spelling %s instead of %s"},
		Text{"dùng đúng tên trong quy chuẩn", "use the standard's own name"}},
	{"PKT-4", Info, "practice: vendor sample packets",
		Text{"không gian tên của %s là %q", "the namespace of %s is %q"},
		Text{"dùng " + NamespaceQCVN102 + " hoặc " + NamespaceEDoc, "use " + NamespaceQCVN102 + " or " + NamespaceEDoc}},
	{"ID-1", Error, clauseData + "(a)",
		Text{"thiếu mã định danh %s", "the identifier of %s is missing"},
		Text{"điền OrganId do cơ quan có thẩm quyền cấp", "fill in the OrganId that was issued to the agency"}},
	{"DOC-1", Error, clauseData,
		Text{"thiếu %s", "%s is missing"},
		Text{"điền giá trị; trục từ chối văn bản không có trường này", "fill it in; an axis refuses a document without it"}},
	{"DOC-3", Error, "QCVN 102:2016/BTTTT",
		Text{"%s là %q, không phải ngày có thật", "%s is %q, which is no real date"},
		Text{"ghi ngày theo dạng yyyy/MM/dd", "write the date as yyyy/MM/dd"}},
	{"DOC-3a", Warning, "practice: BKAV axis",
		Text{"ngày ban hành %s ở tương lai", "the promulgation date %s lies in the future"},
		Text{"sửa ngày ban hành hoặc đồng hồ của máy", "correct the date, or the clock"}},
	{"DOC-3b", Warning, "practice: the recommended DocumentId holds the promulgation date",
		Text{"DocumentId %q chứa ngày không có thật", "DocumentId %q holds a date that is no date"},
		Text{"dùng dạng OrganId,yyyy/MM/dd,Số/KýHiệu với ngày có thật", "write OrganId,yyyy/MM/dd,Number/Notation with a real date"}},
	{"DOC-7", Error, "practice: BKAV axis; NĐ 30/2020/NĐ-CP Art. 8",
		Text{"độ khẩn Priority là %q, phải từ 0 đến 4", "Priority is %q, it must be 0 to 4"},
		Text{"dùng 0 thường, 1 khẩn, 2 thượng khẩn, 3 hỏa tốc, 4 hỏa tốc hẹn giờ", "use 0 normal, 1 urgent, 2 very urgent, 3 express, 4 express at a set hour"}},
	{"DOC-8", Error, "QĐ 28/2018/QĐ-TTg Art. 1(2)",
		Text{"văn bản mang dấu mật %q; văn bản mật không được gửi qua trục", "the document is marked %q; state secrets must not travel over the axis"},
		Text{"gửi theo quy định bảo vệ bí mật nhà nước", "send it by the rules for the protection of state secrets"}},
	{"DOC-10", Error, "practice: BKAV axis",
		Text{"không có nơi nhận nào", "there is no receiver"},
		Text{"ghi ít nhất một phần tử To", "write at least one To"}},
	{"DOC-11", Error, "practice: BKAV axis",
		Text{"nơi nhận %s được ghi hai lần", "receiver %s stands twice"},
		Text{"bỏ phần tử To bị lặp", "remove the second To"}},
	{"DOC-12", Error, "QCVN 102:2016/BTTTT",
		Text{"BussinessDocType là %q, phải là 0, 1, 2 hoặc 3", "BussinessDocType is %q, it must be 0, 1, 2 or 3"},
		Text{"dùng 0 mới, 1 thu hồi, 2 cập nhật, 3 thay thế", "use 0 new, 1 recall, 2 update, 3 replace"}},
	{"ATT-1", Error, "QĐ 28/2018/QĐ-TTg Art. 9(1)",
		Text{"thiếu tệp đính kèm %q (%s) mà danh mục đã khai", "attachment %q (%s) is in the manifest but not in the packet"},
		Text{"gửi lại gói tin cùng tệp này", "send the packet again with the file"}},
	{"ATT-5", Warning, "QCVN 102:2016/BTTTT",
		Text{"tệp đính kèm %q (%s) không có trong danh mục", "attachment %q (%s) is not in the manifest"},
		Text{"khai tệp trong Manifest", "name it in the Manifest"}},
	{"ATT-6", Error, "RFC 4648 §4",
		Text{"nội dung của %q không phải base64: %s", "the content of %q is no base64: %s"},
		Text{"mã hóa lại tệp bằng base64 chuẩn", "encode the file anew in standard base64"}},
	{"ATT-7", Warning, "practice: VNPT library",
		Text{"tệp nén của %q có nhiều hơn một mục; chỉ mục đầu được đọc", "the zip around %q has more than one entry; only the first was read"},
		Text{"nén mỗi tệp đính kèm riêng", "zip every attachment by itself"}},
	{"ATT-8", Error, "APPNOTE.TXT 4.4",
		Text{"tệp nén của %q hỏng: %s", "the zip around %q is damaged: %s"},
		Text{"gửi lại tệp", "send the file again"}},
	{"ATT-9", Warning, "practice: BKAV axis rolls the document back",
		Text{"tệp đính kèm %q rỗng", "attachment %q is empty"},
		Text{"bỏ tệp rỗng hoặc gửi đúng tệp", "leave it out, or send the right file"}},
	{"ATT-10", Error, "QCVN 102:2016/BTTTT",
		Text{"tệp đính kèm thứ %d không có tên", "attachment %d has no name"},
		Text{"ghi AttachmentName", "write AttachmentName"}},
	{"ATT-11", Error, "QCVN 102:2016/BTTTT",
		Text{"tệp đính kèm %q có nhiều hơn một nội dung, chỉ nội dung đầu được đọc", "attachment %q has more than one content; only the first was read"},
		Text{"ghi mỗi tệp trong một phần tử Attachment riêng", "write every file in an Attachment of its own"}},
	{"SIG-1", Warning, "QĐ 28/2018/QĐ-TTg Art. 4(2)",
		Text{"gói tin không có chữ ký số, chỉ có giá trị để biết", "the packet is not signed: for information only"},
		Text{"ký bằng lệnh lienthong sign", "sign it with lienthong sign"}},
	{"SIG-5", Warning, "XML Signature §2",
		Text{"khối %s không thuộc không gian tên XML Signature nên không phải là chữ ký", "block %s is not in the XML Signature namespace, so it is no signature"},
		Text{"ký lại; khối này thường do phần mềm mẫu chép vào", "sign anew; such blocks are usually copied from a sample"}},
	{"ST-1", Error, "practice: the nine codes in use",
		Text{"mã trạng thái %q không được dùng", "status code %q is not in use"},
		Text{"dùng 01, 02, 03, 04, 05, 06, 13, 15 hoặc 16", "use 01, 02, 03, 04, 05, 06, 13, 15 or 16"}},
	{"ST-2", Error, "QĐ 28/2018/QĐ-TTg Art. 5(4)",
		Text{"trạng thái %s phải ghi lý do trong Description", "status %s needs its reason in Description"},
		Text{"ghi lý do", "write the reason"}},
	{"ST-5", Error, "practice: BKAV axis",
		Text{"trạng thái không cho biết văn bản nào: thiếu ResponseFor/%s", "the status does not say which document it is about: ResponseFor/%s is missing"},
		Text{"ghi OrganId và Code của văn bản", "write OrganId and Code of the document"}},
	{"XML-5", Info, clauseBytes,
		Text{"gói tin cần đọc nương tay nên không chữ ký nào trong đó có thể hợp lệ", "the packet needed tolerance to be read, so no signature in it can be valid"},
		Text{"sửa các lỗi XML nêu trên", "mend the XML faults named above"}},
}
