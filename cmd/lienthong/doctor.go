package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/api"
)

// The states of a check.
const (
	checkOK   = "ok"
	checkWarn = "warning"
	checkFail = "failed"
)

// examined is the result of one check, as doctor --json prints it.
type examined struct {
	Check  string `json:"check"` // "config", "clock", …
	State  string `json:"state"`
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
	code   int    // the exit code when it failed
	what   edxml.Text
	hint   edxml.Text
}

// patient is how long each question of doctor may take.
const patient = 15 * time.Second

// doctor looks at everything the node needs. Its zero value has found nothing.
type doctor struct {
	config *config
	found  []examined
}

func (p *program) doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: p.say("khám nút: cấu hình, khóa, chứng thư, đồng hồ, mạng, quyền, ổ đĩa, trục", "examine the node: configuration, keys, certificates, clock, network, permissions, disk, axis"),
		Description: p.say("Mã thoát 0 khi không có gì hỏng, 6 khi chỉ trục không tới được, 1 khi có lỗi khác.",
			"The exit code is 0 when nothing failed, 6 when only the axis cannot be reached, 1 when something else failed."),
		Flags: []cli.Flag{p.configFlag(), p.jsonFlag(), &cli.BoolFlag{Name: "ready", Usage: p.say(
			"chỉ hỏi nút đang chạy có nhận văn bản được không; cho bộ giám sát, không hỏi trục",
			"only ask the running node whether it takes documents; for health checks, the axis is not asked")}},
		Action: p.doctor,
	}
}

func (p *program) doctor(c *cli.Context) error {
	if err := noArgument(c); err != nil {
		return err
	}
	d := &doctor{}
	if c.Bool("ready") {
		d.ready(c.Context, c.String("config"))
	} else {
		d.examine(c.Context, c.String("config"), time.Now())
	}
	code := exitDone
	for i := range d.found {
		f := &d.found[i]
		f.Text, f.Remedy = clean(f.what.In(p.lang)), clean(f.hint.In(p.lang))
		if f.State == checkFail && (code == exitDone || code == exitAxis) {
			code = f.code
		}
	}
	if c.Bool("json") {
		if err := p.printJSON(d.found); err != nil {
			return err
		}
	} else {
		mark := map[string]string{checkOK: "ok  ", checkWarn: p.say("chú ý", "warn"), checkFail: p.say("HỎNG", "FAIL")}
		for _, f := range d.found {
			fmt.Fprintf(p.out, "%-5s %-12s %s\n", mark[f.State], f.Check, f.Text)
			if f.Remedy != "" {
				fmt.Fprintf(p.out, "      %s%s\n", p.say("cần làm: ", "what to do: "), f.Remedy)
			}
		}
	}
	if code != exitDone {
		return quietError{code}
	}
	return nil
}

func (d *doctor) note(state, check string, what, hint edxml.Text) {
	d.found = append(d.found, examined{Check: check, State: state, code: exitFailed, what: what, hint: hint})
}

func (d *doctor) ok(check, vi, en string, args ...any) {
	d.note(checkOK, check, edxml.Text{VI: fmt.Sprintf(vi, args...), EN: fmt.Sprintf(en, args...)}, edxml.Text{})
}

// fail notes an error with what the program says about it anywhere else.
func (d *doctor) fail(check string, err error) {
	t := explain(err)
	d.note(checkFail, check, t.what, t.hint)
}

// examine asks everything, and goes on where it can.
func (d *doctor) examine(ctx context.Context, file string, now time.Time) {
	cfg, err := readConfig(file)
	if err == nil {
		d.config = cfg
		err = cfg.readable()
	}
	if err != nil {
		d.fail("config", err)
	} else {
		d.ok("config", "%s đúng, đọc được mọi tệp nó nêu", "%s is right, every file it names can be read", file)
	}
	if d.config == nil {
		return
	}
	d.permissions()
	d.store()
	d.space()
	d.certificates(now)
	if d.config.Axis.URL == "" {
		d.note(checkWarn, "axis", edxml.Text{VI: "chưa cấu hình trục: văn bản nằm chờ trong hàng đợi", EN: "no axis is configured: documents wait in the queue"},
			edxml.Text{VI: "ghi url và token_file trong mục [axis]", EN: "write url and token_file under [axis]"})
		return
	}
	d.axis(ctx)
}

// ready asks a running node whether it takes documents.
func (d *doctor) ready(ctx context.Context, file string) {
	cfg, err := readConfig(file)
	if err != nil {
		d.fail("config", err)
		return
	}
	socket, err := cfg.socket()
	if err != nil {
		d.fail("config", err)
		return
	}
	ask, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	if err := api.Dial(socket).Ready(ask); err != nil {
		d.note(checkFail, "node", with("nút không nhận văn bản", "the node takes no documents", err),
			edxml.Text{VI: "lienthong doctor, không có --ready, khám kỹ hơn", EN: "lienthong doctor without --ready examines more"})
		return
	}
	d.ok("node", "nút đang chạy và nhận văn bản", "the node runs and takes documents")
}

