package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/soap"
)

// The exit codes.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitInvalid   = 3
	exitSignature = 4
	exitRefused   = 5
	exitAxis      = 6
	exitNotFound  = 7
)

// usageError says that the command was called wrongly.
type usageError struct {
	text    edxml.Text
	command string // whose help to look at
}

func (e usageError) Error() string { return e.text.EN }

// quietError ends the program with a code when everything has been said.
type quietError struct {
	code int
}

func (e quietError) Error() string { return fmt.Sprintf("exit %d", e.code) }

// fileError says which file an error is about.
type fileError struct {
	file string
	err  error
}

func (e fileError) Error() string { return e.file + ": " + e.err.Error() }
func (e fileError) Unwrap() error { return e.err }

// told is an error with everything its reader needs, in both languages.
type told struct {
	code int
	what edxml.Text
	hint edxml.Text
}

func (e told) Error() string { return e.what.EN }

// explain says in both languages what happened and what to do, and chooses the
// exit code. The technical text of the error stays as it is: it names the
// place.
func explain(err error) told {
	file := ""
	var fe fileError
	for errors.As(err, &fe) { // the innermost is the one at fault
		file, err = fe.file+": ", fe.err
	}
	e := diagnose(err)
	e.what = edxml.Text{VI: file + e.what.VI, EN: file + e.what.EN}
	return e
}

func diagnose(err error) told {
	var known told
	if errors.As(err, &known) {
		return known
	}
	var use usageError
	if errors.As(err, &use) {
		return told{exitUsage, use.text, edxml.Text{
			VI: "xem " + use.command + " --help", EN: "see " + use.command + " --help",
		}}
	}
	for _, f := range []func(error) (told, bool){packetFault, mimeFault, signatureFault, nodeFault, hubFault, axisFault, storeFault, systemFault} {
		if e, ok := f(err); ok {
			return e
		}
	}
	return told{exitFailed, same(err), edxml.Text{}}
}

func same(err error) edxml.Text { return edxml.Text{VI: err.Error(), EN: err.Error()} }

// with puts a sentence in each language before the technical text.
func with(vi, en string, err error) edxml.Text {
	return edxml.Text{VI: vi + ": " + inVietnamese(err), EN: en + ": " + err.Error()}
}

// inVietnamese gives the technical text with its place, or the limit that was
// exceeded, in Vietnamese. What is wrong there stays in the words of the
// specification that it breaks.
func inVietnamese(err error) string {
	text := err.Error()
	var syntax *xmlscan.SyntaxError
	var xmlLimit *xmlscan.LimitError
	var limit *edxml.LimitError
	put := func(of error, vi string, args ...any) {
		text = strings.Replace(text, of.Error(), fmt.Sprintf(vi, args...), 1)
	}
	switch {
	case errors.As(err, &syntax):
		put(syntax, "dòng %d, cột %d: %s (%s)", syntax.Pos.Line, syntax.Pos.Column, syntax.Text, syntax.Rule)
	case errors.As(err, &xmlLimit):
		put(xmlLimit, "dòng %d, cột %d: %s vượt quá %d", xmlLimit.Pos.Line, xmlLimit.Pos.Column, limitName(xmlLimit.Limit), xmlLimit.Max)
	case errors.As(err, &limit) && limit.Name != "":
		put(limit, "tệp đính kèm %q: %s vượt quá %d", limit.Name, limitName(limit.Limit), limit.Max)
	case errors.As(err, &limit):
		put(limit, "%s vượt quá %d", limitName(limit.Limit), limit.Max)
	}
	return text
}

// limitName gives the name of a limit in Vietnamese.
func limitName(limit string) string {
	switch limit {
	case "size", "packet":
		return "dung lượng gói tin (byte)"
	case "attachment":
		return "dung lượng tệp (byte)"
	case "attachments":
		return "số tệp đính kèm"
	case "receivers":
		return "số nơi nhận"
	case "header":
		return "dung lượng phần đầu (byte)"
	case "unzip ratio":
		return "tỷ lệ bung tệp nén"
	case "depth":
		return "độ sâu phần tử lồng nhau"
	case "elements":
		return "số phần tử"
	case "attributes":
		return "số thuộc tính của một phần tử"
	case "attribute value":
		return "độ dài giá trị thuộc tính (byte)"
	case "name":
		return "độ dài tên (byte)"
	case "text":
		return "độ dài một đoạn văn bản (byte)"
	}
	return limit
}

