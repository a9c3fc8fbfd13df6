package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
	"github.com/lienthong/lienthong/node/console"
	"github.com/lienthong/lienthong/node/drop"
	"github.com/lienthong/lienthong/node/hub"
	"github.com/lienthong/lienthong/node/metrics"
	"github.com/lienthong/lienthong/node/traces"
	"github.com/lienthong/lienthong/transport"
)

func (p *program) nodeCommand() *cli.Command {
	return &cli.Command{
		Name: "node", Usage: p.say("chạy nút: gửi, nhận, giữ văn bản cho tới khi trục đã nhận", "run the node: it sends, fetches, and keeps documents until the axis has them"),
		Flags:  []cli.Flag{p.configFlag(), p.trialFlag()},
		Action: p.node,
	}
}

// node runs until it is told to stop.
func (p *program) node(c *cli.Context) (err error) {
	if err := noArgument(c); err != nil {
		return err
	}
	var try *trial
	if c.Bool("trial") {
		if try, err = p.beginTrial(c.String("config")); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, try.end()) }()
	}
	cfg, err := readConfig(c.String("config"))
	if err != nil {
		return err
	}
	if try != nil {
		try.join(cfg)
	}
	socket, err := cfg.socket()
	if err != nil {
		return err
	}
	token, err := cfg.axisToken()
	if err != nil {
		return err
	}
	log, level, err := cfg.Log.logger(p.err, token)
	if err != nil {
		return err
	}
	n, err := cfg.open(log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Store.Close()) }()
	heed(n)
	h, err := openHouse(cfg, n, level, socket)
	if err != nil {
		return err
	}
	if n.Axis == nil {
		log.Warn("no axis is configured: documents wait in the queue", "config", cfg.file)
	}
	if n.Key == nil {
		log.Warn("no key is configured: documents leave unsigned, for information only", "config", cfg.file)
	}
	log.Info("node runs", "organ", cfg.Organ, "store", maskStore(cfg.Store), "version", version())
	doors := "node " + socket + "\n"
	if h.url != "" {
		log.Info("api " + h.url)
		doors += "api " + h.url + "\n"
		if !cfg.Console.Off {
			log.Info("console " + h.url + console.Path)
			doors += "console " + h.url + console.Path + "\n"
		}
	}
	if h.hubURL != "" {
		log.Info("hub " + h.hubURL)
		doors += "hub " + h.hubURL + "\n"
	}
	if try != nil {
		secret, err := makeTrialToken(c.Context, n)
		if err != nil {
			return errors.Join(err, h.close())
		}
		doors += "token " + secret + "\n"
		p.talk("dùng thử: mở trang console, đăng nhập bằng token trên; gửi gói tin mẫu: lienthong submit %s", "a trial: open the console, log in with the token; submit the example: lienthong submit %s", trialPacket)
	}
	fmt.Fprint(p.out, doors)
	return h.run(c.Context)
}

// axisToken returns the access token, "" when there is no axis.
func (c *config) axisToken() (edxml.Secret, error) {
	if c.Axis.URL == "" {
		return "", nil
	}
	switch {
	case c.Axis.wire() == hub.VXP:
		return c.axisSecret()
	case c.Hub.UpstreamTokens != "": // each goes with its client alone
		return "", nil
	}
	return c.token()
}

// shutdown is how long open requests may take when the node stops.
const shutdown = 10 * time.Second

// house is a node with its doors open.
type house struct {
	config   *config
	node     *node.Node
	level    *slog.LevelVar
	door     *api.Door
	axis     *metrics.Axis // nil when there is none
	webhooks []api.Webhook
	traces   *traces.Collector // nil: nobody collects any
	drop     *drop.Folder
	servers  []served
	url      string // of the REST door, "" when it is closed
	hubURL   string // of the agencies' door, "" when this is no hub
}

// served is a server with what it listens on.
type served struct {
	*http.Server
	net.Listener
}

