package main

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lienthong/lienthong/node/pgstore/pgtest"
)

// clusterGuide returns the command of docs/CLUSTER.md that begins so. Both
// languages must have it, but for what is said behind it.
func clusterGuide(t *testing.T, begins string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/CLUSTER.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, begins) {
			line, _, _ = strings.Cut(line, "  #")
			found = append(found, strings.TrimSpace(line))
		}
	}
	if len(found) != 2 || found[0] != found[1] {
		t.Fatalf("the commands %q in both languages: %q", begins, found)
	}
	return found[0]
}

// TestClusterBackup backs a store up while a hub works on it, and brings it back,
// both as the guide says: everything that was taken before is there.
func TestClusterBackup(t *testing.T) {
	server := pgtest.New(t, "")
	server.Shell(t, "createdb lienthong")
	at := func(database string) string {
		return strings.Replace(server.URL(), "/postgres?", "/"+database+"?", 1)
	}
	c := newCluster(t, at("lienthong"), 1)
	ctx, stop := context.WithCancel(t.Context())
	var senders, receiver sync.WaitGroup
	senders.Go(func() { c.send(ctx, 0) })
	receiver.Go(c.collect)
	for range 10 {
		<-c.accepted
	}
	c.mu.Lock()
	before := len(c.took)
	c.mu.Unlock()
	counted := make(chan struct{})
	go func() {
		defer close(counted)
		for range 5 { // it goes on meanwhile
			<-c.accepted
		}
	}()
	server.Shell(t, clusterGuide(t, "pg_dump"))
	<-counted
	stop()
	c.end(&senders, &receiver)

	server.Shell(t, clusterGuide(t, "createdb restored"))
	hub := c.hubs[0]
	hub.kill()
	text, err := os.ReadFile(hub.config)
	if err != nil {
		t.Fatal(err)
	}
	restored := hub.config + ".restored"
	if err := os.WriteFile(restored, []byte(strings.Replace(string(text), at("lienthong"), at("restored"), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.run("journal", "verify", "--config", restored)
	var report agencyAnswer
	if err := json.Unmarshal([]byte(c.run("agency", "report", "--json", "--config", restored)), &report); err != nil || len(report.Mailboxes) != 2 {
		t.Fatalf("%v: %+v", err, report)
	}
	if box := report.Mailboxes[1]; box.OrganID != "H41" || box.Documents < int64(before) {
		t.Errorf("%+v came back, %d documents were taken before the backup", box, before)
	}
}

// TestFailover loses the primary for good while a hub takes documents: the
// standby is promoted as the guide says, the same process goes on, and nothing
// that it had taken is lost or comes twice.
func TestFailover(t *testing.T) {
	first := pgtest.New(t, "")
	const host, folder = "db1.example", "/var/lib/postgresql/17/main"
	second := first.Copy(t, func(data string) string {
		return strings.NewReplacer(host, first.Dir(), folder, data).Replace(clusterGuide(t, "pg_basebackup -h"))
	})
	store := first.Schema(t)
	first.Shell(t, strings.Replace(clusterGuide(t, "psql -h"), host, first.Dir(), 1))

	here := url.QueryEscape(first.Dir())
	store = strings.Replace(store, here, here+","+url.QueryEscape(second.Dir()), 1) + "&target_session_attrs=read-write"
	c := newCluster(t, store, 1)
	began := time.Now()
	ctx, stop := context.WithCancel(t.Context())
	var senders, receiver sync.WaitGroup
	for i := range clusterSenders {
		senders.Go(func() { c.send(ctx, i) })
	}
	receiver.Go(c.collect)
	c.take(30)
	if err := first.Stop("immediate"); err != nil {
		t.Fatal(err)
	}
	second.Shell(t, strings.Replace(clusterGuide(t, "pg_ctl"), folder, second.Data(), 1))
	c.take(30)
	stop()
	c.end(&senders, &receiver)
	c.report([]int{0}, 1, time.Since(began))
}
