package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

func (p *program) demoCommand() *cli.Command {
	return &cli.Command{
		Name:   "demo",
		Usage:  p.say("xem một văn bản đi từ G22 tới H41 và trạng thái quay về", "watch a document go from G22 to H41 and its status come back"),
		Flags:  []cli.Flag{p.jsonFlag()},
		Action: p.demo,
	}
}

// demoTime is how long the demonstration may take before it counts as failed.
const demoTime = 60 * time.Second

// demoResult is the output of demo --json.
type demoResult struct {
	OK          bool       `json:"ok"`
	DocumentID  string     `json:"documentId"`
	States      []string   `json:"states"` // at the sender, in order
	Attachments []demoFile `json:"attachments"`
	Restarts    int        `json:"restarts"`
	Delivered   int        `json:"delivered"` // how often the receiver got it
	Folder      string     `json:"folder"`
}

// demoFile is an attachment as the receiver saved it.
type demoFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// demo plays the whole walk with this same program as child processes. What it
// says it reads back through outbox and inbox, nothing else.
func (p *program) demo(c *cli.Context) error {
	if c.NArg() > 0 {
		return usageError{edxml.Text{VI: "lệnh này không có đối số: " + c.Args().First(), EN: "this command takes no argument: " + c.Args().First()}, c.Command.HelpName}
	}
	ctx, cancel := context.WithTimeout(c.Context, demoTime)
	defer cancel()
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "lienthong-demo-")
	if err != nil {
		return err
	}
	s := &stage{program: p, ctx: ctx, exe: exe, quiet: c.Bool("json"), start: time.Now()}
	s.result.Folder = dir
	defer s.stopAll()
	if err := s.play(dir); err != nil {
		return fmt.Errorf("%w (%s %s)", err, p.say("xem thư mục", "see the folder"), dir)
	}
	if s.quiet {
		return p.printJSON(s.result)
	}
	s.epilogue(dir)
	return nil
}

// stage is one demonstration.
type stage struct {
	*program
	ctx      context.Context
	exe      string
	quiet    bool
	start    time.Time
	children []*exec.Cmd
	result   demoResult

	ministry, province string // configuration files
	transfer           string // of the Document in the outbox
}

func (s *stage) step(vi, en string, args ...any) {
	if !s.quiet {
		fmt.Fprintf(s.out, "%5.1fs  %s\n", time.Since(s.start).Seconds(), fmt.Sprintf(s.say(vi, en), args...))
	}
}

// play walks through the scenes.
func (s *stage) play(dir string) error {
	if err := s.prepare(dir); err != nil {
		return err
	}
	sender, err := s.child("node", "--config", s.ministry)
	if err != nil {
		return err
	}
	if _, err := s.child("node", "--config", s.province); err != nil {
		return err
	}
	s.step("hai nút đang chạy: G22 (bộ) và H41 (tỉnh)", "two nodes run: G22 (a ministry) and H41 (a province)")
	packet, want, err := s.packet(dir)
	if err != nil {
		return err
	}
	if err := s.send(sender, packet); err != nil {
		return err
	}
	received, err := s.receive()
	if err != nil {
		return err
	}
	if err := s.compare(dir, received, want); err != nil {
		return err
	}
	if err := s.answer(received); err != nil {
		return err
	}
	return s.count()
}

// prepare makes keys and configurations and starts the axis.
func (s *stage) prepare(dir string) error {
	ca, err := newTestCA()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca.pem, 0o644); err != nil {
		return err
	}
	s.step("tạo CA thử và khóa ký của hai cơ quan", "made a test CA and the signing keys of two agencies")
	url, err := s.childLine("axis ", "axis", "--test", "--gentle", "--listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.step("trục thử nghe ở %s", "the test axis listens on %s", url)
	for _, organ := range []string{"G22", "H41"} {
		home := filepath.Join(dir, organ)
		if err := os.Mkdir(home, 0o700); err != nil {
			return err
		}
		key, cert, err := ca.issue(organ, organName(organ))
		if err != nil {
			return err
		}
		for name, content := range map[string][]byte{"key.pem": key, "cert.pem": cert, "token.txt": []byte("test-" + organ + "\n")} {
			if err := os.WriteFile(filepath.Join(home, name), content, 0o600); err != nil {
				return err
			}
		}
		if _, err := s.call("config", "init", "--out", filepath.Join(home, "lienthong.toml"), "--organ", organ,
			"--axis", url, "--token-file", "token.txt", "--key", "key.pem", "--cert", "cert.pem", "--roots", "../ca.pem", "--poll", "200ms"); err != nil {
			return err
		}
	}
	s.ministry, s.province = filepath.Join(dir, "G22", "lienthong.toml"), filepath.Join(dir, "H41", "lienthong.toml")
	return nil
}

