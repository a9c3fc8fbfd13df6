package edxml

// organRules is the part of the catalogue about identifiers of agencies.
var organRules = []Rule{
	{"ID-1", Error, clauseData + "(a)",
		Text{"thiếu mã định danh %s", "the identifier of %s is missing"},
		Text{"điền OrganId do cơ quan có thẩm quyền cấp", "fill in the OrganId that was issued to the agency"}},
	{"ID-1a", Error, "QĐ 20/2020/QĐ-TTg Art. 4–6; " + clauseData + "(a)",
		Text{"mã định danh %q không theo dạng nào đã ban hành", "identifier %q has none of the published forms"},
		Text{"dùng mã dạng 000.00.00.H41, H41.1, Z01… hoặc mã số doanh nghiệp", "use an identifier like 000.00.00.H41, H41.1, Z01… or a registration code"}},
	{"ID-2", Error, "QĐ 20/2020/QĐ-TTg Art. 4(1); QCVN 102:2016/BTTTT SĐ 1:2022",
		Text{"mã định danh %q dài %d ký tự, tối đa 35", "identifier %q has %d characters, 35 is the limit"},
		Text{"dùng mã đã được cấp, không thêm phần riêng", "use the identifier that was issued, without additions"}},
	{"ID-3", Error, "QĐ 20/2020/QĐ-TTg Art. 4(1)",
		Text{"mã định danh %q %s", "identifier %q %s"},
		Text{"chỉ dùng chữ số, chữ in hoa A–Z và dấu chấm giữa các nhóm", "use digits, upper-case A–Z, and dots between groups only"}},
	{"ID-4", Warning, "QĐ 20/2020/QĐ-TTg Phụ lục I; QĐ 09/2025/QĐ-TTg Art. 1",
		Text{"mã cấp 1 của %q %s", "the level-1 code of %q %s"},
		Text{"tra mã hiện hành của cơ quan", "look up the code in force for the agency"}},
	{"ID-5", Warning, "practice: no code of a province's directory skips a level",
		Text{"mã định danh %q bỏ trống một cấp ở giữa", "identifier %q leaves a level between two others empty"},
		Text{"kiểm tra lại mã đã được cấp", "check it against the identifier that was issued"}},
	{"ID-6", Info, "QĐ 20/2020/QĐ-TTg Art. 11–12; QCVN 102:2016/BTTTT SĐ 1:2022",
		Text{"mã định danh %q theo dạng cũ; từ 15/09/2022 dùng dạng của QĐ 20/2020", "identifier %q is of the old form; since 15 September 2022 that of QĐ 20/2020 is in use"},
		Text{"chuyển sang mã mới khi bên nhận đã có", "change to the new identifier once the receivers know it"}},
	{"ID-7", Warning, "practice: there is no district level since 1 July 2025",
		Text{"%q là cơ quan cấp huyện; cấp huyện không còn từ 01/7/2025", "%q is an agency of a district; there are no districts since 1 July 2025"},
		Text{"gửi cho cơ quan đã tiếp nhận nhiệm vụ", "address the agency that took over its duties"}},
}
