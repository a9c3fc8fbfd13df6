// Package drop lets a document system hand packets over by putting files into
// a folder, where nothing but a shared disk connects it with the node.
//
//	outgoing/   packets to be sent
//	accepted/   those the node has taken, each with NAME.result.json beside it
//	rejected/   those it refused, each with NAME.result.json: findings and remedy
//	incoming/   what came in; a folder sink writes it
//
// A packet is picked up when it is complete. Either it is written under a name
// that begins with a dot or ends in .tmp or .part, and renamed; or it is written
// under its own name, and an empty NAME.done is put beside it. A file with
// neither is taken once it has not changed for a while, and if it then ends in
// the middle it is left alone for some time more: somebody may still be writing.
//
// A crash at any point does no harm: the packet is submitted again, which the
// node knows for the same document.
package drop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
)

// The folders in a drop folder.
const (
	Outgoing = "outgoing"
	Accepted = "accepted"
	Rejected = "rejected"
	Incoming = "incoming"
)

// The endings that have a meaning in outgoing.
const (
	doneMark   = ".done"
	resultMark = ".result.json"
)

// Folder is a drop folder. Dir and Door are required.
type Folder struct {
	Dir    string
	Door   *api.Client   // the node's
	Poll   time.Duration // between looks; 0: 2 s
	Settle time.Duration // how long a file without a mark must be unchanged; 0: 5 s
	Young  time.Duration // how long after its last change a file that ends in the middle is left alone; 0: 1 min
	Log    *slog.Logger  // nil: silent
}

// Result is what became of a packet: the content of NAME.result.json.
type Result struct {
	File       string        `json:"file"`
	At         time.Time     `json:"at"`
	Accepted   bool          `json:"accepted"`
	Transfer   string        `json:"transfer,omitempty"`
	Existed    bool          `json:"existed,omitempty"` // it had been accepted before
	Kind       edxml.Kind    `json:"kind,omitempty"`
	DocumentID string        `json:"documentId,omitempty"`
	State      node.State    `json:"state,omitempty"`
	Findings   []api.Finding `json:"findings,omitempty"`
	Problem    *api.Problem  `json:"problem,omitempty"` // why it was rejected
}

// watcher is a Folder at work.
type watcher struct {
	Folder
	root    *os.Root
	seen    map[string]sighting // of the last look, by name
	trouble string              // what the last look failed with
}

// sighting is how a file looked.
type sighting struct {
	size    int64
	changed time.Time
	since   time.Time // when it began to look like this
	stuck   string    // it was dealt with and could not be moved, or was left alone: the reason
}

// Run makes the folders and looks into outgoing until ctx ends.
func (f Folder) Run(ctx context.Context) error {
	for field, standard := range map[*time.Duration]time.Duration{&f.Poll: 2 * time.Second, &f.Settle: 5 * time.Second, &f.Young: time.Minute} {
		if *field == 0 {
			*field = standard
		}
	}
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	for _, name := range []string{Outgoing, Accepted, Rejected, Incoming} {
		if err := os.MkdirAll(filepath.Join(f.Dir, name), 0o750); err != nil {
			return fmt.Errorf("drop: %w", err)
		}
	}
	root, err := os.OpenRoot(f.Dir)
	if err != nil {
		return fmt.Errorf("drop: %w", err)
	}
	defer root.Close()
	w := &watcher{Folder: f, root: root, seen: map[string]sighting{}}
	tick := time.NewTicker(f.Poll)
	defer tick.Stop()
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look takes what is complete. A trouble with the folder is logged when it
// begins and when it ends.
func (w *watcher) look(ctx context.Context) {
	entries, err := fs.ReadDir(w.root.FS(), Outgoing)
	switch {
	case err != nil && err.Error() != w.trouble:
		w.trouble = err.Error()
		w.Log.ErrorContext(ctx, "drop folder trouble", "folder", w.Dir, "error", err)
	case err == nil && w.trouble != "":
		w.trouble = ""
		w.Log.InfoContext(ctx, "drop folder trouble is over", "folder", w.Dir)
	}
	marked := map[string]bool{}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), doneMark); ok {
			marked[name] = true
		}
	}
	now, seen := time.Now(), map[string]sighting{}
	for _, e := range entries {
		if ctx.Err() != nil {
			return
		}
		if !packetName(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // gone already
		}
		s := sighting{size: info.Size(), changed: info.ModTime(), since: now}
		if before, ok := w.seen[e.Name()]; ok && before.size == s.size && before.changed.Equal(s.changed) {
			s.since, s.stuck = before.since, before.stuck
		}
		if complete := marked[e.Name()] || now.Sub(s.since) >= w.Settle && now.Sub(s.changed) >= w.Settle; complete {
			if s.stuck = w.take(ctx, e.Name(), marked[e.Name()], s); s.stuck == "" {
				continue
			}
		}
		seen[e.Name()] = s
	}
	w.seen = seen
}

