package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
)

// TestPages has a browser walk through the pages of a running node: it logs in,
// a document is submitted through the REST door and arrives on the page without
// a reload, one that was held goes on after a retry, and all of it once more
// with JavaScript off. make e2e runs it; the screenshots are in the folder that
// LIENTHONG_E2E names.
func TestPages(t *testing.T) {
	shots := os.Getenv("LIENTHONG_E2E")
	if shots == "" {
		t.Skip("LIENTHONG_E2E names no folder for the screenshots: run make e2e")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if _, ci := os.LookupEnv("CI"); ci {
			t.Fatal("chromium is not installed, and with CI set it has to be")
		}
		t.Skip("chromium is not installed")
	}
	if err := os.MkdirAll(shots, 0o755); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	b := openBrowser(t, chromium, shots)
	t.Run("walk", func(t *testing.T) { walkPages(t, w, b) })
	t.Run("trial", func(t *testing.T) { walkTrial(t, w, b) })
	t.Run("without JavaScript", func(t *testing.T) { walkWithoutScript(t, w, b) })
	b.quiet(t)
}

// walkPages is the walk of an operator.
func walkPages(t *testing.T, w *world, b *browser) {
	b.t = t
	b.open(w.url + "/console/") // which leads to the login
	b.sees("h1", "Đăng nhập")
	b.shoot("login")
	b.logIn(w.operator)
	b.sees("#chart", "30 ngày qua")
	b.shoot("overview")

	// It arrives on the page that is open.
	b.open(w.url + "/console/out")
	first := w.submit("H41", "V/v triển khai kết nối, liên thông hệ thống quản lý văn bản và điều hành")
	b.sees("#rows", first.code)
	b.sees("#rows tbody tr:first-child", "01 đã đến")
	b.shoot("outbox")
	hidden := func(is bool) {
		b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf(
				`Object.defineProperty(document, "hidden", {value: %t, configurable: true}); document.dispatchEvent(new Event("visibilitychange"))`, is)))
			return err
		}))
	}
	hidden(true) // as when another tab is in front: it lets go of its stream, and catches up later
	second := w.submit("H41", "V/v tự cập nhật khi xem lại trang")
	hidden(false)
	b.sees("#rows", second.code)
	b.click(fmt.Sprintf(`a[href="/console/out/%s"]`, first.id))
	b.sees("#why", "Trục đã nhận")
	b.sees("#way", "01 đã đến")
	b.sees("main", "công văn.pdf")
	b.shoot("document")

	// The receiver accepts it on a page of its own, and the sender sees so.
	h41 := w.received(first)
	b.open(h41)
	b.logIn(w.receiver)
	b.sees("#reports", "Tiếp nhận (03)")
	b.fill("#note", "đã vào sổ")
	b.shoot("inbox-document")
	b.press(`button[formaction$="/accept"]`)
	b.sees(".notice", "Tiếp nhận (03)")
	b.sees("#way", "token Lê Thị Tiếp Nhận: tiếp nhận, báo 03")
	b.press(`button[formaction$="/finish"]`)
	b.sees("#reports", "Không còn gì để báo")
	b.open(w.url + "/console/out/" + first.id)
	b.sees("#way", "06 hoàn thành")
	b.sees("#way", "đã vào sổ")

	// One is held while the axis is away, and retried when it is back.
	w.stopAxis()
	held := w.submit("H41", "V/v báo cáo tình hình gửi, nhận văn bản điện tử")
	b.open(w.url + "/console/out/" + held.id)
	b.sees("#why", "Lỗi cuối")
	b.shoot("stuck")
	b.fill("#reason", "chờ trục sửa xong")
	b.press(`button[formaction$="/hold"]`)
	b.sees(".notice", "Giữ lại")
	b.sees("#why", "giữ lại từ")
	b.sees("#way", "chờ trục sửa xong")
	b.press(`button[formaction$="/release"]`)
	b.sees(".notice", "Thả")
	b.sees("#why", "Lần thử tiếp theo sau") // it was tried at once, in vain
	w.startAxis()
	b.press(`button[formaction$="/retry"]`)
	b.sees(".notice", "Thử lại ngay")
	b.sees("#why", "Đã gửi")
	b.sees("#way", "thử lại")
	b.shoot("retried")

	b.open(w.url + "/console/out?q=bao+cao+tinh+hinh&agency=H41")
	b.sees("#rows", held.code)
	long := w.submit("H41", strings.Repeat("KHÔNGDẤUCÁCH", 400))
	b.open(w.url + "/console/out")
	b.sees("#rows", long.code)
	b.shoot("long-list")
	b.open(w.url + "/console/out/" + long.id)
	b.sees("main", "Toàn văn trích yếu")
	b.shoot("long-document")
	b.open(w.url + "/console/in?lang=en")
	b.sees("h1", "Inbox")
	b.shoot("inbox-english")
	b.open(w.url + "/console/?lang=vi")
	b.press(`form[action="/console/logout"] button`)
	b.sees("h1", "Đăng nhập")

	// A page that is open goes to the login when its token is revoked.
	brief := w.token(w.config, "read", "Thanh tra")
	b.logIn(brief)
	b.sees("#chart", "30 ngày qua")
	if out, err := exec.Command(w.exe, "token", "revoke", "--config", w.config, "Thanh tra").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w.submit("H41", "V/v thu hồi quyền xem")
	b.sees("h1", "Đăng nhập")
	b.sees("main", "Phiên làm việc đã hết")
}

