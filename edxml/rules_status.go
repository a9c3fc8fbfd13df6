package edxml

// statusRules is the part of the catalogue about Statuses.
var statusRules = []Rule{
	{"ST-1", Error, "practice: the nine codes in use",
		Text{"mã trạng thái %q không được dùng", "status code %q is not in use"},
		Text{"dùng 01, 02, 03, 04, 05, 06, 13, 15 hoặc 16", "use 01, 02, 03, 04, 05, 06, 13, 15 or 16"}},
	{"ST-1a", Warning, "practice: a .NET client writes 14 where it means 15",
		Text{"mã trạng thái 14 không được dùng, thường được hiểu là 15", "status code 14 is not in use; it is usually read as 15"},
		Text{"dùng 15", "use 15"}},
	{"ST-2", Error, "QĐ 28/2018/QĐ-TTg Art. 5(4)",
		Text{"trạng thái %s phải ghi lý do trong Description", "status %s needs its reason in Description"},
		Text{"ghi lý do", "write the reason"}},
	{"ST-3", Warning, "practice: the states of a document, in the order that implementations agree on",
		Text{"sau trạng thái %s không thể là %s; trạng thái trước ở %s", "status %s is not followed by %s; the one before is in %s"},
		Text{"kiểm tra phần mềm bên nhận; có thể một trạng thái ở giữa không được gửi", "look at the receiver's system; a status in between may not have been sent"}},
	{"ST-4", Error, "QĐ 28/2018/QĐ-TTg Art. 8(2), 9(2)",
		Text{"trạng thái %s do %s gửi, trong khi theo văn bản ở %s phải là %s", "status %s was sent by %s; by the document in %s it must be %s"},
		Text{"chỉ nơi gửi văn bản gửi trạng thái 13, chỉ nơi nhận gửi các trạng thái khác", "13 is for the document's sender to send, every other one for a receiver"}},
	{"ST-5", Error, "practice: BKAV axis",
		Text{"trạng thái không cho biết văn bản nào: thiếu ResponseFor/%s", "the status does not say which document it is about: ResponseFor/%s is missing"},
		Text{"ghi OrganId và Code của văn bản", "write OrganId and Code of the document"}},
}
