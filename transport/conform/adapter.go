package conform

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport/vxp"
)

// vxpCall is one call of the adapter, as the vendor's SDK makes it.
type vxpCall struct {
	method string // the last part of the path
	verb   string // default POST
	by     Party
	params [][2]string // name and value, in the order they are signed
	body   []byte
	media  string            // default application/json
	stamp  string            // default now
	slash  string            // before the method; default "/"
	secret edxml.Secret      // default that of by
	header map[string]string // put on top, not signed
}

// vxpReply is its answer.
type vxpReply struct {
	status int
	header http.Header
	raw    []byte
	object map[string]json.RawMessage // nil for an answer that is no JSON object
}

// vxp makes a call.
func (p *probe) vxp(ctx context.Context, c vxpCall) (*vxpReply, error) {
	media := orElse(c.media, "application/json")
	stamp := orElse(c.stamp, time.Now().Format("02012006T150405")+"+0466") // the end are milliseconds, no zone
	params := append([][2]string{{"systemid", c.by.SystemID}, {"timestamp", stamp}, {"Content-Type", media}}, c.params...)
	var signed bytes.Buffer
	var names []string
	header := map[string]string{"Content-Type": media, "User-Agent": "JAVASDKAgent/1.0.0 XRoad/VPCP", "XroadVnpt-version": "3.0.201608"}
	signed.WriteByte('{')
	for i, kv := range params {
		if i > 0 {
			signed.WriteByte(',')
		}
		name, _ := json.Marshal("XroadVnpt-" + kv[0]) // a string cannot fail
		value, _ := json.Marshal(kv[1])
		signed.Write(name)
		signed.WriteByte(':')
		signed.Write(value)
		names = append(names, kv[0])
		header["XroadVnpt-"+kv[0]] = kv[1]
	}
	signed.WriteByte('}')
	header["XroadVnpt-sign-header"] = signed.String()
	header["XroadVnpt-sign-header-key"] = strings.Join(names, ";")
	header["XroadVnpt-hash-header"] = vxp.Sign(edxml.Secret(orElse(string(c.secret), string(c.by.Secret))), signed.String())
	for k, v := range c.header {
		header[k] = v
	}
	res, err := p.send(ctx, orElse(c.verb, http.MethodPost), strings.TrimRight(p.VXP, "/")+orElse(c.slash, "/")+c.method, header, c.body)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	r := &vxpReply{status: res.StatusCode, header: res.Header}
	if r.raw, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1)); err != nil {
		return nil, err
	}
	if json.Unmarshal(r.raw, &r.object) != nil {
		r.object = nil
	}
	return r, nil
}

