package conform

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport/soap"
)

// children returns the children with a local name.
func children(el *etree.Element, local string) (found []*etree.Element) {
	if el == nil {
		return nil
	}
	for _, c := range el.ChildElements() {
		if c.Tag == local {
			found = append(found, c)
		}
	}
	return found
}

// at follows local names down from an element, nil where one is missing.
func at(el *etree.Element, path ...string) *etree.Element {
	for _, local := range path {
		if el == nil {
			return nil
		}
		next := children(el, local)
		if len(next) == 0 {
			return nil
		}
		el = next[0]
	}
	return el
}

func text(el *etree.Element, path ...string) string {
	if el = at(el, path...); el == nil {
		return ""
	}
	return strings.TrimSpace(el.Text())
}

// body returns the Body of an answer that is a SOAP 1.1 envelope.
func (r *reply) body() (*etree.Element, error) {
	switch {
	case r.envelope == nil:
		return nil, wrong("câu trả lời không phải SOAP (HTTP %d, %s): %s", "the answer is no SOAP message (HTTP %d, %s): %s", r.status, r.header.Get("Content-Type"), clip(string(r.raw)))
	case r.envelope.Tag != "Envelope" || r.envelope.NamespaceURI() != soap.Namespace:
		return nil, wrong("phần tử gốc là %q trong %q, không phải Envelope của SOAP 1.1", "the root is %q in %q, not the Envelope of SOAP 1.1", r.envelope.Tag, r.envelope.NamespaceURI())
	case at(r.envelope, "Body") == nil:
		return nil, wrong("Envelope không có Body", "the Envelope has no Body")
	}
	return at(r.envelope, "Body"), nil
}

// fault returns the SOAP fault of an answer.
func (r *reply) fault() *etree.Element {
	if r.envelope == nil {
		return nil
	}
	return at(r.envelope, "Body", "Fault")
}

// response returns the element that holds the result of an operation. It is
// checked as every answer must be: HTTP 200, the right name and namespace.
func (r *reply) response(op string) (*etree.Element, error) {
	body, err := r.body()
	if err != nil {
		return nil, err
	}
	el := at(body, op+"Response")
	switch {
	case r.fault() != nil:
		return nil, wrong("nhận SOAP Fault: %s", "a SOAP fault came: %s", clip(text(r.fault(), "faultstring")))
	case el == nil:
		return nil, wrong("Body không có %sResponse", "the Body has no %sResponse", op)
	case el.NamespaceURI() != edxml.NamespaceEDoc:
		return nil, wrong("%sResponse thuộc %q, không phải %q", "%sResponse is in %q, not %q", op, el.NamespaceURI(), edxml.NamespaceEDoc)
	case r.status != 200:
		return nil, wrong("HTTP %d, phải là 200", "HTTP %d, it must be 200", r.status)
	}
	return el, nil
}

// done expects the Report of success.
func (r *reply) done(op string) (*etree.Element, error) {
	el, err := r.response(op)
	if err != nil {
		return nil, err
	}
	if report := at(el, "Report"); report == nil || text(report, "IsSuccess") != "true" {
		return nil, wrong("%s bị từ chối: %s", "%s was refused: %s", op, refusalText(report))
	}
	return el, nil
}

// refusalText says what a Report says.
func refusalText(report *etree.Element) string {
	if report == nil {
		return "no Report"
	}
	var texts []string
	for _, e := range children(at(report, "ErrorList"), "Error") {
		texts = append(texts, text(e, "Code")+" "+text(e, "Description"))
	}
	return clip(strings.Join(texts, "; "))
}

// report finds the Report of an answer, where the operation puts it.
func (r *reply) report(op string) (*etree.Element, error) {
	if op == "GetDocument" { // whose result stands in the Body itself
		body, err := r.body()
		if err != nil {
			return nil, err
		}
		if at(body, "Report") == nil {
			return nil, wrong("Body không có Report", "the Body has no Report")
		}
		return at(body, "Report"), nil
	}
	el, err := r.response(op)
	if err != nil {
		return nil, err
	}
	if at(el, "Report") == nil {
		return nil, wrong("%sResponse không có Report", "%sResponse has no Report", op)
	}
	return at(el, "Report"), nil
}

// refused expects a Report of failure with one of the codes; without codes any
// will do.
func (r *reply) refused(op string, codes ...string) error {
	report, err := r.report(op)
	if err != nil {
		return err
	}
	if is := text(report, "IsSuccess"); is != "false" {
		return wrong("%s được nhận (IsSuccess là %q), lẽ ra phải bị từ chối", "%s was taken (IsSuccess is %q), it must be refused", op, is)
	}
	if at(report, "ErrorList") == nil {
		return wrong("Report không có ErrorList", "the Report has no ErrorList")
	}
	code := text(report, "ErrorList", "Error", "Code")
	if len(codes) > 0 && !slices.Contains(codes, code) {
		return wrong("mã lỗi là %q, phải là %s", "the code is %q, it must be %s", code, strings.Join(codes, ", "))
	}
	return nil
}

