package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
)

func (p *program) diffCommand() *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     p.say("so sánh hai gói tin theo từng trường", "compare two packets field by field"),
		ArgsUsage: "A B",
		Description: p.say(
			"So nội dung, không so cách viết XML; tệp đính kèm so bằng mã băm. Khác biệt mà một trục trung thực cũng\n"+
				"tạo ra (dấu vết chuyển tiếp, token, dạng gói tin) được ghi là vô hại. Mã thoát 0 khi giống nhau, 1 khi khác.",
			"Compares what packets say, not how the XML is written; attachments by digest. What an honest axis\n"+
				"changes too (traces, token, profile) is marked as harmless. Exits with 0 when they are the same, 1 when\n"+
				"they differ."),
		Flags:  []cli.Flag{p.jsonFlag()},
		Action: p.diff,
	}
}

// comparison is the output of diff --json.
type comparison struct {
	A           string       `json:"a"`
	B           string       `json:"b"`
	Same        bool         `json:"same"` // but for what is harmless
	Differences []difference `json:"differences"`
}

// difference is a field that differs; a side that does not have it is nil.
type difference struct {
	Path     string `json:"path"`
	A        any    `json:"a,omitempty"`
	B        any    `json:"b,omitempty"`
	Harmless bool   `json:"harmless"`
}

func (p *program) diff(c *cli.Context) error {
	switch {
	case c.NArg() < 2:
		return usageError{edxml.Text{VI: "cần hai tệp gói tin", EN: "two packet files are needed"}, c.Command.HelpName}
	case c.NArg() > 2:
		return usageError{edxml.Text{VI: "quá nhiều đối số: " + c.Args().Get(2), EN: "too many arguments: " + c.Args().Get(2)}, c.Command.HelpName}
	case c.Args().Get(0) == "-" && c.Args().Get(1) == "-":
		return usageError{edxml.Text{VI: "đầu vào chuẩn (-) chỉ đọc được một lần", EN: "standard input (-) can be read once only"}, c.Command.HelpName}
	}
	result := comparison{A: c.Args().Get(0), B: c.Args().Get(1), Same: true, Differences: []difference{}}
	var packets [2]*edxml.Packet
	var blocks [2][]leaf
	for i := range packets {
		var err error
		if packets[i], blocks[i], err = p.whole(c, c.Args().Get(i)); err != nil {
			if c.Context.Err() != nil {
				return interrupted()
			}
			return err
		}
	}
	result.Differences = append(result.Differences, compareLeaves(blocks[0], blocks[1])...)
	result.Differences = append(result.Differences, compare(packets[0], packets[1])...)
	for _, d := range result.Differences {
		result.Same = result.Same && d.Harmless
	}
	if c.Bool("json") {
		if err := p.record(result); err != nil {
			return err
		}
	} else if err := p.showDifferences(result.Differences); err != nil {
		return err
	}
	if !result.Same {
		return quietError{exitFailed}
	}
	return nil
}

func (p *program) showDifferences(list []difference) error {
	side := func(v any) string {
		if v == nil {
			return p.say("(không có)", "(absent)")
		}
		return fmt.Sprint(v)
	}
	for _, d := range list {
		line := d.Path + ": " + side(d.A) + " → " + side(d.B)
		if d.Harmless {
			line += p.say(" (vô hại)", " (harmless)")
		}
		if _, err := fmt.Fprintln(p.out, clean(line)); err != nil {
			return err
		}
	}
	return nil
}

// whole reads a packet, and what stands around its fields: profile, token and
// signatures.
func (p *program) whole(c *cli.Context, file string) (packet *edxml.Packet, around []leaf, err error) {
	f, err := p.openPacket(c.Context, file, true)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if packet, err = f.read(false); err != nil {
		return nil, nil, fileError{file, err}
	}
	digest := func(s edxml.Span) (string, error) {
		h := sha256.New()
		_, err := io.Copy(h, io.NewSectionReader(f.xml, s.Start, s.End-s.Start))
		return hex.EncodeToString(h.Sum(nil)), err
	}
	around = []leaf{{"kind", string(packet.Kind)}, {"profile", string(packet.Profile)}}
	if packet.Credential != nil { // that there is one, never what it is
		around = append(around, leaf{"token", p.say("có", "present")})
	}
	for i, b := range packet.Signatures {
		sum, err := digest(b.Span)
		if err != nil {
			return nil, nil, fileError{file, err}
		}
		around = append(around, leaf{fmt.Sprintf("signatures[%d]", i+1), b.Name.String() + " sha256:" + sum})
	}
	return packet, around, nil
}

// compare says in which fields and files two packets differ.
func compare(a, b *edxml.Packet) []difference {
	list := compareLeaves(leaves(a), leaves(b))
	return append(list, compareFiles(attachments(a), attachments(b))...)
}

func attachments(p *edxml.Packet) []edxml.Attachment {
	if p.Document == nil {
		return nil
	}
	return p.Document.Attachments
}

// leaf is one value of a packet, its place by the names of inspect --json.
type leaf struct {
	path  string
	value any
}

