package main

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
	"github.com/lienthong/lienthong/node/hub"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// hubSection makes the node a hub.
type hubSection struct {
	Listen         string  `toml:"listen"` // "": no hub
	Cert           string  `toml:"cert"`
	Key            string  `toml:"key"`
	KeyFile        string  `toml:"key_file"` // 64 hex digits that encrypt the agencies' VXP secrets; made when it is not there
	Rate           float64 `toml:"rate"`
	Burst          int     `toml:"burst"`
	Bytes          size    `toml:"bytes"`           // that an agency may hand in within 24 hours
	Waiting        int64   `toml:"waiting"`         // documents that an agency may leave uncollected
	UpstreamTokens string  `toml:"upstream_tokens"` // CSV of ORGAN,TOKEN: an axis with a token for each agency
	InsecureHTTP   bool    `toml:"insecure_http"`   // plain HTTP on other addresses than the loopback

	// Services are the servicetypes of what is no edXML that is collected from a
	// VXP axis for the agencies.
	Services []string `toml:"services"`
}

// check says what is wrong with the section, beside an axis on this wire.
func (h hubSection) check(upstream hub.Wire) error {
	switch {
	case len(h.Services) > 0 && (upstream != hub.VXP || h.Listen == ""):
		return errors.New("hub.services are collected by a hub from an axis on the VXP wire: it wants hub.listen, and wire = \"vxp\" under [axis]")
	case (h.Cert == "") != (h.Key == ""):
		return errors.New("hub.cert and hub.key go together: give both or none")
	case h.Rate < 0, h.Burst < 0, h.Waiting < 0:
		return errors.New("hub.rate, hub.burst and hub.waiting are not negative")
	case h.Listen == "" || h.InsecureHTTP:
		return nil
	}
	if err := api.CheckAddress(h.Listen, h.Cert != ""); err != nil {
		return fmt.Errorf("hub.listen: %w; give cert and key, or, where the line is protected otherwise, insecure_http = true", err)
	}
	return nil
}

// hub makes the hub of a node.
func (c *config) hub(n *node.Node) (*hub.Hub, error) {
	o := hub.Options{Alone: c.isBolt(), Next: n.Sink, Upstream: c.Axis.wire(), Name: c.hubName(), Default: hub.Limits{
		Rate: c.Hub.Rate, Burst: c.Hub.Burst, Bytes: int64(c.Hub.Bytes), Waiting: c.Hub.Waiting,
	}}
	if c.Hub.KeyFile != "" {
		key, err := sealKey(c.path(c.Hub.KeyFile))
		if err != nil {
			return nil, err
		}
		o.Key = key
	}
	return hub.New(n, o)
}

// hubName is the same for every node on one store, and for no other.
func (c *config) hubName() string {
	store := maskStore(c.Store)
	if dir, err := c.folder(); err == nil && c.isBolt() {
		host, _ := os.Hostname()
		store = host + ":" + dir
	}
	sum := sha256.Sum256([]byte(c.Organ + "\n" + store))
	return hex.EncodeToString(sum[:8])
}

// sealKey reads the key that encrypts secrets, and makes it the first time.
func sealKey(file string) ([]byte, error) {
	text, err := readSmall(file)
	if errors.Is(err, os.ErrNotExist) {
		var key [32]byte
		if _, err := rand.Read(key[:]); err != nil {
			return nil, err
		}
		text = append(hex.AppendEncode(nil, key[:]), '\n')
		err = writeNew(file, func(w io.Writer) error { _, err := w.Write(text); return err })
	}
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, fileError{file, told{exitFailed, edxml.Text{
			VI: "khóa phải là 64 chữ số thập lục phân", EN: "the key must be 64 hex digits",
		}, edxml.Text{VI: "đổi tên tệp này để nút tạo khóa mới; các khóa VXP cũ phải cấp lại", EN: "move the file away and the node makes a new one; VXP secrets must then be made anew"}}}
	}
	return key, nil
}

// upstream reads the tokens of the agencies for an axis that gives each its own.
func (c *config) upstream(client *http.Client) (node.Axis, error) {
	file := c.path(c.Hub.UpstreamTokens)
	text, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(strings.NewReader(string(text)))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.Comment = 2, true, '#'
	axes := map[string]node.Axis{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return hub.NewUpstream(axes), nil
		}
		if err != nil {
			return nil, fileError{file, errors.New("each line is ORGAN,TOKEN")} // the error of csv quotes the line
		}
		line, _ := r.FieldPos(0)
		id, err := organ.Parse(record[0])
		if err != nil {
			return nil, fileError{file, fmt.Errorf("line %d: %w", line, err)}
		}
		axes[string(id)] = &edoc.Client{URL: c.Axis.URL, Organ: string(id), Token: edxml.Secret(strings.TrimSpace(record[1])), HTTP: client, Follow: true}
	}
}

// hubListener opens the door of the agencies. Certificates of clients are asked
// for, not demanded: which are good is registered with each agency.
func (c *config) hubListener() (l net.Listener, scheme string, err error) {
	if l, err = net.Listen("tcp", c.Hub.Listen); err != nil {
		return nil, "", fmt.Errorf("hub.listen: %w", err)
	}
	if c.Hub.Cert == "" {
		return l, "http", nil
	}
	files, err := transport.LoadCertificate(c.path(c.Hub.Cert), c.path(c.Hub.Key))
	if err != nil {
		return nil, "", errors.Join(configFault(c.file, err), l.Close())
	}
	return tls.NewListener(l, &tls.Config{
		MinVersion: tls.VersionTLS12, GetCertificate: files.Server, ClientAuth: tls.RequestClientCert, NextProtos: []string{"h2", "http/1.1"},
	}), "https", nil
}
