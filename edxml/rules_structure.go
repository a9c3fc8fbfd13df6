package edxml

// structureRules is the part of the catalogue about the strict form of a
// packet, as the schemas of package wsdl state it. Readers take more, so none
// of them is an error.
var structureRules = []Rule{
	{"STR-1", Info, clauseSchema,
		Text{"trong %s, %s đứng sau %s, khác thứ tự của dạng chuẩn", "in %s, %s stands behind %s, which is not the order of the strict form"},
		Text{"không cần sửa; các phần mềm đọc theo tên phần tử", "nothing to mend; readers go by the names of elements"}},
	{"STR-2", Warning, clauseSchema,
		Text{"thiếu phần tử %s của dạng chuẩn%s", "missing from the strict form: %s%s"},
		Text{"ghi phần tử này", "write the element"}},
	{"STR-3", Warning, clauseSchema,
		Text{"%s là %q, dạng chuẩn yêu cầu %s", "%s is %q, the strict form wants %s"},
		Text{"sửa giá trị theo dạng chuẩn", "bring the value into the strict form"}},
	{"STR-4", Info, clauseSchema,
		Text{"phần tử %s thuộc không gian tên %q, dạng chuẩn là %q", "element %s is in namespace %q, the strict form has %q"},
		Text{"khai báo một không gian tên cho cả khối", "declare one namespace for the whole block"}},
	{"STR-5", Warning, clauseSchema,
		Text{"các phần tử trong %s không đi cùng nhau hoặc chưa đủ", "the elements in %s do not go together, or are not enough"},
		Text{"so với gói tin mẫu: lienthong build --example", "compare with a complete packet: lienthong build --example"}},
}
