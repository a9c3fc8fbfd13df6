package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/user"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
)

// keeper is the store of a node, for those who keep it up: in this process, or
// behind the socket of a running node.
type keeper interface {
	// backup writes a backup of the store, see boltstore.
	backup(ctx context.Context, w io.Writer) (boltstore.Manifest, error)
	// check checks the store; page by page only where no node runs.
	check(ctx context.Context, deep bool) (*boltstore.CheckReport, error)
	purge(ctx context.Context, o node.PurgeOptions) (*node.Purged, error)
	legalHold(ctx context.Context, ref, reason string, by node.By) (*node.Transfer, error)
	// journal writes the rows of all chains, those above after of each.
	journal(ctx context.Context, w io.Writer, after uint64) error
}

// openKeeper opens the way to the store: the socket of a running node, else the
// folder itself, which existing says must be there. The last result closes it.
func (p *program) openKeeper(c *cli.Context, existing bool) (k keeper, running bool, end func() error, err error) {
	cfg, err := readConfig(c.String("config"))
	if err != nil {
		return nil, false, nil, err
	}
	socket, err := cfg.socket()
	if err != nil {
		return nil, false, nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	if conn, err := dial(c.Context, "", ""); err == nil {
		conn.Close()
		return remoteKeeper{&http.Client{Transport: &http.Transport{DialContext: dial}}}, true, func() error { return nil }, nil
	}
	// keys, tokens and roots are not asked for: they may be what was lost
	s, err := cfg.openStore(existing)
	if err != nil {
		return nil, false, nil, err
	}
	n, err := node.New(node.Config{Organ: edxml.Organ{OrganID: cfg.Organ}, Store: s})
	if err != nil {
		return nil, false, nil, errors.Join(err, s.Close())
	}
	return localKeeper{n, false}, false, s.Close, nil
}

// keeping opens the way to the store, does something, and closes it.
func (p *program) keeping(c *cli.Context, do func(k keeper, running bool) error) (err error) {
	k, running, end, err := p.openKeeper(c, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	return do(k, running)
}

// noArguments refuses arguments.
func noArguments(c *cli.Context) error {
	if c.NArg() > 0 {
		return usageError{edxml.Text{VI: "lệnh này không có đối số: " + c.Args().First(), EN: "this command takes no argument: " + c.Args().First()}, c.Command.HelpName}
	}
	return nil
}

// lively reads from in until ctx ends: a pipe that says nothing must not keep
// the program from ending.
func lively(ctx context.Context, in io.Reader) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, in)
		w.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { w.CloseWithError(ctx.Err()) })
	return r
}

// byFlags are the flags of what is recorded in somebody's name.
func (p *program) byFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "by", EnvVars: []string{"LIENTHONG_ACTOR"}, Usage: p.say("ai làm; mặc định là người dùng của máy", "who does it; by default the user of the machine")},
		&cli.StringFlag{Name: "reason", Usage: p.say("lý do, được ghi lại", "why; it is recorded")},
	}
}

// by returns who does something, and why.
func by(c *cli.Context) node.By {
	actor := c.String("by")
	if u, err := user.Current(); actor == "" && err == nil {
		actor = u.Username
	}
	return node.By{Actor: actor, Reason: c.String("reason")}
}

// localKeeper is the store in this process.
type localKeeper struct {
	node    *node.Node
	running bool // others use it at the same time
}

// errOtherStore says that a store has tools of its own.
var errOtherStore = told{exitFailed, edxml.Text{
	VI: "kho dữ liệu này không phải bolt:", EN: "this store is no bolt: store",
}, edxml.Text{
	VI: "dùng công cụ của chính nó, ví dụ pg_dump", EN: "use the tools it comes with, pg_dump for example",
}}

func (k localKeeper) bolt() (*boltstore.Store, error) {
	if s, ok := k.node.Driver().(*boltstore.Store); ok {
		return s, nil
	}
	return nil, errOtherStore
}

