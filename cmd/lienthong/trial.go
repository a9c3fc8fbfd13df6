package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/axistest"
)

// The files of a trial, beside its configuration.
const (
	trialOrgan  = "G22"
	trialStore  = "bolt:./trial-data" // a configuration with another store is no trial
	trialPacket = "trial.edxml"
	trialToken  = "trial" // the name of the token
)

// trialLife is how long the token of a trial is good.
const trialLife = 24 * time.Hour

// trial is a node with everything it needs: an axis in this process, keys, a
// packet to submit. Nothing of it leaves the machine.
type trial struct {
	axis   *axistest.Axis
	server *http.Server
	url    string
}

// beginTrial makes the files of a trial, unless they are there, and opens its
// axis. A configuration of anything else is refused.
func (p *program) beginTrial(file string) (*trial, error) {
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		if err := p.makeTrial(file); err != nil {
			return nil, err
		}
	}
	cfg, err := readConfig(file)
	if err != nil {
		return nil, err
	}
	if cfg.Store != trialStore || cfg.Axis.URL != "" {
		return nil, told{exitFailed,
			edxml.Text{VI: file + " không phải cấu hình dùng thử", EN: file + " is no configuration of a trial"},
			edxml.Text{VI: "chạy lienthong node --trial trong một thư mục trống", EN: "run lienthong node --trial in an empty folder"}}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &trial{axis: axistest.New(axistest.Options{Gentle: true}), url: "http://" + l.Addr().String() + "/"}
	t.server = transport.NewHTTPServer(t.axis)
	go func() { _ = t.server.Serve(l) }() // it ends with the process
	return t, nil
}

// join makes a configuration one of the trial's axis.
func (t *trial) join(c *config) { c.Axis.URL = t.url }

// end stops the axis.
func (t *trial) end() error {
	err := t.server.Close()
	t.axis.Close()
	return err
}

// makeTrial writes the files of a trial.
func (p *program) makeTrial(file string) error {
	ca, err := newTestCA()
	if err != nil {
		return err
	}
	key, cert, err := ca.issue(trialOrgan, organName(trialOrgan))
	if err != nil {
		return err
	}
	d, _ := exampleDocument(time.Now(), trialOrgan, "H41")
	var packet bytes.Buffer
	if err := edxml.Write(&packet, d); err != nil {
		return err
	}
	config := fmt.Sprintf(`# %s
organ = %q
organ_name = %q
store = %q

[axis]
token_file = "trial-token.txt"
poll = "500ms"

[sign]
key = "trial-key.pem"
cert = "trial-cert.pem"

[verify]
roots = "trial-ca.pem"
`, p.say("Nút dùng thử: lienthong node --trial. Trục thử chạy trong chính tiến trình đó.", "A node to try: lienthong node --trial. Its axis is a test axis in the same process."),
		trialOrgan, organName(trialOrgan), trialStore)
	dir := filepath.Dir(file)
	for _, f := range []struct {
		name    string
		content []byte
	}{
		{"trial-key.pem", key}, {"trial-cert.pem", cert}, {"trial-ca.pem", ca.pem}, {"trial-token.txt", []byte("test-" + trialOrgan + "\n")},
		{trialPacket, packet.Bytes()}, {filepath.Base(file), []byte(config)},
	} {
		err := writeNew(filepath.Join(dir, f.name), func(w io.Writer) error { _, err := w.Write(f.content); return err })
		if err != nil {
			return err
		}
	}
	return nil
}

// makeTrialToken makes the token of this run; that of an earlier one ends.
func makeTrialToken(ctx context.Context, n *node.Node) (string, error) {
	all, err := api.Tokens(ctx, n.Store)
	if err != nil {
		return "", err
	}
	for _, t := range all {
		if t.Name == trialToken {
			if _, err := api.RevokeToken(ctx, n.Store, t.ID); err != nil {
				return "", err
			}
		}
	}
	scopes := []api.Scope{api.Submit, api.Receive, api.Read, api.Operate}
	_, secret, err := api.CreateToken(ctx, n.Store, trialToken, scopes, time.Now().Add(trialLife).UTC().Truncate(time.Second))
	return secret, err
}

// trialFlag makes node run a trial.
func (p *program) trialFlag() cli.Flag {
	return &cli.BoolFlag{Name: "trial", Usage: p.say(
		"dùng thử trong một thư mục trống: tạo cấu hình, khóa, gói tin mẫu và trục thử trong bộ nhớ", "try it in an empty folder: makes a configuration, keys, a packet, and a test axis in memory")}
}

// exampleDocument is a Document from a ministry, with the file that it carries.
func exampleDocument(now time.Time, to ...string) (*edxml.Document, []byte) {
	pdf := testPDF(now)
	code := edxml.Code{CodeNumber: now.In(edxml.Vietnam).Format("150405"), CodeNotation: "VPCP-TTĐT"}
	d := &edxml.Document{
		From:             edxml.Organ{OrganID: "G22", OrganName: organName("G22")},
		DocumentID:       edxml.DocumentID("G22", edxml.DateOf(now), code),
		Code:             code,
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: edxml.DateOf(now)},
		DocumentType:     edxml.DocumentType{Type: "2", TypeDetail: "18", TypeName: "Công văn"},
		Subject:          "V/v chạy thử phần mềm liên thông văn bản",
		Content:          "Văn bản thử, không có giá trị pháp lý",
		SignerInfo:       edxml.SignerInfo{Competence: "TL. BỘ TRƯỞNG", Position: "Cục trưởng", FullName: "Nguyễn Văn Thử"},
		OtherInfo:        edxml.OtherInfo{Priority: "0", PromulgationAmount: "1", PageAmount: "1"},
		TraceHeaders:     []edxml.TraceHeader{{OrganID: "G22", Timestamp: edxml.TimestampOf(now)}},
		Business:         &edxml.Business{DocType: edxml.New, DocReason: "Văn bản mới", Paper: "0"},
		Attachments:      []edxml.Attachment{{Name: "Công văn thử.pdf", Content: bytes.NewReader(pdf)}},
	}
	for _, id := range to {
		d.To = append(d.To, edxml.Organ{OrganID: id, OrganName: organName(id)})
	}
	return d, pdf
}