// walkTrial does what the README says: three commands, and a page with a
// document that has arrived.
func walkTrial(t *testing.T, w *world, b *browser) {
	b.t = t
	dir, err := os.MkdirTemp("", "thu") // its path leaves room for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := filepath.Join(dir, "lienthong.toml")
	said := w.startLines(t, "token ", "node", "--trial", "--config", config)
	if out, err := exec.Command(w.exe, "submit", "--config", config, filepath.Join(dir, trialPacket)).CombinedOutput(); err != nil {
		t.Fatalf("submit: %v: %s", err, out)
	}
	b.open(said["console"] + "login")
	b.logIn(said["token"])
	b.sees("#work", "từ Văn phòng Chính phủ")
	b.sees("#work", "Đã nhận")
	b.press(`#work a[href^="/console/in/"]`)
	b.sees("#why", "Văn bản đã ở đây")
	b.sees("main", "Hợp lệ")
	b.shoot("trial")
	b.open("about:blank") // that node ends, and with it the stream of its page
}

// walkWithoutScript does the same with nothing but links and forms.
func walkWithoutScript(t *testing.T, w *world, b *browser) {
	b.t = t
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	b.open(w.url + "/console/login")
	b.logIn(w.operator)
	b.sees("#latest", "Mới nhất")
	w.stopAxis()
	doc := w.submit("H41", "V/v tập huấn không cần JavaScript")
	b.open(w.url + "/console/out?q=tap+huan")
	b.sees("#rows", doc.code)
	b.press(fmt.Sprintf(`a[href="/console/out/%s"]`, doc.id))
	b.fill("#reason", "thử")
	b.press(`button[formaction$="/hold"]`)
	b.sees("#why", "giữ lại từ")
	w.startAxis()
	b.press(`button[formaction$="/release"]`)
	b.until("#why", "Đã gửi")

	// The receiver, who is still logged in, refuses it.
	b.open(w.received(doc))
	b.fill("#note", "sai nơi nhận")
	b.press(`button[formaction$="/reject"]`)
	b.sees("#way", "02 từ chối tiếp nhận")
	b.open(w.url + "/console/out/" + doc.id)
	b.until("#way", "sai nơi nhận")
	b.press(`form[action="/console/logout"] button`)
	b.sees("h1", "Đăng nhập")
}

// world is a node with an axis and a receiver, as processes.
type world struct {
	t             *testing.T
	exe           string
	axis          *exec.Cmd
	axisAt        string
	url, urlH41   string // of the REST doors of G22 and H41
	operator, app string // tokens of G22
	receiver      string // token of H41
	config        string // of G22
	count         int
}

// sent is a Document that was submitted.
type sent struct{ id, code string }

