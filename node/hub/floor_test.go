package hub_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lienthong/lienthong/transport"
)

// floor is the barest durable relay of the hops of a chain on the same disk:
// RSA sign, write and fsync, POST, write and fsync, GET, write and fsync, RSA
// verify, POST of the status. It has no queue and no states, and forgets
// everything but the files.
type floor struct {
	dir    string
	delay  time.Duration // of each fsync
	url    string
	client *http.Client
	key    *rsa.PrivateKey
}

func newFloor(tb testing.TB, delay time.Duration) *floor {
	tb.Helper()
	f := &floor{dir: tb.TempDir(), delay: delay, key: testKey().Signer.(*rsa.PrivateKey)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /documents/{id}", func(w http.ResponseWriter, r *http.Request) {
		if _, err := f.store("hub-"+r.PathValue("id"), r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET /documents/{id}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(f.dir, "hub-"+r.PathValue("id")))
	})
	mux.HandleFunc("POST /statuses/{id}", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	server := httptest.NewUnstartedServer(mux)
	server.Config = transport.NewHTTPServer(mux)
	server.Start()
	tb.Cleanup(server.Close)
	f.url, f.client = server.URL, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	tb.Cleanup(f.client.CloseIdleConnections)
	return f
}

// store writes a file, syncs it, and returns the digest of what it wrote.
func (f *floor) store(name string, r io.Reader) ([]byte, error) {
	file, err := os.Create(filepath.Join(f.dir, name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(file, sum)}, struct{ io.Reader }{r}, make([]byte, 256<<10)); err != nil {
		return nil, err
	}
	time.Sleep(f.delay)
	return sum.Sum(nil), file.Sync()
}

// send takes a document all the way.
func (f *floor) send(id string, document []byte) error {
	digest := sha256.Sum256(document)
	signature, err := rsa.SignPKCS1v15(rand.Reader, f.key, crypto.SHA256, digest[:])
	if err != nil {
		return err
	}
	if _, err := f.store("sender-"+id, bytes.NewReader(document)); err != nil {
		return err
	}
	stored, err := os.Open(filepath.Join(f.dir, "sender-"+id))
	if err != nil {
		return err
	}
	defer stored.Close()
	if err := f.call(http.MethodPost, "/documents/"+id, stored, io.Discard); err != nil {
		return err
	}
	var got []byte
	r, w := io.Pipe()
	go func() { w.CloseWithError(f.call(http.MethodGet, "/documents/"+id, nil, w)) }()
	if got, err = f.store("receiver-"+id, r); err != nil {
		return err
	}
	if err := rsa.VerifyPKCS1v15(&f.key.PublicKey, crypto.SHA256, got, signature); err != nil {
		return err
	}
	return f.call(http.MethodPost, "/statuses/"+id, bytes.NewReader(signature), io.Discard)
}

func (f *floor) call(method, path string, body io.Reader, into io.Writer) error {
	req, err := http.NewRequest(method, f.url+path, body)
	if err != nil {
		return err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	_, err = io.Copy(into, resp.Body)
	return err
}
