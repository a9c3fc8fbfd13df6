package conform

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/transport/soap"
)

// Party is somebody who speaks to the axis.
type Party struct {
	Organ    string
	Token    edxml.Secret // of eDoc; default "test-" and the organ
	SystemID string       // of VXP; default the organ
	Secret   edxml.Secret // of VXP; default "test-secret"
}

func (p Party) withDefaults(organ string) Party {
	if p.Organ == "" {
		p.Organ = organ
	}
	if p.Token == "" {
		p.Token = edxml.Secret("test-" + p.Organ)
	}
	if p.SystemID == "" {
		p.SystemID = p.Organ
	}
	if p.Secret == "" {
		p.Secret = "test-secret"
	}
	return p
}

// Target is the axis to be tested. URL is needed; the defaults of the rest are
// those of the test axis. The parties must differ; each receives and sends
// Documents in the course of a run.
type Target struct {
	URL      string        // of the eDoc operations
	VXP      string        // of the adapter; default URL
	Wires    []string      // "edoc", "vxp"; default both
	Sender   Party         // default G22
	Receiver Party         // default H41
	Stranger Party         // somebody else; default H02
	Unknown  string        // an identifier that the axis does not know; default X99
	Timeout  time.Duration // of one request; default 30 s

	HTTP *http.Client // nil is one that follows no redirect
}

func (t Target) withDefaults() Target {
	if t.VXP == "" {
		t.VXP = t.URL
	}
	if len(t.Wires) == 0 {
		t.Wires = []string{wireEdoc, wireVXP}
	}
	t.Sender, t.Receiver, t.Stranger = t.Sender.withDefaults("G22"), t.Receiver.withDefaults("H41"), t.Stranger.withDefaults("H02")
	if t.Unknown == "" {
		t.Unknown = "X99"
	}
	if t.Timeout == 0 {
		t.Timeout = 30 * time.Second
	}
	return t
}

// The wires.
const (
	wireEdoc = "edoc"
	wireVXP  = "vxp"
)

// probe makes the requests of one run.
type probe struct {
	Target
	client *http.Client
	run    int64        // makes this run's numbers its own
	count  atomic.Int64 // documents and statuses so far
}

func newProbe(t Target) *probe {
	p := &probe{Target: t.withDefaults(), run: time.Now().UnixMilli()}
	p.client = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	if t.HTTP != nil {
		*p.client = *t.HTTP
	}
	p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return p
}

// document is a new Document with everything an axis demands, from Sender to
// Receiver. No two have the same number.
func (p *probe) document() *edxml.Document {
	from := edxml.Organ{OrganID: p.Sender.Organ, OrganName: "Cơ quan gửi thử"}
	d := &edxml.Document{
		From: from, To: []edxml.Organ{{OrganID: p.Receiver.Organ, OrganName: "Cơ quan nhận thử"}},
		Code:             edxml.Code{CodeNumber: fmt.Sprintf("%d%03d", p.run%1e10, p.count.Add(1)), CodeNotation: "KT-PHH"},
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: edxml.DateOf(time.Now().AddDate(0, 0, -1))},
		DocumentType:     edxml.DocumentType{Type: "2", TypeDetail: "18", TypeName: "Công văn"},
		Subject:          "Văn bản kiểm tra sự phù hợp, không có giá trị pháp lý",
		Content:          "Kiểm tra", SignerInfo: edxml.SignerInfo{Competence: "TL.", Position: "Trưởng phòng", FullName: "Nguyễn Văn Thử"},
		OtherInfo:    edxml.OtherInfo{Priority: "0", PromulgationAmount: "1", PageAmount: "1"},
		TraceHeaders: []edxml.TraceHeader{{OrganID: from.OrganID, Timestamp: edxml.TimestampOf(time.Now())}},
		Business: &edxml.Business{DocType: edxml.New, DocReason: "Văn bản mới", Paper: "0",
			StaffInfo: &edxml.StaffInfo{Department: "Văn thư", Staff: "Trần Thị Thử", Email: "thu@example.vn", Mobile: "0900000000"}},
	}
	d.DocumentID = edxml.DocumentID(from.OrganID, d.PromulgationInfo.PromulgationDate, d.Code)
	return d
}

// file is a file of a message.
type file struct {
	id, name, media string
	content         []byte
	encoding        string // Content-Transfer-Encoding; "binary", or "base64", which is applied
}

// pdf is the file that most Documents carry: octets that a careless reader of
// MIME stumbles over.
func pdf() file {
	return file{"f1@kiemtra", "Kiểm tra.pdf", "application/pdf", []byte("%PDF-1.7\r\n--MIMEB\r\n\x00\xff\n--\r\n%%EOF"), "binary"}
}

// message is one SOAP request.
type message struct {
	op       string
	action   string // SOAPAction as it stands in the header; default op in quotes, "-" for none
	envelope string
	files    []file
	media    string // Content-Type; default that of the framing
	plain    bool   // the envelope alone, no MIME
	header   map[string]string
	method   string // default POST
}

// reply is an answer.
type reply struct {
	status   int
	header   http.Header
	raw      []byte // of an answer that is no SOAP message
	envelope *etree.Element
	text     []byte // the envelope
	parts    map[string][]byte
}

const boundary = "MIMEB_kiemtra"

