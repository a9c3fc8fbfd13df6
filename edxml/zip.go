package edxml

import (
	"bufio"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"slices"
	"strings"
)

// The signatures of APPNOTE.TXT 4.3 that a one-entry zip has.
const (
	zipLocal      = 0x04034b50
	zipDescriptor = 0x08074b50
	zipDirectory  = 0x02014b50
)

const (
	zipHeader  = 30 // fixed part of a local file header, APPNOTE.TXT 4.3.7
	zipRecord  = 46 // fixed part of a record of the directory, APPNOTE.TXT 4.3.12
	zipStored  = 0
	zipDeflate = 8
)

// zipEntry reads the first entry of a zip that a writer wrapped around an
// attachment. It reads forward only: the central directory is at the end, and
// an attachment is a stream.
type zipEntry struct {
	in     *packed
	body   io.Reader
	crc    uint32
	want   uint32
	flags  uint16
	method uint16
}

// packed is the zip's own side: what has been read of it, and why its source
// failed. It counts below the buffer, in blocks: flate takes its input byte by
// byte.
type packed struct {
	*bufio.Reader
	src io.Reader
	n   int64
	err error // of the source, other than its end and faults of the encoding
}

// packedReader buffers a source that may be a zip.
func packedReader(src io.Reader) *packed {
	p := &packed{src: src}
	p.Reader = bufio.NewReaderSize(source{p}, 4096)
	return p
}

// source fills the buffer of packed.
type source struct {
	to *packed
}

// Read implements io.Reader.
func (s source) Read(b []byte) (int, error) {
	n, err := s.to.src.Read(b)
	s.to.n += int64(n)
	if err != nil && err != io.EOF {
		var fault *ContentError
		if !errors.As(err, &fault) {
			s.to.err = err
		}
	}
	return n, err
}

// used returns how many bytes were taken out.
func (p *packed) used() int64 { return p.n - int64(p.Buffered()) }