// unfit expects that a request which is no proper one is not taken: a SOAP
// fault, or HTTP 4xx or 5xx, or a Report of failure.
func (r *reply) unfit(op string) error {
	if r.status >= 400 || r.fault() != nil {
		return nil
	}
	if _, err := r.report(op); err != nil {
		return err
	}
	return r.refused(op)
}

// number returns the axis's number for a Document that was taken.
func (r *reply) number() (string, error) {
	el, err := r.done("SendDocument")
	if err != nil {
		return "", err
	}
	id := text(el, "DocumentId")
	if n, err := strconv.ParseInt(id, 10, 64); err != nil || n < 1 {
		return "", wrong("DocumentId là %q, phải là số nguyên dương", "DocumentId is %q, it must be a positive integer", id)
	}
	return id, nil
}

// deliver sends a Document and returns its number.
func (p *probe) deliver(ctx context.Context, d *edxml.Document, files ...file) (string, error) {
	m, err := p.packet(p.Sender, d, files...)
	if err != nil {
		return "", err
	}
	r, err := p.soap(ctx, m)
	if err != nil {
		return "", err
	}
	return r.number()
}

// pending lists what waits for a party.
func (p *probe) pending(ctx context.Context, by Party) ([]string, error) {
	r, err := p.soap(ctx, query("GetPendingDocumentIds", "GetPendingDocumentIdsRequest", by, ""))
	if err != nil {
		return nil, err
	}
	el, err := r.response("GetPendingDocumentIds")
	if err != nil {
		return nil, err
	}
	list := at(el, "DocumentIds")
	if list == nil {
		return nil, wrong("câu trả lời không có DocumentIds: %s", "the answer has no DocumentIds: %s", refusalText(at(el, "Report")))
	}
	var ids []string
	for _, id := range children(list, "DocumentId") {
		ids = append(ids, strings.TrimSpace(id.Text()))
	}
	return ids, nil
}

// waits expects a number to be listed for a party, or not to be.
func (p *probe) waits(ctx context.Context, by Party, id string, want bool) error {
	ids, err := p.pending(ctx, by)
	if err != nil {
		return err
	}
	switch has := slices.Contains(ids, id); {
	case want && !has:
		return wrong("văn bản số %s không nằm trong danh sách chờ của %s", "document %s is not listed for %s", id, by.Organ)
	case !want && has:
		return wrong("văn bản số %s nằm trong danh sách chờ của %s", "document %s is listed for %s", id, by.Organ)
	}
	return nil
}

// fetch collects a Document.
func (p *probe) fetch(ctx context.Context, by Party, id string) (*reply, error) {
	return p.soap(ctx, query("GetDocument", "GetDocumentRequest", by, "<DocumentId>"+id+"</DocumentId>"))
}

// confirm ends a delivery.
func (p *probe) confirm(ctx context.Context, by Party, id string) (*reply, error) {
	return p.soap(ctx, query("ConfirmReceived", "ConfirmReceived", by, "<DocumentId>"+id+"</DocumentId>"))
}

// traces asks for statuses, since a moment or, with "", in the old way.
func (p *probe) traces(ctx context.Context, by Party, since string) ([]*etree.Element, error) {
	more := ""
	if since != "" {
		more = "<TimeStamp>" + since + "</TimeStamp>"
	}
	r, err := p.soap(ctx, query("GetTraces", "GetTraces", by, more))
	if err != nil {
		return nil, err
	}
	el, err := r.response("GetTraces")
	if err != nil {
		return nil, err
	}
	if at(el, "Traces") == nil {
		return nil, wrong("câu trả lời không có Traces: %s", "the answer has no Traces: %s", refusalText(at(el, "Report")))
	}
	return children(at(el, "Traces"), "Status"), nil
}

// about keeps the statuses about a Document.
func about(list []*etree.Element, d *edxml.Document) (found []*etree.Element) {
	for _, s := range list {
		if text(s, "ResponseFor", "DocumentId") == d.DocumentID {
			found = append(found, s)
		}
	}
	return found
}

// codes lists the status codes, as numbers.
func codes(list []*etree.Element) (found []string) {
	for _, s := range list {
		found = append(found, strings.TrimLeft(text(s, "StatusCode"), "0"))
	}
	return found
}

// clip shortens what came from outside.
func clip(s string) string {
	r := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(s, "�")), " "))
	if len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return string(r)
}

// first returns the first error of some.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
