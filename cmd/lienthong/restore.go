package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/boltstore"
)

func (p *program) restoreCommand() *cli.Command {
	return &cli.Command{
		Name: "restore", Usage: p.say("dựng lại kho dữ liệu từ bản sao lưu, kiểm tra từng nội dung", "make a store out of a backup, every content checked"),
		ArgsUsage: p.say("BẢN-SAO-LƯU", "BACKUP"),
		Flags: []cli.Flag{
			p.configFlag(), p.jsonFlag(),
			&cli.StringFlag{Name: "to", Usage: p.say("thư mục mới hoặc trống; mặc định là kho trong cấu hình", "a new or empty folder; by default the store of the configuration")},
		},
		Action: p.restore,
	}
}

func (p *program) restore(c *cli.Context) error {
	name, err := argument(c, "tệp sao lưu", "the backup file")
	if err != nil {
		return err
	}
	dir := c.String("to")
	if dir == "" {
		cfg, err := readConfig(c.String("config"))
		if err != nil {
			return err
		}
		if dir, err = cfg.boltFolder(); err != nil {
			return err
		}
	}
	in, err := p.input(name)
	if err != nil {
		return err
	}
	defer in.Close()
	m, err := boltstore.Restore(c.Context, dir, lively(c.Context, in))
	if err != nil {
		return restoreFault(name, dir, err)
	}
	if c.Bool("json") {
		return p.printJSON(struct {
			Folder string `json:"folder"`
			boltstore.Manifest
		}{dir, m})
	}
	fmt.Fprintln(p.out, dir)
	p.talk("%d bản ghi, trạng thái lúc %s, đã kiểm tra toàn bộ", "%d records as they were at %s, all checked", m.Records, local(m.Taken))
	p.talk("những gì xảy ra sau lúc đó không có ở đây: văn bản đã giao sau đó sẽ được lấy về và giao lại", "what happened later is not in it: documents that were delivered since are fetched and delivered again")
	return nil
}

// restoreFault says what is wrong with a backup, or with the folder.
func restoreFault(name, dir string, err error) error {
	var full *boltstore.NotEmptyError
	var damage *boltstore.DamageError
	var pages *boltstore.PagesError
	switch {
	case errors.As(err, &full):
		return fileError{dir, told{exitFailed, edxml.Text{VI: "thư mục không trống, không ghi đè", EN: "the folder is not empty, and is not overwritten"}, edxml.Text{
			VI: "chọn thư mục khác bằng --to, hoặc dừng nút và đổi tên thư mục cũ", EN: "choose another folder with --to, or stop the node and rename the old one",
		}}}
	case errors.Is(err, boltstore.ErrBackup), errors.As(err, &damage), errors.As(err, &pages):
		return fileError{name, told{exitFailed, with("bản sao lưu không dùng được, không có gì được ghi", "the backup cannot be used, nothing was written", err), edxml.Text{
			VI: "sao chép lại tệp này từ nơi lưu, hoặc dùng bản sao lưu khác", EN: "copy it again from where it was kept, or use another backup",
		}}}
	}
	return err
}
