package edoc_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
)

// TestGzip walks a Document in gzip there and back, and sees that both ends used it.
func TestGzip(t *testing.T) {
	_, srv := start(t, axistest.Options{})
	c := client(t, srv.URL, ministry)
	c.Gzip = true
	var asked, answered []string
	inner := transport.NewHTTPClient(transport.HTTPOptions{}).Transport
	c.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.Header.Get("Content-Encoding"))
		r.Header.Set("Accept-Encoding", "gzip") // said by hand, the client unpacks it all the same
		res, err := inner.RoundTrip(r)
		if err == nil && res.Uncompressed {
			answered = append(answered, r.Header.Get("SOAPAction"))
		}
		return res, err
	})}
	large := pdf
	large.content = append(randomish(1<<20), bytes.Repeat([]byte("nội dung "), 1<<18)...)
	if receipt, err := c.Send(t.Context(), packet(t, document("1", ministry), large)); err != nil || receipt.ID != "1" {
		t.Fatalf("%+v, %v", receipt, err)
	}
	in, err := c.Fetch(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	if _, files, err := collect(in); err != nil || files[pdf.id] != string(large.content) {
		t.Errorf("%d octets, %v", len(files[pdf.id]), err)
	}
	if organs, err := c.Organs(t.Context()); err != nil || len(organs) < 100 {
		t.Errorf("%d organs, %v", len(organs), err)
	}
	if strings.Join(asked, " ") != "gzip gzip gzip" || strings.Join(answered, " ") != "GetOrganizations" {
		t.Errorf("asked in %q, answered in gzip: %q", asked, answered)
	}
}

// TestGzipBomb refuses a request that unpacks to far more than it is.
func TestGzipBomb(t *testing.T) {
	_, srv := start(t, axistest.Options{})
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	io.WriteString(w, "--b\r\nContent-Type: text/xml\r\n\r\n"+strings.Repeat(" ", 20<<20))
	w.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, &bomb)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {"multipart/related; boundary=b"}, "Content-Encoding": {"gzip"}, "Soapaction": {"SendDocument"}}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusInternalServerError || !strings.Contains(string(body), `limit &#34;unzip&#34; of 200:1`) {
		t.Errorf("%s, %v\n%s", res.Status, err, body)
	}
}
