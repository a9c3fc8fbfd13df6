package main

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"time"

	"github.com/lienthong/lienthong/transport"
)

// insecureDate asks an axis whose certificate was refused for the time, without
// checking who it is. Nothing secret is sent and nothing but the Date is
// believed, and that only to say that a clock may be wrong.
func insecureDate(ctx context.Context, u *url.URL) (time.Duration, time.Time) {
	clock := &transport.Clock{}
	bare := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}, DisableKeepAlives: true} //nolint:gosec // said above
	client := &http.Client{Transport: clock.Watch(bare), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, u.Scheme+"://"+u.Host+"/", nil)
	if err != nil {
		return 0, time.Time{}
	}
	if resp, err := client.Do(req); err == nil {
		resp.Body.Close()
	}
	return clock.Offset()
}