// packet writes the Document to be sent and returns its file and the digests
// of its attachments by name.
func (s *stage) packet(dir string) (string, map[string]string, error) {
	d, pdf := exampleDocument(time.Now(), "H41")
	var b bytes.Buffer
	if err := edxml.Write(&b, d); err != nil {
		return "", nil, err
	}
	file := filepath.Join(dir, "Công văn thử.edxml")
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(pdf)
	s.result.DocumentID = d.DocumentID
	s.step("viết gói tin %q, tệp PDF %d byte", "wrote the packet %q, a PDF of %d bytes", filepath.Base(file), len(pdf))
	return file, map[string]string{"Công văn thử.pdf": hex.EncodeToString(sum[:])}, nil
}

// send submits the Document, kills the sender, and starts it again.
func (s *stage) send(sender *exec.Cmd, packet string) error {
	out, err := s.call("submit", "--json", "--config", s.ministry, packet)
	if err != nil {
		return err
	}
	if err := sender.Process.Kill(); err != nil {
		return err
	}
	_ = sender.Wait() // it was killed
	var sub submitted
	if err := json.Unmarshal(out, &sub); err != nil {
		return err
	}
	s.transfer = sub.Transfer
	s.result.States = append(s.result.States, sub.State)
	s.step("G22 nhận và ký văn bản %s, trạng thái %s", "G22 accepted and signed the document %s, state %s", sub.DocumentID, sub.State)
	t, err := s.look(s.ministry, "outbox", s.transfer)
	if err != nil {
		return err
	}
	s.step("kill -9 nút G22; trên đĩa văn bản vẫn còn, trạng thái %s", "kill -9 for the node of G22; on disk the document is there, state %s", t.State)
	if _, err := s.child("node", "--config", s.ministry); err != nil {
		return err
	}
	s.result.Restarts++
	s.step("khởi động lại nút G22", "started the node of G22 again")
	t, err = s.await(s.ministry, "outbox", s.transfer, func(t *node.Transfer) bool { return t.State == node.Sent })
	if err != nil {
		return err
	}
	s.result.States = append(s.result.States, string(t.State))
	s.step("trục đã nhận, số %s", "the axis took it, number %s", t.AxisID)
	return nil
}

// receive waits until the province has the Document.
func (s *stage) receive() (*node.Transfer, error) {
	t, err := s.await(s.province, "inbox", s.result.DocumentID, func(t *node.Transfer) bool { return t.State == node.Confirmed })
	if err != nil {
		return nil, err
	}
	if t.Signature == nil || t.Signature.Reason != "" {
		return nil, fmt.Errorf("the signature was not acceptable: %+v", t.Signature)
	}
	s.step("H41 nhận được, chữ ký hợp lệ của %s, bao phủ %s", "H41 has it, signed by %s, which covers %s",
		t.Signature.Signer, strings.Join(t.Signature.Coverage, ", "))
	return t, nil
}

// compare saves the files at the province and compares their digests.
func (s *stage) compare(dir string, t *node.Transfer, want map[string]string) error {
	to := filepath.Join(dir, "H41", "saved")
	if _, err := s.call("inbox", "save", "--config", s.province, "--to", to, t.ID); err != nil {
		return err
	}
	for _, part := range t.Parts {
		b, err := os.ReadFile(filepath.Join(to, part.Name))
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		got := hex.EncodeToString(sum[:])
		if got != want[part.Name] {
			return fmt.Errorf("the file %q arrived with digest %s, it was sent with %q", part.Name, got, want[part.Name])
		}
		s.result.Attachments = append(s.result.Attachments, demoFile{part.Name, int64(len(b)), got})
		s.step("tệp %q giống hệt ở hai đầu, sha256 %s…", "the file %q is the same at both ends, sha256 %s…", part.Name, got[:16])
	}
	if len(s.result.Attachments) != len(want) {
		return fmt.Errorf("%d files arrived, %d were sent", len(s.result.Attachments), len(want))
	}
	return nil
}

