package transport

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// CertificateFiles is a certificate with its key in two PEM files, read anew
// when one of them changes: a renewal needs no restart. Connections that are
// open keep the certificate they began with.
type CertificateFiles struct {
	cert, key string

	mu    sync.Mutex
	read  [2]fs.FileInfo
	value *tls.Certificate
}

// LoadCertificate reads a certificate (leaf first, then its chain) and its key.
func LoadCertificate(certFile, keyFile string) (*CertificateFiles, error) {
	c := &CertificateFiles{cert: certFile, key: keyFile}
	if _, err := c.current(); err != nil {
		return nil, err
	}
	return c, nil
}

// Client gives the certificate to a server that asks for one; it is meant for
// HTTPOptions.Certificate.
func (c *CertificateFiles) Client(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return c.current()
}

// Server gives the certificate to a client; it is meant for
// tls.Config.GetCertificate.
func (c *CertificateFiles) Server(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current()
}

// current returns the pair in the files. While they do not fit together, as
// in the middle of being replaced, the pair before goes on.
func (c *CertificateFiles) current() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var now [2]fs.FileInfo
	for i, file := range []string{c.cert, c.key} {
		info, err := os.Stat(file)
		if err != nil {
			return c.before(err)
		}
		now[i] = info
	}
	if c.value != nil && same(c.read[0], now[0]) && same(c.read[1], now[1]) {
		return c.value, nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return c.before(err)
	}
	c.value, c.read = &pair, now
	return c.value, nil
}

// before returns the pair that was good last, or why there is none.
func (c *CertificateFiles) before(err error) (*tls.Certificate, error) {
	if c.value != nil {
		return c.value, nil
	}
	return nil, fmt.Errorf("transport: certificate %s with key %s: %w", c.cert, c.key, err)
}

func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
