package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/signature"
	"github.com/lienthong/lienthong/transport"
)

// TestSubmitRefuses submits what must not be accepted; each refusal has its
// type, and leaves no Transfer.
func TestSubmitRefuses(t *testing.T) {
	good := string(plain(t, "1"))
	foreign := document("2", "H41")
	foreign.From = province
	secret := document("3", "H41")
	secret.OtherInfo.SphereOfPromulgation = "Mật"
	nobody := document("4")
	a := file{"a.pdf", pdf}
	env := envelope(t, document("5", "H41"), a)
	token := strings.Replace(string(env), "</SOAP-ENV:Header>", `<edXML:Signature xmlns:edXML="http://www.e-doc.vn/Schema/"><edXML:KeyInfo><edXML:OrganId>G22</edXML:OrganId><edXML:Token>s3cret-token</edXML:Token></edXML:KeyInfo></edXML:Signature></SOAP-ENV:Header>`, 1)
	if token == string(env) {
		t.Fatal("no place for the token")
	}
	finding := func(rule string) func(error) bool {
		return func(err error) bool {
			var e *node.InvalidError
			if !errors.As(err, &e) {
				return false
			}
			for _, f := range e.Findings {
				if f.Rule == rule {
					return true
				}
			}
			return false
		}
	}
	is := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	syntax := func(err error) bool { var e *xmlscan.SyntaxError; return errors.As(err, &e) }
	var wholly bytes.Buffer
	if err := signature.Sign(&wholly, strings.NewReader(good), int64(len(good)), nil, tested().key, signature.SignOptions{}); err != nil {
		t.Fatal(err)
	}
	status := &edxml.Status{From: ministry, ResponseFor: edxml.ResponseFor{OrganID: "H41", Code: "9/X"}, StatusCode: "02", Timestamp: "2026/03/02 08:00:00"}
	for _, c := range []struct {
		name, packet string
		is           func(error) bool
		text         string
	}{
		{"foreign sender", string(single(t, foreign, a)), is(node.ErrForeignSender), "it says H41, this node speaks for G22"},
		{"secret mark", string(single(t, secret, a)), finding("DOC-8"), "Mật"},
		{"no receiver", string(single(t, nobody, a)), finding("DOC-10"), "no receiver"},
		{"status without a reason", statusPacket(t, status), finding("ST-2"), "reason"},
		{"status of another", statusPacket(t, &edxml.Status{From: province, ResponseFor: status.ResponseFor, StatusCode: "03", Timestamp: status.Timestamp}), is(node.ErrForeignSender), "H41"},
		{"not XML", "%PDF-1.7", is(xmlscan.ErrNotXML), "xml"},
		{"nothing", "", syntax, "xml"},
		{"XML, but no packet", "<html/>", is(edxml.ErrNotPacket), "html"},
		{"DTD", "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>" + good, is(xmlscan.ErrDTD), "DOCTYPE"},
		{"truncated", good[:len(good)*2/3], is(xmlscan.ErrTruncated), "xml"},
		{"damaged base64", strings.Replace(good, "JVBERi", "JVB*Ri", 1), finding("ATT-6"), "base64"},
		{"signed single file", wholly.String(), is(node.ErrSignatureLost), "sign.replace"},
		{"access token", string(mime([]byte(token), a)), func(err error) bool { return err != nil }, "access token"},
		{"missing MIME part", string(mime(env)), finding("ATT-1"), "a.pdf"},
		{"MIME without a boundary", "Content-Type: text/plain\r\n\r\nx", func(err error) bool { return err != nil }, "text/plain"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, dir)
			n := newNode(t, node.Config{Organ: ministry, Store: s})
			sub, err := n.Submit(t.Context(), strings.NewReader(c.packet))
			if sub != nil || !c.is(err) || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("%+v, error %v (%T), want %q", sub, err, err, c.text)
			}
			if all := must(s.List(t.Context(), node.Out, "", 10)); len(all) != 0 {
				t.Errorf("a Transfer stayed: %+v", all[0])
			}
			s.Close()
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), "s3cret") {
				t.Errorf("the token is in the error %v", err)
			}
			filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() && bytes.Contains(read(t, p), []byte("s3cret")) {
					t.Errorf("the token is in %s", p)
				}
				return nil
			})
		})
	}
}