// permissions looks for secrets that others could read. A group may: a file of
// root's that the group of the service reads is how packages keep secrets.
func (d *doctor) permissions() {
	c := d.config
	secrets := map[string]string{
		"axis.token_file": c.Axis.TokenFile, "axis.secret_file": c.Axis.SecretFile, "axis.key": c.Axis.Key, "sign.key": c.Sign.Key, "sign.password_file": c.Sign.PasswordFile,
		"api.key": c.API.Key, "sink.webhook_secret_file": c.Sink.WebhookSecret, "traces.token_file": c.Traces.TokenFile, "hub.key": c.Hub.Key, "hub.key_file": c.Hub.KeyFile, "hub.upstream_tokens": c.Hub.UpstreamTokens,
	}
	for i, w := range d.config.API.Webhooks {
		secrets[fmt.Sprintf("api.webhook[%d].secret_file", i)] = w.SecretFile
	}
	bad := 0
	for _, key := range slices.Sorted(maps.Keys(secrets)) {
		file := d.config.path(secrets[key])
		if file == "" {
			continue
		}
		if info, err := os.Stat(file); err == nil && info.Mode().Perm()&0o027 != 0 {
			bad++
			d.note(checkWarn, "permissions", edxml.Text{
				VI: fmt.Sprintf("%s: người khác đọc được %s (%#o)", key, file, info.Mode().Perm()), EN: fmt.Sprintf("%s: others can read %s (%#o)", key, file, info.Mode().Perm()),
			}, edxml.Text{VI: "chmod g-w,o= " + file, EN: "chmod g-w,o= " + file})
		}
	}
	if bad == 0 {
		d.ok("permissions", "người ngoài không đọc được các tệp bí mật", "others cannot read the files with secrets")
	}
}

// store asks whether a node runs, else whether one could.
func (d *doctor) store() {
	socket, err := d.config.socket()
	if err != nil {
		d.fail("store", err)
		return
	}
	if c, err := net.DialTimeout("unix", socket, patient); err == nil {
		c.Close()
		d.ok("store", "nút đang chạy và trả lời ở %s", "a node runs and answers at %s", socket)
		return
	}
	dir := filepath.Dir(socket)
	for errors.Is(statOf(dir), fs.ErrNotExist) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir) // the node makes what is missing below
	}
	f, err := os.CreateTemp(dir, ".lienthong-doctor-")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		d.fail("store", fileError{dir, err})
		return
	}
	d.note(checkWarn, "store", edxml.Text{VI: "nút không chạy; thư mục kho ghi được", EN: "no node runs; the store's folder can be written to"},
		edxml.Text{VI: "lienthong node, hoặc systemctl start lienthong", EN: "lienthong node, or systemctl start lienthong"})
}

func statOf(dir string) error {
	_, err := os.Stat(dir)
	return err
}

func (d *doctor) space() {
	nc, err := d.config.node(slog.New(slog.DiscardHandler))
	if err != nil || nc.Intake.Free == nil {
		return // config has said it, or this system cannot tell
	}
	free, err := nc.Intake.Free()
	slow, stop := nc.Intake.Slow, nc.Intake.Stop
	if slow == 0 {
		slow = 1 << 30
	}
	if stop == 0 {
		stop = 256 << 20
	}
	text := edxml.Text{VI: fmt.Sprintf("ổ đĩa còn %d MiB", free>>20), EN: fmt.Sprintf("%d MiB are free on the disk", free>>20)}
	more := edxml.Text{VI: "giải phóng dung lượng: lienthong purge --dry-run", EN: "free some space: lienthong purge --dry-run"}
	switch {
	case err != nil:
		d.fail("disk", err)
	case free < stop:
		d.note(checkFail, "disk", text, more)
	case free < slow:
		d.note(checkWarn, "disk", text, more)
	default:
		d.note(checkOK, "disk", text, edxml.Text{})
	}
}

// milestones are the days before its end at which a certificate is spoken of.
var milestones = []int{60, 30, 14, 7, 1}

