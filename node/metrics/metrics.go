// Package metrics counts what a node does, for Prometheus.
//
// It looks on from outside: [Metrics.Axis] and [Metrics.Sink] stand in front of
// the node's ports and measure every call, [Metrics.Watch] reads the store, the
// way to the axis and the clock whenever Prometheus asks. docs and alert rules
// use the names below; they do not change within a major version.
package metrics

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/transport"
)

// seconds are the buckets of every duration: from a fast local call to an axis
// that takes minutes.
var seconds = []float64{0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300}

// Metrics are the counters of one node.
type Metrics struct {
	registry *prometheus.Registry

	calls    *prometheus.CounterVec   // of the axis, by operation and outcome
	took     *prometheus.HistogramVec // by operation
	octets   *prometheus.CounterVec   // by direction
	handed   *prometheus.CounterVec   // to the sink, by outcome
	handing  prometheus.Histogram
	requests *prometheus.CounterVec // of the REST door
	answered *prometheus.HistogramVec
}

// New makes the counters. version is that of the program.
func New(version string) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lienthong_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "lienthong_" + name, Help: help, Buckets: seconds}, labels)
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		calls:    counter("axis_calls_total", "Calls of the axis, by operation and outcome: ok, existed, temporary, permanent, credential.", "operation", "outcome"),
		took:     histogram("axis_call_seconds", "How long calls of the axis took.", "operation"),
		octets:   counter("axis_bytes_total", "Octets of packets sent to the axis and received from it.", "direction"),
		handed:   counter("deliveries_total", "Documents handed to the sink, by outcome: ok, failed.", "outcome"),
		requests: counter("api_requests_total", "Requests to the node's door, by route, status and the code of a refusal.", "route", "status", "code"),
		answered: histogram("api_request_seconds", "How long requests to the node's door took.", "route"),
	}
	m.handing = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "lienthong_delivery_seconds", Help: "How long the sink took for a document.", Buckets: seconds})
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "lienthong_build_info", Help: "The version that runs; always 1."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.calls, m.took, m.octets, m.handed, m.handing, m.requests, m.answered, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, d := range []string{sent, received} {
		m.octets.WithLabelValues(d)
	}
	for _, o := range []string{ok, failed} {
		m.handed.WithLabelValues(o)
	}
	return m
}

// Handler answers what Prometheus asks.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Request counts a request to the node's door. route, status and code are few:
// none of them comes from the request's path or body.
func (m *Metrics) Request(route string, status int, code string, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status), code).Inc()
	if route != "GET /v1/events" { // takes as long as its reader likes
		m.answered.WithLabelValues(route).Observe(took.Seconds())
	}
}

// Watched is what Watch reads.
type Watched struct {
	Node         *node.Node
	Certificates func() map[string]*x509.Certificate // by what they are for; nil: none
	Free         func() (int64, error)               // octets free where the store is; nil: nobody looks
}

// Watch adds what is read when Prometheus asks.
func (m *Metrics) Watch(w Watched) { m.registry.MustRegister(&watcher{w}) }

// watcher collects a node's state.
type watcher struct{ Watched }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("lienthong_"+name, help, labels, nil)
}

var (
	depth   = desc("transfers", "Transfers by direction and state.", "direction", "state")
	overdue = desc("queue_overdue_seconds", "For how long the Transfer that is due next has been due; 0 when none is.", "direction")
	oldest  = desc("queue_oldest_seconds", "Age of the oldest Transfer that has a step left.", "direction")
	waiting = desc("inbox_waiting", "Documents in the inbox that nobody has taken yet, 1,000 at the most.")
	held    = desc("inbox_leases", "Documents in the inbox that a document system holds right now.")
	breaker = desc("breaker_open", "1 while calls of the axis are held back.")
	faults  = desc("axis_faults", "Faults of the axis in a row.")
	worked  = desc("axis_worked_timestamp_seconds", "When the axis answered last.")
	offset  = desc("clock_offset_seconds", "How far the axis's clock is ahead of this machine's.")
	expiry  = desc("certificate_days_left", "Days until a certificate ends; negative when it has.", "use", "subject")
	free    = desc("store_free_bytes", "Octets free where the store is.")
	unread  = desc("collect_errors", "What could not be read for this answer.")
)