func newWorld(t *testing.T) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "e2e") // its path leaves room for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := &world{t: t, exe: filepath.Join(dir, "lienthong"), axisAt: "127.0.0.1:0"}
	if out, err := exec.Command("go", "build", "-o", w.exe, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w.startAxis()
	ca, err := newTestCA()
	if err != nil {
		t.Fatal(err)
	}
	for _, organ := range []string{"G22", "H41"} {
		home := filepath.Join(dir, organ)
		key, cert, err := ca.issue(organ, organName(organ))
		if err != nil {
			t.Fatal(err)
		}
		config := fmt.Sprintf("organ = %q\norgan_name = %q\nstore = \"bolt:./data\"\n[axis]\nurl = \"http://%s/\"\ntoken_file = \"token\"\npoll = \"200ms\"\n"+
			"[sign]\nkey = \"key.pem\"\ncert = \"cert.pem\"\n[verify]\nroots = \"ca.pem\"\n[breaker]\nfaults = 100000\n[retry]\nfirst = \"30s\"\n", organ, organName(organ), w.axisAt)
		for name, content := range map[string]string{"lienthong.toml": config, "token": "test-" + organ, "key.pem": string(key), "cert.pem": string(cert), "ca.pem": string(ca.pem)} {
			if err := os.MkdirAll(home, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(home, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	g22 := filepath.Join(dir, "G22", "lienthong.toml")
	w.config = g22
	pastMonth(t, filepath.Join(dir, "G22", "data"))
	_, w.url = w.start("api ", "node", "--config", g22)
	h41 := filepath.Join(dir, "H41", "lienthong.toml")
	_, w.urlH41 = w.start("api ", "node", "--config", h41)
	w.receiver = w.token(h41, "read,operate", "Lê Thị Tiếp Nhận")
	w.operator = w.token(g22, "read,operate", "Trần Thị Vận Hành")
	w.app = w.token(g22, "submit", "QLVB")
	return w
}

// start runs the program and waits until it says where it answers.
func (w *world) start(word string, args ...string) (*exec.Cmd, string) {
	w.t.Helper()
	cmd, said := w.run(w.t, word, args...)
	return cmd, strings.TrimSuffix(said[strings.TrimSpace(word)], "/")
}

// startLines runs the program until a test ends, and returns its first lines,
// "WORD VALUE", up to one with a word.
func (w *world) startLines(t *testing.T, word string, args ...string) map[string]string {
	t.Helper()
	_, said := w.run(t, word, args...)
	return said
}

func (w *world) run(t *testing.T, word string, args ...string) (*exec.Cmd, map[string]string) {
	t.Helper()
	cmd := exec.Command(w.exe, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var failed bytes.Buffer
	cmd.Stderr = &failed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	t.Cleanup(end)
	said := map[string]string{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		said[name] = value
		if name+" " == word {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return cmd, said
		}
	}
	end()
	t.Fatalf("%v did not start: %s", args, failed.String())
	return nil, nil
}

func (w *world) startAxis() {
	w.t.Helper()
	cmd, at := w.start("axis ", "axis", "--test", "--gentle", "--listen", w.axisAt)
	w.axis, w.axisAt = cmd, strings.TrimPrefix(at, "http://")
}

func (w *world) stopAxis() {
	w.t.Helper()
	if err := w.axis.Process.Kill(); err != nil {
		w.t.Fatal(err)
	}
	_ = w.axis.Wait() // it was killed
}

func (w *world) token(config, scopes, name string) string {
	w.t.Helper()
	out, err := exec.Command(w.exe, "token", "create", "--config", config, "--scope", scopes, name).Output()
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// received waits until a Document is whole in the inbox of H41, and returns the
// address of its page there.
func (w *world) received(doc sent) string {
	w.t.Helper()
	for end := time.Now().Add(pageTime); time.Now().Before(end); {
		var l api.List
		w.ask(w.urlH41+"/v1/inbox?limit=1&q="+url.QueryEscape(doc.code), w.receiver, &l)
		if len(l.Transfers) == 1 && l.Transfers[0].State == node.Confirmed {
			return w.urlH41 + "/console/in/" + l.Transfers[0].ID
		}
		<-time.After(100 * time.Millisecond)
	}
	w.t.Fatalf("H41 does not have %s", doc.code)
	return ""
}

// ask reads an answer of a REST door.
func (w *world) ask(url, token string, into any) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil || resp.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %v, %s", url, err, resp.Status)
	}
}

// submit hands a Document over through the REST door.
func (w *world) submit(to, subject string) sent {
	w.t.Helper()
	w.count++
	now := time.Now()
	code := fmt.Sprintf("%d", 900+w.count)
	header, err := json.Marshal(map[string]any{
		"to":               []map[string]string{{"organId": to, "organName": organName(to)}},
		"code":             map[string]string{"codeNumber": code, "codeNotation": "VPCP-KSTT"},
		"promulgationInfo": map[string]string{"place": "Hà Nội", "promulgationDate": now.Format("2006/01/02")},
		"documentType":     map[string]string{"type": "2", "typeDetail": "18", "typeName": "Công văn"},
		"subject":          subject,
		"signerInfo":       map[string]string{"fullName": "Nguyễn Văn Thử", "position": "Cục trưởng"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for _, part := range []struct{ disposition, content string }{
		{`form-data; name="header"`, string(header)}, {`form-data; name="file"; filename="công văn.pdf"`, string(testPDF(now))},
	} {
		p, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {part.disposition}})
		if err != nil {
			w.t.Fatal(err)
		}
		_, _ = io.WriteString(p, part.content) // to memory
	}
	if err := form.Close(); err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/v1/outbox", &b)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.app)
	req.Header.Set("Content-Type", form.FormDataContentType())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	var got struct{ Transfer struct{ ID, Code string } }
	if err == nil {
		err = json.Unmarshal(answer, &got)
	}
	if err != nil || resp.StatusCode != http.StatusCreated {
		w.t.Fatalf("submit: %v, %s: %s", err, resp.Status, answer)
	}
	return sent{got.Transfer.ID, got.Transfer.Code}
}
