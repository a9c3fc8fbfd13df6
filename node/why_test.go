package node_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// TestWhy says where a Transfer stands, one line per situation.
func TestWhy(t *testing.T) {
	now := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)
	attempt := func(code, err string) []node.Attempt { return []node.Attempt{{Step: "send", Code: code, Error: err}} }
	for _, c := range []struct {
		name   string
		x      node.Transfer
		vi, en []string
		not    string // in neither
	}{
		{"queued, no node", node.Transfer{Direction: node.Out, State: node.Queued, Due: now},
			[]string{"chờ gửi lên trục từ 09:00:00 02/03/2026", "ngay khi nút chạy"}, []string{"waiting to send it to the axis since 09:00:00 02/03/2026", "as soon as the node runs"}, "Cần làm"},
		{"in work", node.Transfer{Direction: node.Out, State: node.Queued, Due: now, LeasedUntil: now.Add(time.Second)},
			[]string{"Đang được xử lý"}, []string{"worked on right now"}, "ngay khi"},
		{"axis down", node.Transfer{Direction: node.Out, State: node.Queued, Due: now.Add(90 * time.Second), Tries: 4, LastError: "connection refused", Cause: node.CauseUnreached, Attempts: attempt("", "connection refused")},
			[]string{"Đã thử 4 lần", "connection refused", "sau 1m30s", "kiểm tra mạng"}, []string{"Tried 4 times", "connection refused", "in 1m30s", "check the network"}, "Permission"},
		{"wrong token", node.Transfer{Direction: node.Out, State: node.Failed, Tries: 1, Permanent: true, Cause: node.CauseCredential, LastError: "no", Attempts: attempt("Permission", "no")},
			[]string{"Đã dừng gửi sau 1 lần", "token"}, []string{"Given up after 1 attempts", "new token"}, "mend"},
		{"unknown receiver", node.Transfer{Direction: node.Out, State: node.Failed, Tries: 1, Permanent: true, Cause: node.CauseReceiver, LastError: `the axis knows no receiver "X99"`, Attempts: attempt("M.UnknownReceiver", "no")},
			[]string{"X99", "mã định danh nơi nhận"}, []string{"X99", "receiver's identifier"}, "token"},
		{"permanent", node.Transfer{Direction: node.Out, State: node.Failed, Tries: 1, Permanent: true, Cause: node.CauseRefused, LastError: "thiếu Subject", Attempts: attempt("N.Subject", "no")},
			[]string{"thiếu Subject", "sửa văn bản"}, []string{"thiếu Subject", "mend the document"}, "token"},
		{"temporary refusal", node.Transfer{Direction: node.Out, State: node.Queued, Due: now.Add(time.Minute), Tries: 2, Cause: node.CauseAxis, LastError: "đầy", Attempts: attempt("M.Save", "đầy")},
			[]string{"nếu kéo dài"}, []string{"if it goes on"}, "kiểm tra mạng"},
		{"sent, waiting", node.Transfer{Direction: node.Out, State: node.Sent, AxisID: "77", Receivers: []node.Receiver{{OrganID: "H41"}}},
			[]string{"số 77", "H41: chưa có phản hồi"}, []string{"number 77", "H41: no answer yet"}, "Cần làm"},
		{"sent, answered", node.Transfer{Direction: node.Out, State: node.Sent, AxisID: "77", Receivers: []node.Receiver{{OrganID: "H41", Code: "06", Events: []node.Event{{Code: "01", At: now}, {Code: "06", At: now.Add(time.Hour)}}}, {OrganID: "H53"}}},
			[]string{"H41: 06 ", "lúc 10:00:00 02/03/2026", "H53: chưa"}, []string{"H41: 06 ", "at 10:00:00 02/03/2026", "H53: no answer"}, "01"},
		{"sent to many", node.Transfer{Direction: node.Out, State: node.Sent, AxisID: "77", Receivers: crowd(4000)},
			[]string{"số 77", "01 đã đến: 3960", "02 từ chối tiếp nhận: 20", "chưa có phản hồi: 20", "bị từ chối bởi X1, X201"}, []string{"no answer yet: 20", "refused by X1, X201"}, "X7"},
		{"rejected", node.Transfer{Direction: node.In, State: node.Rejected, Refusal: "thiếu tệp"},
			[]string{"bị từ chối: thiếu tệp", "bằng chứng"}, []string{"rejected: thiếu tệp", "evidence"}, "accept"},
		{"confirmed", node.Transfer{Direction: node.In, State: node.Confirmed, ID: "id-1"},
			[]string{"trục đã biết", "id-1"}, []string{"the axis knows", "id-1"}, "Next"},
		{"listed", node.Transfer{Direction: node.In, State: node.Listed, Due: now}, []string{"Trục đang giữ"}, []string{"The axis holds it"}, "Cần làm"},
		{"fetched", node.Transfer{Direction: node.In, State: node.Fetched, Due: now}, []string{"chờ kiểm tra chữ ký"}, []string{"signature to be judged"}, "Cần làm"},
		{"verified", node.Transfer{Direction: node.In, State: node.Verified, Due: now}, []string{"hệ thống văn bản"}, []string{"document system"}, "Cần làm"},
		{"delivered", node.Transfer{Direction: node.In, State: node.Delivered, Due: now}, []string{"chờ báo cho trục"}, []string{"tell the axis"}, "Cần làm"},
	} {
		c.x.Created = now
		got := node.Why(&c.x, node.Link{}, now)
		for _, want := range c.vi {
			if !strings.Contains(got.VI, want) {
				t.Errorf("%s: %q is not in %s", c.name, want, got.VI)
			}
		}
		for _, want := range c.en {
			if !strings.Contains(got.EN, want) {
				t.Errorf("%s: %q is not in %s", c.name, want, got.EN)
			}
		}
		if strings.Contains(strings.ReplaceAll(got.VI+got.EN, "02/03", ""), c.not) && c.name != "sent, answered" {
			t.Errorf("%s: says %q: %+v", c.name, c.not, got)
		}
		if c.name == "sent, answered" && strings.Contains(got.VI, "H41: 01") {
			t.Errorf("an older status is given: %s", got.VI)
		}
	}
}

// crowd is many receivers: of 200 one is silent and one refuses.
func crowd(n int) []node.Receiver {
	var all []node.Receiver
	for i := range n {
		r := node.Receiver{OrganID: fmt.Sprint("X", i), Code: edxml.StatusArrived, Events: []node.Event{{Code: edxml.StatusArrived}}}
		switch i % 200 {
		case 0:
			r.Code, r.Events = "", nil
		case 1:
			r.Code = edxml.StatusRefused
			r.Events = append(r.Events, node.Event{Code: edxml.StatusRefused})
		}
		all = append(all, r)
	}
	return all
}
