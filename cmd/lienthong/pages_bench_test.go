package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
)

// BenchmarkPages asks a node for pages and for lists of its REST door, over
// HTTP and with all that stands in front of them, with many records in the
// store and with 1,000, in turns: 100,000, or what LIENTHONG_BENCH_RECORDS
// says (make bench-pages: 1,000,000). What counts is the 99th percentile, in
// ms. LIENTHONG_BENCH_STORE names a folder in which the filled stores stay for
// the next time: filling is what takes long.
func BenchmarkPages(b *testing.B) {
	many := 100_000
	if v := os.Getenv("LIENTHONG_BENCH_RECORDS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			b.Fatal(err)
		}
		many = n
	}
	big, small := openFilled(b, many), openFilled(b, 1000)
	word := url.Values{"q": {"ngh"}}.Encode()
	for _, page := range []struct{ name, path string }{
		{"page/list", "/console/out"},
		{"page/word", "/console/out?" + word},
		{"page/two words", "/console/out?q=" + url.QueryEscape("nghị triển")},
		{"page/code", "/console/out?q=" + url.QueryEscape("7/VPCP")},
		{"page/agency", "/console/out?q=quyet&agency=" + url.QueryEscape("nghệ an")},
		{"page/old", "/console/out?to=2026-03-01"},
		{"page/failed", "/console/out?state=failed"},
		{"page/document", "/console/out/" + someRecord},
		{"page/overview", "/console/"},
		{"rest/list", "/v1/outbox"},
		{"rest/word", "/v1/outbox?" + word},
		{"rest/two words", "/v1/outbox?q=" + url.QueryEscape("nghị triển")},
		{"rest/code", "/v1/outbox?q=" + url.QueryEscape("7/VPCP")},
		{"rest/old", "/v1/outbox?before=" + benchID(benchBegin.AddDate(0, 3, 0), 0)},
		{"rest/document", "/v1/outbox/" + someRecord},
	} {
		b.Run(page.name, func(b *testing.B) {
			var ours, floor []time.Duration
			for b.Loop() {
				for range 500 {
					ours = append(ours, big.ask(b, page.path))
					floor = append(floor, small.ask(b, page.path))
				}
			}
			for _, q := range []struct {
				name  string
				share float64
			}{{"p99", 0.99}, {"p50", 0.5}} {
				o, f := percentile(ours, q.share), percentile(floor, q.share)
				if q.name == "p99" {
					b.ReportMetric(o.Seconds()*1000, "ours-p99-ms")
					b.ReportMetric(f.Seconds()*1000, "floor-p99-ms")
					b.ReportMetric(o.Seconds()/f.Seconds(), "ratio")
					continue
				}
				b.ReportMetric(o.Seconds()*1000, "p50-ms")
				b.ReportMetric(f.Seconds()*1000, "p50-floor-ms")
				b.ReportMetric(o.Seconds()/f.Seconds(), "p50-ratio")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func percentile(all []time.Duration, share float64) time.Duration {
	slices.Sort(all)
	return all[min(len(all)-1, int(float64(len(all))*share))]
}

// filledNode is a node that runs with records in its store, and somebody who
// is logged in.
type filledNode struct {
	url, token, some string
	http             *http.Client
}

// someRecord stands for a record in the middle.
const someRecord = "SOME"

// ask fetches a page, which must have something on it, and returns how long
// that took.
func (f *filledNode) ask(b *testing.B, path string) time.Duration {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, f.url+strings.Replace(path, someRecord, f.some, 1), nil)
	if err != nil {
		b.Fatal(err)
	}
	if strings.HasPrefix(path, "/v1/") {
		req.Header.Set("Authorization", "Bearer "+f.token)
	}
	began := time.Now()
	resp, err := f.http.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	took := time.Since(began)
	if err != nil || resp.StatusCode != http.StatusOK || strings.Contains(string(body), `class="empty"`) || strings.Contains(string(body), `"transfers":[]`) {
		b.Fatalf("%s: %v, %s\n%s", path, err, resp.Status, body)
	}
	return took
}

// openFilled runs a node with n records in its store, all in the word index.
func openFilled(b *testing.B, n int) *filledNode {
	b.Helper()
	dir := filepath.Join(os.Getenv("LIENTHONG_BENCH_STORE"), strconv.Itoa(n))
	if !filepath.IsAbs(dir) {
		var err error
		if dir, err = os.MkdirTemp("", "pages"); err != nil { // its path leaves room for a socket
			b.Fatal(err)
		}
		b.Cleanup(func() { os.RemoveAll(dir) })
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(dir, "node.toml")
	if err := os.WriteFile(file, []byte("organ = \"G22\"\norgan_name = \"Văn phòng Chính phủ\"\nstore = \"bolt:./data\"\n[api]\nrate = 1e9\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	cfg, err := readConfig(file)
	if err != nil {
		b.Fatal(err)
	}
	nd, err := cfg.open(slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { nd.Store.Close() })
	const done = "benchmark filled"
	f := &filledNode{some: benchRecord(n/2, n).ID}
	if v, err := nd.Store.Value(b.Context(), done); err != nil {
		b.Fatal(err)
	} else if v == nil {
		began := time.Now()
		fillStore(b, nd.Store, n)
		b.Logf("%d records stored and indexed in %v", n, time.Since(began).Round(time.Millisecond))
		if err := nd.Store.SetValue(b.Context(), done, []byte("1")); err != nil {
			b.Fatal(err)
		}
	}
	if _, f.token, err = api.CreateToken(b.Context(), nd.Store, "bench", []api.Scope{api.Read}, time.Time{}); err != nil {
		b.Fatal(err)
	}
	h, err := openHouse(cfg, nd, new(slog.LevelVar), filepath.Join(dir, "s"))
	if err != nil {
		b.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.run(ctx) }()
	b.Cleanup(func() { end(); <-ended })
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	f.url, f.http = h.url, &http.Client{Jar: jar}
	resp, err := f.http.PostForm(f.url+"/console/login", url.Values{"token": {f.token}})
	if err != nil {
		b.Fatal(err)
	}
	resp.Body.Close()
	return f
}

// benchBegin is when the first record was made; the last one follows 300 days
// later.
var benchBegin = time.Date(2026, 1, 5, 1, 0, 0, 0, time.UTC)

// benchID is an ID that carries a moment.
func benchID(at time.Time, i int) string {
	ms := fmt.Sprintf("%012x", at.UnixMilli())
	return fmt.Sprintf("%s-%s-7000-8000-%012x", ms[:8], ms[8:], i)
}

// benchRecord is the ith of n records.
func benchRecord(i, n int) *node.Transfer {
	to := [][2]string{{"H41", "UBND tỉnh Nghệ An"}, {"H29", "UBND Thành phố Hồ Chí Minh"}, {"G12", "Bộ Tài chính"}}[i%3]
	subject := []string{"Nghị quyết triển khai nhiệm vụ", "Quyết định phê duyệt kế hoạch triển khai nghị quyết", "Công văn về việc triển khai thực hiện nghị định"}[i%3]
	when := benchBegin.Add(300 * 24 * time.Hour / time.Duration(n) * time.Duration(i))
	t := &node.Transfer{
		ID: benchID(when, i), Direction: node.Out, Kind: edxml.KindDocument, DocType: edxml.New, State: node.Sent,
		Created: when, Finished: when.Add(time.Minute), From: "G22", FromName: "Văn phòng Chính phủ", Code: fmt.Sprintf("%d/VPCP-TH", i),
		Subject: subject + " năm 2026", DocumentID: fmt.Sprintf("G22,2026/03/02,%d/VPCP-TH", i), PromulgationDate: edxml.DateOf(when),
		Receivers: []node.Receiver{{OrganID: to[0], OrganName: to[1], Code: edxml.StatusArrived, Events: []node.Event{{Code: edxml.StatusArrived, At: when}}}},
	}
	if i%(n/100) == 0 {
		t.State = node.Failed
	}
	return t
}

// fillStore stores records, 2,000 with a commit, and waits until all are in the word
// index: a search for what is nowhere looks at all that is not yet, and costs
// nothing after that. Looking seldom leaves the machine to the indexer.
func fillStore(b *testing.B, s node.Store, n int) {
	b.Helper()
	const some = 2000
	all := make([]*node.Transfer, 0, some)
	for at := 0; at < n; at += some {
		all = all[:0]
		for i := at; i < min(at+some, n); i++ {
			all = append(all, benchRecord(i, n))
		}
		if err := s.Create(b.Context(), all...); err != nil {
			b.Fatal(err)
		}
	}
	for quick := 0; quick < 5; {
		began := time.Now()
		if _, err := s.Search(b.Context(), node.Out, []string{"qqqq"}, "", 1); err != nil {
			b.Fatal(err)
		}
		took := time.Since(began)
		if quick++; took > 500*time.Microsecond {
			quick = 0
		}
		<-time.After(max(200*time.Millisecond, min(10*took, 10*time.Second)))
	}
}