// packetName tells packets from marks and from what is still being written.
func packetName(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") {
		return false
	}
	for _, ending := range []string{doneMark, resultMark, ".tmp", ".part", ".filepart", ".crdownload", ".swp"} {
		if strings.HasSuffix(strings.ToLower(name), ending) {
			return false
		}
	}
	return true
}

// moved says that the packet was dealt with, and why it is still there.
const moved = "dealt with: "

// take submits a packet and puts it where it belongs. It returns why the packet
// is still in outgoing, "" when it is not.
func (w *watcher) take(ctx context.Context, name string, marked bool, s sighting) string {
	if strings.HasPrefix(s.stuck, moved) {
		return s.stuck // until somebody changes the file or the permissions and restarts
	}
	sub, err := w.submit(ctx, name)
	result := Result{File: name, At: time.Now().UTC().Truncate(time.Second)}
	var refusal *api.Problem
	switch {
	case err == nil:
		t := sub.Transfer
		result.Accepted, result.Transfer, result.Existed, result.Findings = true, t.ID, sub.Existed, sub.Findings
		result.Kind, result.DocumentID, result.State = t.Kind, t.DocumentID, t.State
	case ctx.Err() != nil:
		return s.stuck
	case errors.As(err, &refusal) && refusal.Status < http.StatusInternalServerError && refusal.Status != http.StatusTooManyRequests:
		if ends := refusal.Code == "truncated" || refusal.Code == "mime-truncated" || refusal.Code == "not-xml" && s.size == 0; ends && !marked && time.Since(s.changed) < w.Young {
			return w.stuck(ctx, name, s, "it ends in the middle; it may still be written")
		}
		result.Findings, refusal.Findings = refusal.Findings, nil
		result.Problem = refusal
	default:
		return w.stuck(ctx, name, s, err.Error()) // the node or the disk: the packet is not to blame
	}
	if err := w.put(result, marked); err != nil {
		return w.stuck(ctx, name, s, moved+err.Error())
	}
	if result.Accepted {
		w.Log.InfoContext(ctx, "drop folder accepted", "file", name, "transfer", result.Transfer, "existed", result.Existed)
	} else {
		w.Log.WarnContext(ctx, "drop folder rejected", "file", name, "code", result.Problem.Code, "error", result.Problem.Detail)
	}
	return ""
}

// stuck logs why a packet stays, once for each reason.
func (w *watcher) stuck(ctx context.Context, name string, s sighting, why string) string {
	if s.stuck != why {
		w.Log.WarnContext(ctx, "drop folder waits", "file", name, "error", why)
	}
	return why
}

func (w *watcher) submit(ctx context.Context, name string) (*api.Submitted, error) {
	f, err := w.root.Open(path.Join(Outgoing, name))
	if err != nil {
		return nil, fmt.Errorf("drop: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("drop: %s is no regular file (%w)", name, err)
	}
	return w.Door.Submit(ctx, f)
}

// put writes the result, moves the packet beside it, and takes the mark away,
// in this order: a crash in between submits the packet once more.
func (w *watcher) put(r Result, marked bool) error {
	to := Rejected
	if r.Accepted {
		to = Accepted
	}
	name := w.free(to, r.File)
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("drop: %w", err)
	}
	if err := w.write(path.Join(to, name+resultMark), append(text, '\n')); err != nil {
		return err
	}
	if err := w.root.Rename(path.Join(Outgoing, r.File), path.Join(to, name)); err != nil {
		return fmt.Errorf("drop: %w", err)
	}
	if marked {
		if err := w.root.Remove(path.Join(Outgoing, r.File+doneMark)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("drop: %w", err)
		}
	}
	return nil
}

// free returns a name that no packet in the folder has: the file's own if it can be.
func (w *watcher) free(folder, name string) string {
	candidate := name
	ext := path.Ext(name)
	for n := 2; ; n++ {
		if _, err := w.root.Lstat(path.Join(folder, candidate)); errors.Is(err, fs.ErrNotExist) {
			return candidate
		} else if err != nil {
			return name // writing says what is wrong
		}
		candidate = fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(name, ext), n, ext)
	}
}

// write writes a whole file or none.
func (w *watcher) write(name string, text []byte) error {
	temp := name + ".tmp"
	f, err := w.root.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("drop: %w", err)
	}
	_, err = io.Copy(f, bytes.NewReader(text))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = w.root.Rename(temp, name)
	}
	if err != nil {
		return fmt.Errorf("drop: %w", errors.Join(err, w.root.Remove(temp)))
	}
	return nil
}