func (k localKeeper) backup(ctx context.Context, w io.Writer) (boltstore.Manifest, error) {
	s, err := k.bolt()
	if err != nil {
		return boltstore.Manifest{}, err
	}
	return s.Backup(ctx, w)
}

func (k localKeeper) check(ctx context.Context, deep bool) (*boltstore.CheckReport, error) {
	s, err := k.bolt()
	if err != nil {
		return nil, err
	}
	return s.Check(ctx, boltstore.CheckOptions{Deep: deep, Pages: !k.running})
}

func (k localKeeper) purge(ctx context.Context, o node.PurgeOptions) (*node.Purged, error) {
	return k.node.Purge(ctx, o)
}

func (k localKeeper) legalHold(ctx context.Context, ref, reason string, by node.By) (*node.Transfer, error) {
	t, err := k.node.Resolve(ctx, node.In, ref)
	if errors.Is(err, node.ErrNotFound) {
		t, err = k.node.Resolve(ctx, node.Out, ref)
	}
	if err != nil {
		return nil, err
	}
	if t, err = k.node.LegalHold(ctx, t.ID, reason, by); err != nil {
		return nil, err
	}
	return t.Public(), nil
}

// journalPage is how many rows are read together.
const journalPage = 500

func (k localKeeper) journal(ctx context.Context, w io.Writer, after uint64) error {
	chains, err := k.node.Store.Chains(ctx)
	if err != nil {
		return err
	}
	for _, chain := range chains {
		for at := after; ; {
			rows, err := k.node.Store.Journal(ctx, chain, at, journalPage)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				break
			}
			for _, row := range rows {
				if _, err := w.Write(append(row, '\n')); err != nil {
					return err
				}
			}
			at += uint64(len(rows))
		}
	}
	return nil
}

// The paths of a keeper behind a socket. They are for this program alone, and
// no part of the node's door.
const (
	backupPath  = "/upkeep/backup"
	checkPath   = "/upkeep/check"
	purgePath   = "/upkeep/purge"
	holdPath    = "/upkeep/legal-hold"
	journalPath = "/upkeep/journal"
)

// upkeep adds the paths of a keeper to the routes behind the node's socket.
func upkeep(n *node.Node, routes http.Handler) http.Handler {
	k := localKeeper{n, true}
	mux := http.NewServeMux()
	mux.Handle("/", routes)
	mux.HandleFunc("POST "+backupPath, func(w http.ResponseWriter, r *http.Request) {
		stream(w, func(out io.Writer) error { _, err := k.backup(r.Context(), out); return err })
	})
	mux.HandleFunc("POST "+journalPath, func(w http.ResponseWriter, r *http.Request) {
		after, _ := strconv.ParseUint(r.FormValue("after"), 10, 64)
		stream(w, func(out io.Writer) error { return k.journal(r.Context(), out, after) })
	})
	mux.HandleFunc("POST "+checkPath, func(w http.ResponseWriter, r *http.Request) {
		respond(w, r, func(deep bool) (any, error) { return k.check(r.Context(), deep) })
	})
	mux.HandleFunc("POST "+purgePath, func(w http.ResponseWriter, r *http.Request) {
		respond(w, r, func(o node.PurgeOptions) (any, error) { return k.purge(r.Context(), o) })
	})
	mux.HandleFunc("POST "+holdPath, func(w http.ResponseWriter, r *http.Request) {
		respond(w, r, func(h legalHold) (any, error) { return k.legalHold(r.Context(), h.Ref, h.Reason, h.By) })
	})
	return mux
}

// legalHold is the question of holdPath.
type legalHold struct {
	Ref, Reason string
	By          node.By
}

// answered is the answer to a question: what came out, and what went wrong.
type answered struct {
	Value json.RawMessage
	Error *failure `json:",omitempty"`
}

// failure is an error on its way through the socket.
type failure struct {
	Code       int
	What, Hint edxml.Text
}

func (f *failure) err() error {
	if f == nil {
		return nil
	}
	return told{f.Code, f.What, f.Hint}
}

