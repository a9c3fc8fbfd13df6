package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/signature"
)

func (p *program) inspectCommand() *cli.Command {
	return &cli.Command{
		Name:      "inspect",
		Usage:     p.say("cho xem nội dung gói tin", "show what is in packets"),
		ArgsUsage: p.say("TỆP…", "FILE…"),
		Description: p.say(
			"In các trường của gói tin, tệp đính kèm với dung lượng và mã băm, chữ ký và các phát hiện.\n"+
				"Không xét độ tin cậy của người ký: việc đó là của lienthong verify.",
			"Prints the packet's fields, its attachments with size and digest, its signatures and the findings.\n"+
				"Whether a signer is to be trusted is for lienthong verify to say."),
		Flags: []cli.Flag{
			p.jsonFlag(), p.withFlag(),
			&cli.BoolFlag{Name: "no-attachments", Usage: p.say("không giải mã tệp đính kèm và không kiểm tra chữ ký", "do not decode attachments nor check signatures")},
		},
		Action: p.inspect,
	}
}

// inspection is what inspect prints of a file, a line of inspect --json. From
// and ResponseFor of a Status stand where a Document has them.
type inspection struct {
	File    string        `json:"file"`
	Kind    edxml.Kind    `json:"kind"`
	Profile edxml.Profile `json:"profile"`
	*edxml.Document
	*statusView
	Attachments []attachmentView    `json:"attachments,omitempty"`
	Signatures  []signatureView     `json:"signatures"`
	Findings    []edxml.FindingText `json:"findings"`
}

// statusView is what a Status has beyond the fields it shares with a Document.
type statusView struct {
	StaffInfo   *edxml.StaffInfo `json:"staffInfo,omitempty"`
	StatusCode  edxml.StatusCode `json:"statusCode,omitempty"`
	Description string           `json:"description,omitempty"`
	Timestamp   edxml.Timestamp  `json:"timestamp,omitempty"`
}

// attachmentView is an Attachment; size and digest are there when its content
// was read to the end.
type attachmentView struct {
	Name         string `json:"name,omitempty"`
	ContentID    string `json:"contentId,omitempty"`
	ContentType  string `json:"contentType,omitempty"`
	Description  string `json:"description,omitempty"`
	DetectedType string `json:"detectedType,omitempty"`
	Size         *int64 `json:"size,omitempty"`
	SHA256       string `json:"sha256,omitempty"`
}

// signatureView says what a block named Signature is, without trust.
type signatureView struct {
	Name      string              `json:"name"`
	Namespace string              `json:"namespace,omitempty"`
	Line      int                 `json:"line,omitempty"`
	Column    int                 `json:"column,omitempty"`
	State     string              `json:"state"` // intact, broken, no-signature, unchecked
	Message   string              `json:"message"`
	Algorithm string              `json:"algorithm,omitempty"`
	Signer    string              `json:"signer,omitempty"` // whose certificate is in it; not checked
	Coverage  *signature.Coverage `json:"coverage,omitempty"`
}

func (p *program) inspect(c *cli.Context) error {
	first := true
	return p.eachPacket(c, func(file string) (int, error) {
		v, err := p.inspectFile(c, file)
		if err != nil {
			return exitDone, err
		}
		if c.Bool("json") {
			return exitDone, p.record(v)
		}
		if !first {
			fmt.Fprintln(p.out)
		}
		first = false
		return exitDone, p.show(v)
	})
}

func (p *program) inspectFile(c *cli.Context, file string) (v *inspection, err error) {
	skip := c.Bool("no-attachments")
	f, err := p.openPacket(c.Context, file, !skip)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	f.with = c.String("with")
	packet, err := f.read(skip)
	if err != nil {
		return nil, fileError{file, err}
	}
	v = &inspection{
		File: file, Kind: packet.Kind, Profile: packet.Profile, Document: packet.Document,
		Signatures: []signatureView{},
	}
	if s := packet.Status; s != nil {
		v.Document = &edxml.Document{From: s.From}
		v.statusView = &statusView{s.StaffInfo, s.StatusCode, s.Description, s.Timestamp}
		if s.ResponseFor != (edxml.ResponseFor{}) {
			v.ResponseFor = []edxml.ResponseFor{s.ResponseFor}
		}
	}
	if packet.Document != nil {
		for _, a := range packet.Document.Attachments {
			w := attachmentView{Name: a.Name, ContentID: a.ContentID, ContentType: a.ContentType, Description: a.Description, DetectedType: a.DetectedType, SHA256: a.SHA256}
			if a.SHA256 != "" {
				w.Size = &a.Size
			}
			v.Attachments = append(v.Attachments, w)
		}
	}
	v.Findings = p.texts(append(packet.Findings, edxml.Validate(packet, time.Now())...), f.with)
	v.Signatures = append(v.Signatures, p.signatures(f, packet, skip)...)
	return v, nil
}