func statusPacket(t testing.TB, s *edxml.Status) string {
	t.Helper()
	var b bytes.Buffer
	if err := edxml.WriteStatus(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSubmitTwice submits the same packets again, and others under their names.
func TestSubmitTwice(t *testing.T) {
	s := openStore(t, t.TempDir())
	n := newNode(t, node.Config{Organ: ministry, Store: s, Key: tested().key})
	first := submit(t, n, plain(t, "1"))
	again, err := n.Submit(t.Context(), bytes.NewReader(plain(t, "1")))
	if err != nil || !again.Existed || again.Transfer.ID != first.ID {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	if _, err := n.Submit(t.Context(), bytes.NewReader(single(t, document("1", "H41"), file{"1.pdf", []byte("%PDF khác")}))); !errors.Is(err, node.ErrOtherContent) || !strings.Contains(err.Error(), first.ID) {
		t.Errorf("other content under the same DocumentId: %v", err)
	}
	update := document("1", "H41")
	update.Business.DocType = edxml.Update
	for i, content := range []string{"một", "hai"} {
		sub, err := n.Submit(t.Context(), bytes.NewReader(single(t, update, file{"1.pdf", []byte(content)})))
		if err != nil || sub.Existed {
			t.Errorf("update %d of the same DocumentId: %+v, %v", i, sub, err)
		}
	}
	status := statusPacket(t, &edxml.Status{From: ministry, ResponseFor: edxml.ResponseFor{OrganID: "H41", Code: "9/X", DocumentID: "d"}, StatusCode: "03", Timestamp: "2026/03/02 08:00:00"})
	one, err := n.Submit(t.Context(), strings.NewReader(status))
	if err != nil || one.Existed || one.Transfer.Kind != edxml.KindStatus || one.Transfer.State != node.Queued {
		t.Fatalf("status: %+v, %v", one, err)
	}
	two, err := n.Submit(t.Context(), strings.NewReader(status))
	if err != nil || !two.Existed || two.Transfer.ID != one.Transfer.ID {
		t.Errorf("the same status: %+v, %v", two, err)
	}
	if all := must(s.List(t.Context(), node.Out, "", 10)); len(all) != 4 {
		t.Errorf("%d Transfers, want 4", len(all))
	}
}

// TestSubmitReceivers submits with and without a directory of the axis.
func TestSubmitReceivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubbleStore(t, t.TempDir())
		axis := &scripted{organs: func() ([]edxml.Organ, error) { return []edxml.Organ{ministry, province}, nil }}
		n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: axis})
		submit(t, n, single(t, document("1", "H41", "X99"), file{"a", pdf})) // nobody has asked the axis yet
		run(t, n)
		<-time.After(time.Second)
		_, err := n.Submit(t.Context(), bytes.NewReader(single(t, document("2", "X99", "H41", "Y99"), file{"a", pdf})))
		var unknown *node.UnknownReceiverError
		if !errors.As(err, &unknown) || strings.Join(unknown.OrganIDs, " ") != "X99 Y99" || !strings.Contains(err.Error(), "X99, Y99") {
			t.Errorf("unknown receivers: %v", err)
		}
		submit(t, n, plain(t, "3"))
	})
}

// TestSubmitSignature looks at what is stored for sending.
func TestSubmitSignature(t *testing.T) {
	a := file{"a.pdf", pdf}
	env := signed(t, envelope(t, document("1", "H41"), a), a)
	var wholly bytes.Buffer
	good := plain(t, "1")
	if err := signature.Sign(&wholly, bytes.NewReader(good), int64(len(good)), nil, tested().key, signature.SignOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		packet   []byte
		config   node.Config
		verbatim bool // the envelope is stored as it came
		verdicts int  // acceptable signatures in what is stored
	}{
		{"single file, no key", good, node.Config{}, false, 0},
		{"single file, key", good, node.Config{Key: tested().key}, false, 1},
		{"signed single file, to be replaced", wholly.Bytes(), node.Config{Key: tested().key, ReplaceSignature: true}, false, 1},
		{"signed SOAP", mime(env, a), node.Config{Key: tested().key}, true, 1},
		{"signed SOAP, no key", mime(env, a), node.Config{}, true, 1},
		{"signed SOAP, to be replaced", mime(env, a), node.Config{Key: tested().key, ReplaceSignature: true}, false, 1},
		{"unsigned SOAP, key", mime(envelope(t, document("1", "H41"), a), a), node.Config{Key: tested().key}, false, 1},
		{"unsigned SOAP, no key", mime(envelope(t, document("1", "H41"), a), a), node.Config{}, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openStore(t, t.TempDir())
			c.config.Organ, c.config.Store = ministry, s
			x := submit(t, newNode(t, c.config), c.packet)
			f := must(s.Open(t.Context(), x.Envelope.SHA256))
			defer f.Close()
			stored := must(io.ReadAll(f))
			if c.verbatim && !bytes.Equal(stored, env) {
				t.Errorf("the envelope was rebuilt:\n%s", stored)
			}
			if end := stored[x.TokenAt:]; !bytes.HasPrefix(end, []byte("</")) || !bytes.Contains(end[:min(30, len(end))], []byte(":Header>")) {
				t.Errorf("the token would be put before %.40q", end)
			}
			if len(x.Parts) != 1 || x.Parts[0].Content.SHA256 != sum(pdf) {
				t.Fatalf("parts %+v", x.Parts)
			}
			contents := []signature.Content{{ID: x.Parts[0].ID, Name: x.Parts[0].Name, Open: opener(pdf)}}
			verdicts, err := signature.Verify(bytes.NewReader(stored), int64(len(stored)), contents, signature.VerifyOptions{Roots: tested().roots})
			if err != nil || len(verdicts) != c.verdicts {
				t.Fatalf("%d verdicts, want %d; %v", len(verdicts), c.verdicts, err)
			}
			for _, v := range verdicts {
				if v.Err != nil || len(v.Coverage.Attachments) != 1 {
					t.Errorf("verdict %+v", v)
				}
			}
		})
	}
}

// TestSubmitAxisDown submits while the axis is down: it is ours, and says why
// it waits.
func TestSubmitAxisDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubbleStore(t, t.TempDir())
		down := errors.New("connection refused")
		n := newNode(t, node.Config{Organ: ministry, Store: s, Axis: &scripted{
			send: func(context.Context, *packet) (receipt, error) {
				return receipt{}, &transport.Fault{Operation: "SendDocument", Transient: true, Err: down}
			},
			pending: func() ([]transport.Pending, error) { return nil, down },
			organs:  func() ([]edxml.Organ, error) { return nil, down },
		}})
		run(t, n)
		x := submit(t, n, plain(t, "1"))
		<-time.After(time.Minute)
		x = must(s.Transfer(t.Context(), x.ID))
		why := must(n.Why(t.Context(), x))
		if x.State != node.Queued || x.Tries < 2 || !strings.Contains(why.EN, "connection refused") || !strings.Contains(why.EN, "do not submit it again") || !strings.Contains(why.VI, "nút tự thử lại") {
			t.Errorf("%s after %d tries: %+v", x.State, x.Tries, why)
		}
	})
}