// answer reports 03 and 06 at the province and waits for them at the ministry.
func (s *stage) answer(t *node.Transfer) error {
	for _, r := range []struct {
		verb string
		code edxml.StatusCode
	}{{"", edxml.StatusArrived}, {"accept", edxml.StatusAccepted}, {"finish", edxml.StatusDone}} {
		if r.verb != "" {
			if _, err := s.call("inbox", r.verb, "--config", s.province, "--staff", "Văn thư H41", t.ID); err != nil {
				return err
			}
		}
		_, err := s.await(s.ministry, "outbox", s.transfer, func(t *node.Transfer) bool {
			return len(t.Receivers) == 1 && slices.ContainsFunc(t.Receivers[0].Events, func(e node.Event) bool { return e.Code == r.code })
		})
		if err != nil {
			return err
		}
		name, _ := r.code.Name()
		s.result.States = append(s.result.States, string(r.code))
		s.step("G22 thấy trạng thái %s %s", "G22 sees status %s %s", r.code, name.In(s.lang))
	}
	return nil
}

// count counts how often the Document was delivered.
func (s *stage) count() error {
	out, err := s.call("inbox", "list", "--json", "--config", s.province)
	if err != nil {
		return err
	}
	var all []node.Transfer
	if err := json.Unmarshal(out, &all); err != nil {
		return err
	}
	for _, t := range all {
		if t.DocumentID == s.result.DocumentID && t.SameAs == "" {
			s.result.Delivered++
		}
	}
	s.result.OK = s.result.Delivered == 1 && s.result.Restarts == 1
	if !s.result.OK {
		return fmt.Errorf("the document was delivered %d times", s.result.Delivered)
	}
	s.step("giao đúng một lần, dù G22 bị kill -9", "delivered exactly once, although G22 was killed")
	return nil
}

func (s *stage) epilogue(dir string) {
	fmt.Fprintf(s.out, "\n%s %s\n%s\n", s.say("Mọi thứ nằm trong", "Everything is in"), dir, s.say("Thử tiếp:", "Try next:"))
	for _, args := range []string{
		"outbox show --config " + s.ministry + " " + s.transfer,
		"outbox why --config " + s.ministry + " " + s.transfer,
		"inbox list --config " + s.province,
		`inspect "` + filepath.Join(dir, "Công văn thử.edxml") + `"`,
	} {
		fmt.Fprintln(s.out, "  "+s.self()+" "+args)
	}
}

// self is how to call this program again: what "go run" built is gone when it ends.
func (s *stage) self() string {
	if strings.Contains(s.exe, "go-build") {
		return "go run ./cmd/lienthong"
	}
	return "lienthong"
}

// call runs this program to its end and returns its standard output.
func (s *stage) call(args ...string) ([]byte, error) {
	cmd := exec.CommandContext(s.ctx, s.exe, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("lienthong %s: %w: %s", strings.Join(args[:min(2, len(args))], " "), err, bytes.TrimSpace(errs.Bytes()))
	}
	return out, nil
}

// look reads one Transfer back through the command line.
func (s *stage) look(config, box, ref string) (*node.Transfer, error) {
	out, err := s.call(box, "show", "--json", "--config", config, ref)
	if err != nil {
		return nil, err
	}
	var t node.Transfer
	return &t, json.Unmarshal(out, &t)
}

// await looks again until what it sees is good.
func (s *stage) await(config, box, ref string, good func(*node.Transfer) bool) (*node.Transfer, error) {
	for {
		t, err := s.look(config, box, ref)
		var exit *exec.ExitError
		switch {
		case err == nil && good(t):
			return t, nil
		case err != nil && (!errors.As(err, &exit) || exit.ExitCode() != exitNotFound):
			return nil, err
		}
		if err := pause(s.ctx, 50*time.Millisecond); err != nil {
			return nil, fmt.Errorf("%s %s: %w", box, ref, err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// child starts a part that keeps running, and waits until it says it is ready.
func (s *stage) child(args ...string) (*exec.Cmd, error) {
	_, err := s.childLine("node ", args...)
	if err != nil {
		return nil, err
	}
	return s.children[len(s.children)-1], nil
}

// childLine starts a part and returns what follows prefix on its first line.
func (s *stage) childLine(prefix string, args ...string) (string, error) {
	cmd := exec.Command(s.exe, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	s.children = append(s.children, cmd)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Wait()
		return "", fmt.Errorf("lienthong %s did not start: %s", args[0], bytes.TrimSpace(errs.Bytes()))
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return strings.TrimSpace(strings.TrimPrefix(line, prefix)), nil
}

// stopAll stops the children, the youngest first.
func (s *stage) stopAll() {
	for _, cmd := range slices.Backward(s.children) {
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}
	for _, cmd := range s.children {
		_ = cmd.Wait()
	}
}
