package main

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/lienthong/lienthong/node/api"
	"github.com/lienthong/lienthong/node/traces"
)

// apiSection is how document systems reach the node.
type apiSection struct {
	Listen       string           `toml:"listen"` // "": a free port of the loopback; "off": closed
	Cert         string           `toml:"cert"`
	Key          string           `toml:"key"`
	MaxBody      size             `toml:"max_body"`
	Rate         float64          `toml:"rate"`
	Burst        int              `toml:"burst"`
	InsecureHTTP bool             `toml:"insecure_http"` // plain HTTP on other addresses than the loopback
	Webhooks     []webhookSection `toml:"webhook"`
}

// webhookSection is where events are pushed to.
type webhookSection struct {
	URL          string `toml:"url"`
	SecretFile   string `toml:"secret_file"`
	InsecureHTTP bool   `toml:"insecure_http"`
}

// dropSection is the drop folder.
type dropSection struct {
	Folder string   `toml:"folder"`
	Poll   duration `toml:"poll"`
}

// metricsSection is where Prometheus collects without a token.
type metricsSection struct {
	Listen       string `toml:"listen"` // "": on the REST door alone, with a token
	InsecureHTTP bool   `toml:"insecure_http"`
}

// tracesSection is the OpenTelemetry collector that traces are sent to.
type tracesSection struct {
	URL          string `toml:"url"` // "": no traces
	TokenFile    string `toml:"token_file"`
	InsecureHTTP bool   `toml:"insecure_http"`
}

// logSection is what the node says, and how.
type logSection struct {
	Level  string `toml:"level"`  // debug, info, warn, error
	Format string `toml:"format"` // text, json
}

// off closes the REST door.
const off = "off"

// anyPort lets the system choose a port of the loopback.
const anyPort = "127.0.0.1:0"

// address returns where the REST door opens, "" for nowhere.
func (a apiSection) address() string {
	switch a.Listen {
	case off:
		return ""
	case "":
		return anyPort
	}
	return a.Listen
}

// check says what is wrong with the sections by themselves.
func (c *config) check() error {
	for _, err := range []error{c.Axis.check(), c.Hub.check(c.Axis.wire()), c.Sign.check(), c.Verify.check()} {
		if err != nil {
			return err
		}
	}
	a := c.API
	if (a.Cert == "") != (a.Key == "") {
		return errors.New("api.cert and api.key go together: give both or none")
	}
	if at := a.address(); at != "" && !a.InsecureHTTP {
		if err := api.CheckAddress(at, a.Cert != ""); err != nil {
			return fmt.Errorf("api.listen: %w; give cert and key, or, where the line is protected otherwise, insecure_http = true", err)
		}
	}
	if at := c.Metrics.Listen; at != "" && !c.Metrics.InsecureHTTP {
		if err := api.CheckAddress(at, false); err != nil {
			return fmt.Errorf("metrics.listen: %w; or, where the line is protected otherwise, insecure_http = true", err)
		}
	}
	if t := c.Traces; t.URL != "" {
		if err := (traces.Collector{URL: t.URL, InsecureHTTP: t.InsecureHTTP}).Check(); err != nil {
			return fmt.Errorf("traces.url: %w", err)
		}
	}
	if a.Rate < 0 || a.Burst < 0 {
		return errors.New("api.rate and api.burst are not negative")
	}
	if _, err := c.Log.level(); err != nil {
		return err
	}
	if f := c.Log.Format; f != "" && f != "text" && f != "json" {
		return fmt.Errorf("log.format %q is neither text nor json", f)
	}
	return nil
}

func (l logSection) level() (slog.Level, error) {
	var v slog.Level
	if l.Level == "" {
		return slog.LevelInfo, nil
	}
	if err := v.UnmarshalText([]byte(l.Level)); err != nil {
		return v, fmt.Errorf("log.level %q is none of debug, info, warn, error", l.Level)
	}
	return v, nil
}

// webhooks reads the secrets of the webhooks.
func (c *config) webhooks() ([]api.Webhook, error) {
	var all []api.Webhook
	for _, w := range c.API.Webhooks {
		secret, err := c.secret("LIENTHONG_API_WEBHOOK_SECRET", w.SecretFile, "api.webhook.secret_file")
		if err != nil {
			return nil, err
		}
		h := api.Webhook{URL: w.URL, Secret: secret, InsecureHTTP: w.InsecureHTTP}
		if err := h.Check(); err != nil {
			return nil, configFault(c.file, err)
		}
		all = append(all, h)
	}
	return all, nil
}

// collector returns where traces are sent to, nil for nowhere.
func (c *config) collector() (*traces.Collector, error) {
	t := c.Traces
	if t.URL == "" {
		return nil, nil
	}
	to := &traces.Collector{URL: t.URL, InsecureHTTP: t.InsecureHTTP, Version: version()}
	if !given(tracesToken, t.TokenFile) {
		return to, nil
	}
	var err error
	to.Token, err = c.secret(tracesToken, t.TokenFile, "traces.token_file")
	return to, err
}

// tracesToken is the variable that holds the collector's token.
const tracesToken = "LIENTHONG_TRACES_TOKEN"
