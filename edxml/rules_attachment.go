package edxml

// attachmentRules is the part of the catalogue about attachments.
var attachmentRules = []Rule{
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
}
