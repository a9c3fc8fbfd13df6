package edxml

// signatureRules is the part of the catalogue about signature blocks. Whether
// a signature is good is for package signature to say.
var signatureRules = []Rule{
	{"SIG-1", Warning, "QĐ 28/2018/QĐ-TTg Art. 4(2)",
		Text{"gói tin không có chữ ký số, chỉ có giá trị để biết", "the packet is not signed: for information only"},
		Text{"ký bằng lệnh lienthong sign", "sign it with lienthong sign"}},
	{"SIG-3", Warning, "TT 15/2025/TT-BKHCN",
		Text{"chữ ký dùng thuật toán SHA-1: %s", "the signature uses SHA-1: %s"},
		Text{"ký lại bằng SHA-256 trở lên", "sign anew with SHA-256 or better"}},
	{"SIG-5", Warning, "XML Signature §2",
		Text{"khối %s không thuộc không gian tên XML Signature nên không phải là chữ ký", "block %s is not in the XML Signature namespace, so it is no signature"},
		Text{"ký lại; khối này thường do phần mềm mẫu chép vào", "sign anew; such blocks are usually copied from a sample"}},
}
