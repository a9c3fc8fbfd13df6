package api

import "github.com/lienthong/lienthong/edxml"

// texts say for each code of a Problem what is wrong and what to do.
var texts = map[string]struct{ message, remedy edxml.Text }{
	"packet-invalid": {
		edxml.Text{VI: "Gói tin không hợp lệ.", EN: "The packet is invalid."},
		edxml.Text{VI: "Sửa theo các phát hiện kèm theo.", EN: "Mend it as the findings say."},
	},
	"unknown-receiver": {
		edxml.Text{VI: "Trục không biết nơi nhận.", EN: "The axis does not know a receiver."},
		edxml.Text{VI: "Sửa To/OrganId theo danh bạ của trục (GET /v1/organs).", EN: "Correct To/OrganId by the axis's directory (GET /v1/organs)."},
	},
	"dtd": {
		edxml.Text{VI: "Gói tin chứa DOCTYPE, luôn bị từ chối.", EN: "The packet holds a DOCTYPE, which is always refused."},
		edxml.Text{VI: "Xóa khai báo DOCTYPE ở phần mềm tạo gói tin.", EN: "Remove the DOCTYPE in the system that makes the packet."},
	},
	"truncated": {
		edxml.Text{VI: "Gói tin bị cắt cụt.", EN: "The packet is truncated."},
		edxml.Text{VI: "Gửi lại toàn bộ tệp; so dung lượng với bản gốc.", EN: "Send the whole file; compare its size with the original."},
	},
	"not-xml": {
		edxml.Text{VI: "Nội dung không phải XML.", EN: "The content is not XML."},
		edxml.Text{
			VI: "Gói tin bắt đầu bằng <edXML hoặc Content-Type: multipart/related; khai báo và tệp rời thì gửi bằng multipart/form-data.",
			EN: "A packet begins with <edXML or Content-Type: multipart/related; a header and files go as multipart/form-data.",
		},
	},
	"no-packet": {
		edxml.Text{VI: "XML này không phải gói tin edXML.", EN: "The XML is no edXML packet."},
		edxml.Text{VI: "Phần tử gốc phải là edXML hoặc SOAP Envelope.", EN: "The root element must be edXML or a SOAP Envelope."},
	},
	"not-well-formed": {
		edxml.Text{VI: "XML sai cú pháp.", EN: "The XML is not well-formed."},
		edxml.Text{VI: "Sửa ở dòng và cột nêu trong detail.", EN: "Mend it at the line and column that detail names."},
	},
	"limit":          limitText,
	"mime-limit":     limitText,
	"mime-truncated": mimeText, "mime-malformed": mimeText, "mime-duplicate": mimeText, "mime-type": mimeText, "soap-version": mimeText,
	"foreign-sender": {
		edxml.Text{VI: "Nơi gửi trong gói tin không phải cơ quan của nút này.", EN: "The packet's sender is not the agency of this node."},
		edxml.Text{VI: "Sửa From/OrganId, hoặc dùng nút của cơ quan đó.", EN: "Correct From/OrganId, or use that agency's node."},
	},
	"other-content": {
		edxml.Text{VI: "DocumentId này đã dùng cho nội dung khác.", EN: "This DocumentId was used for other content."},
		edxml.Text{VI: "Cấp số và DocumentId mới, hoặc gửi văn bản thay thế.", EN: "Give it a new number and DocumentId, or send a replacement."},
	},
	"key-reused": {
		edxml.Text{VI: "Idempotency-Key này đã dùng cho gói tin khác.", EN: "This Idempotency-Key was used for another packet."},
		edxml.Text{VI: "Mỗi văn bản một khóa riêng; chỉ gửi lại cùng một văn bản với cùng khóa.", EN: "Take a key of its own for each document; repeat one only with the same document."},
	},
	"token": {
		edxml.Text{VI: "Gói tin chứa token truy cập của trục.", EN: "The packet carries an access token of the axis."},
		edxml.Text{VI: "Xóa khối Signature có Token; nút tự thêm token của mình.", EN: "Leave the Signature block with the Token out; the node adds its own."},
	},
	"signature-tolerance": signatureText, "signature-missing-content": signatureText, "signature-shape": signatureText,
	"signature-coverage": signatureText, "signature-duplicate-id": signatureText,
	"signature-lost": {
		edxml.Text{VI: "Chữ ký của gói tin sẽ mất khi chuyển dạng.", EN: "The packet's signature would be lost on its way."},
		edxml.Text{VI: "Gửi gói tin chưa ký để nút ký, hoặc đặt replace = true trong mục [sign].", EN: "Submit it unsigned, the node signs it; or set replace = true under [sign]."},
	},
	"ambiguous": {
		edxml.Text{VI: "Có nhiều văn bản khớp với mã này.", EN: "More than one transfer fits this reference."},
		edxml.Text{VI: "Dùng id đầy đủ; names liệt kê các id khớp.", EN: "Use the full id; names lists those that fit."},
	},
	"not-found": {
		edxml.Text{VI: "Không tìm thấy.", EN: "Not found."},
		edxml.Text{VI: "Kiểm tra id và hộp (inbox, outbox).", EN: "Check the id and the box (inbox, outbox)."},
	},
	"move": {
		edxml.Text{VI: "Trạng thái của văn bản không cho phép việc này.", EN: "The document's state does not allow this."},
		edxml.Text{VI: "Xem vì sao nó ở đây (why).", EN: "See why it is where it is (why)."},
	},
	"status-order": {
		edxml.Text{VI: "Trạng thái này không thể đi sau trạng thái đã báo.", EN: "This status cannot follow what was reported before."},
		edxml.Text{VI: "Xem các trạng thái đã báo; sau 02 và 15 không báo thêm được.", EN: "Look at the statuses so far; nothing follows 02 and 15."},
	},
	"new-receivers": {
		edxml.Text{VI: "Văn bản này đã được gửi, và nay có thêm nơi nhận.", EN: "This document was accepted before, and now names further receivers."},
		edxml.Text{VI: "Thêm nơi nhận bằng văn bản cập nhật (BussinessDocType 2).", EN: "Add receivers by an update (BussinessDocType 2)."},
	},
	"disk-low": {
		edxml.Text{VI: "Ổ đĩa của nút gần đầy nên tạm ngừng nhận.", EN: "The node's disk is nearly full, so it takes nothing in."},
		edxml.Text{VI: "Dọn chỗ trống trên ổ đĩa, rồi gửi lại.", EN: "Make space on the disk, then submit again."},
	},
	"axis": {
		edxml.Text{VI: "Trục từ chối, hoặc không liên lạc được.", EN: "The axis refused, or was not reached."},
		edxml.Text{VI: "Xem detail; GET /v1/link cho biết tình trạng của trục.", EN: "See detail; GET /v1/link tells how the axis is doing."},
	},
	"withdrawn": {
		edxml.Text{VI: "Nơi gửi đã thu hồi văn bản này.", EN: "The sender took this document back."},
		edxml.Text{VI: "Không cung cấp nội dung nữa; hủy bản đã lấy về, nếu có.", EN: "Its content is not handed out any more; destroy any copy that was taken."},
	},
	"no-actor": {
		edxml.Text{VI: "Thiếu tên người yêu cầu.", EN: "The name of who asks for it is missing."},
		edxml.Text{VI: "Ghi actor.", EN: "Give an actor."},
	},
	"busy": {
		edxml.Text{VI: "Nút đang nhận quá nhiều gói tin cùng lúc.", EN: "The node takes in too many packets at once."},
		edxml.Text{VI: "Chờ theo Retry-After rồi gửi lại; chưa có gì được nhận.", EN: "Wait as Retry-After says, then submit again; nothing was accepted."},
	},
	"held": {
		edxml.Text{VI: "Hệ thống khác đang giữ văn bản này.", EN: "Somebody else holds this document."},
		edxml.Text{VI: "Dùng lease của lần lấy gần nhất, hoặc chờ hết hạn giữ.", EN: "Use the lease of the latest taking, or wait until it ends."},
	},
	"taken": {
		edxml.Text{VI: "Văn bản này đã được lấy xong.", EN: "This document was taken before."},
		edxml.Text{VI: "Không cần làm gì; nội dung vẫn đọc được trong inbox.", EN: "Nothing is to be done; it can still be read in the inbox."},
	},
	"too-large": {
		edxml.Text{VI: "Nội dung gửi lên quá lớn.", EN: "The body is too large."},
		edxml.Text{VI: "Giảm dung lượng, hoặc nâng max_body trong mục [api].", EN: "Send less, or raise max_body under [api]."},
	},
	"incomplete": {
		edxml.Text{VI: "Thiếu thông tin bắt buộc.", EN: "Something required is missing."},
		edxml.Text{VI: "Bổ sung các trường nêu trong detail.", EN: "Add the fields that detail names."},
	},
	"file-name": {
		edxml.Text{VI: "Tên tệp không dùng được.", EN: "A file name cannot be used."},
		edxml.Text{VI: "Chỉ gửi tên tệp, không có đường dẫn hay ký tự điều khiển.", EN: "Send the bare name, without a path or control characters."},
	},
	"bad-request": {
		edxml.Text{VI: "Yêu cầu sai dạng.", EN: "The request is not well-formed."},
		edxml.Text{VI: "So với /openapi.json.", EN: "Compare it with /openapi.json."},
	},
	"no-route": {
		edxml.Text{VI: "Không có đường dẫn này.", EN: "There is no such route."},
		edxml.Text{VI: "Xem /openapi.json.", EN: "See /openapi.json."},
	},
	"method": {
		edxml.Text{VI: "Đường dẫn này không nhận phương thức đó.", EN: "This route does not take that method."},
		edxml.Text{VI: "Xem /openapi.json.", EN: "See /openapi.json."},
	},
	"unauthorized": {
		edxml.Text{VI: "Thiếu token, hoặc token sai, hết hạn hay đã thu hồi.", EN: "The token is missing, wrong, expired or revoked."},
		edxml.Text{VI: "Gửi Authorization: Bearer TOKEN; tạo bằng lienthong token create.", EN: "Send Authorization: Bearer TOKEN; make one with lienthong token create."},
	},
	"forbidden": {
		edxml.Text{VI: "Token không có quyền này.", EN: "The token lacks the scope for this."},
		edxml.Text{VI: "Tạo token có quyền nêu trong detail (lienthong token create --scope).", EN: "Make a token with the scope that detail names (lienthong token create --scope)."},
	},
	"rate": {
		edxml.Text{VI: "Gọi quá nhanh.", EN: "Too many requests."},
		edxml.Text{VI: "Chờ theo Retry-After rồi gọi lại.", EN: "Wait as Retry-After says, then try again."},
	},
	"disk-full": {
		edxml.Text{VI: "Đĩa của nút đã đầy.", EN: "The node's disk is full."},
		edxml.Text{VI: "Giải phóng dung lượng rồi gửi lại; những gì đã nhận vẫn còn nguyên.", EN: "Free some space and send it again; what was accepted is intact."},
	},
	"gone": {
		edxml.Text{VI: "Bên gọi đã ngắt kết nối trước khi có trả lời.", EN: "The caller went away before there was an answer."},
		edxml.Text{VI: "Gọi lại; dùng Idempotency-Key để không bị trùng.", EN: "Ask again; an Idempotency-Key keeps it from being doubled."},
	},
	"cut-off": {
		edxml.Text{VI: "Nội dung gửi lên bị ngắt giữa chừng; không có gì được nhận.", EN: "The upload was cut off; nothing was accepted."},
		edxml.Text{VI: "Gửi lại; dùng Idempotency-Key để không bị trùng.", EN: "Send it again; an Idempotency-Key keeps it from being doubled."},
	},
	"stalled": {
		edxml.Text{VI: "Nội dung gửi lên dừng quá lâu; không có gì được nhận.", EN: "The upload stood still for too long; nothing was accepted."},
		edxml.Text{VI: "Kiểm tra mạng rồi gửi lại; dùng Idempotency-Key để không bị trùng.", EN: "Look at the network and send it again; an Idempotency-Key keeps it from being doubled."},
	},
	"failed": {
		edxml.Text{VI: "Nút gặp lỗi.", EN: "The node failed."},
		edxml.Text{VI: "Xem nhật ký của nút; gửi lại sau.", EN: "See the node's log; try again later."},
	},
}

var (
	limitText = struct{ message, remedy edxml.Text }{
		edxml.Text{VI: "Gói tin vượt giới hạn.", EN: "The packet exceeds a limit."},
		edxml.Text{VI: "detail nêu giới hạn; giảm cho vừa.", EN: "detail names the limit; stay below it."},
	}
	mimeText = struct{ message, remedy edxml.Text }{
		edxml.Text{VI: "Khung MIME của gói tin sai.", EN: "The packet's MIME framing is wrong."},
		edxml.Text{
			VI: "Tệp gói tin SOAP gồm dòng Content-Type: multipart/related; …, một dòng trống, rồi các phần.",
			EN: "A SOAP packet file is the line Content-Type: multipart/related; …, an empty line, then the parts.",
		},
	}
	signatureText = struct{ message, remedy edxml.Text }{
		edxml.Text{VI: "Không ký được gói tin này.", EN: "This packet cannot be signed."},
		edxml.Text{VI: "Sửa gói tin theo detail rồi gửi lại.", EN: "Mend the packet as detail says and send it again."},
	}
)
