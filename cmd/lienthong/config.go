package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/drop"
	"github.com/lienthong/lienthong/node/sink"
	"github.com/lienthong/lienthong/signature"
)

// config is the node's configuration file. Relative paths are meant from the
// folder of the file.
type config struct {
	Organ     string        `toml:"organ"`
	OrganName string        `toml:"organ_name"`
	Store     string        `toml:"store"`
	Axis      axisSection   `toml:"axis"`
	Hub       hubSection    `toml:"hub"`
	Sign      signSection   `toml:"sign"`
	Verify    verifySection `toml:"verify"`
	Sink      sinkConfig    `toml:"sink"`
	Retry     struct {
		First    duration `toml:"first"`
		Max      duration `toml:"max"`
		Deadline duration `toml:"deadline"`
	} `toml:"retry"`
	engineConfig
	Cluster clusterSection `toml:"cluster"`
	API     apiSection     `toml:"api"`
	Drop    dropSection    `toml:"drop"`
	Metrics metricsSection `toml:"metrics"`
	Traces  tracesSection  `toml:"traces"`
	Console consoleSection `toml:"console"`
	Log     logSection     `toml:"log"`

	file    string
	fromEnv []string // keys that the environment has overridden
}

// duration is a time.Duration written as "30s" or "10m".
type duration time.Duration

// UnmarshalText reads the text form.
func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is no span of time; write it like 30s or 10m", text)
	}
	*d = duration(v)
	return nil
}

// maxConfig is the limit for a configuration file and for the small files it names.
const maxConfig = 1 << 20

// readConfig reads a configuration file; unknown keys are errors.
func readConfig(file string) (*config, error) {
	text, err := readSmall(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fileError{file, told{exitNotFound, edxml.Text{VI: "không có tệp này", EN: "there is no such file"}, edxml.Text{
			VI: "lienthong config init viết một tệp mẫu; chạy thử trong thư mục trống: lienthong node --trial; chỉ tệp khác bằng --config hoặc LIENTHONG_CONFIG",
			EN: "lienthong config init writes one; to try in an empty folder: lienthong node --trial; --config or LIENTHONG_CONFIG names another",
		}}}
	}
	if err != nil {
		return nil, err
	}
	c := &config{file: file}
	meta, err := toml.Decode(string(text), c)
	var parse toml.ParseError
	if errors.As(err, &parse) {
		return nil, configFault(file, fmt.Errorf("line %d: %s", parse.Position.Line, parse.Message))
	}
	if err != nil {
		return nil, configFault(file, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, configFault(file, c.unknownKey(unknown[0]))
	}
	if err := c.override(environment); err != nil {
		return nil, configFault(file, err)
	}
	if c.Organ == "" {
		return nil, configFault(file, errors.New("organ is missing"))
	}
	if c.Store == "" {
		c.Store = "bolt:./data"
	}
	if err := c.check(); err != nil {
		return nil, configFault(file, err)
	}
	return c, nil
}

func configFault(file string, err error) error {
	return fileError{file, told{exitFailed, with("cấu hình sai", "the configuration is wrong", err), edxml.Text{
		VI: "lienthong config init viết một tệp mẫu có chú thích", EN: "lienthong config init writes a commented one",
	}}}
}

// readSmall reads a file that has no business being large.
func readSmall(file string) ([]byte, error) { return readUpTo(file, maxConfig) }

// readUpTo reads a file of at most so many bytes.
func readUpTo(file string, most int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fileError{file, errors.Unwrap(err)}
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fileError{file, err}
	}
	if int64(len(b)) > most {
		return nil, fileError{file, fmt.Errorf("larger than %d bytes", most)}
	}
	return b, nil
}

// path makes a path of the file absolute.
func (c *config) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	abs, err := filepath.Abs(filepath.Join(filepath.Dir(c.file), p))
	if err != nil {
		return filepath.Join(filepath.Dir(c.file), p)
	}
	return abs
}

// socket returns the path of the running node's door.
func (c *config) socket() (string, error) {
	dir, err := c.folder()
	return filepath.Join(dir, "node.sock"), err
}

// open opens the store and builds the node.
func (c *config) open(log *slog.Logger) (*node.Node, error) {
	n, err := c.node(log)
	if err != nil {
		return nil, err
	}
	if n.Store, err = c.openStore(false); err != nil {
		return nil, err
	}
	built, err := node.New(n)
	if err != nil {
		return nil, errors.Join(err, n.Store.Close())
	}
	return built, nil
}

