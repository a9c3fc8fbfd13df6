package console

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// TestManyReceivers: of 4,000 a page counts all and lists the first, those that
// refused and those that are silent in front; all at a click.
func TestManyReceivers(t *testing.T) {
	h := openHouse(t, Options{})
	x := h.document(node.Out, node.Sent, 1, func(t *node.Transfer) {
		t.Receivers = nil
		for i := range 4000 {
			r := node.Receiver{OrganID: fmt.Sprintf("H41.%04d", i), Code: edxml.StatusArrived, Events: []node.Event{{Code: edxml.StatusArrived, At: t.Created}}}
			switch i {
			case 3000:
				r.Code = edxml.StatusRefused
			case 3500, 3600:
				r.Code, r.Events = "", nil
			}
			t.Receivers = append(t.Receivers, r)
		}
	})
	v := h.enter("lt_look")
	for path, want := range map[string]int{"": shownReceivers, "?receivers=all": 4000} {
		resp, body := v.get("/console/out/" + x.ID + path)
		if got := strings.Count(body, `<article class="receiver">`); resp.StatusCode != http.StatusOK || got != want || strings.Contains(body, `href="?receivers=all"`) != (path == "") {
			t.Errorf("%q: %s, %d receivers", path, resp.Status, got)
		}
		for _, text := range []string{"(4.000)", "01 đã đến: 3.997", "02 từ chối tiếp nhận: 1", "chưa phản hồi: 2"} {
			if !strings.Contains(body, text) {
				t.Errorf("%q lacks %q", path, text)
			}
		}
		_, list, _ := strings.Cut(body, `<article`)
		a, b, c := strings.Index(list, "H41.3000"), strings.Index(list, "H41.3600"), strings.Index(list, "H41.0000")
		if a < 0 || b < a || c < b {
			t.Errorf("%q: the order is %d %d %d", path, a, b, c)
		}
	}
}

// TestLongTexts: a text of 5,000 characters is cut in lists, and whole on the
// page of its Document.
func TestLongTexts(t *testing.T) {
	h := openHouse(t, Options{})
	words, block := strings.TrimSpace(strings.Repeat("về việc ", 625)), strings.Repeat("Ệ", 5000)
	for i, subject := range []string{words, block} {
		x := h.document(node.Out, node.Sent, i+1, func(t *node.Transfer) { t.Subject = subject })
		v := h.enter("lt_look")
		for _, path := range []string{"/console/", "/console/out"} {
			if _, body := v.get(path); strings.Contains(body, subject) || !strings.Contains(body, subject[:300]) {
				t.Errorf("%s shows another subject", path)
			}
		}
		if _, body := v.get("/console/out/" + x.ID); strings.Count(body, subject) != 1 || !strings.Contains(body, "Toàn văn trích yếu") {
			t.Error("the page of the document does not have the whole subject once")
		}
	}
	for text, want := range map[string]string{"": "", "ngắn": "ngắn", words: words[:strings.LastIndex(string([]rune(words)[:briefly]), " ")] + " …", block: strings.Repeat("Ệ", briefly) + " …"} {
		if got := brief(text); got != want {
			t.Errorf("%.20s… became %q, want %q", text, got, want)
		}
	}
}
