package edxml

// vendorRules is the part of the catalogue about what VNPT's Java library,
// which most document systems use, refuses or silently misreads.
var vendorRules = []Rule{
	{"VND-1", Error, clauseVNPT,
		Text{"thư viện không đọc được gói tin: %s", "the library cannot parse the packet: %s"},
		Text{"sửa lỗi XML ở phần mềm gửi", "mend the XML in the sending system"}},
	{"VND-2", Error, clauseVNPT,
		Text{"không có %s trong không gian tên %q; thư viện dừng vì lỗi", "there is no %s in namespace %q; the library fails"},
		Text{"dùng đúng tên và không gian tên, không có dấu / ở cuối", "use name and namespace exactly, without a trailing slash"}},
	{"VND-3", Error, clauseVNPT,
		Text{"SteeringType là %q; thư viện từ chối cả văn bản khi không phải số nguyên", "SteeringType is %q; the library refuses the whole document over what is no integer"},
		Text{"ghi số nguyên không có khoảng trắng, hoặc bỏ phần tử", "write an integer without white space, or leave the element out"}},
	{"VND-4", Warning, clauseVNPT,
		Text{"không có DocumentId; thư viện tự tạo một mã ngẫu nhiên, mỗi lần đọc một khác", "there is no DocumentId; the library makes up a random one, another at every reading"},
		Text{"ghi DocumentId", "write DocumentId"}},
	{"VND-5", Warning, clauseVNPT,
		Text{"%s là %q; thư viện đọc thành ngày khác hoặc bỏ qua mà không báo", "%s is %q; the library reads another date, or none, and does not say so"},
		Text{"ghi ngày theo dạng yyyy/MM/dd, thời điểm yyyy/MM/dd HH:mm:ss", "write days as yyyy/MM/dd and moments as yyyy/MM/dd HH:mm:ss"}},
	{"VND-6", Warning, clauseVNPT,
		Text{"thư viện không nhận ra phần tử %s", "the library does not know element %s"},
		Text{"dùng cách viết của quy chuẩn, Bussiness với hai chữ s", "use the standard's spelling, Bussiness with a double s"}},
	{"VND-7", Warning, clauseVNPT,
		Text{"%s là %q; thư viện dùng giá trị mặc định mà không báo", "%s is %q; the library takes its default and does not say so"},
		Text{"ghi số nguyên không có khoảng trắng", "write an integer without white space"}},
}