// packetFault explains what is wrong with a packet.
func packetFault(err error) (told, bool) {
	var limit *xmlscan.LimitError
	var packetLimit *edxml.LimitError
	var syntax *xmlscan.SyntaxError
	var invalid *node.InvalidError
	var content *edxml.ContentError
	switch {
	case errors.Is(err, xmlscan.ErrDTD):
		return told{exitInvalid, with("tệp chứa DOCTYPE, luôn bị từ chối", "the file holds a DOCTYPE, which is always refused", err), edxml.Text{
			VI: "xóa khai báo DOCTYPE ở phần mềm tạo gói tin", EN: "remove the DOCTYPE in the system that made the packet",
		}}, true
	case errors.Is(err, xmlscan.ErrNotXML):
		return told{exitInvalid, with("tệp không phải XML", "the file is not XML", err), edxml.Text{
			VI: "kiểm tra lại tên tệp; gói tin edXML bắt đầu bằng <edXML hoặc Content-Type: multipart/related",
			EN: "check the file name; an edXML packet begins with <edXML or Content-Type: multipart/related",
		}}, true
	case errors.Is(err, xmlscan.ErrTruncated):
		return told{exitInvalid, with("gói tin bị cắt cụt", "the packet is truncated", err), edxml.Text{
			VI: "tải hoặc sao chép lại tệp; kiểm tra dung lượng với nơi gửi", EN: "download or copy the file again; compare its size with the sender's",
		}}, true
	case errors.Is(err, edxml.ErrNotPacket):
		found := strings.TrimPrefix(err.Error(), edxml.ErrNotPacket.Error()) // which root it has
		return told{exitInvalid, edxml.Text{VI: "tệp là XML nhưng không phải gói tin edXML" + found, EN: "the file is XML, but no edXML packet" + found}, edxml.Text{
			VI: "phần tử gốc phải là edXML (QCVN 102:2016) hoặc SOAP Envelope", EN: "the root element must be edXML (QCVN 102:2016) or a SOAP Envelope",
		}}, true
	case errors.Is(err, edxml.ErrAntivirusReport):
		return told{exitInvalid, edxml.Text{VI: "đây là báo cáo phòng chống mã độc (AVReport), không phải gói tin edXML", EN: "this is an antivirus report (AVReport), and no edXML packet"}, edxml.Text{
			VI: "báo cáo này mượn không gian tên của quy chuẩn; gửi nó tới hệ thống nhận báo cáo của A05 hoặc NCSC", EN: "it borrows the standard's namespace; it belongs to the system of A05 or of the NCSC",
		}}, true
	case errors.Is(err, edxml.ErrZippedPacket):
		return told{exitInvalid, with("gói tin nằm trong tệp nén không đọc được", "the packet is in a zip that cannot be read", err), edxml.Text{
			VI: "giải nén tệp rồi chạy lại với gói tin bên trong", EN: "unpack it, and run this again with the packet that is inside",
		}}, true
	case errors.As(err, &content):
		return told{exitInvalid, with("nội dung bị hỏng", "the content is damaged", err), edxml.Text{
			VI: "tải hoặc sao chép lại tệp; nếu vẫn hỏng, yêu cầu nơi gửi gửi lại", EN: "download or copy the file again; if it stays damaged, ask the sender for it",
		}}, true
	case errors.As(err, &syntax):
		return told{exitInvalid, with("tệp XML sai cú pháp", "the XML is not well-formed", err), edxml.Text{
			VI: "sửa ở dòng và cột nêu trên", EN: "mend it at the line and column above",
		}}, true
	case errors.As(err, &limit), errors.As(err, &packetLimit):
		return told{exitInvalid, with("gói tin vượt giới hạn", "the packet exceeds a limit", err), edxml.Text{
			VI: "giới hạn bảo vệ máy trước tệp độc hại; nếu gói tin là thật, đề nghị nơi gửi chia nhỏ",
			EN: "limits protect the machine from hostile files; if the packet is a real one, let the sender split it",
		}}, true
	case errors.As(err, &invalid):
		return told{exitInvalid, edxml.Text{VI: "gói tin không hợp lệ: " + firstError(invalid.Findings).Message.VI, EN: "the packet is invalid: " + firstError(invalid.Findings).Message.EN},
			firstError(invalid.Findings).Remedy}, true
	case errors.Is(err, node.ErrForeignSender):
		return told{exitInvalid, with("nơi gửi trong gói tin không phải cơ quan của nút này", "the packet's sender is not the agency of this node", err), edxml.Text{
			VI: "sửa From/OrganId, hoặc dùng nút của cơ quan đó", EN: "correct From/OrganId, or use that agency's node",
		}}, true
	case errors.Is(err, node.ErrToken):
		return told{exitInvalid, with("gói tin chứa token truy cập", "the packet carries an access token", err), edxml.Text{
			VI: "xóa khối edXML:Signature có Token; nút tự thêm token của mình", EN: "remove the edXML:Signature block with the Token; the node adds its own",
		}}, true
	case errors.Is(err, node.ErrOtherContent):
		return told{exitInvalid, with("DocumentId này đã dùng cho nội dung khác", "this DocumentId was used for other content", err), edxml.Text{
			VI: "cấp số và DocumentId mới, hoặc gửi văn bản thay thế", EN: "give it a new number and DocumentId, or send a replacement",
		}}, true
	}
	return told{}, false
}