// node reads keys, roots and token, and makes the node's configuration.
func (c *config) node(log *slog.Logger) (node.Config, error) {
	nc := node.Config{
		Organ: edxml.Organ{OrganID: c.Organ, OrganName: c.OrganName}, Log: log,
		ReplaceSignature: c.Sign.Replace, Policy: node.SignaturePolicy(c.Verify.Policy),
		Poll: time.Duration(c.Axis.Poll), Deadline: time.Duration(c.Retry.Deadline),
		Retry: node.Backoff{First: time.Duration(c.Retry.First), Max: time.Duration(c.Retry.Max)},
	}
	if c.OrganName == "" {
		nc.Organ.OrganName = organName(c.Organ)
	}
	if err := c.engine(&nc); err != nil {
		return nc, err
	}
	if nc.Sink == nil && c.Drop.Folder != "" {
		nc.Sink = sink.Folder{Dir: filepath.Join(c.path(c.Drop.Folder), drop.Incoming)}
	}
	if err := errors.Join(c.signing(&nc), c.judging(&nc)); err != nil {
		return nc, err
	}
	if c.Hub.Listen != "" { // what is taken back is for the agencies to say
		nc.Recalls = node.PassRecall
	}
	if err := c.axis(&nc); err != nil {
		return nc, err
	}
	return nc, nil
}

// organName returns the registered name of an agency, else its identifier.
func organName(id string) string {
	if e, ok := organ.Lookup(organ.ID(id), time.Now()); ok {
		return e.Name
	}
	return id
}

func readKey(keyFile, certFile string) (*signature.Key, error) {
	key, err := readSmall(keyFile)
	if err != nil {
		return nil, err
	}
	cert, err := readSmall(certFile)
	if err != nil {
		return nil, err
	}
	k, err := signature.ParseKey(key, cert)
	if err != nil {
		return nil, fileError{keyFile + " + " + certFile, err}
	}
	return k, nil
}

func readRoots(file string) (*x509.CertPool, error) {
	b, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fileError{file, told{exitFailed,
			edxml.Text{VI: "không có chứng thư PEM nào", EN: "there is no PEM certificate in it"},
			edxml.Text{VI: "tệp phải có khối BEGIN CERTIFICATE", EN: "the file must hold BEGIN CERTIFICATE blocks"},
		}}
	}
	return pool, nil
}

func (p *program) configCommand() *cli.Command {
	return &cli.Command{
		Name: "config", Usage: p.say("cấu hình của nút", "the node's configuration"),
		Subcommands: []*cli.Command{{
			Name:  "init",
			Usage: p.say("viết tệp cấu hình mới có chú thích", "write a new, commented configuration file"),
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "out", Usage: p.say("tệp để viết (bắt buộc)", "file to write (required)")},
				&cli.StringFlag{Name: "organ", Usage: p.say("mã định danh cơ quan (bắt buộc)", "the agency's identifier (required)")},
				&cli.StringFlag{Name: "store", Value: "bolt:./data", Usage: p.say("nơi lưu dữ liệu của nút", "where the node keeps everything")},
				&cli.StringFlag{Name: "axis", Usage: p.say("địa chỉ trục", "the axis's address")},
				&cli.StringFlag{Name: "token-file", Usage: p.say("tệp chứa token", "file that holds the token")},
				&cli.StringFlag{Name: "key", Usage: p.say("khóa bí mật PEM", "private key, PEM")},
				&cli.StringFlag{Name: "cert", Usage: p.say("chứng thư số PEM", "certificate, PEM")},
				&cli.StringFlag{Name: "roots", Usage: p.say("chứng thư gốc tin cậy PEM", "trusted roots, PEM")},
				&cli.DurationFlag{Name: "poll", DefaultText: "30s", Usage: p.say("bao lâu xem trục một lần", "how often to look at the axis")},
			},
			Action: p.configInit,
		}, {
			Name:  "check",
			Usage: p.say("kiểm tra cấu hình và mọi tệp nó nêu tên", "check the configuration and every file it names"),
			Flags: []cli.Flag{p.configFlag(), p.jsonFlag()}, Action: p.configCheck,
		}, {
			Name:  "show",
			Usage: p.say("in cấu hình đang có hiệu lực, che các bí mật", "print the configuration as it counts, secrets masked"),
			Flags: []cli.Flag{p.configFlag(), p.jsonFlag()}, Action: p.configShow,
		}},
	}
}