// openZip returns the entry if the octets are a zip that the packet wrapped
// around the file, nil if they are the file itself. A zip that is left alone
// only for the path in its entry's name is told by that name.
//
// QUIRK: the VNPT and BKAV libraries zip most files and say so, the national
// axis zips again and does not say so, and Office files are zips themselves;
// so the bytes decide, with the name and the first entry.
func openZip(r *packed, name, contentType string) (e *zipEntry, climbing string) {
	ext := strings.ToLower(path.Ext(name))
	if ext == ".zip" {
		return nil, ""
	}
	e = openEntry(r, func(entry string) bool {
		last := entry[strings.LastIndexAny(entry, `/\`)+1:]
		if last != entry && !slices.Contains(folders, ext) && wrapped(last, name, contentType) {
			climbing = entry
		}
		return last == entry && wrapped(entry, name, contentType)
	})
	return e, climbing
}

// folders are the extensions of files that are zips with folders in them.
var folders = []string{".docx", ".xlsx", ".pptx", ".dotx", ".odt", ".ods", ".odp", ".ofd", ".jar", ".epub"}

// openEntry returns the first entry of a zip if it can be read forward and is
// wanted by its name; else nothing of r is consumed.
func openEntry(r *packed, wanted func(entry string) bool) *zipEntry {
	head, err := r.Peek(zipHeader)
	if err != nil || binary.LittleEndian.Uint32(head) != zipLocal {
		return nil
	}
	flags, method := binary.LittleEndian.Uint16(head[6:]), binary.LittleEndian.Uint16(head[8:])
	crc, size := binary.LittleEndian.Uint32(head[14:]), binary.LittleEndian.Uint32(head[18:])
	nameLen, extraLen := int(binary.LittleEndian.Uint16(head[26:])), int(binary.LittleEndian.Uint16(head[28:]))
	if zipHeader+nameLen > 2048 {
		return nil
	}
	head, err = r.Peek(zipHeader + nameLen)
	if err != nil {
		return nil
	}
	entry := string(head[zipHeader:])
	if !wanted(entry) || method != zipDeflate && (method != zipStored || flags&8 != 0) || flags&1 != 0 {
		return nil
	}
	e := &zipEntry{in: r, want: crc, flags: flags, method: method}
	_, _ = r.Discard(zipHeader + nameLen + extraLen) // a zip that ends here is damaged: the body will say so
	if method == zipStored {
		e.body = io.LimitReader(r.Reader, int64(size))
	} else {
		e.body = flate.NewReader(r.Reader)
	}
	return e
}

// wrapped decides whether the zip is the packet's own.
func wrapped(entry, name, contentType string) bool {
	if entry == "[Content_Types].xml" || entry == "mimetype" {
		return false
	}
	return saysZip(contentType) || strings.EqualFold(path.Ext(entry), path.Ext(name))
}

func saysZip(contentType string) bool { return strings.Contains(strings.ToLower(contentType), "zip") }

// Read implements io.Reader.
func (e *zipEntry) Read(p []byte) (int, error) {
	n, err := e.body.Read(p)
	e.crc = crc32.Update(e.crc, crc32.IEEETable, p[:n])
	if err != nil && err != io.EOF {
		var fault *ContentError
		if !errors.As(err, &fault) {
			err = &ContentError{Rule: "ATT-8", Text: err.Error()}
		}
	}
	return n, err
}

// finish checks what stands behind the entry, reads the zip to its end, and
// reports whether there is a second entry. Who reads a zip from its directory
// must have found the same in it.
func (e *zipEntry) finish() (second bool, err error) {
	if e.flags&8 != 0 {
		if err := e.descriptor(); err != nil {
			return false, err
		}
	}
	var other error
	switch _, peek := e.in.Peek(4); { // an error comes again
	case peek != nil: // it ends here
	case e.signed(0, zipLocal):
		second = true
	case e.signed(0, zipDirectory):
		second, other = e.directory()
	default:
		other = errors.New("neither a directory nor another entry stands behind its entry")
	}
	if _, err := io.Copy(io.Discard, e.in.Reader); err != nil {
		return second, err
	}
	if e.crc != e.want {
		return second, fmt.Errorf("its check sum is %08x, the file's is %08x", e.want, e.crc)
	}
	return second, other
}

// signed reports whether a signature stands so far ahead.
func (e *zipEntry) signed(ahead int, signature uint32) bool {
	next, _ := e.in.Peek(ahead + 4)
	return len(next) == ahead+4 && binary.LittleEndian.Uint32(next[ahead:]) == signature
}

// descriptor reads the sum from behind the entry: with or without a signature,
// and with sizes of 4 octets, or of 8 where the writer foresaw a large file
// (APPNOTE.TXT 4.3.9).
func (e *zipEntry) descriptor() error {
	d, err := e.in.Peek(8)
	if err != nil {
		return errors.New("it ends before its data descriptor")
	}
	size := 12
	if binary.LittleEndian.Uint32(d) == zipDescriptor {
		d = d[4:]
		size = 16
	}
	e.want = binary.LittleEndian.Uint32(d)
	follows := func(ahead int) bool { return e.signed(ahead, zipLocal) || e.signed(ahead, zipDirectory) }
	if !follows(size) && follows(size+8) {
		size += 8
	}
	if _, err := e.in.Discard(size); err != nil {
		return errors.New("it ends inside its data descriptor")
	}
	return nil
}

// directory checks that the directory says of the first entry what was read,
// and reports whether it has a second one.
func (e *zipEntry) directory() (second bool, err error) {
	record, peek := e.in.Peek(zipRecord)
	if peek != nil {
		return false, errors.New("it ends inside its directory")
	}
	method, crc, at := binary.LittleEndian.Uint16(record[10:]), binary.LittleEndian.Uint32(record[16:]), binary.LittleEndian.Uint32(record[42:])
	if method != e.method || crc != e.want || at != 0 {
		err = errors.New("its directory is of another entry than the one it begins with")
	}
	size := zipRecord
	for _, length := range [][]byte{record[28:], record[30:], record[32:]} { // of the name, the extra field and the comment
		size += int(binary.LittleEndian.Uint16(length))
	}
	_, _ = e.in.Discard(size) // a zip that ends here has no second one
	return e.signed(0, zipDirectory), err
}

// unzipped returns r, or the first entry of the zip that r is, and whether it
// is one. QUIRK: the iVBDH dialect zips both of its files.
func unzipped(r io.Reader, limits Limits) (io.Reader, bool, error) {
	head := packedReader(r)
	if magic, err := head.Peek(4); err != nil || binary.LittleEndian.Uint32(magic) != zipLocal {
		return head.Reader, false, nil // whoever reads on meets the error
	}
	e := openEntry(head, func(string) bool { return true })
	if e == nil {
		return nil, true, ErrZippedPacket
	}
	return &bounded{e, 0, limits.UnzipRatio}, true, nil
}

// bounded reads a packet out of a zip, as far as the ratio allows.
type bounded struct {
	*zipEntry
	n, ratio int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.zipEntry.Read(p)
	if b.n += int64(n); b.n > 10<<20 && b.n > b.in.used()*b.ratio {
		return n, &LimitError{Limit: "unzip ratio", Max: b.ratio}
	}
	return n, err
}
