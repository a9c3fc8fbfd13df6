package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// depot is a store with the doors through which a copy comes in.
type depot interface {
	node.Store
	// Load stores Transfers, in the place of old ones, without rows in the journal.
	Load(ctx context.Context, ts ...*node.Transfer) error
	// Unload forgets one without a row in the journal.
	Unload(ctx context.Context, id string) error
	// LoadRows appends rows to a chain of the journal, as they are.
	LoadRows(ctx context.Context, chain string, first uint64, rows [][]byte) error
	// Holds returns what a value holds.
	Holds(ctx context.Context, name string) ([]string, error)
}

// copyMark is the value that a store has while it is the unfinished copy of the
// one that it names.
const copyMark = "store.copy"

const (
	copyPage   = 100 // records that are copied together
	copyValues = 100
)

func (p *program) storeCommand() *cli.Command {
	return &cli.Command{
		Name: "store", Usage: p.say("kho dữ liệu của nút", "the store of a node"),
		Subcommands: []*cli.Command{{
			Name: "copy", ArgsUsage: p.say("TỪ ĐẾN", "FROM TO"),
			Usage: p.say("chép toàn bộ kho sang kho khác, ví dụ bolt:/var/lib/lienthong sang postgres://…; chạy lại để chép tiếp",
				"copy a whole store into another, bolt:/var/lib/lienthong to postgres://… for example; run it again to go on"),
			Flags: []cli.Flag{
				p.jsonFlag(),
				&cli.StringFlag{Name: "content", Usage: p.say("thư mục nội dung dùng chung của kho PostgreSQL, như cluster.content", "the shared folder for content of the PostgreSQL store, as in cluster.content")},
			},
			Action: p.storeCopy,
		}},
	}
}

// copied is what storeCopy prints as JSON.
type copied struct {
	Records  int64             `json:"records"`
	Values   int64             `json:"values"`
	Contents int64             `json:"contents"` // that were copied by this run
	Octets   int64             `json:"octets"`
	Rows     int64             `json:"rows"`  // of the journal, in all
	Heads    map[string]string `json:"heads"` // by chain
}

