package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/boltstore"
)

func (p *program) backupCommand() *cli.Command {
	return &cli.Command{
		Name: "backup", Usage: p.say("sao lưu kho dữ liệu của nút, kể cả khi nút đang chạy", "back up the node's store, also while the node runs"),
		Flags: []cli.Flag{
			p.configFlag(), p.jsonFlag(),
			&cli.StringFlag{Name: "to", Usage: p.say("tệp .tar mới, hoặc thư mục (tệp được đặt tên theo giờ), hoặc - (bắt buộc)", "a new .tar file, or a folder (the file is named by the time), or - (required)")},
		},
		Action: p.backup,
	}
}

// backup writes a backup: all of it or no file.
func (p *program) backup(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	if err := require(c, "to"); err != nil {
		return err
	}
	return p.keeping(c, func(k keeper, _ bool) error {
		file := c.String("to")
		if file == "-" {
			m, err := k.backup(c.Context, p.out)
			if err == nil {
				p.talk("%d bản ghi, %s", "%d records, %s", m.Records, octets(m.Database+m.Octets))
			}
			return err
		}
		if info, err := os.Stat(file); err == nil && info.IsDir() {
			file = filepath.Join(file, "lienthong-"+time.Now().In(edxml.Vietnam).Format("20060102-150405")+".tar")
		}
		var m boltstore.Manifest
		err := writeNew(file, func(w io.Writer) (err error) { m, err = k.backup(c.Context, w); return err })
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return p.printJSON(struct {
				File string `json:"file"`
				boltstore.Manifest
			}{file, m})
		}
		fmt.Fprintln(p.out, file)
		p.talk("%d bản ghi, %s; nhật ký tới hàng %d, mã băm %s", "%d records, %s; the journal up to row %d, hash %s", m.Records, octets(m.Database+m.Octets), m.Rows, m.Head)
		return nil
	})
}

// writeNew writes a file that must not exist, durably; when that fails there is
// none.
func writeNew(file string, fill func(io.Writer) error) error {
	f, err := createFile(file, 0o600, edxml.Text{VI: "chọn tên khác bằng --to", EN: "choose another name with --to"})
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	return nil
}

// octets writes an amount for people.
func octets(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 10<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 10<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