// field returns a field as text, "" for one that is missing.
func (r *vxpReply) field(name string) string {
	raw := r.object[name]
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// formed expects a JSON object with the three fields that the SDK cannot do
// without.
func (r *vxpReply) formed() error {
	if r.object == nil {
		return wrong("câu trả lời không phải một đối tượng JSON (HTTP %d, %s): %s", "the answer is no JSON object (HTTP %d, %s): %s", r.status, r.header.Get("Content-Type"), clip(string(r.raw)))
	}
	for _, name := range []string{"status", "ErrorCode", "ErrorDesc"} {
		raw, there := r.object[name]
		if !there || string(raw) == "null" || strings.HasPrefix(string(raw), "{") || strings.HasPrefix(string(raw), "[") {
			return wrong("trường %s thiếu, null hoặc không phải giá trị đơn", "field %s is missing, null or no scalar", name)
		}
	}
	return nil
}

// done expects success.
func (r *vxpReply) done() error {
	if err := r.formed(); err != nil {
		return err
	}
	if r.field("status") != "OK" || r.field("ErrorCode") != "0" {
		return wrong("bị từ chối: %s %s %s", "refused: %s %s %s", r.field("status"), r.field("ErrorCode"), clip(r.field("ErrorDesc")))
	}
	return nil
}

// refused expects FAIL.
func (r *vxpReply) refused() error {
	if err := r.formed(); err != nil {
		return err
	}
	if r.field("status") != "FAIL" || r.field("ErrorCode") == "0" {
		return wrong("status %q, ErrorCode %q: lẽ ra phải bị từ chối", "status %q, ErrorCode %q: it must be refused", r.field("status"), r.field("ErrorCode"))
	}
	return nil
}

// single is a Document as a single file.
func (p *probe) single(d *edxml.Document) ([]byte, error) {
	f := pdf()
	d.Attachments = []edxml.Attachment{{Name: f.name, ContentID: f.id, ContentType: f.media, Content: bytes.NewReader(f.content)}}
	var b bytes.Buffer
	err := edxml.Write(&b, d)
	return b.Bytes(), err
}

// sendEdoc is the call that sends a packet, as the SDK makes it: the digest
// without leading zeros, two octets behind the file.
func sendEdoc(by Party, packet []byte, message string) vxpCall {
	return vxpCall{
		method: "sendEdoc", by: by, media: "application/octet-stream", body: append(bytes.Clone(packet), "\r\n"...),
		params: [][2]string{{"from", by.Organ}, {"servicetype", "eDoc"}, {"messagetype", message}, {"hash-file", vxp.FileHash(sha256.Sum256(packet))}},
	}
}

// deliverVXP sends a new Document and returns it, its octets and the sender's number.
func (p *probe) deliverVXP(ctx context.Context, change func(*vxpCall)) (*edxml.Document, []byte, string, error) {
	d := p.document()
	packet, err := p.single(d)
	if err != nil {
		return nil, nil, "", err
	}
	c := sendEdoc(p.Sender, packet, "edoc")
	if change != nil {
		change(&c)
	}
	r, err := p.vxp(ctx, c)
	if err != nil {
		return nil, nil, "", err
	}
	if err := r.done(); err != nil {
		return nil, nil, "", err
	}
	if r.field("DocId") == "" || r.field("DocId") == "null" {
		return nil, nil, "", wrong("câu trả lời không có DocId", "the answer has no DocId")
	}
	return d, packet, r.field("DocId"), nil
}

// item is a packet in a list.
type item struct {
	DocID   string `json:"docId"`
	From    string `json:"from"`
	To      string `json:"to"`
	Status  string `json:"status"`
	Created string `json:"created_time"`
}

// inbox lists what waits for a party.
func (p *probe) inbox(ctx context.Context, by Party, message string, more ...[2]string) ([]item, error) {
	r, err := p.vxp(ctx, vxpCall{method: "getReceivedEdocList", by: by, params: append([][2]string{{"servicetype", "eDoc"}, {"messagetype", message}}, more...)})
	if err != nil {
		return nil, err
	}
	if err := r.done(); err != nil {
		return nil, err
	}
	var list []item
	if err := json.Unmarshal(r.object["data"], &list); err != nil || string(r.object["data"]) == "null" {
		return nil, wrong("data không phải một danh sách: %v", "data is no list: %v", err)
	}
	return list, nil
}

// arrived finds the delivery of a Document: the one whose packet names it.
func (p *probe) arrived(ctx context.Context, by Party, message, documentID string, more ...[2]string) (string, []byte, error) {
	list, err := p.inbox(ctx, by, message, more...)
	if err != nil {
		return "", nil, err
	}
	slices.Reverse(list) // most likely the last
	for _, i := range list {
		packet, err := p.getEdoc(ctx, by, i.DocID)
		if err != nil {
			return "", nil, err
		}
		read, err := edxml.Read(bytes.NewReader(packet), edxml.ReadOptions{})
		if err != nil {
			return "", nil, wrong("gói tin %s không đọc được: %v", "packet %s cannot be read: %v", i.DocID, err)
		}
		if read.Document != nil && read.Document.DocumentID == documentID || read.Status != nil && read.Status.ResponseFor.DocumentID == documentID {
			return i.DocID, packet, nil
		}
	}
	return "", nil, wrong("văn bản %s không nằm trong danh sách của %s (%d gói tin)", "Document %s is not in the list of %s (%d packets)", documentID, by.SystemID, len(list))
}

// getEdoc collects a packet.
func (p *probe) getEdoc(ctx context.Context, by Party, id string) ([]byte, error) {
	r, err := p.vxp(ctx, vxpCall{method: "getEdoc", by: by, params: [][2]string{{"docId", id}, {"filePath", "C:/edoc"}}, body: []byte("{}")})
	if err != nil {
		return nil, err
	}
	if err := r.done(); err != nil {
		return nil, err
	}
	packet, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(r.field("data")))
	if err != nil {
		return nil, wrong("data không phải base64: %v", "data is no base64: %v", err)
	}
	return packet, nil
}

// updateStatus tells the state of a delivery.
func (p *probe) updateStatus(ctx context.Context, by Party, name, id, state string) (*vxpReply, error) {
	return p.vxp(ctx, vxpCall{method: "updateStatus", by: by, params: [][2]string{{"status", state}, {name, id}}, body: []byte("{}")})
}

// padded writes a digest as everybody but the SDK does.
func padded(packet []byte) string {
	sum := sha256.Sum256(packet)
	return hex.EncodeToString(sum[:])
}
