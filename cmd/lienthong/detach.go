package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
)

// detach signs files of a packet, or the packet file itself, in a signature
// that stands in a file of its own.
func (p *program) detach(c *cli.Context, key *signature.Key, o signature.SignOptions) (*signature.TSAError, error) {
	packet := c.String("detach-from")
	f, err := p.openPacket(c.Context, packet, true)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	files := []signature.Content{f.itself(packet)}
	if c.NArg() > 0 {
		if files, err = f.named(c.Args().Slice()); err != nil {
			return nil, fileError{packet, err}
		}
	}
	var missed *signature.TSAError
	err = p.writeOut(c, func(w io.Writer) error {
		err := signature.SignDetached(w, files, key, o)
		if errors.As(err, &missed) {
			o.Stamp = nil
			err = signature.SignDetached(w, files, key, o)
		}
		if fault := signFault(err); fault != nil {
			return fileError{packet, fault}
		}
		return err
	})
	return missed, err
}

// itself is the packet's file as something to be signed whole. Its name is
// that of the file, without the folder.
func (f *packetFile) itself(name string) signature.Content {
	return signature.Content{Name: filepath.Base(name), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(f.file, 0, f.fileSize)), nil
	}}
}

// named finds attachments by name or Content-ID.
func (f *packetFile) named(names []string) ([]signature.Content, error) {
	all, err := f.attachments()
	if err != nil {
		return nil, err
	}
	var files []signature.Content
	for _, name := range names {
		at := slices.IndexFunc(all, func(c signature.Content) bool { return c.Name == name || c.ID == name })
		if at < 0 {
			return nil, told{exitNotFound, edxml.Text{
				VI: fmt.Sprintf("không có tệp đính kèm %q", name), EN: fmt.Sprintf("there is no attachment %q", name),
			}, edxml.Text{VI: "xem tên tệp bằng lienthong inspect", EN: "lienthong inspect shows the names"}}
		}
		files = append(files, all[at])
	}
	return files, nil
}

// attachments spools the user's files of a packet, as extract writes them: out
// of base64 and of the packet's own zip.
func (f *packetFile) attachments() ([]signature.Content, error) {
	var all []signature.Content
	tmp, err := f.temp()
	if err != nil {
		return nil, err
	}
	var at, n int64
	damaged := false
	_, err = f.walk(func(a *edxml.Attachment) error {
		var err error
		n, err = io.Copy(tmp, a.Content)
		var damage *edxml.ContentError
		if damaged = errors.As(err, &damage); damaged {
			err = nil
		}
		return err
	}, func(a edxml.Attachment, _ []edxml.Finding) error {
		from, size := at, n
		at, n = at+n, 0
		if damaged { // there is nothing whole to be signed, or to have been
			damaged = false
			return nil
		}
		all = append(all, signature.Content{ID: a.ContentID, Name: a.Name, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(interruptible{tmp, f.alive}, from, size)), nil
		}})
		return nil
	})
	return all, err
}

// verifyDetached judges the signature in the file of --detached over the
// packet and its files.
func (p *program) verifyDetached(c *cli.Context, packet string, o signature.VerifyOptions) (v signature.Verdict, err error) {
	name := c.String("detached")
	block, err := p.openPacket(c.Context, name, false)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, block.Close()) }()
	f, err := p.openPacket(c.Context, packet, true)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	files, err := f.attachments()
	if err != nil {
		return v, fileError{packet, err}
	}
	files = append([]signature.Content{f.itself(packet)}, files...)
	v, err = signature.VerifyDetached(block.file, block.fileSize, files, o)
	if errors.Is(err, signature.ErrNotPacket) {
		err = told{exitSignature, with("tệp này không phải chữ ký rời", "this file is no detached signature", err), edxml.Text{
			VI: "lienthong sign --detach-from viết ra tệp như vậy", EN: "lienthong sign --detach-from writes one",
		}}
	}
	if err != nil {
		return v, fileError{name, err}
	}
	return v, nil
}