func (p *program) configInit(c *cli.Context) error {
	if c.NArg() > 0 {
		return usageError{edxml.Text{VI: "lệnh này không có đối số: " + c.Args().First(), EN: "this command takes no argument: " + c.Args().First()}, c.Command.HelpName}
	}
	if err := require(c, "out", "organ"); err != nil {
		return err
	}
	id, err := organ.Parse(c.String("organ"))
	if err != nil {
		return usageError{edxml.Text{VI: "mã định danh sai: " + err.Error(), EN: "wrong identifier: " + err.Error()}, c.Command.HelpName}
	}
	var b bytes.Buffer
	err = configTemplate.Execute(&b, map[string]any{
		"VI": p.lang == "vi", "Organ": string(id), "Name": organName(string(id)), "Store": c.String("store"), "Axis": c.String("axis"), "Token": c.String("token-file"),
		"Poll": pollText(c.Duration("poll")), "Key": c.String("key"), "Cert": c.String("cert"), "Roots": c.String("roots"),
	})
	if err != nil {
		return err
	}
	out := c.String("out")
	f, err := createFile(out, 0o600, edxml.Text{VI: "chọn tên khác hoặc xóa tệp cũ", EN: "choose another name, or remove the old file"})
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	if err := errors.Join(err, f.Close()); err != nil {
		return fileError{out, err}
	}
	p.talk("đã viết %s; chạy: lienthong node --config %s", "wrote %s; run: lienthong node --config %s", out, out)
	return nil
}

func pollText(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return d.String()
}

