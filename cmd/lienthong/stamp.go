package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
)

// stampFlags say where a time stamp comes from.
func (p *program) stampFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "tsa", Usage: p.say("địa chỉ máy chủ dấu thời gian (RFC 3161); không trả lời thì vẫn ký, mã thoát 6", "address of a time-stamping authority (RFC 3161); without its answer the packet is signed all the same, exit 6")},
		&cli.DurationFlag{Name: "tsa-timeout", DefaultText: "2m30s", Usage: p.say("chờ dấu thời gian bao lâu", "how long to wait for the stamp")},
		&cli.StringFlag{Name: "stamp-out", Usage: p.say("không ký; lấy dấu thời gian cho gói tin đã ký, ghi vào tệp này, dùng với verify --stamp", "do not sign; get the time stamp for a packet that is signed and write it to this file, for verify --stamp")},
	}
}

// authority is the TSA the flags name, nil for none.
func (p *program) authority(c *cli.Context) (*signature.TSA, error) {
	if c.String("tsa") == "" {
		return nil, nil
	}
	if err := webAddress(c, "tsa", c.String("tsa")); err != nil {
		return nil, err
	}
	return &signature.TSA{URL: c.String("tsa"), Timeout: c.Duration("tsa-timeout")}, nil
}

// webAddress refuses what is no http or https address.
func webAddress(c *cli.Context, flag, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usageError{edxml.Text{
			VI: fmt.Sprintf("--%s %q không phải địa chỉ http hay https", flag, address), EN: fmt.Sprintf("--%s %q is no http or https address", flag, address),
		}, c.Command.HelpName}
	}
	return nil
}

// stampFault says why there is no time stamp.
func stampFault(err *signature.TSAError, hint edxml.Text) error {
	code := exitFailed
	if err.Temporary() {
		code = exitAxis
	}
	return told{code, with("không lấy được dấu thời gian", "there is no time stamp", err), hint}
}

// stampLater gets the stamp for a packet that is signed already.
func (p *program) stampLater(c *cli.Context, name string) (err error) {
	tsa, err := p.authority(c)
	if err == nil && tsa == nil {
		err = require(c, "tsa")
	}
	if err != nil {
		return err
	}
	f, err := p.openPacket(c.Context, name, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	all, err := signature.Imprints(f.xml, f.size)
	if err != nil {
		return fileError{name, err}
	}
	if len(all) != 1 {
		return fileError{name, told{exitSignature, edxml.Text{
			VI: fmt.Sprintf("gói tin có %d chữ ký số, cần đúng một", len(all)), EN: fmt.Sprintf("the packet has %d signatures; exactly one is needed", len(all)),
		}, edxml.Text{VI: "ký trước bằng lienthong sign", EN: "sign it first with lienthong sign"}}}
	}
	stamp, err := tsa.Stamp(c.Context, all[0])
	var missed *signature.TSAError
	if errors.As(err, &missed) {
		err = stampFault(missed, edxml.Text{VI: "chạy lại lệnh này sau", EN: "run this command again later"})
	}
	if err != nil {
		return err
	}
	at, err := stamp.Time()
	if err != nil {
		return err
	}
	out := c.String("stamp-out")
	if err := replaceFile(out, func(w io.Writer) error { _, err := w.Write(stamp); return err }); err != nil {
		return err
	}
	p.talk("%s: dấu thời gian %s, ghi vào %s", "%s: time stamp of %s, written to %s", name, local(at), out)
	return nil
}

// readStamps reads the files of --stamp.
func readStamps(files []string) ([]signature.Stamp, error) {
	var all []signature.Stamp
	for _, file := range files {
		data, err := readSmall(file)
		if err != nil {
			return nil, err
		}
		stamp, err := signature.ReadStamp(data)
		if err != nil {
			return nil, fileError{file, told{exitFailed, with("dấu thời gian không đọc được", "the time stamp cannot be read", err), edxml.Text{}}}
		}
		all = append(all, stamp)
	}
	return all, nil
}
