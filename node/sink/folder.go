// Package sink has the places where a node hands incoming Documents over.
//
// [Folder] is a directory: every Document becomes one folder that appears
// whole or not at all, so a document system can simply watch for new names.
// [Command] runs a program for each Document, [Webhook] posts it, [Func] calls
// a function. All but the folder deliver at least once, with a stable id.
package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/failpoint"
)

// Folder delivers each Document as a subfolder named by its Transfer, with
// transfer.json, envelope.xml and the files under their own names. Delivery is
// exactly once by name: what is there already is left alone.
type Folder struct {
	Dir string
}

// Deliver writes the Document's folder under a temporary name, makes it
// durable, and renames it.
func (f Folder) Deliver(ctx context.Context, t *node.Transfer, open func(node.Content) (io.ReadCloser, error)) error {
	final := filepath.Join(f.Dir, t.ID)
	if _, err := os.Stat(final); err == nil {
		return syncDir(f.Dir) // a crash may have come before it
	}
	tmp := filepath.Join(f.Dir, ".tmp-"+t.ID)
	if err := os.RemoveAll(tmp); err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	if err := fill(tmp, t, open); err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	if err := syncDir(tmp); err != nil {
		return err
	}
	failpoint.Hit(failpoint.FolderFilled)
	if err := os.Rename(tmp, final); err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	failpoint.Hit(failpoint.FolderNamed)
	return syncDir(f.Dir)
}

// fill writes what a Document consists of into a folder.
func fill(dir string, t *node.Transfer, open func(node.Content) (io.ReadCloser, error)) error {
	record, err := json.MarshalIndent(t.Public(), "", "  ")
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	if err := write(filepath.Join(dir, "transfer.json"), strings.NewReader(string(record)+"\n")); err != nil {
		return err
	}
	copyTo := func(name string, c node.Content) error {
		r, err := open(c)
		if err != nil {
			return err
		}
		defer r.Close()
		return write(filepath.Join(dir, name), r)
	}
	if err := copyTo("envelope.xml", t.Envelope); err != nil {
		return err
	}
	used := map[string]bool{"transfer.json": true, "envelope.xml": true}
	for i, p := range t.Parts {
		if err := copyTo(FileName(p.Name, i, used), p.Content); err != nil {
			return err
		}
	}
	return nil
}

// Notify writes ID.failed.json for an outgoing Transfer that was given up, and
// ID.recalled.json for a Document that its sender took back, whose folder it
// removes if it is still there: whoever took it away has to destroy it.
func (f Folder) Notify(ctx context.Context, t *node.Transfer) error {
	e := about(t)
	record, err := json.MarshalIndent(e.Transfer, "", "  ")
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	if e.What == Recalled {
		if err := os.RemoveAll(filepath.Join(f.Dir, t.ID)); err != nil {
			return fmt.Errorf("sink: %w", err)
		}
	}
	final := filepath.Join(f.Dir, t.ID+"."+string(e.What)+".json")
	if _, err := os.Stat(final); err == nil {
		return syncDir(f.Dir)
	}
	tmp := filepath.Join(f.Dir, ".tmp-"+t.ID)
	if err := os.RemoveAll(tmp); err != nil { // of a crash
		return fmt.Errorf("sink: %w", err)
	}
	if err := write(tmp, strings.NewReader(string(record)+"\n")); err != nil {
		return err
	}
	if err := os.Rename(tmp, final); err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	return syncDir(f.Dir)
}

// maxName is the longest name of a file, in bytes; systems allow 255.
const maxName = 200

// FileName makes a file name that is safe in any folder out of an
// AttachmentName: no path, no control characters nor any that change the
// direction of writing, no leading dot, at most 200 bytes, and none that used
// holds already. i numbers the nameless.
func FileName(name string, i int, used map[string]bool) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	name = strings.Trim(name, " .")
	if name == "" {
		name = fmt.Sprintf("file-%d", i+1)
	}
	ext := filepath.Ext(name)
	if len(ext) > 20 {
		ext = ""
	}
	stem := name[:len(name)-len(ext)]
	fit := func(ext string) string { return strings.ToValidUTF8(stem[:min(len(stem), maxName-len(ext))], "") + ext }
	candidate := fit(ext)
	for n := 2; used[candidate]; n++ {
		candidate = fit(fmt.Sprintf(" (%d)%s", n, ext))
	}
	used[candidate] = true
	return candidate
}

// write creates a file that must not exist, and makes it durable.
func write(path string, r io.Reader) error {
	w, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	_, err = io.Copy(w, r)
	if err == nil {
		err = w.Sync()
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("sink: %s: %w", path, err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sink: %s: %w", dir, err)
	}
	return nil
}
