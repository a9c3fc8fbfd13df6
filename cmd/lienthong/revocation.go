package main

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
)

// revocationFlags say whom to ask whether a certificate was revoked.
func (p *program) revocationFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "crl", Usage: p.say("tệp hoặc địa chỉ danh sách thu hồi (CRL); dùng được nhiều lần", "file or address of a revocation list (CRL); may be repeated")},
		&cli.StringSliceFlag{Name: "ocsp", Usage: p.say("địa chỉ máy chủ OCSP; dùng được nhiều lần", "address of an OCSP responder; may be repeated")},
		&cli.StringSliceFlag{Name: "ask-host", Usage: p.say("cho phép hỏi địa chỉ ghi trong chứng thư khi nó thuộc máy chủ này", "let addresses in certificates lead to this host")},
		&cli.StringFlag{Name: "outage", Value: string(signature.OutageFail), Usage: p.say("khi không hỏi được: fail (từ chối), grace (tạm dùng câu trả lời cũ), queue (chưa kết luận, mã thoát 6)", "when nobody answers: fail (refuse), grace (the last answer counts on), queue (no verdict yet, exit 6)")},
		&cli.DurationFlag{Name: "grace", Value: 24 * time.Hour, Usage: p.say("câu trả lời cũ dùng thêm được bao lâu với --outage grace", "how long an old answer counts on with --outage grace")},
	}
}

// maxList is the limit for the file of a revocation list, in bytes.
const maxList = 64 << 20

// readRevocationList reads the file of a revocation list.
func readRevocationList(file string) (*x509.RevocationList, error) {
	data, err := readUpTo(file, maxList)
	if err != nil {
		return nil, err
	}
	list, err := signature.ReadCRL(data)
	if err != nil {
		return nil, fileError{file, told{exitFailed, with("không phải danh sách thu hồi", "this is no revocation list", err), edxml.Text{}}}
	}
	return list, nil
}

// inquiry is what the flags say about revocation.
type inquiry struct {
	*signature.Revocation // nil: nobody is asked
	outage                signature.Outage
	grace                 time.Duration
}

func readInquiry(c *cli.Context) (q inquiry, err error) {
	q.outage, q.grace = signature.Outage(c.String("outage")), c.Duration("grace")
	switch q.outage {
	case signature.OutageFail, signature.OutageGrace, signature.OutageQueue:
	default:
		return q, usageError{edxml.Text{
			VI: fmt.Sprintf("--outage %q: chỉ có fail, grace, queue", q.outage), EN: fmt.Sprintf("--outage %q: it is fail, grace or queue", q.outage),
		}, c.Command.HelpName}
	}
	r := &signature.Revocation{OCSP: c.StringSlice("ocsp"), Hosts: c.StringSlice("ask-host")}
	for _, address := range r.OCSP {
		if err := webAddress(c, "ocsp", address); err != nil {
			return q, err
		}
	}
	for _, place := range c.StringSlice("crl") {
		if strings.HasPrefix(place, "http://") || strings.HasPrefix(place, "https://") {
			r.CRLs = append(r.CRLs, place)
			continue
		}
		list, err := readRevocationList(place)
		if err != nil {
			return q, err
		}
		r.Lists = append(r.Lists, list)
	}
	if len(r.OCSP)+len(r.CRLs)+len(r.Lists)+len(r.Hosts) > 0 {
		q.Revocation = r
	}
	return q, nil
}