// body frames a message as the public .NET client does, but for start in
// brackets.
func (m message) body() (media string, body []byte) {
	if m.plain {
		return orElse(m.media, "text/xml; charset=utf-8"), []byte(m.envelope)
	}
	var b bytes.Buffer
	b.WriteString("--" + boundary + "\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nContent-ID: <root>\r\n\r\n" + m.envelope)
	for _, f := range m.files {
		content := f.content
		if f.encoding == "base64" {
			content = []byte(base64.StdEncoding.EncodeToString(content))
		}
		fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: %s\r\nContent-ID: <%s>\r\n\r\n", boundary, f.media, f.encoding, f.id)
		b.Write(content)
	}
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return orElse(m.media, `multipart/related; type="text/xml"; boundary="`+boundary+`"; start="<root>"`), b.Bytes()
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// soap sends a message and reads the answer.
func (p *probe) soap(ctx context.Context, m message) (*reply, error) {
	media, body := m.body()
	header := map[string]string{"Content-Type": media, "Accept": "text/xml", "SOAPAction": orElse(m.action, `"`+m.op+`"`)}
	if m.action == "-" {
		delete(header, "SOAPAction")
	}
	for k, v := range m.header {
		header[k] = v
	}
	res, err := p.send(ctx, orElse(m.method, http.MethodPost), p.URL, header, body)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	r := &reply{status: res.StatusCode, header: res.Header, parts: map[string][]byte{}}
	return r, r.read(res.Body)
}

// send makes one HTTP request.
func (p *probe) send(ctx context.Context, method, url string, header map[string]string, body []byte) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		cancel()
		return nil, err
	}
	for k, v := range header {
		req.Header[k] = []string{v} // as spelt
	}
	res, err := p.client.Do(req)
	if err != nil {
		cancel()
		return nil, err
	}
	res.Body = &ending{res.Body, cancel}
	return res, nil
}

// ending ends the time of a request when its answer is closed.
type ending struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (e *ending) Close() error {
	defer e.cancel()
	return e.ReadCloser.Close()
}

// maxAnswer bounds an answer, in octets.
const maxAnswer = 64 << 20

// read takes an answer apart. One that is no SOAP message keeps its octets.
func (r *reply) read(body io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err != nil {
		return err
	}
	if r.raw = raw; len(raw) > maxAnswer {
		return wrong("câu trả lời dài hơn %d byte", "the answer is longer than %d octets", maxAnswer)
	}
	msg, err := soap.Read(r.header.Get("Content-Type"), bytes.NewReader(raw), soap.Limits{})
	if err != nil {
		return nil //nolint:nilerr // no SOAP message: whoever asks for its envelope says so
	}
	defer msg.Close()
	for n := 0; ; n++ {
		part, err := msg.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return wrong("câu trả lời bị hỏng: %v", "the answer is broken: %v", err)
		}
		content, err := io.ReadAll(part.Content)
		if err != nil {
			return wrong("câu trả lời bị hỏng: %v", "the answer is broken: %v", err)
		}
		if n > 0 {
			r.parts[part.ID] = content
			continue
		}
		r.text = content
		s := xmlscan.New(bytes.NewReader(content), xmlscan.Options{Limits: xmlscan.Limits{Elements: maxAnswer / 8}})
		for tok, err := s.Next(); err == nil; tok, err = s.Next() {
			if tok.Kind != xmlscan.Start {
				continue
			}
			if tree, err := s.Tree(maxAnswer); err == nil {
				r.envelope = tree.Root
			}
			break
		}
	}
}

// signature is the header block with the pair of a party.
func signature(organ string, token edxml.Secret) string {
	return `<edXML:Signature xmlns:edXML="` + edxml.NamespaceEDoc + `"><edXML:KeyInfo><edXML:OrganId>` + organ +
		`</edXML:OrganId><edXML:Token>` + string(token) + `</edXML:Token></edXML:KeyInfo></edXML:Signature>`
}

const headerEnd = "</SOAP-ENV:Header>"

// packet is the message that sends a Document for a party.
func (p *probe) packet(by Party, d *edxml.Document, files ...file) (message, error) {
	d.Attachments = nil
	for _, f := range files {
		d.Attachments = append(d.Attachments, edxml.Attachment{Name: f.name, ContentID: f.id, ContentType: f.media})
	}
	var b strings.Builder
	if err := edxml.WriteEnvelope(&b, d); err != nil {
		return message{}, err
	}
	envelope := strings.Replace(b.String(), headerEnd, signature(by.Organ, by.Token)+headerEnd, 1)
	return message{op: "SendDocument", envelope: envelope, files: files}, nil
}

// query is the message of an operation whose request stands in the Body in no
// namespace.
func query(op, element string, by Party, more string) message {
	return message{op: op, envelope: string(soap.ControlEnvelope("", "<"+element+"><OrganId>"+by.Organ+"</OrganId><Token>"+string(by.Token)+"</Token>"+more+"</"+element+">"))}
}

// check is the message of CheckPermission.
func check(organ string, token edxml.Secret) message {
	return message{op: "CheckPermission", envelope: string(soap.ControlEnvelope(
		"<CheckPermission><OrganId>"+organ+"</OrganId><Token>"+string(token)+"</Token></CheckPermission>", ""))}
}