// signatures says of every block what it is. Nobody is trusted, so that the
// best a signature can be is intact.
func (p *program) signatures(f *packetFile, packet *edxml.Packet, skip bool) []signatureView {
	var views []signatureView
	for _, b := range packet.Signatures {
		v := signatureView{Name: b.Name.String(), Namespace: b.Name.Space, Line: b.Pos.Line, Column: b.Pos.Column}
		if b.Name.Space == edxml.NamespaceDSig {
			v.State, v.Message = "unchecked", p.say("chữ ký số XML, chưa kiểm tra", "an XML signature, not checked")
		} else {
			v.State, v.Message = "no-signature", p.say("không phải chữ ký số XML: khối này không chứng minh điều gì", "no XML signature: this block proves nothing")
		}
		views = append(views, v)
	}
	if skip || len(views) == 0 {
		return views
	}
	verdicts, err := signature.Verify(f.xml, f.size, f.contents(), signature.VerifyOptions{AllowLegacy: true})
	for i := range views {
		v := &views[i]
		if err != nil && v.State == "unchecked" {
			v.Message += ": " + explain(err).what.In(p.lang)
		}
		for _, verdict := range verdicts {
			if v.State == "unchecked" && verdict.Place.Line == v.Line && verdict.Place.Column == v.Column {
				p.judge(v, verdict)
			}
		}
	}
	return views
}

// judge says whether what was signed is still what is there.
func (p *program) judge(v *signatureView, verdict signature.Verdict) {
	v.Algorithm, v.Coverage = verdict.Algorithm, &verdict.Coverage
	if verdict.Signer != nil {
		v.Signer = verdict.Signer.Subject.String()
	}
	if intact(verdict) {
		v.State = "intact"
		v.Message = p.say("nội dung còn nguyên như khi ký; người ký có đáng tin không: lienthong verify", "the content is as it was signed; whether the signer is to be trusted: lienthong verify")
		return
	}
	v.State, v.Message = "broken", verdict.Message().In(p.lang)
}

// sheet prints names and values in two columns, leaving out what is absent.
type sheet struct {
	w *tabwriter.Writer
	p *program
}

func (s sheet) line(vi, en string, value ...string) {
	var have []string
	for _, v := range value {
		if v = strings.TrimSpace(clean(v)); v != "" {
			have = append(have, v)
		}
	}
	if len(have) > 0 {
		fmt.Fprintf(s.w, "%s\t%s\n", s.p.say(vi, en), strings.Join(have, " · "))
	}
}

// show prints an inspection for people.
func (p *program) show(v *inspection) error {
	s := sheet{tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0), p}
	s.line("tệp", "file", v.File)
	shape := map[edxml.Profile]string{
		edxml.ProfileQCVN102: p.say("một tệp XML (QCVN 102:2016)", "one XML file (QCVN 102:2016)"), edxml.ProfileSOAP: "SOAP",
	}[v.Profile]
	if v.Kind == edxml.KindDocument {
		s.line("loại gói tin", "kind", p.say("văn bản", "document"), meaning(p, v.Document.DocType()), shape)
		s.document(v.Document)
	} else {
		s.line("loại gói tin", "kind", p.say("trạng thái", "status"), shape)
		s.status(v)
	}
	for i, a := range v.Attachments {
		size := ""
		if a.Size != nil {
			size = fmt.Sprintf("%d %s", *a.Size, p.say("byte", "bytes"))
		}
		s.line(fmt.Sprintf("tệp đính kèm %d", i+1), fmt.Sprintf("attachment %d", i+1), a.Name, a.DetectedType, size)
		s.line("  khai báo", "  declared as", a.ContentType, a.ContentID, a.Description)
		s.line("  sha256", "  sha256", a.SHA256)
	}
	for i, b := range v.Signatures {
		s.line(fmt.Sprintf("chữ ký %d", i+1), fmt.Sprintf("signature %d", i+1), b.Message)
		s.line("  khối", "  block", b.Name, b.Namespace, fmt.Sprintf(p.say("dòng %d", "line %d"), b.Line))
		s.line("  chứng thư", "  certificate", b.Signer, b.Algorithm)
	}
	if len(v.Signatures) == 0 {
		s.line("chữ ký", "signature", p.say("không có", "none"))
	}
	if err := s.w.Flush(); err != nil {
		return err
	}
	for _, f := range v.Findings {
		if err := p.finding("", f); err != nil {
			return err
		}
	}
	return nil
}