// openHouse opens the doors that the configuration asks for.
func openHouse(cfg *config, n *node.Node, level *slog.LevelVar, socket string) (*house, error) {
	h := &house{config: cfg, node: n, level: level}
	var err error
	if h.webhooks, err = cfg.webhooks(); err != nil {
		return nil, err
	}
	if h.traces, err = cfg.collector(); err != nil {
		return nil, err
	}
	agencies, err := cfg.hub(n)
	if err != nil {
		return nil, err
	}
	if cfg.Hub.Listen != "" {
		n.Sink, n.Statuses = agencies, agencies.Status
	}
	m, err := h.measure()
	if err != nil {
		return nil, err
	}
	h.door = api.New(n, api.Options{
		MaxBody: int64(cfg.API.MaxBody), Rate: cfg.API.Rate, Burst: cfg.API.Burst, Log: n.Log, Metrics: m.Handler(),
		Count: func(q api.Request) { m.Request(q.Route, q.Status, q.Code, q.Duration) },
	})
	local, err := api.Listen(socket)
	if err != nil {
		return nil, err
	}
	h.serve(local, agencyRoute(agencies, upkeep(n, h.door.Local())))
	if cfg.Hub.Listen != "" {
		l, scheme, err := cfg.hubListener()
		if err != nil {
			return nil, errors.Join(err, h.close())
		}
		h.hubURL = scheme + "://" + l.Addr().String() + "/"
		h.serve(l, transport.Paced(agencies.Handler(), 0))
	}
	if at := cfg.API.address(); at != "" {
		routes := h.door.Remote()
		if !cfg.Console.Off {
			if routes, err = h.withConsole(routes, agencies, m); err != nil {
				return nil, errors.Join(err, h.close())
			}
		}
		if err := h.listen(at, routes); err != nil {
			return nil, errors.Join(err, h.close())
		}
	}
	if at := cfg.Metrics.Listen; at != "" {
		l, err := net.Listen("tcp", at)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("metrics.listen: %w", err), h.close())
		}
		n.Log.Info("metrics http://" + l.Addr().String() + "/metrics")
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", m.Handler())
		h.serve(l, mux)
	}
	if cfg.Drop.Folder != "" {
		h.drop = &drop.Folder{Dir: cfg.path(cfg.Drop.Folder), Door: api.InProcess(h.door.Local()), Poll: time.Duration(cfg.Drop.Poll), Log: n.Log}
	}
	return h, nil
}

// measure puts the counters in front of the node's ports.
func (h *house) measure() (*metrics.Metrics, error) {
	m, n := metrics.New(version()), h.node
	if n.Axis != nil {
		h.axis = m.Axis(n.Axis)
		n.Axis = h.axis
	}
	n.Sink = m.Sink(n.Sink)
	dir, err := h.config.folder()
	if err != nil {
		return nil, err
	}
	m.Watch(metrics.Watched{Node: n, Free: freeSpace(dir), Certificates: h.config.certificates})
	return m, nil
}

// certificates reads the node's own certificates, by what they are for: those
// that can be read. That one cannot is for doctor to say.
func (c *config) certificates() map[string]*x509.Certificate {
	all := map[string]*x509.Certificate{}
	for use, file := range map[string]string{"sign": c.Sign.Cert, "api": c.API.Cert, "hub": c.Hub.Cert, "axis": c.Axis.Cert} {
		if file == "" {
			continue
		}
		if certs, err := readCertificates(c.path(file)); err == nil && len(certs) > 0 {
			all[use] = certs[0].Certificate
		}
	}
	return all
}

// listen opens the REST door.
func (h *house) listen(at string, routes http.Handler) error {
	scheme, cfg := "http", h.config
	var secure *tls.Config
	if cfg.API.Cert != "" {
		files, err := transport.LoadCertificate(cfg.path(cfg.API.Cert), cfg.path(cfg.API.Key))
		if err != nil {
			return configFault(cfg.file, err)
		}
		secure, scheme = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: files.Server, NextProtos: []string{"h2", "http/1.1"}}, "https"
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		return fmt.Errorf("api.listen: %w", err)
	}
	h.url = scheme + "://" + l.Addr().String()
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	h.serve(l, transport.Paced(routes, 0))
	return nil
}

