package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/hub"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
	"github.com/lienthong/lienthong/transport/vxp"
)

// axisSection is the axis the node sends to and collects from.
type axisSection struct {
	URL          string   `toml:"url"`
	Wire         string   `toml:"wire"` // edoc (SOAP, the default) or vxp (the national axis's adapter)
	TokenFile    string   `toml:"token_file"`
	SystemID     string   `toml:"systemid"` // vxp; "": organ
	SecretFile   string   `toml:"secret_file"`
	Poll         duration `toml:"poll"`
	Workers      int      `toml:"workers"` // calls at a time
	Roots        string   `toml:"roots"`   // whom to trust as this server's authority; "": those of the system
	Pins         []string `toml:"pins"`    // keys, one of which must stand in its chain: sha256//BASE64
	Cert         string   `toml:"cert"`    // our certificate, where the axis asks for one; without token_file it stands for the token
	Key          string   `toml:"key"`
	InsecureHTTP bool     `toml:"insecure_http"` // lets the token travel in clear
}

// wire names the wire.
func (a axisSection) wire() hub.Wire {
	if a.Wire == string(hub.VXP) {
		return hub.VXP
	}
	return hub.EDoc
}

// check says what is wrong with the section by itself.
func (a axisSection) check() error {
	switch {
	case a.Wire != "" && a.Wire != string(hub.EDoc) && a.Wire != string(hub.VXP):
		return fmt.Errorf("axis.wire %q is neither %s nor %s", a.Wire, hub.EDoc, hub.VXP)
	case (a.Cert == "") != (a.Key == ""):
		return errors.New("axis.cert and axis.key go together: give both or none")
	}
	for _, p := range a.Pins {
		if _, err := transport.ParsePin(p); err != nil {
			return fmt.Errorf("axis.pins: %w", err)
		}
	}
	return nil
}

// axis puts the client of the axis into the node's configuration.
func (c *config) axis(nc *node.Config) error {
	if c.Axis.URL == "" {
		return nil
	}
	if err := c.checkURL(); err != nil {
		return err
	}
	client, err := c.reach(nc)
	if err != nil {
		return err
	}
	wire := c.Axis.wire()
	nc.Wire, nc.ReportArrival = wire.Profile(), wire == hub.VXP
	switch {
	case wire == hub.VXP:
		secret, err := c.axisSecret()
		if err != nil {
			return err
		}
		id := c.Axis.SystemID
		if id == "" {
			id = c.Organ
		}
		nc.Axis = &vxp.Client{URL: c.Axis.URL, SystemID: id, Secret: secret, HTTP: client, Services: c.Hub.Services}
	case c.Hub.UpstreamTokens != "":
		nc.Axis, err = c.upstream(client)
		return err
	default:
		token, err := c.token()
		if err != nil {
			return err
		}
		nc.Axis = &edoc.Client{URL: c.Axis.URL, Organ: c.Organ, Token: token, HTTP: client, Follow: true}
	}
	return nil
}

// reach makes the HTTP client that reaches the axis.
func (c *config) reach(nc *node.Config) (*http.Client, error) {
	o := transport.HTTPOptions{Conns: max(16, 2*c.Axis.Workers)} // both ways at once
	var err error
	if c.Axis.Roots != "" {
		if o.Roots, err = readRoots(c.path(c.Axis.Roots)); err != nil {
			return nil, err
		}
	}
	for _, text := range c.Axis.Pins {
		pin, err := transport.ParsePin(text)
		if err != nil {
			return nil, configFault(c.file, err)
		}
		o.Pins = append(o.Pins, pin)
	}
	if c.Axis.Cert != "" {
		files, err := transport.LoadCertificate(c.path(c.Axis.Cert), c.path(c.Axis.Key))
		if err != nil {
			return nil, configFault(c.file, err)
		}
		o.Certificate = files.Client
	}
	client := clocked(nc.Clock, o)
	if c.Hub.Listen != "" {
		client = hub.Named(client, c.hubName())
	}
	return client, nil
}

// axisSecret reads the VXP secret, from the environment or its own file.
func (c *config) axisSecret() (edxml.Secret, error) {
	return c.secret("LIENTHONG_AXIS_SECRET", c.Axis.SecretFile, "axis.secret_file")
}

// checkURL refuses an address over which the token would travel in clear. VXP
// signs with a secret that stays here, but the documents are in clear as well.
func (c *config) checkURL() error {
	u, err := url.Parse(c.Axis.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return configFault(c.file, fmt.Errorf("axis.url %q is no http or https address", c.Axis.URL))
	case u.Scheme == "https" || c.Axis.InsecureHTTP:
		return nil
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fileError{c.file, told{exitFailed, edxml.Text{
		VI: "axis.url dùng http, token sẽ đi không mã hóa qua mạng: " + c.Axis.URL,
		EN: "axis.url is plain http, the token would cross the network in clear: " + c.Axis.URL,
	}, edxml.Text{
		VI: "dùng https; nếu đường truyền đã được bảo vệ, đặt insecure_http = true trong mục [axis]",
		EN: "use https; if the line is protected otherwise, set insecure_http = true under [axis]",
	}}}
}

// token reads the access token, from the environment or its own file. Without
// one the certificate speaks for the node, as at a hub of ours.
func (c *config) token() (edxml.Secret, error) {
	if c.Axis.Cert != "" && !given("LIENTHONG_AXIS_TOKEN", c.Axis.TokenFile) {
		return "", nil
	}
	return c.secret("LIENTHONG_AXIS_TOKEN", c.Axis.TokenFile, "axis.token_file")
}