// leaves lists the values of a packet in their order, without attachments.
// What the standard does not know comes last, named by its element.
func leaves(p *edxml.Packet) []leaf {
	var v any
	var extra []edxml.Extra
	if p.Document != nil {
		d := *p.Document
		extra, d.Extra, d.Attachments = d.Extra, nil, nil
		if d.Business != nil {
			b := *d.Business
			extra, b.Extra = slices.Concat(extra, b.Extra), nil
			d.Business = &b
		}
		v = d
	} else if p.Status != nil {
		s := *p.Status
		extra, s.Extra = s.Extra, nil
		v = s
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a struct of texts
	}
	in := json.NewDecoder(bytes.NewReader(b))
	in.UseNumber()
	var list []leaf
	flatten(in, "", &list)
	times := map[string]int{}
	for _, e := range extra {
		path := e.Path + "/" + e.Name
		if times[path]++; times[path] > 1 {
			path += fmt.Sprintf("[%d]", times[path])
		}
		list = append(list, leaf{extraPath + path, e.Text})
	}
	return list
}

// extraPath begins the path of what the standard does not know.
const extraPath = "extra:"

// flatten reads one value and lists what is in it. It reports whether that is
// anything: empty items of a list do not count.
func flatten(in *json.Decoder, path string, list *[]leaf) bool {
	t, err := in.Token()
	if err != nil {
		return false
	}
	delim, ok := t.(json.Delim)
	if !ok {
		if t != "" {
			*list = append(*list, leaf{path, t})
		}
		return t != ""
	}
	before := len(*list)
	for i := 1; in.More(); {
		inner := fmt.Sprintf("%s[%d]", path, i)
		if delim == '{' {
			key, err := in.Token()
			if err != nil {
				return false
			}
			inner = strings.TrimPrefix(fmt.Sprintf("%s.%v", path, key), ".")
		}
		if flatten(in, inner, list) {
			i++
		}
	}
	_, _ = in.Token() // the closing one: what was just marshalled is complete
	return len(*list) > before
}

// compareLeaves compares two lists of values: the first's order, then what the
// second has beyond.
func compareLeaves(a, b []leaf) []difference {
	others := make(map[string]any, len(b))
	for _, l := range b {
		others[l.path] = l.value
	}
	var list []difference
	for _, l := range a {
		if other := others[l.path]; other != l.value {
			list = append(list, difference{l.path, l.value, other, harmless(l.path, l.value, other)})
		}
		delete(others, l.path)
	}
	for _, l := range b {
		if _, ok := others[l.path]; ok {
			list = append(list, difference{l.path, nil, l.value, harmless(l.path, nil, l.value)})
		}
	}
	return list
}

// harmless says of a difference that both packets mean the same document: what
// changes on the way, and the zero that stands for an absent number.
func harmless(path string, a, b any) bool {
	switch {
	case path == "profile", path == "token", strings.HasPrefix(path, "traceHeaders["):
		return true
	case a != nil && b != nil:
		return false
	}
	if a == nil {
		a = b
	}
	switch path {
	case "business.docType", "otherInfo.priority", "otherInfo.promulgationAmount", "otherInfo.pageAmount",
		"business.documentInfo", "business.documentReceiver":
		return a == any(json.Number("0"))
	}
	return false
}

// compareFiles pairs attachments by digest, then by name. Their order, and how
// they are wrapped, make no difference.
func compareFiles(a, b []edxml.Attachment) []difference {
	pair := make([]int, len(a)) // index in b and 1
	taken := make([]bool, len(b))
	for _, same := range []func(x, y edxml.Attachment) bool{
		func(x, y edxml.Attachment) bool { return x.SHA256 == y.SHA256 && x.SHA256 != "" && x.Name == y.Name },
		func(x, y edxml.Attachment) bool { return x.SHA256 == y.SHA256 && x.SHA256 != "" },
		func(x, y edxml.Attachment) bool { return x.Name == y.Name },
	} {
		for i := range a {
			for j := 0; j < len(b) && pair[i] == 0; j++ {
				if !taken[j] && same(a[i], b[j]) {
					pair[i], taken[j] = j+1, true
				}
			}
		}
	}
	var list []difference
	for i, x := range a {
		path := fmt.Sprintf("attachments[%d]", i+1)
		if pair[i] == 0 {
			list = append(list, difference{Path: path, A: fileText(x)})
			continue
		}
		y := b[pair[i]-1]
		if x.SHA256 == "" || x.SHA256 != y.SHA256 {
			list = append(list, difference{Path: path, A: fileText(x), B: fileText(y)})
		} else if x.Name != y.Name {
			list = append(list, difference{Path: path + ".name", A: x.Name, B: y.Name})
		}
		for _, f := range []struct {
			name     string
			a, b     string
			harmless bool
		}{
			{"description", x.Description, y.Description, false},
			{"contentType", x.ContentType, y.ContentType, true}, {"contentId", x.ContentID, y.ContentID, true},
		} {
			if f.a != f.b {
				list = append(list, difference{path + "." + f.name, present(f.a), present(f.b), f.harmless})
			}
		}
	}
	for j, y := range b {
		if !taken[j] {
			list = append(list, difference{Path: fmt.Sprintf("attachments[%d]", j+1), B: fileText(y)})
		}
	}
	return list
}

// fileText names a file and its digest; unreadable content has none.
func fileText(a edxml.Attachment) string {
	if a.SHA256 == "" {
		return a.Name + " (?)"
	}
	return fmt.Sprintf("%s (%d bytes, sha256:%s)", a.Name, a.Size, a.SHA256)
}

// present gives nil for an absent text.
func present(s string) any {
	if s == "" {
		return nil
	}
	return s
}