func (p *program) storeCopy(c *cli.Context) (err error) {
	if c.NArg() != 2 {
		return usageError{edxml.Text{VI: "cần hai đối số: kho nguồn và kho đích", EN: "two arguments are needed: the store to copy, and where to"}, c.Command.HelpName}
	}
	from, to := c.Args().Get(0), c.Args().Get(1)
	source, err := p.openDepot(c, from, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := p.openDepot(c, to, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	job := &copying{ctx: c.Context, from: source, to: target, screen: p.screen, copied: copied{Heads: map[string]string{}}}
	if err := job.begin(maskStore(from), maskStore(to)); err != nil {
		return err
	}
	for _, step := range []func() error{job.records, job.values, job.journal, job.compare, job.end} {
		if err := step(); err != nil {
			return err
		}
	}
	p.screen.clear()
	if c.Bool("json") {
		return p.printJSON(job.copied)
	}
	fmt.Fprintln(p.out, maskStore(to))
	p.talk("%d bản ghi, %d giá trị, %d nội dung (%s) chép lần này, %d hàng nhật ký; đã kiểm tra toàn bộ",
		"%d records, %d values, %d contents (%s) copied by this run, %d rows of the journal; all checked",
		job.Records, job.Values, job.Contents, octets(job.Octets), job.Rows)
	return nil
}

// openDepot opens a store for this command alone.
func (p *program) openDepot(c *cli.Context, address string, existing bool) (depot, error) {
	cfg := &config{Store: address, file: "."}
	cfg.Cluster.Content = c.String("content")
	scheme, dir, _ := strings.Cut(address, ":")
	switch scheme {
	case "postgres", "postgresql":
		dir = ""
	case "bolt":
	default:
		return nil, usageError{edxml.Text{
			VI: "không phải địa chỉ kho dữ liệu: " + maskStore(address) + " (bolt:THƯ_MỤC hoặc postgres://…)", EN: "no address of a store: " + maskStore(address) + " (bolt:FOLDER or postgres://…)",
		}, c.Command.HelpName}
	}
	return cfg.openNamed(address, dir, existing, true)
}

// copying is a copy on its way.
type copying struct {
	ctx      context.Context
	from, to depot
	screen   *screen
	bar      *watched
	copied
}

// begin sees that the target is empty, or the beginning of this copy.
func (j *copying) begin(from, to string) error {
	mark, err := j.from.Value(j.ctx, copyMark)
	if err != nil {
		return err
	}
	if mark != nil {
		return told{exitFailed, edxml.Text{VI: "kho nguồn là bản sao chưa xong", EN: "the store to copy is an unfinished copy itself"}, edxml.Text{}}
	}
	if mark, err = j.to.Value(j.ctx, copyMark); err != nil {
		return err
	}
	if string(mark) == from {
		return nil
	}
	empty := mark == nil
	chains, err := j.to.Chains(j.ctx)
	if err != nil {
		return err
	}
	values, err := j.to.Values(j.ctx, "", "", 1)
	if err != nil {
		return err
	}
	empty = empty && len(chains) == 0 && len(values) == 0
	for _, d := range []node.Direction{node.Out, node.In, node.Box} {
		some, err := j.to.List(j.ctx, d, "", 1)
		if err != nil {
			return err
		}
		empty = empty && len(some) == 0
	}
	if !empty {
		return told{exitFailed, edxml.Text{VI: "kho đích không trống: " + to, EN: "the store to copy into is not empty: " + to}, edxml.Text{
			VI: "chọn thư mục mới hoặc cơ sở dữ liệu (schema) trống", EN: "take a new folder, or an empty database (schema)",
		}}
	}
	return j.to.SetValue(j.ctx, copyMark, []byte(from))
}

// records copies the Transfers with their content, the newest first, and
// forgets what the source has lost since an earlier run.
func (j *copying) records() error {
	var total int64
	for _, d := range []node.Direction{node.Out, node.In, node.Box} {
		if err := pages(j.ctx, j.from, d, func(some []*node.Transfer) error { total += int64(len(some)); return nil }); err != nil {
			return err
		}
	}
	j.bar = &watched{screen: j.screen, name: "store copy", size: total, counts: true}
	for _, d := range []node.Direction{node.Out, node.In, node.Box} {
		err := pages(j.ctx, j.from, d, func(some []*node.Transfer) error {
			if err := j.load(some); err != nil {
				return err
			}
			j.Records += int64(len(some))
			j.screen.reached(j.bar, j.Records)
			return nil
		})
		if err == nil {
			err = j.forget(d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pages goes through the Transfers of one direction.
func pages(ctx context.Context, s node.Store, d node.Direction, do func([]*node.Transfer) error) error {
	for before := ""; ; {
		some, err := s.List(ctx, d, before, copyPage)
		if err != nil || len(some) == 0 {
			return err
		}
		before = some[len(some)-1].ID
		if err := do(some); err != nil {
			return err
		}
	}
}

// load copies some Transfers.
func (j *copying) load(some []*node.Transfer) error {
	for _, t := range some {
		for _, digest := range t.Needs() {
			if err := j.content(digest); err != nil {
				return err
			}
		}
	}
	for {
		err := j.to.Load(j.ctx, some...)
		var taken *node.ExistsError
		if !errors.As(err, &taken) {
			return err
		}
		// of an earlier run: whoever had the key then has it no more
		now, gone := j.from.Transfer(j.ctx, taken.ID)
		switch {
		case errors.Is(gone, node.ErrNotFound):
			gone = j.to.Unload(j.ctx, taken.ID)
		case gone == nil && slices.Contains(now.Unique, taken.Key):
			return err // two of the source have it
		case gone == nil:
			gone = j.load([]*node.Transfer{now})
		}
		if gone != nil {
			return gone
		}
	}
}

// content copies a content and reads the copy back, unless it is there.
func (j *copying) content(digest string) error {
	if there, err := j.to.Open(j.ctx, digest); err == nil {
		return there.Close()
	} else if !errors.Is(err, node.ErrNotFound) {
		return err
	}
	in, err := j.from.Open(j.ctx, digest)
	if err != nil {
		return fmt.Errorf("content %s: %w", digest, err)
	}
	got, err := j.to.Put(j.ctx, in)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	if got.SHA256 != digest {
		return spoiled(digest)
	}
	back, err := j.to.Open(j.ctx, digest)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, back)
	if err = errors.Join(err, back.Close()); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != digest {
		return spoiled(digest)
	}
	j.Contents, j.Octets = j.Contents+1, j.Octets+got.Size
	return nil
}

func spoiled(digest string) error {
	return told{exitFailed, edxml.Text{VI: "nội dung không khớp mã băm: " + digest, EN: "content does not have its digest: " + digest}, edxml.Text{
		VI: "lienthong fsck --deep trên kho nguồn cho biết còn hỏng gì", EN: "lienthong fsck --deep on the source says what else is damaged",
	}}
}

// forget forgets the Transfers that the source does not have.
func (j *copying) forget(d node.Direction) error {
	return pages(j.ctx, j.to, d, func(some []*node.Transfer) error {
		for _, t := range some {
			_, err := j.from.Transfer(j.ctx, t.ID)
			if errors.Is(err, node.ErrNotFound) {
				err = j.to.Unload(j.ctx, t.ID)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// values copies the values and what they hold.
func (j *copying) values() error {
	for after := ""; ; {
		some, err := j.from.Values(j.ctx, "", after, copyValues)
		if err != nil || len(some) == 0 {
			return errors.Join(err, j.forgetValues())
		}
		for _, v := range some {
			after = v.Name
			holds, err := j.from.Holds(j.ctx, v.Name)
			if err != nil {
				return err
			}
			for _, digest := range holds {
				if err := j.content(digest); err != nil {
					return err
				}
			}
			if err := j.to.SetValue(j.ctx, v.Name, v.Value, holds...); err != nil {
				return err
			}
			j.Values++
		}
	}
}

// forgetValues forgets the values that the source does not have.
func (j *copying) forgetValues() error {
	for after := ""; ; {
		some, err := j.to.Values(j.ctx, "", after, copyValues)
		if err != nil || len(some) == 0 {
			return err
		}
		for _, v := range some {
			after = v.Name
			is, err := j.from.Value(j.ctx, v.Name)
			if err == nil && is == nil && v.Name != copyMark {
				err = j.to.SetValue(j.ctx, v.Name, nil)
			}
			if err != nil {
				return err
			}
		}
	}
}

// journal copies every chain, row by row, and sees that it hangs together.
func (j *copying) journal() error {
	chains, err := j.from.Chains(j.ctx)
	if err != nil {
		return err
	}
	for _, chain := range chains {
		if err := j.chain(chain); err != nil {
			return err
		}
	}
	return nil
}

func (j *copying) chain(chain string) error {
	have, err := lastRow(j.ctx, j.to, chain)
	if err != nil {
		return err
	}
	broken := func(seq uint64) error {
		return told{exitFailed, edxml.Text{
			VI: fmt.Sprintf("nhật ký đứt ở chuỗi %s, hàng %d", chain, seq), EN: fmt.Sprintf("the journal is broken: chain %s, row %d", chain, seq),
		}, edxml.Text{VI: "lienthong journal verify cho biết chỗ đứt", EN: "lienthong journal verify says where"}}
	}
	prev := ""
	for at := uint64(0); ; {
		rows, err := j.from.Journal(j.ctx, chain, at, journalPage)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			if at < have {
				return broken(at + 1) // the copy has more
			}
			j.Rows, j.Heads[chain] = j.Rows+int64(at), prev
			return nil
		}
		old, err := j.to.Journal(j.ctx, chain, at, len(rows))
		if err != nil {
			return err
		}
		for i, row := range rows {
			e, err := node.OpenEntry(row)
			if err != nil || e.Chain != chain || e.Seq != at+1+uint64(i) || e.Prev != prev || i < len(old) && !bytes.Equal(old[i], row) {
				return broken(at + 1 + uint64(i))
			}
			prev = e.Hash
		}
		if len(old) < len(rows) {
			if err := j.to.LoadRows(j.ctx, chain, at+1+uint64(len(old)), rows[len(old):]); err != nil {
				return err
			}
		}
		at += uint64(len(rows))
	}
}

// lastRow returns the number of the last row of a chain, by halves.
func lastRow(ctx context.Context, s node.Store, chain string) (uint64, error) {
	var failed error
	there := func(seq uint64) bool {
		rows, err := s.Journal(ctx, chain, seq-1, 1)
		failed = errors.Join(failed, err)
		return len(rows) > 0
	}
	low, high := uint64(0), uint64(1)
	for failed == nil && there(high) {
		low, high = high, 2*high
	}
	for failed == nil && low+1 < high {
		if mid := low + (high-low)/2; there(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low, failed
}

// compare holds the counters, which follow from all records, against each other.
func (j *copying) compare() error {
	was, err := j.from.Counts(j.ctx, "")
	if err != nil {
		return err
	}
	is, err := j.to.Counts(j.ctx, "")
	if err != nil {
		return err
	}
	if !maps.Equal(was, is) {
		return told{exitFailed, edxml.Text{VI: "bộ đếm của hai kho khác nhau", EN: "the counters of the two stores differ"}, edxml.Text{
			VI: "chạy lienthong fsck trên kho nguồn rồi chép lại", EN: "run lienthong fsck on the source, then copy again",
		}}
	}
	return nil
}

// end makes the copy a store.
func (j *copying) end() error { return j.to.SetValue(j.ctx, copyMark, nil) }
