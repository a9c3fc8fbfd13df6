package node

import (
	"fmt"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// advices says what to do, by what the last error is about.
var advices = map[Cause]edxml.Text{
	CauseUnreached: {
		VI: "kiểm tra mạng và địa chỉ trục",
		EN: "check the network and the axis's address",
	},
	CauseCredential: {
		VI: "kiểm tra organ và token trong mục [axis] của cấu hình; xin lại token ở đơn vị quản lý trục",
		EN: "check organ and token under [axis] in the configuration; ask whoever runs the axis for a new token",
	},
	CauseReceiver: {
		VI: "sửa mã định danh nơi nhận theo danh bạ của trục rồi gửi lại",
		EN: "correct the receiver's identifier by the axis's directory and submit it again",
	},
	CauseCertificate: {
		VI: "kiểm tra chứng thư TLS của trục và chuỗi tin cậy trên máy này (lienthong cert show)",
		EN: "check the axis's TLS certificate and what this machine trusts (lienthong cert show)",
	},
	CauseExpired: {
		VI: "chứng thư TLS đã hết hạn hoặc chưa có hiệu lực: gia hạn nếu là của mình, báo đơn vị quản lý trục nếu là của trục",
		EN: "a TLS certificate has expired or is not valid yet: renew it if it is ours, tell whoever runs the axis if it is theirs",
	},
	CauseClock: {
		VI: "chỉnh lại đồng hồ của máy này (đồng bộ NTP); chứng thư không có lỗi",
		EN: "set this machine's clock right (synchronise by NTP); there is nothing wrong with the certificate",
	},
	CauseOversize: {
		VI: "gói tin lớn hơn mức cho phép: giảm dung lượng hoặc tách tệp đính kèm thành nhiều văn bản, hoặc xin nâng giới hạn ở trục và proxy",
		EN: "the packet is larger than allowed: make the attachments smaller or split them over several documents, or have the limit raised at the axis and any proxy",
	},
	CauseSpace: {
		VI: "ổ đĩa gần đầy: dọn chỗ trống",
		EN: "the disk is nearly full: make space",
	},
	CauseSink: {
		VI: "kiểm tra hệ thống văn bản hoặc nơi giao trong mục [sink]",
		EN: "check the document system, or the place under [sink]",
	},
	CauseRefused: {
		VI: "sửa văn bản theo lỗi của trục rồi gửi lại",
		EN: "mend the document as the axis says and submit it again",
	},
	CauseAxis: {
		VI: "chờ; nếu kéo dài, báo đơn vị quản lý trục mã lỗi này",
		EN: "wait; if it goes on, tell whoever runs the axis this code",
	},
	CauseNoAxis: {
		VI: "ghi địa chỉ trục vào mục [axis] của cấu hình rồi chạy lại nút",
		EN: "write the axis's address under [axis] in the configuration and start the node again",
	},
}

// advice says what to do about a Transfer that does not get on.
func advice(t *Transfer, l Link) edxml.Text {
	cause := t.Cause
	switch {
	case cause == "" && l.Credential:
		cause = CauseCredential
	case cause == "":
		cause = CauseUnreached
	case cause == CauseExpired && l.Offset.Abs() >= skew:
		cause = CauseClock
	}
	a := advices[cause]
	if cause == CauseClock && l.Offset != 0 {
		d := l.Offset.Abs().Round(time.Second)
		if d > time.Hour {
			d = d.Round(time.Minute)
		}
		vi, en := "chậm", "slow"
		if l.Offset < 0 {
			vi, en = "nhanh", "fast"
		}
		a.VI = fmt.Sprintf("đồng hồ của máy này %s %s so với trục: %s", vi, d, a.VI)
		a.EN = fmt.Sprintf("this machine's clock is %s %s against the axis's: %s", d, en, a.EN)
	}
	if t.State == Failed && (cause == CauseUnreached || cause == CauseCredential || cause == CauseCertificate || cause == CauseExpired || cause == CauseClock || cause == CauseAxis) {
		a.VI += "; rồi: lienthong outbox retry " + t.ID
		a.EN += "; then: lienthong outbox retry " + t.ID
	}
	return a
}
