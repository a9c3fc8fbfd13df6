package console

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
)

// BenchmarkPages measures whole pages over HTTP with many records in the store
// beside the same pages with 1,000, in turns: 100,000, or what
// LIENTHONG_BENCH_RECORDS says. What counts is the 99th percentile, in ms.
func BenchmarkPages(b *testing.B) {
	many := 100_000
	if v := os.Getenv("LIENTHONG_BENCH_RECORDS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			b.Fatal(err)
		}
		many = n
	}
	big, small := filledPages(b, many), filledPages(b, 1000)
	for _, page := range []struct{ name, path string }{
		{"list", "/console/out"},
		{"word", "/console/out?q=ngh"},
		{"two words", "/console/out?q=" + url.QueryEscape("nghị triển")},
		{"code", "/console/out?q=" + url.QueryEscape("7/VPCP")},
		{"agency", "/console/out?q=quyet&agency=" + url.QueryEscape("nghệ an")},
		{"old page", "/console/out?to=2026-03-01"},
		{"failed", "/console/out?state=failed"},
		{"document", ""},
		{"overview", "/console/"},
	} {
		b.Run(page.name, func(b *testing.B) {
			var ours, floor []time.Duration
			for b.Loop() {
				for range 20 {
					ours = append(ours, big.time(b, page.path))
					floor = append(floor, small.time(b, page.path))
				}
			}
			o, f := percentile(ours, 0.99), percentile(floor, 0.99)
			b.ReportMetric(o.Seconds()*1000, "ours-p99-ms")
			b.ReportMetric(f.Seconds()*1000, "floor-p99-ms")
			b.ReportMetric(o.Seconds()/f.Seconds(), "ratio")
			b.ReportMetric(percentile(ours, 0.5).Seconds()/percentile(floor, 0.5).Seconds(), "ratio-p50")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func percentile(all []time.Duration, share float64) time.Duration {
	slices.Sort(all)
	return all[min(len(all)-1, int(float64(len(all))*share))]
}

// pagesOf is a server of pages with somebody logged in.
type pagesOf struct {
	url, cookie, some string
}

func (p *pagesOf) time(b *testing.B, path string) time.Duration {
	b.Helper()
	if path == "" {
		path = "/console/out/" + p.some
	}
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Cookie", p.cookie)
	w := httptest.NewRecorder()
	began := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	_, err = w.Body.ReadFrom(resp.Body)
	took := time.Since(began)
	if err != nil || resp.StatusCode != http.StatusOK || strings.Contains(w.Body.String(), `class="empty"`) {
		b.Fatalf("%s: %v, %s\n%s", path, err, resp.Status, w.Body)
	}
	return took
}

// filledPages are the pages of a node with n Documents, all in the word index.
func filledPages(b *testing.B, n int) *pagesOf {
	b.Helper()
	s, err := boltstore.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	nd, err := node.New(node.Config{Organ: edxml.Organ{OrganID: "G22", OrganName: "Văn phòng Chính phủ"}, Store: s})
	if err != nil {
		b.Fatal(err)
	}
	p := &pagesOf{}
	agencies := [][2]string{{"H41", "UBND tỉnh Nghệ An"}, {"H29", "UBND Thành phố Hồ Chí Minh"}, {"G12", "Bộ Tài chính"}}
	kinds := []string{"Nghị quyết triển khai nhiệm vụ", "Quyết định phê duyệt kế hoạch", "Công văn về việc thực hiện nghị định"}
	begin := time.Date(2026, 1, 5, 1, 0, 0, 0, time.UTC)
	step := 300 * 24 * time.Hour / time.Duration(n)
	const some = 1000
	for at := 0; at < n; at += some {
		var all []*node.Transfer
		for i := at; i < min(at+some, n); i++ {
			when := begin.Add(step * time.Duration(i))
			to := agencies[i%3]
			t := &node.Transfer{
				ID: idAt(when)[:24] + fmt.Sprintf("%012x", i), Direction: node.Out, Kind: edxml.KindDocument, DocType: edxml.New, State: node.Sent,
				Created: when, Finished: when.Add(time.Minute), From: "G22", FromName: "Văn phòng Chính phủ", Code: fmt.Sprintf("%d/VPCP-TH", i),
				Subject: kinds[i%len(kinds)] + " năm 2026", DocumentID: fmt.Sprintf("G22,2026/03/02,%d/VPCP-TH", i), PromulgationDate: edxml.DateOf(when),
				Receivers: []node.Receiver{{OrganID: to[0], OrganName: to[1], Code: edxml.StatusArrived, Events: []node.Event{{Code: edxml.StatusArrived, At: when}}}},
			}
			if i%(n/100) == 0 {
				t.State = node.Failed
			}
			p.some = t.ID
			all = append(all, t)
		}
		if err := nd.Store.Create(context.Background(), all...); err != nil {
			b.Fatal(err)
		}
	}
	settle(b, s)
	a := &Account{ID: "a", Name: "token Làm", Operator: true}
	who := func(context.Context, string) (*Account, error) { return a, nil }
	c, err := New(nd, Options{Enter: who, Account: who})
	if err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewServer(c)
	b.Cleanup(srv.Close)
	p.url = srv.URL
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(p.url+"/console/login", url.Values{"token": {"x"}})
	if err != nil {
		b.Fatal(err)
	}
	resp.Body.Close()
	p.cookie = resp.Cookies()[0].Name + "=" + resp.Cookies()[0].Value
	return p
}

// settle waits until the store has indexed everything: a search for what is
// nowhere looks at all that is not indexed yet, and costs nothing after that.
func settle(b *testing.B, s *boltstore.Store) {
	b.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for quick := 0; quick < 5; <-tick.C {
		began := time.Now()
		if _, err := s.Search(b.Context(), node.Out, []string{"qqqq"}, "", 1); err != nil {
			b.Fatal(err)
		}
		if quick++; time.Since(began) > 500*time.Microsecond {
			quick = 0
		}
	}
}
