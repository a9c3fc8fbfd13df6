package vxp

import (
	"net/http"
	"net/url"
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
