package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/boltstore"
)

func (p *program) fsckCommand() *cli.Command {
	return &cli.Command{
		Name: "fsck", Usage: p.say("kiểm tra kho dữ liệu: bản ghi, nội dung, chỉ mục, nhật ký", "check the store: records, content, indices, journal"),
		Flags: []cli.Flag{
			p.configFlag(), p.jsonFlag(),
			&cli.BoolFlag{Name: "deep", Usage: p.say("đọc toàn bộ nội dung và so với mã băm", "read all content and hold it against its digest")},
			&cli.BoolFlag{Name: "repair", Usage: p.say("dựng lại chỉ mục và xóa nội dung không ai cần; nút phải dừng", "make the indices anew and remove content that nothing needs; the node must be stopped")},
		},
		Action: p.fsck,
	}
}

// checked is what fsck prints as JSON.
type checked struct {
	*boltstore.CheckReport
	Sound    bool  `json:"sound"`
	Repaired bool  `json:"repaired"`
	Removed  int64 `json:"removed"` // orphans
	Freed    int64 `json:"freed"`
}

func (p *program) fsck(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	return p.keeping(c, func(k keeper, running bool) error {
		if c.Bool("repair") && running {
			return told{exitFailed, edxml.Text{VI: "nút đang chạy, không sửa được", EN: "the node runs: nothing can be repaired under it"}, edxml.Text{
				VI: "dừng nút rồi chạy lại", EN: "stop the node, then run this again",
			}}
		}
		report, err := k.check(c.Context, c.Bool("deep"))
		if err != nil {
			return err
		}
		r := checked{CheckReport: report, Sound: !report.Damaged()}
		if here, ok := k.(localKeeper); ok && c.Bool("repair") {
			if err := r.repair(c, here); err != nil {
				return err
			}
		}
		if c.Bool("json") {
			err = p.printJSON(r)
		} else {
			p.printCheck(&r)
		}
		if err == nil && !r.Sound {
			return p.damaged(&r)
		}
		return err
	})
}

// repair makes the indices anew where they are wrong, and removes orphans.
func (r *checked) repair(c *cli.Context, k localKeeper) error {
	s, err := k.bolt()
	if err != nil {
		return err
	}
	if r.Indices.Count > 0 {
		if err := s.Repair(c.Context); err != nil {
			return err
		}
		after, err := s.Check(c.Context, boltstore.CheckOptions{})
		if err != nil {
			return err
		}
		r.Repaired, r.Sound = after.Indices.Count == 0, r.Curable() && !after.Damaged()
	}
	// no node runs, so whatever nothing needs now nothing will need
	swept, err := s.Sweep(c.Context, time.Now(), false)
	r.Removed, r.Freed = swept.Removed, swept.RemovedBytes
	return err
}

func (p *program) printCheck(r *checked) {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%d\n", p.say("bản ghi", "records"), r.Records)
	fmt.Fprintf(w, "%s\t%d (%s)\n", p.say("nội dung", "contents"), r.Small+r.Files, octets(r.Octets))
	fmt.Fprintf(w, "%s\t%d (%s)\n", p.say("nội dung không ai cần", "contents nothing needs"), r.Orphans, octets(r.OrphanOctets))
	if r.Chain != nil {
		fmt.Fprintf(w, "%s\t%d  %s\n", p.say("hàng nhật ký", "rows of the journal"), r.Chain.Rows, r.Chain.Head)
	}
	for _, f := range []struct {
		vi, en string
		found  boltstore.Found
	}{
		{"trang hỏng", "broken pages", r.Pages},
		{"bản ghi không đọc được", "unreadable records", r.Unread},
		{"nội dung bị mất", "missing contents", r.Missing},
		{"nội dung sai mã băm", "contents with another digest", r.Spoiled},
		{"mục chỉ mục sai", "wrong index entries", r.Indices},
		{"chỗ đứt nhật ký", "breaches of the journal", r.Breaches},
	} {
		if f.found.Count == 0 {
			continue
		}
		fmt.Fprintf(w, "%s\t%d\n", p.say(f.vi, f.en), f.found.Count)
		for _, name := range f.found.Named {
			fmt.Fprintf(w, "\t  %s\n", clean(name))
		}
	}
	w.Flush()
	if r.Repaired {
		p.talk("đã dựng lại chỉ mục", "the indices were made anew")
	}
	if r.Removed > 0 {
		p.talk("đã xóa %d nội dung không ai cần, %s", "removed %d contents that nothing needs, %s", r.Removed, octets(r.Freed))
	}
	if r.Sound {
		p.talk("kho dữ liệu lành lặn", "the store is sound")
	}
}

// damaged says what to do about what was found.
func (p *program) damaged(r *checked) error {
	hint := edxml.Text{
		VI: "dừng nút, giữ nguyên thư mục này làm bằng chứng, và dựng lại từ bản sao lưu: lienthong restore",
		EN: "stop the node, keep this folder as evidence, and go back to a backup: lienthong restore",
	}
	if r.Curable() {
		hint = edxml.Text{VI: "dừng nút rồi chạy lienthong fsck --repair", EN: "stop the node, then run lienthong fsck --repair"}
	}
	return told{exitFailed, edxml.Text{VI: "kho dữ liệu bị hỏng", EN: "the store is damaged"}, hint}
}

// storeFault explains what is wrong with a store.
func storeFault(err error) (told, bool) {
	var format *boltstore.FormatError
	var short *boltstore.CutOffError
	var pages *boltstore.PagesError
	switch {
	case errors.As(err, &format):
		return told{exitFailed, with("kho dữ liệu do bản khác ghi", "another version wrote the store", err), edxml.Text{
			VI: "dùng bản chương trình đã ghi nó, hoặc bản mới hơn", EN: "use the version that wrote it, or a newer one",
		}}, true
	case errors.As(err, &short):
		return told{exitFailed, with("tệp dữ liệu bị cụt", "the database is cut off", err), edxml.Text{
			VI: "giữ nguyên thư mục làm bằng chứng, dựng lại từ bản sao lưu: lienthong restore", EN: "keep the folder as evidence, go back to a backup: lienthong restore",
		}}, true
	case errors.As(err, &pages):
		return told{exitFailed, with("tệp dữ liệu bị hỏng", "the database is damaged", err), edxml.Text{
			VI: "giữ nguyên thư mục làm bằng chứng, dựng lại từ bản sao lưu: lienthong restore", EN: "keep the folder as evidence, go back to a backup: lienthong restore",
		}}, true
	}
	return told{}, false
}