// mimeFault explains what is wrong with the framing of a SOAP packet in one file.
func mimeFault(err error) (told, bool) {
	var limit *soap.LimitError
	var twice *soap.DuplicateError
	var kind *soap.ContentTypeError
	switch {
	case errors.Is(err, soap.ErrTruncated):
		return told{exitInvalid, with("gói tin bị cắt cụt", "the packet is truncated", err), edxml.Text{
			VI: "tải hoặc sao chép lại tệp; kiểm tra dung lượng với nơi gửi", EN: "download or copy the file again; compare its size with the sender's",
		}}, true
	case errors.As(err, &limit):
		return told{exitInvalid, with("gói tin vượt giới hạn", "the packet exceeds a limit", err), edxml.Text{}}, true
	case errors.Is(err, soap.ErrMalformed), errors.Is(err, soap.ErrVersion), errors.As(err, &twice), errors.As(err, &kind):
		return told{exitInvalid, with("khung MIME của gói tin sai", "the packet's MIME framing is wrong", err), edxml.Text{
			VI: "tệp gói tin SOAP gồm dòng Content-Type: multipart/related; …, một dòng trống, rồi các phần",
			EN: "a SOAP packet file is the line Content-Type: multipart/related; …, an empty line, then the parts",
		}}, true
	}
	return told{}, false
}

func firstError(findings []edxml.Finding) edxml.Finding {
	for _, f := range findings {
		if f.Severity == edxml.Error {
			return f
		}
	}
	return edxml.Finding{}
}

// signatureFault explains what is wrong with keys and signatures.
func signatureFault(err error) (told, bool) {
	switch {
	case errors.Is(err, signature.ErrKeyMismatch):
		return told{exitFailed, with("khóa không khớp với chứng thư số", "the key does not match the certificate", err), edxml.Text{
			VI: "dùng khóa và chứng thư của cùng một cặp", EN: "use the key and the certificate of one pair",
		}}, true
	case errors.Is(err, node.ErrSignatureLost):
		return told{exitSignature, with("chữ ký của gói tin sẽ mất khi chuyển dạng", "the packet's signature would be lost on its way", err), edxml.Text{
			VI: "gửi gói tin chưa ký để nút ký, hoặc đặt replace = true trong mục [sign]", EN: "submit it unsigned, the node signs it; or set replace = true under [sign]",
		}}, true
	case errors.Is(err, signature.ErrSigned):
		return told{exitSignature, with("gói tin đã được ký", "the packet is signed already", err), edxml.Text{
			VI: "kiểm tra bằng lienthong verify", EN: "check it with lienthong verify",
		}}, true
	}
	var e told
	return e, errors.As(signFault(err), &e)
}