// fail says an error as it would be reported here.
func fail(err error) *failure {
	if err == nil {
		return nil
	}
	t := explain(err)
	return &failure{t.code, t.what, t.hint}
}

// respond answers a question that fits into one JSON value.
func respond[Q any](w http.ResponseWriter, r *http.Request, do func(Q) (any, error)) {
	var question Q
	if err := json.NewDecoder(io.LimitReader(r.Body, maxConfig)).Decode(&question); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	value, err := do(question)
	a := answered{Error: fail(err)}
	if a.Value, err = json.Marshal(value); err != nil {
		a.Error = fail(err)
	}
	_ = json.NewEncoder(w).Encode(a) // a cut-off client sees it by the end of the stream
}

// failedTrailer says how a stream ended.
const failedTrailer = "Lienthong-Failed"

// stream answers with octets, and with how it ended in a trailer.
func stream(w http.ResponseWriter, do func(io.Writer) error) {
	w.Header().Set("Trailer", failedTrailer)
	w.WriteHeader(http.StatusOK)
	text, _ := json.Marshal(fail(do(w))) // null when all went well
	w.Header().Set(failedTrailer, url.QueryEscape(string(text)))
}

// remoteKeeper is the store of a running node.
type remoteKeeper struct {
	http *http.Client
}

func (k remoteKeeper) post(ctx context.Context, path string, body any) (*http.Response, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node"+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	resp, err := k.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, told{exitFailed, edxml.Text{
			VI: "nút đang chạy trả lời " + resp.Status + ": có thể là bản cũ hơn", EN: "the running node answered " + resp.Status + ": it may be an older version",
		}, edxml.Text{VI: "khởi động lại nút bằng bản này, hoặc dừng nút rồi chạy lại lệnh", EN: "start the node anew with this version, or stop it and run this again"}}
	}
	return resp, nil
}

// ask asks a question and decodes the answer, which may come with an error.
func (k remoteKeeper) ask(ctx context.Context, path string, question, into any) error {
	resp, err := k.post(ctx, path, question)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var a answered
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if string(a.Value) != "null" {
		if err := json.Unmarshal(a.Value, into); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return a.Error.err()
}

// read copies a stream, and returns how it ended there.
func (k remoteKeeper) read(ctx context.Context, path string, w io.Writer) error {
	resp, err := k.post(ctx, path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return err
	}
	text, err := url.QueryUnescape(resp.Trailer.Get(failedTrailer))
	if err == nil && text == "" {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var f *failure
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.err()
}

func (k remoteKeeper) backup(ctx context.Context, w io.Writer) (m boltstore.Manifest, err error) {
	last, pipe := io.Pipe()
	read := make(chan error, 1)
	go func() { // the manifest is the last entry
		tarred := tar.NewReader(last)
		for {
			h, err := tarred.Next()
			if err == nil && strings.HasSuffix(h.Name, ".json") {
				err = json.NewDecoder(tarred).Decode(&m)
			}
			if err != nil {
				_, _ = io.Copy(io.Discard, last)
				read <- err
				return
			}
		}
	}()
	err = k.read(ctx, backupPath, io.MultiWriter(w, pipe))
	pipe.CloseWithError(err)
	if end := <-read; err == nil && !errors.Is(end, io.EOF) {
		err = end
	}
	return m, err
}

func (k remoteKeeper) check(ctx context.Context, deep bool) (r *boltstore.CheckReport, err error) {
	return r, k.ask(ctx, checkPath, deep, &r)
}

func (k remoteKeeper) purge(ctx context.Context, o node.PurgeOptions) (p *node.Purged, err error) {
	err = k.ask(ctx, purgePath, o, &p)
	return p, err
}

func (k remoteKeeper) legalHold(ctx context.Context, ref, reason string, by node.By) (t *node.Transfer, err error) {
	err = k.ask(ctx, holdPath, legalHold{ref, reason, by}, &t)
	return t, err
}

func (k remoteKeeper) journal(ctx context.Context, w io.Writer, after uint64) error {
	return k.read(ctx, journalPath+"?after="+strconv.FormatUint(after, 10), w)
}
