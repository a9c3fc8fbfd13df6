package main

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
)

func (p *program) verifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     p.say("kiểm tra chữ ký số của gói tin", "check the signatures of packets"),
		ArgsUsage: p.say("TỆP…", "FILE…"),
		Description: p.say(
			"Mã thoát 0 chỉ khi mọi gói tin có chữ ký số và mọi chữ ký đều chấp nhận được; 4 khi không,\n"+
				"kể cả khi gói tin không có chữ ký; 6 khi chưa kết luận được (--outage queue).\n"+
				"Không có --crl, --ocsp, --ask-host thì không hỏi tình trạng thu hồi và không cần mạng.",
			"Exits with 0 only when every packet has a signature and every signature is acceptable; else with 4,\n"+
				"also for a packet without one; with 6 when there is no verdict yet (--outage queue).\n"+
				"Without --crl, --ocsp and --ask-host nobody is asked about revocation, and no network is needed."),
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "roots", Usage: p.say("tệp PEM các chứng thư gốc được tin cậy (bắt buộc)", "PEM file of the trusted roots (required)")},
			&cli.StringFlag{Name: "at", Usage: p.say("xét tại thời điểm này (RFC 3339), mặc định là bây giờ", "time of the verdict (RFC 3339), default now")},
			&cli.BoolFlag{Name: "legacy", Usage: p.say("chấp nhận SHA-1 và RSA 1024 bit, kèm cảnh báo", "accept SHA-1 and RSA of 1,024 bits, with a warning")},
			&cli.StringSliceFlag{Name: "stamp", Usage: p.say("tệp dấu thời gian để cạnh gói tin; dùng được nhiều lần", "file of a time stamp kept beside the packet; may be repeated")},
			&cli.StringFlag{Name: "tsa-roots", Usage: p.say("tệp PEM chứng thư gốc của máy chủ dấu thời gian, mặc định như --roots", "PEM file of the roots of time stamps, default as --roots")},
			&cli.StringSliceFlag{Name: "known", Usage: p.say("tệp PEM chứng thư người ký, cho chữ ký chỉ ghi tên hoặc khóa (KeyName, KeyValue)", "PEM file of signers' certificates, for signatures that give a name or a bare key only (KeyName, KeyValue)")},
			&cli.StringFlag{Name: "detached", Usage: p.say("tệp chữ ký rời về gói tin này hay các tệp của nó", "file of a detached signature about this packet or its files")},
			p.jsonFlag(),
		}, p.revocationFlags()),
		Action: p.verify,
	}
}

// The states of a verified file.
const (
	stateAcceptable = "acceptable"
	stateRefused    = "refused"  // at least one signature is not acceptable
	stateUnsigned   = "unsigned" // nothing that even looks like a signature
	stateDummy      = "dummy"    // only blocks that look like one
	statePending    = "pending"  // nobody could be asked about revocation, and by policy it is asked again
)

// verification is the result for one file, a line of verify --json.
type verification struct {
	File       string            `json:"file"`
	Acceptable bool              `json:"acceptable"`
	State      string            `json:"state"`
	Message    string            `json:"message"`
	Signatures []json.RawMessage `json:"signatures"` // one verdict each
}

func (p *program) verify(c *cli.Context) error {
	if c.NArg() > 0 && !c.IsSet("roots") {
		return usageError{edxml.Text{VI: "thiếu --roots: tin chứng thư gốc nào?", EN: "--roots is missing: which roots are to be trusted?"}, c.Command.HelpName}
	}
	if c.IsSet("detached") && c.NArg() > 1 {
		return usageError{edxml.Text{VI: "--detached chỉ dùng với một gói tin", EN: "--detached goes with one packet"}, c.Command.HelpName}
	}
	o, err := verifyOptions(c)
	if err != nil {
		return err
	}
	return p.eachPacket(c, func(file string) (int, error) {
		verdicts, err := p.verifyFile(c, file, o)
		if err != nil {
			return exitDone, err
		}
		state := stateOf(verdicts)
		if c.Bool("json") {
			err = p.recordVerdicts(file, state, verdicts)
		} else {
			err = p.showVerdicts(file, state, verdicts)
		}
		switch state {
		case stateAcceptable:
			return exitDone, err
		case statePending:
			return exitAxis, err
		}
		return exitSignature, err
	})
}

// verifyOptions reads whom to believe.
func verifyOptions(c *cli.Context) (o signature.VerifyOptions, err error) {
	o.AllowLegacy = c.Bool("legacy")
	if o.At, err = timeFlag(c); err != nil {
		return o, err
	}
	if c.IsSet("roots") {
		if o.Roots, err = readRoots(c.String("roots")); err != nil {
			return o, err
		}
	}
	if c.IsSet("tsa-roots") {
		if o.StampRoots, err = readRoots(c.String("tsa-roots")); err != nil {
			return o, err
		}
	}
	if o.Stamps, err = readStamps(c.StringSlice("stamp")); err != nil {
		return o, err
	}
	for _, file := range c.StringSlice("known") {
		certs, err := readChain(file)
		if err != nil {
			return o, err
		}
		if o.Known == nil {
			o.Known = make(map[string]*x509.Certificate)
		}
		for _, cert := range certs { // a KeyName gives either, as programs have it
			o.Known[cert.Subject.CommonName], o.Known[cert.Subject.String()] = cert, cert
		}
	}
	q, err := readInquiry(c)
	o.Revocation, o.Outage, o.Grace = q.Revocation, q.outage, q.grace
	return o, err
}