// serve adds a server.
func (h *house) serve(l net.Listener, handler http.Handler) {
	h.servers = append(h.servers, served{&http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(h.node.Log.Handler(), slog.LevelDebug), // handshakes that strangers break off
	}, l})
}

// close closes doors that nobody serves yet.
func (h *house) close() error {
	var all []error
	for _, s := range h.servers {
		all = append(all, s.Listener.Close())
	}
	return errors.Join(all...)
}

// run runs the engine and everything around it until ctx ends, then stops in
// order: no new requests, open ones finish, leases are given back.
func (h *house) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	hup := make(chan os.Signal, 1) // before READY=1: whoever is told may reload
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for _, s := range h.servers {
		g.Go(func() error {
			if err := s.Serve(s.Listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	g.Go(func() error { return h.node.Run(ctx) })
	for _, w := range h.webhooks {
		g.Go(func() error { return h.door.Push(ctx, w) })
	}
	if h.traces != nil {
		g.Go(func() error { return h.traces.Feed(ctx, h.door, h.node) })
	}
	if h.drop != nil {
		g.Go(func() error { return h.drop.Run(ctx) })
	}
	g.Go(func() error { h.reloadOnHUP(ctx, hup); return nil })
	g.Go(func() error {
		<-ctx.Done()
		h.tell("STOPPING=1")
		h.door.Stop()
		stop, done := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
		defer done()
		var all []error
		for _, s := range h.servers {
			if err := s.Shutdown(stop); err != nil {
				all = append(all, err, s.Server.Close())
			}
		}
		return errors.Join(all...)
	})
	h.tell("READY=1")
	return g.Wait()
}

// tell tells systemd; that it does not listen is no reason to stop.
func (h *house) tell(state string) {
	if err := notify(state); err != nil {
		h.node.Log.Warn("systemd was not told", "state", state, "error", err)
	}
}

// reloadOnHUP reads the configuration anew when the process is told to, and
// changes what can be changed while it runs. Tokens and certificates need no
// telling: they are looked up each time.
func (h *house) reloadOnHUP(ctx context.Context, hup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
		}
		h.tell("RELOADING=1")
		if err := h.reload(); err != nil {
			h.node.Log.Error("the configuration was not reloaded; the one before goes on", "error", err)
		}
		h.tell("READY=1")
	}
}

// reload changes the level of the log, the rate of the REST door, the
// credential shown to the axis, and the key, its certificate and the roots as
// their files have them now.
func (h *house) reload() error {
	cfg, err := readConfig(h.config.file)
	if err != nil {
		return err
	}
	level, err := cfg.Log.level()
	if err != nil {
		return err
	}
	h.level.Set(level)
	h.door.SetRate(cfg.API.Rate, cfg.API.Burst)
	var restart []string
	now := cfg.shown()
	for name, before := range h.config.shown() {
		if !reloaded[name] && fmt.Sprint(now[name]) != fmt.Sprint(before) {
			restart = append(restart, name)
		}
		delete(now, name)
	}
	for name := range now {
		if !reloaded[name] {
			restart = append(restart, name)
		}
	}
	if h.axis != nil && !slices.ContainsFunc(restart, func(key string) bool { return strings.HasPrefix(key, "axis.") || strings.HasPrefix(key, "hub.") }) {
		fresh := node.Config{Clock: h.node.Clock}
		if err := cfg.axis(&fresh); err != nil {
			return err
		}
		h.axis.Replace(fresh.Axis) // with the token as it is now
		h.node.HurryAxis()
	}
	if !slices.ContainsFunc(restart, func(key string) bool { return strings.HasPrefix(key, "sign.") || strings.HasPrefix(key, "verify.") }) {
		if err := cfg.renew(h.node); err != nil {
			return err
		}
	}
	slices.Sort(restart)
	h.node.Log.Info("configuration reloaded", "level", level, "need a restart", restart)
	return nil
}

// reloaded are the keys that a reload changes.
var reloaded = map[string]bool{"log.level": true, "api.rate": true, "api.burst": true}