func (s sheet) document(d *edxml.Document) {
	s.organ("nơi gửi", "from", d.From)
	for _, o := range d.To {
		s.organ("nơi nhận", "to", o)
	}
	s.line("mã văn bản", "document id", d.DocumentID)
	s.line("số, ký hiệu", "code", d.Code.String())
	s.line("ban hành", "promulgated", string(d.PromulgationInfo.PromulgationDate), d.PromulgationInfo.Place)
	s.line("loại văn bản", "document type", d.DocumentType.TypeName, string(d.DocumentType.Type), string(d.DocumentType.TypeDetail))
	s.line("trích yếu", "subject", d.Subject)
	s.line("nội dung", "content", d.Content)
	s.line("người ký", "signed by", d.SignerInfo.Competence, d.SignerInfo.Position, d.SignerInfo.FullName)
	s.line("hạn trả lời", "due", string(d.DueDate))
	s.line("nơi nhận ghi trên văn bản", "places", d.ToPlaces...)
	o := d.OtherInfo
	s.line("độ khẩn", "priority", meaning(s.p, o.Priority))
	s.line("phạm vi", "sphere", o.SphereOfPromulgation)
	s.line("người soạn", "typed by", o.TyperNotation)
	s.line("số bản", "copies", string(o.PromulgationAmount))
	s.line("số trang", "pages", string(o.PageAmount))
	s.line("phụ lục", "appendixes", o.Appendixes...)
	for _, r := range d.ResponseFor {
		s.responseFor(r)
	}
	s.line("chỉ đạo", "steering type", meaning(s.p, d.SteeringType))
	s.line("nhiệm vụ", "tasks", d.ResponseForTask...)
	s.line("ứng dụng", "application", d.ApplicationType)
	for _, t := range d.TraceHeaders {
		s.line("qua hệ thống", "handled by", t.OrganID, string(t.Timestamp))
	}
	if d.Business != nil {
		s.business(d.Business)
	}
}

func (s sheet) business(b *edxml.Business) {
	s.line("lý do", "reason", b.DocReason)
	s.line("về văn bản", "about document", b.DocumentID)
	s.line("bản giấy", "paper copy", meaning(s.p, b.Paper))
	for _, r := range b.Receivers {
		s.line("đổi nơi nhận", "receiver change", r.OrganID, meaning(s.p, r.ReceiverType))
	}
	for _, r := range b.Replacements {
		s.line("thay thế", "replaces", append([]string{r.DocumentID}, r.OrganIDs...)...)
	}
	s.staff(b.StaffInfo)
}

func (s sheet) status(t *inspection) {
	s.organ("nơi gửi", "from", t.From)
	name, _ := t.StatusCode.Name()
	s.line("trạng thái", "status", string(t.StatusCode), name.In(s.p.lang))
	for _, r := range t.ResponseFor {
		s.responseFor(r)
	}
	s.line("diễn giải", "description", t.Description)
	s.line("lúc", "at", string(t.statusView.Timestamp))
	s.staff(t.StaffInfo)
}

func (s sheet) organ(vi, en string, o edxml.Organ) {
	s.line(vi, en, o.OrganID, o.OrganName)
	s.line("", "", o.OrganizationInCharge, o.OrganAdd, o.Email, o.Telephone, o.Fax, o.Website)
}

func (s sheet) responseFor(r edxml.ResponseFor) {
	s.line("trả lời cho", "in response to", r.OrganID, r.Code, r.DocumentID, string(r.PromulgationDate))
}

func (s sheet) staff(i *edxml.StaffInfo) {
	if i != nil {
		s.line("cán bộ xử lý", "handled by person", i.Staff, i.StaffID, i.Department, i.DepartmentID, i.Mobile, i.Email)
	}
}

// coded is a code that has a name.
type coded interface {
	~string
	Name() (edxml.Text, bool)
}

// meaning gives the name of a code; of one that has none, the code as the
// packet has it.
func meaning[C coded](p *program, code C) string {
	if name, ok := code.Name(); ok {
		return name.In(p.lang)
	}
	return string(code)
}
