package edxml

// signatureRules is the part of the catalogue about signature blocks. Whether
// a signature is good is for package signature to say.
var signatureRules = []Rule{
	{"SIG-1", Warning, "QĐ 28/2018/QĐ-TTg Art. 4(2)",
		Text{"gói tin không có chữ ký số, chỉ có giá trị để biết", "the packet is not signed: for information only"},
		Text{"ký bằng lệnh lienthong sign", "sign it with lienthong sign"}},
	{"SIG-2", Error, "QĐ 28/2018/QĐ-TTg Art. 6(1), 9(1); NĐ 30/2020/NĐ-CP Art. 21(2)(a)",
		Text{"chữ ký số của gói tin không đúng: %s", "the packet's signature does not hold: %s"},
		Text{"không tiếp nhận; báo nơi gửi để ký và gửi lại", "do not accept it; let the sender sign and send it again"}},
	{"SIG-3", Warning, "TT 15/2025/TT-BKHCN",
		Text{"chữ ký dùng thuật toán SHA-1: %s", "the signature uses SHA-1: %s"},
		Text{"ký lại bằng SHA-256 trở lên", "sign anew with SHA-256 or better"}},
	{"SIG-3a", Warning, "TT 15/2025/TT-BKHCN",
		Text{"khóa RSA của người ký chỉ dài %d bit, ít nhất phải 2048", "the signer's RSA key has %d bits only, 2048 is the least"},
		Text{"ký lại bằng chứng thư có khóa RSA 2048 bit trở lên", "sign anew with a certificate whose RSA key has 2048 bits or more"}},
	{"SIG-4", Info, "NĐ 30/2020/NĐ-CP Art. 5(1)",
		Text{"tệp PDF chính %q mới có %d trong hai chữ ký số của bản gốc điện tử: của người có thẩm quyền và của cơ quan", "the main PDF %q carries %d of the two digital signatures of an electronic original: the authorised person's and the agency's"},
		Text{"kiểm tra tệp PDF trước khi gửi: đủ chữ ký của người ký và của cơ quan", "check the PDF before it is sent: signed by the person and by the agency"}},
	{"SIG-5", Warning, "XML Signature §2",
		Text{"khối %s không thuộc không gian tên XML Signature nên không phải là chữ ký", "block %s is not in the XML Signature namespace, so it is no signature"},
		Text{"ký lại; khối này thường do phần mềm mẫu chép vào", "sign anew; such blocks are usually copied from a sample"}},
}