var configTemplate = template.Must(template.New("config").Funcs(template.FuncMap{
	"q": func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` },
}).Parse(`# {{if .VI}}Cấu hình nút liên thông. Đường dẫn tương đối tính từ thư mục của tệp này.{{else}}Configuration of a lienthong node. Relative paths are meant from the folder of this file.{{end}}

organ = {{q .Organ}}
organ_name = {{q .Name}}
store = {{q .Store}}
# {{if .VI}}Nhiều nút chung một kho (docs/CLUSTER.md); mật khẩu nên ở PGPASSFILE.{{else}}Many nodes on one store (docs/CLUSTER.md); the password is best in PGPASSFILE.{{end}}
# store = "postgres://lienthong@db.example/lienthong"

[axis]
# {{if .VI}}Địa chỉ và token của trục; không có url thì văn bản nằm chờ trong hàng đợi.{{else}}The axis's address and token; without url documents wait in the queue.{{end}}
{{if .Axis}}url = {{q .Axis}}{{else}}# url = "https://axis.example/edoc"{{end}}
{{if .Token}}token_file = {{q .Token}}{{else}}# token_file = "token.txt"{{end}}
# {{if .VI}}Trục quốc gia (HTTP) thay cho SOAP:{{else}}The national axis's HTTP adapter in place of SOAP:{{end}}
# wire = "vxp"
# systemid = "000.00.00.G22"
# secret_file = "secret.txt"
# {{if .VI}}TLS: chứng thư gốc của trục, khóa được ghim, chứng thư của ta.{{else}}TLS: the axis's authority, pinned keys, our own certificate.{{end}}
# roots = "axis-ca.pem"
# pins = ["sha256//…"]
# cert = "client.pem"
# key = "client.key"
{{if .Poll}}poll = {{q .Poll}}{{else}}# poll = "30s"{{end}}
# workers = 4

[sign]
# {{if .VI}}Khóa và chứng thư để ký văn bản gửi đi; không có thì gửi không ký (chỉ để biết).{{else}}Key and certificate that sign outgoing documents; without them documents leave unsigned (for information only).{{end}}
{{if .Key}}key = {{q .Key}}{{else}}# key = "key.pem"{{end}}
{{if .Cert}}cert = {{q .Cert}}{{else}}# cert = "cert.pem"{{end}}
# {{if .VI}}Thay cho key và cert: tệp PKCS#12, hoặc khóa trên thiết bị (bản dựng có PKCS#11).{{else}}In place of key and cert: a PKCS#12 file, or a key on a token (a build with PKCS#11).{{end}}
# p12 = "key.p12"
# password_file = "p12-password.txt"
# replace = false
# {{if .VI}}Dấu thời gian: đến sau, giữ bên cạnh gói tin; không làm chậm việc gửi.{{else}}Time stamps: they come later and are kept beside the packets; nothing waits for them.{{end}}
# tsa = "http://tsa.ca.gov.vn"

[verify]
# {{if .VI}}Chứng thư gốc tin cậy; policy: "warn" (nhận và ghi chú) hoặc "require" (từ chối bằng trạng thái 02).{{else}}Trusted roots; policy: "warn" (deliver and say so) or "require" (refuse with status 02).{{end}}
{{if .Roots}}roots = {{q .Roots}}{{else}}# roots = "roots.pem"{{end}}
# policy = "warn"
# {{if .VI}}Hỏi chứng thư đã bị thu hồi chưa; outage: "fail", "grace" hoặc "queue" khi không hỏi được.{{else}}Ask whether certificates were revoked; outage: "fail", "grace" or "queue" while nobody can tell.{{end}}
# ocsp = ["http://ocsp.ca.gov.vn"]
# outage = "queue"
# {{if .VI}}Khi nơi gửi thu hồi: "agree" (hủy và báo 15, theo QĐ 28/2018 Điều 9) hoặc "deny" (giữ và báo 16).{{else}}When a sender recalls: "agree" (destroy and report 15, QĐ 28/2018 Art. 9) or "deny" (keep and report 16).{{end}}
# recalls = "agree"
# {{if .VI}}Chính sách riêng theo mã cơ quan, hoặc theo mã cấp 1: "off", "warn", "require".{{else}}Policies by sender, or by code of the first level: "off", "warn", "require".{{end}}
# senders = { "H41" = "require" }

[sink]
# {{if .VI}}Nơi giao văn bản đến, một trong ba; không có thì văn bản nằm trong hộp đến.{{else}}Where incoming documents are handed over, one of three; without it they stay in the inbox.{{end}}
# folder = "./incoming"
# command = ["./receive.sh"]
# webhook = "https://qlvb.example/hook"
# webhook_secret_file = "hook.secret"
# timeout = "10m"

[api]
# {{if .VI}}Cửa REST cho hệ thống văn bản; không ghi thì máy chọn cổng trống trên 127.0.0.1, "off" thì đóng. Token: lienthong token create.{{else}}The REST door for document systems; unset, a free port of 127.0.0.1 is taken, "off" closes it. Tokens: lienthong token create.{{end}}
# listen = "127.0.0.1:8071"
# {{if .VI}}Ngoài 127.0.0.1 phải có TLS.{{else}}Beyond 127.0.0.1 there must be TLS.{{end}}
# cert = "api.crt"
# key = "api.key"
# rate = 50.0
# max_body = "4GiB"

[console]
# {{if .VI}}Trang cho người vận hành, ở /console/ của cửa REST. Đăng nhập bằng token có quyền read (xem), thêm operate (thao tác).{{else}}The page of operators, at /console/ of the REST door. A token with the scope read logs in to look, with operate to act.{{end}}
# off = false
# session = "8h"

[drop]
# {{if .VI}}Thư mục thả tệp: đặt gói tin vào outgoing/, văn bản đến nằm trong incoming/.{{else}}Drop folder: packets put into outgoing/ are sent, documents that come are in incoming/.{{end}}
# folder = "./drop"

[traces]
# {{if .VI}}Gửi dấu vết của mỗi văn bản đã đi hết đường tới bộ thu OpenTelemetry (OTLP qua HTTP).{{else}}Send the trace of every document that came to its end to an OpenTelemetry collector (OTLP over HTTP).{{end}}
# url = "http://127.0.0.1:4318"
# token_file = "collector-token.txt"

[log]
# level = "info"
# format = "text"

[hub]
# {{if .VI}}Trục: các cơ quan có hộp thư ở đây (lienthong agency) gửi và nhận qua địa chỉ này.{{else}}A hub: the agencies with a mailbox here (lienthong agency) send and collect at this address.{{end}}
# listen = "0.0.0.0:8443"
# cert = "hub.pem"
# key = "hub.key"
# key_file = "secrets.key"

[retry]
# first = "2s"
# max = "10m"
# deadline = "72h"

[breaker]
# {{if .VI}}Sau bấy nhiêu lỗi liên tiếp của trục thì tạm ngừng gọi, rồi thử từng lần một.{{else}}After so many faults of the axis in a row it is not called for a while, then once at a time.{{end}}
# faults = 5
# first = "30s"
# max = "10m"

[intake]
# {{if .VI}}Ổ đĩa còn ít hơn slow thì nhận chậm lại, ít hơn stop thì ngừng nhận.{{else}}With less free space than slow intake slows down, below stop it ends.{{end}}
# slow = "1GiB"
# stop = "256MiB"
`))