// Describe implements prometheus.Collector; what is collected depends on the store.
func (w *watcher) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{depth, overdue, oldest, waiting, held, breaker, faults, worked, offset, expiry, free, unread} {
		ch <- d
	}
}

// patience bounds how long the store may take for an answer.
const patience = 5 * time.Second

// Collect implements prometheus.Collector. What cannot be read is left out,
// logged and counted.
func (w *watcher) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	now, wrong := time.Now(), 0
	for _, part := range []func(context.Context, chan<- prometheus.Metric, time.Time) error{w.queues, w.inbox, w.link, w.machine} {
		if err := part(ctx, ch, now); err != nil {
			wrong++
			w.Node.Log.LogAttrs(ctx, slog.LevelWarn, "metric not read", slog.Any("error", err))
		}
	}
	gauge(ch, unread, float64(wrong))
}

func gauge(ch chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (w *watcher) queues(ctx context.Context, ch chan<- prometheus.Metric, now time.Time) error {
	counts, err := w.Node.Store.Counts(ctx, node.StatePrefix())
	if err != nil {
		return err
	}
	for key, n := range counts {
		direction, state, ok := strings.Cut(strings.TrimPrefix(key, node.StatePrefix()), "/")
		if ok {
			gauge(ch, depth, float64(n), direction, state)
		}
	}
	for _, d := range []node.Direction{node.Out, node.In} {
		due, err := w.Node.Store.NextDue(ctx, d)
		if err != nil {
			return err
		}
		late := 0.0
		if !due.IsZero() {
			late = max(0, now.Sub(due).Seconds())
		}
		gauge(ch, overdue, late, string(d))
	}
	age, err := w.Node.OldestUnfinished(ctx)
	if err != nil {
		return err
	}
	for d, created := range age {
		gauge(ch, oldest, max(0, now.Sub(created).Seconds()), string(d))
	}
	return nil
}

func (w *watcher) inbox(ctx context.Context, ch chan<- prometheus.Metric, now time.Time) error {
	found, err := w.Node.Waiting(ctx, 1000)
	if err != nil {
		return err
	}
	leases := 0
	for _, t := range found {
		if t.Pickup != nil && now.Before(t.Pickup.Until) {
			leases++
		}
	}
	gauge(ch, waiting, float64(len(found)))
	gauge(ch, held, float64(leases))
	return nil
}

func (w *watcher) link(ctx context.Context, ch chan<- prometheus.Metric, _ time.Time) error {
	if w.Node.Axis == nil {
		return nil
	}
	l, err := w.Node.Link(ctx)
	if err != nil {
		return err
	}
	open := 0.0
	if l.Open() {
		open = 1
	}
	gauge(ch, breaker, open)
	gauge(ch, faults, float64(l.Faults))
	if !l.Worked.IsZero() {
		gauge(ch, worked, float64(l.Worked.Unix()))
	}
	gauge(ch, offset, l.Offset.Seconds())
	return nil
}

func (w *watcher) machine(_ context.Context, ch chan<- prometheus.Metric, now time.Time) error {
	if w.Certificates != nil {
		for use, c := range w.Certificates() {
			gauge(ch, expiry, c.NotAfter.Sub(now).Hours()/24, use, c.Subject.String())
		}
	}
	if w.Free == nil {
		return nil
	}
	n, err := w.Free()
	if err == nil {
		gauge(ch, free, float64(n))
	}
	return err
}

// The outcomes of calls.
const (
	ok         = "ok"
	existed    = "existed"
	temporary  = "temporary"
	permanent  = "permanent"
	credential = "credential"
	failed     = "failed"
)

// The directions of octets.
const (
	sent     = "sent"
	received = "received"
)

func outcome(err error) string {
	var fault *transport.Fault
	switch {
	case err == nil:
		return ok
	case errors.As(err, &fault) && fault.Credential:
		return credential
	case errors.As(err, &fault) && !fault.Temporary():
		return permanent
	}
	return temporary
}
