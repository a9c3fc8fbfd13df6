package main

import (
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
)

// exampleKinds are the values of build --example.
func exampleKinds() []string { return []string{"new", "recall", "update", "replace", "status"} }

// example prints a header file that builds as it stands, dated today.
func (p *program) example(c *cli.Context) error {
	kind := c.String("example")
	if !slices.Contains(exampleKinds(), kind) {
		names := strings.Join(exampleKinds(), ", ")
		return usageError{edxml.Text{
			VI: fmt.Sprintf("--example %q: chỉ có %s", kind, names), EN: fmt.Sprintf("--example %q: it is one of %s", kind, names),
		}, c.Command.HelpName}
	}
	now := time.Now()
	return exampleTemplate.Execute(p.out, map[string]any{
		"VI": p.lang == "vi", "Kind": kind, "Day": edxml.DateOf(now), "Now": edxml.TimestampOf(now), "Due": edxml.DateOf(now.AddDate(0, 0, 14)),
	})
}

var exampleTemplate = template.Must(template.New("example").Parse(`
{{- define "head"}}# {{if .VI}}Tệp khai báo cho lienthong build. Ngày viết yyyy/MM/dd, giờ theo giờ Việt Nam.
# Dùng: lienthong build --from TỆP_NÀY --attach VĂN_BẢN.pdf -o GÓI_TIN.edxml{{else}}Header file for lienthong build. Dates are yyyy/MM/dd, times are Vietnam's.
# Use: lienthong build --from THIS_FILE --attach DOCUMENT.pdf -o PACKET.edxml{{end}}
{{end -}}
{{define "status"}}{{template "head" .}}kind = "status"

# {{if .VI}}01 đã đến, 02 từ chối, 03 đã tiếp nhận, 04 phân công, 05 đang xử lý, 06 hoàn thành,
# 13 lấy lại, 15 đồng ý lấy lại, 16 từ chối lấy lại{{else}}01 arrived, 02 refused, 03 accepted, 04 assigned, 05 in process, 06 done,
# 13 take-back asked, 15 take-back agreed, 16 take-back denied{{end}}
statusCode = "03"
# {{if .VI}}Bắt buộc có lý do với 02, 13 và 16; tối đa 500 ký tự.{{else}}The reason, required with 02, 13 and 16; 500 characters at most.{{end}}
description = "Đã tiếp nhận văn bản"
timestamp = "{{.Now}}"

# {{if .VI}}Cơ quan gửi trạng thái.{{else}}The agency that reports the status.{{end}}
[from]
organId = "H26"
organName = "UBND thành phố Hà Nội"

# {{if .VI}}Văn bản mà trạng thái nói về: cơ quan đã gửi, số/ký hiệu, mã văn bản, ngày ban hành.{{else}}The document it is about: who sent it, number/notation, DocumentId, promulgation date.{{end}}
[[responseFor]]
organId = "G09"
code = "12/BNV-VP"
documentId = "G09,{{.Day}},12/BNV-VP"
promulgationDate = "{{.Day}}"

[staffInfo]
department = "Văn thư"
staff = "Nguyễn Thị Mẫu"
email = "vanthu@example.gov.vn"
{{end -}}
{{define "business"}}
# {{if .VI}}Gói tin làm gì: 0 văn bản mới, 1 thu hồi, 2 cập nhật, 3 thay thế.{{else}}What the packet does: 0 new, 1 recall, 2 update, 3 replacement.{{end}}
[business]
{{if eq .Kind "new"}}docType = 0
{{else if eq .Kind "recall"}}docType = 1
docReason = "Phát hành nhầm"
{{else if eq .Kind "update"}}docType = 2
docReason = "Bổ sung nơi nhận"
# {{if .VI}}Văn bản được cập nhật; 1 nếu thông tin văn bản đổi; 1 nếu danh sách nơi nhận đổi.{{else}}The document that is updated; 1 if its data change; 1 if its receivers change.{{end}}
documentId = "G09,{{.Day}},12/BNV-VP"
documentInfo = 0
documentReceiver = 1
{{else}}docType = 3
docReason = "Sai nội dung mục 2"
{{end}}# {{if .VI}}1 nếu bản giấy sẽ được gửi sau.{{else}}1 if a paper copy follows.{{end}}
paper = 0
{{if eq .Kind "update"}}
# {{if .VI}}Mỗi thay đổi nơi nhận: 0 bỏ, 1 thêm.{{else}}Each change of a receiver: 0 removed, 1 added.{{end}}
[[business.receivers]]
organId = "H26"
receiverType = 1
{{else if eq .Kind "replace"}}
# {{if .VI}}Văn bản bị thay thế, và thay thế đối với những cơ quan nào.{{else}}The document that is replaced, and for which agencies.{{end}}
[[business.replacements]]
documentId = "G09,{{.Day}},11/BNV-VP"
organIds = ["H26"]
{{end}}
[business.staffInfo]
department = "Văn phòng"
staff = "Trần Văn Mẫu"
mobile = "0900000000"
email = "vanphong@example.gov.vn"
{{end -}}
{{define "document"}}{{template "head" .}}kind = "document"

# {{if .VI}}Mã văn bản: mã cơ quan,ngày ban hành,số/ký hiệu.{{if eq .Kind "recall"}} Khi thu hồi: mã của chính văn bản bị thu hồi.{{end}}{{else}}DocumentId: identifier of the agency,promulgation date,number/notation.{{if eq .Kind "recall"}} In a recall, that of the document itself.{{end}}{{end}}
documentId = "G09,{{.Day}},12/BNV-VP"
# {{if .VI}}Trích yếu, và nội dung tóm tắt nếu có.{{else}}What it is about, and a summary if there is one.{{end}}
subject = "Mời họp triển khai liên thông văn bản điện tử"
content = "Họp trực tuyến, 8 giờ 30"
# {{if .VI}}Hạn trả lời.{{else}}An answer is due by.{{end}}
dueDate = "{{.Due}}"
# {{if .VI}}Nơi nhận như ghi trên văn bản.{{else}}The receivers as printed on the document.{{end}}
toPlaces = ["Như trên", "Lưu: VT"]

# {{if .VI}}Nơi gửi. Mã định danh theo QĐ 20/2020; tra bằng lienthong organ.{{else}}The sender. Identifiers follow QĐ 20/2020; look them up with lienthong organ.{{end}}
[from]
organId = "G09"
organizationInCharge = "Chính phủ"
organName = "Bộ Nội vụ"
organAdd = "Số 1, phố Ví Dụ, Hà Nội"
email = "vanthu@example.gov.vn"
telephone = "02400000000"
fax = "02400000001"
website = "https://example.gov.vn"

# {{if .VI}}Nơi nhận; thêm một khối [[to]] cho mỗi cơ quan.{{else}}A receiver; one more block [[to]] for each agency.{{end}}
[[to]]
organId = "H26"
organName = "UBND thành phố Hà Nội"

[code]
codeNumber = "12"
codeNotation = "BNV-VP"

[promulgationInfo]
place = "Hà Nội"
promulgationDate = "{{.Day}}"

[documentType]
type = 1
typeDetail = 0
typeName = "Công văn"

# {{if .VI}}Người ký bản gốc; competence là quyền hạn: TM., KT., TL., TUQ.{{else}}Who signed the original; competence is in whose name: TM., KT., TL., TUQ.{{end}}
[signerInfo]
competence = "TL. BỘ TRƯỞNG"
position = "Chánh Văn phòng"
fullName = "Lê Văn Mẫu"

[otherInfo]
# {{if .VI}}0 thường, 1 khẩn, 2 thượng khẩn, 3 hỏa tốc, 4 hỏa tốc hẹn giờ{{else}}0 normal, 1 urgent, 2 very urgent, 3 express, 4 express at a set hour{{end}}
priority = 0
typerNotation = "LVM"
promulgationAmount = 2
pageAmount = 1
appendixes = ["Chương trình họp"]
{{if eq .Kind "recall"}}
# {{if .VI}}Văn bản bị thu hồi.{{else}}The document that is recalled.{{end}}
[[responseFor]]
organId = "G09"
code = "12/BNV-VP"
documentId = "G09,{{.Day}},12/BNV-VP"
promulgationDate = "{{.Day}}"
{{end}}
# {{if .VI}}Hệ thống của nơi gửi, và lúc gửi.{{else}}The sender's system, and when it sent.{{end}}
[[traceHeaders]]
organId = "G09"
timestamp = "{{.Now}}"
{{template "business" .}}{{end -}}
{{if eq .Kind "status"}}{{template "status" .}}{{else}}{{template "document" .}}{{end}}`))