func (d *doctor) certificates(now time.Time) {
	certs := d.config.certificates()
	for _, use := range slices.Sorted(maps.Keys(certs)) {
		c := certs[use]
		left := int(c.NotAfter.Sub(now).Hours() / 24)
		name, end := c.Subject.String(), c.NotAfter.In(edxml.Vietnam).Format("02/01/2006")
		renew := edxml.Text{VI: "xin cấp chứng thư mới rồi thay tệp; nút đọc lại khi khởi động", EN: "get a new certificate and replace the file; the node reads it when it starts"}
		switch {
		case now.Before(c.NotBefore):
			d.note(checkFail, "certificate", edxml.Text{
				VI: fmt.Sprintf("%s (%s) chưa có hiệu lực cho tới %s", use, name, c.NotBefore.In(edxml.Vietnam).Format("02/01/2006 15:04")),
				EN: fmt.Sprintf("%s (%s) is not valid before %s", use, name, c.NotBefore.In(edxml.Vietnam).Format("02/01/2006 15:04")),
			}, edxml.Text{VI: "kiểm tra đồng hồ máy: timedatectl", EN: "look at this machine's clock: timedatectl"})
		case now.After(c.NotAfter):
			d.note(checkFail, "certificate", edxml.Text{VI: fmt.Sprintf("%s (%s) đã hết hạn từ %s", use, name, end), EN: fmt.Sprintf("%s (%s) ended on %s", use, name, end)}, renew)
		case left <= milestones[0]:
			within := milestones[0]
			for _, m := range milestones {
				if left <= m {
					within = m
				}
			}
			d.note(checkWarn, "certificate", edxml.Text{
				VI: fmt.Sprintf("%s (%s) còn %d ngày, mốc %d ngày (đến %s)", use, name, left, within, end),
				EN: fmt.Sprintf("%s (%s) has %d days left, within %d days (until %s)", use, name, left, within, end),
			}, renew)
		default:
			d.ok("certificate", "%s (%s) đến %s", "%s (%s) until %s", use, name, end)
		}
	}
}

// axis goes the way to the axis step by step and stops where it ends.
func (d *doctor) axis(ctx context.Context) {
	u, err := url.Parse(d.config.Axis.URL)
	if err != nil {
		return // config has said it
	}
	if net.ParseIP(u.Hostname()) == nil {
		ask, cancel := context.WithTimeout(ctx, patient)
		addresses, err := net.DefaultResolver.LookupHost(ask, u.Hostname())
		cancel()
		if err != nil {
			d.unreachable("dns", err, edxml.Text{VI: "kiểm tra máy chủ DNS và tên trong axis.url", EN: "look at the DNS server and at the name in axis.url"})
			return
		}
		d.ok("dns", "%s là %v", "%s is %v", u.Hostname(), addresses)
	}
	nc, err := d.config.node(slog.New(slog.DiscardHandler))
	if err != nil || nc.Axis == nil {
		return // config has said it
	}
	ask, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	pending, err := nc.Axis.Pending(ask)
	offset, measured := nc.Clock.Offset()
	if measured.IsZero() && err != nil && u.Scheme == "https" {
		offset, measured = insecureDate(ask, u)
	}
	skewed := d.clock(offset, measured)
	switch {
	case err == nil && u.Scheme == "https":
		d.ok("axis", "trả lời qua TLS, %d văn bản đang chờ", "answers over TLS, %d documents wait there", len(pending))
	case err == nil:
		d.ok("axis", "trả lời, %d văn bản đang chờ", "answers, %d documents wait there", len(pending))
	default:
		hint := edxml.Text{}
		if skewed {
			hint = edxml.Text{VI: "đồng hồ máy sai là nguyên nhân có thể nhất: sửa đồng hồ trước", EN: "this machine's wrong clock is the likeliest cause: set it first"}
		}
		d.unreachable("axis", err, hint)
	}
}

// unreachable notes what keeps the node from the axis.
func (d *doctor) unreachable(check string, err error, hint edxml.Text) {
	t := explain(err)
	if hint == (edxml.Text{}) {
		hint = t.hint
	}
	d.note(checkFail, check, t.what, hint)
	d.found[len(d.found)-1].code = exitAxis
}

// The offsets of the clock that are spoken of, and that break things.
const (
	offsetWarn = 10 * time.Second
	offsetFail = time.Minute
)

// clock judges how far this machine's clock is off, and reports whether that
// alone can break things.
func (d *doctor) clock(offset time.Duration, measured time.Time) bool {
	if measured.IsZero() {
		return false
	}
	text := edxml.Text{
		VI: fmt.Sprintf("đồng hồ trục nhanh hơn máy này %s", offset.Round(time.Second)), EN: fmt.Sprintf("the axis's clock is ahead of this machine's by %s", offset.Round(time.Second)),
	}
	set := edxml.Text{VI: "bật đồng bộ giờ: timedatectl set-ntp true", EN: "switch time synchronisation on: timedatectl set-ntp true"}
	switch far := offset.Abs(); {
	case far >= offsetFail:
		d.note(checkFail, "clock", text, set)
		return true
	case far >= offsetWarn:
		d.note(checkWarn, "clock", text, set)
	default:
		d.ok("clock", "khớp với trục", "agrees with the axis's")
	}
	return false
}
