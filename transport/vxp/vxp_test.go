package vxp

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestAsks tells this wire from others at one door.
func TestAsks(t *testing.T) {
	for target, asks := range map[string]bool{
		"/sendEdoc": true, "//sendEdoc": true, "/axis/vxp/getEdoc": true, "/downloadEdoc": true,
		"/": false, "/edoc": false, "/sendEdoc/": false, "/sendedoc": false, "/SendDocument": false,
	} {
		if got := Asks(&http.Request{URL: &url.URL{Path: target}}); got != asks {
			t.Errorf("%s: %v, want %v", target, got, asks)
		}
	}
}

// TestPlain writes Vietnamese as the axis does.
func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"Đơn vị gửi không đúng với mã đã đăng ký": "Don vi gui khong dung voi ma da dang ky",
		"ƯỜNG …\nTiê\u0301ng – 文":                 "UONG ... Tieng - ?",
		"plain":                                   "plain",
	} {
		if got := plain(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	var all strings.Builder
	for _, l := range letters {
		all.WriteString(l.marked)
	}
	if strings.Contains(plain(all.String()), "?") {
		t.Error("a letter has no bare form")
	}
}