// axisFault explains what the axis said, or that it said nothing.
func axisFault(err error) (told, bool) {
	var unknown *node.UnknownReceiverError
	if errors.As(err, &unknown) {
		return told{exitRefused, with("trục không biết nơi nhận", "the axis does not know a receiver", err), edxml.Text{
			VI: "sửa To/OrganId theo danh bạ của trục", EN: "correct To/OrganId by the axis's directory",
		}}, true
	}
	var fault *transport.Fault
	if !errors.As(err, &fault) {
		return told{}, false
	}
	if fault.Temporary() {
		return told{exitAxis, with("trục không trả lời hoặc tạm từ chối", "the axis did not answer or refused for now", err), edxml.Text{
			VI: "kiểm tra mạng và địa chỉ trục rồi thử lại", EN: "check the network and the axis's address, then try again",
		}}, true
	}
	return told{exitRefused, with("trục từ chối", "the axis refused", err), edxml.Text{}}, true
}

// systemFault explains what the machine said.
func systemFault(err error) (told, bool) {
	if t, ok := sharedFault(err); ok {
		return t, true
	}
	var locked *boltstore.LockedError
	var op *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return told{exitFailed, edxml.Text{VI: "đã dừng theo yêu cầu", EN: "stopped as asked"}, edxml.Text{}}, true
	case errors.As(err, &locked):
		return told{exitFailed, with("kho dữ liệu đang bị tiến trình khác giữ", "another process holds the store", err), edxml.Text{
			VI: "nếu nút đang chạy, lệnh này tự nói chuyện với nút; nếu không, tìm tiến trình đang mở thư mục đó",
			EN: "if the node runs, this command talks to it by itself; if not, look for the process that has the folder open",
		}}, true
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EFBIG), errors.Is(err, syscall.EDQUOT):
		return told{exitFailed, with("đĩa đầy", "the disk is full", err), edxml.Text{
			VI: "giải phóng dung lượng rồi chạy lại; những gì đã nhận vẫn còn nguyên", EN: "free some space and run it again; what was accepted is intact",
		}}, true
	case errors.Is(err, syscall.EADDRINUSE):
		return told{exitFailed, with("cổng đã có tiến trình khác dùng", "the port is taken by another process", err), edxml.Text{
			VI: "chọn cổng khác bằng --listen, hoặc 127.0.0.1:0 để máy tự chọn", EN: "choose another with --listen, or 127.0.0.1:0 for a free one",
		}}, true
	case errors.Is(err, node.ErrNotFound):
		return told{exitNotFound, with("không tìm thấy", "not found", err), edxml.Text{
			VI: "xem danh sách bằng lienthong inbox list hoặc outbox list", EN: "see lienthong inbox list or outbox list",
		}}, true
	case errors.Is(err, fs.ErrNotExist):
		return told{exitNotFound, edxml.Text{VI: "không có tệp này", EN: "there is no such file"}, edxml.Text{
			VI: "kiểm tra đường dẫn; đặt tên có dấu cách trong dấu nháy", EN: "check the path; put a name with spaces in quotes",
		}}, true
	case errors.Is(err, fs.ErrPermission):
		return told{exitFailed, with("không có quyền", "permission denied", err), edxml.Text{
			VI: "chạy bằng người dùng sở hữu tệp", EN: "run it as the user who owns the file",
		}}, true
	case errors.As(err, &op):
		return told{exitAxis, with("không kết nối được", "cannot connect", err), edxml.Text{}}, true
	}
	return told{}, false
}