func (p *program) verifyFile(c *cli.Context, file string, o signature.VerifyOptions) (verdicts []signature.Verdict, err error) {
	if c.IsSet("detached") {
		v, err := p.verifyDetached(c, file, o)
		return []signature.Verdict{v}, err
	}
	f, err := p.openPacket(c.Context, file, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.read(true); err != nil { // says what is no packet, in the words of all commands
		return nil, fileError{file, err}
	}
	verdicts, err = signature.Verify(f.xml, f.size, f.contents(), o)
	if err != nil {
		return nil, fileError{file, err}
	}
	return verdicts, nil
}

// stateOf sums up: a block that is no signature neither spoils a packet that
// is signed nor makes up for a signature.
func stateOf(verdicts []signature.Verdict) string {
	switch err := signature.Judge(verdicts); {
	case err == nil:
		return stateAcceptable
	case errors.Is(err, signature.ErrUnsigned):
		return stateUnsigned
	case errors.Is(err, signature.ErrPending):
		return statePending
	case errors.Is(err, signature.ErrNamespace):
		return stateDummy
	}
	return stateRefused
}

// summary says the state in one sentence.
func (p *program) summary(state string) string {
	switch state {
	case stateAcceptable:
		return p.say("chữ ký số hợp lệ", "the signature is acceptable")
	case stateRefused:
		return p.say("có chữ ký số không chấp nhận được", "a signature is not acceptable")
	case statePending:
		return p.say("chưa kết luận được, hãy kiểm tra lại sau", "there is no verdict yet, verify again later")
	case stateDummy:
		return p.say("khối Signature trong gói tin không phải chữ ký số; gói tin chỉ có giá trị để biết (QĐ 28/2018 Điều 4)",
			"the Signature block is a dummy, no signature; the packet is for information only (QĐ 28/2018 Art. 4)")
	}
	return p.say("không có chữ ký số: gói tin chỉ có giá trị để biết (QĐ 28/2018 Điều 4)",
		"there is no signature: the packet is for information only (QĐ 28/2018 Art. 4)")
}

// recordVerdicts prints the verdicts of a file as JSON, the sentences in the
// language of this run.
func (p *program) recordVerdicts(file, state string, verdicts []signature.Verdict) error {
	v := verification{File: file, Acceptable: state == stateAcceptable, State: state, Message: p.summary(state), Signatures: []json.RawMessage{}}
	for _, verdict := range verdicts {
		text, err := json.Marshal(verdict)
		if err != nil {
			return err
		}
		fields := make(map[string]any)
		if err := json.Unmarshal(text, &fields); err != nil {
			return err
		}
		fields["message"] = verdict.Message().In(p.lang)
		if text, err = json.Marshal(fields); err != nil {
			return err
		}
		v.Signatures = append(v.Signatures, text)
	}
	return p.record(v)
}

// showVerdicts prints the verdicts of a file for people.
func (p *program) showVerdicts(file, state string, verdicts []signature.Verdict) error {
	if _, err := fmt.Fprintln(p.out, clean(file+": "+p.summary(state))); err != nil {
		return err
	}
	for i, v := range verdicts {
		if _, err := fmt.Fprintf(p.out, p.say("  chữ ký %d, dòng %d: %s\n", "  signature %d, line %d: %s\n"), i+1, v.Place.Line, clean(v.Message().In(p.lang))); err != nil {
			return err
		}
		s := sheet{tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0), p}
		if v.Signer != nil {
			s.line("    người ký", "    signer", v.Signer.Subject.String())
			s.line("    nơi cấp", "    issued by", v.Signer.Issuer.String())
			s.line("    số sê-ri", "    serial", fmt.Sprintf("%x", v.Signer.SerialNumber))
			s.line("    hiệu lực", "    valid", fmt.Sprintf("%s – %s", local(v.Signer.NotBefore), local(v.Signer.NotAfter)))
		}
		s.line("    thuật toán", "    algorithm", v.Algorithm)
		if !v.Claimed.IsZero() {
			s.line("    thời điểm ký", "    signing time", local(v.Claimed)+p.say(" (do người ký khai)", " (as the signer claims)"))
		}
		if !v.Trusted.IsZero() {
			s.line("    dấu thời gian", "    time stamp", local(v.Trusted))
		}
		for _, r := range v.Revocation {
			s.line("    chưa bị thu hồi", "    not revoked", r.Certificate.Subject.CommonName, r.Source, local(r.Updated))
		}
		if v.Signer != nil {
			s.coverage(v.Coverage)
		}
		s.line("    lưu ý", "    note", v.Warnings...)
		if err := s.w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// coverage says in plain words what a signature binds, and what it does not.
func (s sheet) coverage(c signature.Coverage) {
	p := s.p
	var bound []string
	if c.Whole {
		bound = append(bound, p.say("toàn bộ gói tin", "the whole packet"))
	} else {
		for _, part := range []struct {
			is     bool
			vi, en string
		}{
			{c.Header, "phần đầu (MessageHeader)", "the header (MessageHeader)"},
			{c.Business, "nghiệp vụ (Bussiness)", "the business block (Bussiness)"},
			{c.Manifest, "danh mục tệp (Manifest)", "the list of files (Manifest)"},
		} {
			if part.is {
				bound = append(bound, p.say(part.vi, part.en))
			}
		}
	}
	if len(c.Attachments) > 0 {
		bound = append(bound, p.say("tệp: ", "files: ")+strings.Join(c.Attachments, ", "))
	}
	s.line("    bao phủ", "    covers", bound...)
	s.line("    không bao phủ", "    leaves out", c.Missing...)
	if !c.Whole && c.Header {
		s.line("    ngoài phạm vi", "    outside", p.say(
			"dấu vết chuyển tiếp (TraceHeader) và mã truy cập, vì các phần này thay đổi trên đường đi",
			"the trace (TraceHeader) and the access token, which change on the way"))
	}
}
