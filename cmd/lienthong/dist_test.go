package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// readYAML decodes a file under dist.
func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// composed is what this test reads of a compose file.
type composed struct {
	Services map[string]struct {
		Image       string
		Build       struct{ Context, Dockerfile string }
		Command     []string
		Environment map[string]string
		Volumes     []string
		Ports       []string
		DependsOn   yaml.Node `yaml:"depends_on"`
		Healthcheck struct{ Test []string }
		Profiles    []string
		Secrets     []yaml.Node
	}
	Volumes map[string]any
	Secrets map[string]struct{ File string }
}

// secret returns the name of a secret of a service, in either form of the file.
func secret(t *testing.T, n yaml.Node) string {
	t.Helper()
	var long struct{ Source string }
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	if err := n.Decode(&long); err != nil {
		t.Fatal(err)
	}
	return long.Source
}

// dependsOn lists what a service waits for, in either form of the file.
func dependsOn(t *testing.T, n yaml.Node) []string {
	t.Helper()
	var names []string
	if n.Kind == yaml.MappingNode {
		for i := 0; i < len(n.Content); i += 2 {
			names = append(names, n.Content[i].Value)
		}
	} else if err := n.Decode(&names); n.Kind != 0 && err != nil {
		t.Fatal(err)
	}
	return names
}

// TestCompose holds compose.yaml together: what it names is there, what is
// published is so on the loopback alone, and the program knows its commands.
func TestCompose(t *testing.T) {
	var c composed
	readYAML(t, "dist/compose.yaml", &c)
	app := (&program{lang: "en"}).app()
	for name, s := range c.Services {
		if s.Image == "" {
			t.Errorf("%s has no image", name)
		}
		if strings.HasSuffix(s.Image, ":latest") || s.Build.Context == "" && !strings.Contains(s.Image, ":") {
			t.Errorf("%s: the image %s has no version", name, s.Image)
		}
		if s.Build.Context != "" {
			mustExist(t, filepath.Join("dist", s.Build.Context, s.Build.Dockerfile))
			checkCall(t, app, append([]string{"lienthong"}, s.Command...))
		}
		if h := s.Healthcheck.Test; len(h) > 1 && strings.HasSuffix(h[1], "/lienthong") {
			checkCall(t, app, append([]string{"lienthong"}, h[2:]...))
		}
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if strings.HasPrefix(from, "./") {
				mustExist(t, filepath.Join("dist", from))
			} else if _, ok := c.Volumes[from]; !ok {
				t.Errorf("%s: there is no volume %s", name, from)
			}
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s publishes %s beyond this machine", name, p)
			}
		}
		for _, n := range s.Secrets {
			if _, ok := c.Secrets[secret(t, n)]; !ok {
				t.Errorf("%s: there is no secret %s", name, secret(t, n))
			}
		}
		for _, other := range dependsOn(t, s.DependsOn) {
			if _, ok := c.Services[other]; !ok {
				t.Errorf("%s waits for %s, which is no service", name, other)
			}
		}
	}
}

func mustExist(t *testing.T, file string) {
	t.Helper()
	if _, err := os.Stat(filepath.FromSlash(file)); err != nil {
		t.Error(err)
	}
}

// TestComposeConfig asks the client of the engine, where it is; no engine is
// needed to read the file.
func TestComposeConfig(t *testing.T) {
	if out, err := exec.Command("docker", "compose", "version").CombinedOutput(); err != nil {
		t.Skipf("docker compose is not here: %v: %s", err, out)
	}
	out, err := exec.Command("docker", "compose", "-f", "dist/compose.yaml", "config", "--quiet").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestComposeRuns starts the axis and the node of compose.yaml with the commands,
// the configuration and the environment that stand there, on this machine
// instead of in containers: only names of hosts, ports and the folder of the
// store are others. Its healthcheck then says that the node is well, and what
// Prometheus is told to collect from answers.
func TestComposeRuns(t *testing.T) {
	var c composed
	readYAML(t, "dist/compose.yaml", &c)
	text, err := os.ReadFile("dist/compose/node.toml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	here := moved(t, "axis:8070", "0.0.0.0:8070", "0.0.0.0:8071", "0.0.0.0:8072", "0.0.0.0:9108")
	here["axis:8070"] = here["0.0.0.0:8070"]
	here["/var/lib/lienthong"] = filepath.Join(dir, "data")
	here["/etc/lienthong/node.toml"] = filepath.Join(dir, "node.toml")
	move := func(s string) string {
		for from, to := range here {
			s = strings.ReplaceAll(s, from, to)
		}
		return s
	}
	if err := os.WriteFile(filepath.Join(dir, "node.toml"), []byte(move(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	call := func(args []string, environment map[string]string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "lienthong")
		for _, a := range args {
			cmd.Args = append(cmd.Args, move(a))
		}
		cmd.Env = os.Environ()
		for k, v := range environment {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
		return cmd
	}
	for _, name := range []string{"axis", "node"} {
		background(t, call(c.Services[name].Command, c.Services[name].Environment))
	}
	h := c.Services["node"].Healthcheck.Test
	if len(h) < 2 || h[1] != "/usr/bin/lienthong" {
		t.Fatalf("the healthcheck of the node is %q", h)
	}
	if out, err := call(h[2:], nil).CombinedOutput(); err != nil {
		t.Fatalf("the node is not well: %v\n%s", err, out)
	}
	if out, err := call([]string{"doctor", "--config", "/etc/lienthong/node.toml"}, c.Services["node"].Environment).CombinedOutput(); err != nil {
		t.Fatalf("doctor: %v\n%s", err, out)
	}

	var prometheus struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName       string `yaml:"job_name"`
			StaticConfigs []struct{ Targets []string }
		} `yaml:"scrape_configs"`
	}
	readYAML(t, "dist/compose/prometheus.yml", &prometheus)
	if len(prometheus.ScrapeConfigs) != 1 || prometheus.ScrapeConfigs[0].JobName != "lienthong" {
		t.Fatalf("the alert rules look for the job lienthong, there is %+v", prometheus.ScrapeConfigs)
	}
	metrics := get(t, "http://"+here["0.0.0.0:9108"]+"/metrics")
	for _, rule := range alerts(t) {
		checkMetrics(t, rule.Alert, rule.Expr, metrics)
	}
	board, err := os.ReadFile("dist/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	checkMetrics(t, "the dashboard", string(board), metrics)
}

// checkMetrics fails when an expression asks for what the node does not count.
func checkMetrics(t *testing.T, who, expr, metrics string) {
	t.Helper()
	for _, name := range regexp.MustCompile(`lienthong_\w+`).FindAllString(expr, -1) {
		of := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		if !strings.Contains(metrics, "# TYPE "+of+" ") && !slices.Contains(whenItHappens, of) {
			t.Errorf("%s asks for %s, which the node does not count", who, name)
		}
	}
}

// whenItHappens are counts with labels, which are not there before the first.
var whenItHappens = []string{
	"lienthong_axis_calls_total", "lienthong_deliveries_total", "lienthong_api_requests_total", "lienthong_certificate_days_left",
	"lienthong_clock_offset_seconds", "lienthong_queue_oldest_seconds", "lienthong_transfers",
}

// moved gives each address a free port of the loopback, until the test ends.
func moved(t *testing.T, addresses ...string) map[string]string {
	t.Helper()
	slices.Sort(addresses)
	addresses = slices.Compact(addresses)
	ports, release, err := freePorts(len(addresses))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	at := map[string]string{}
	for i, a := range addresses {
		at[a] = "127.0.0.1:" + ports[i]
	}
	return at
}

// background runs a program until the test ends, and waits for its first line.
func background(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said talk
	cmd.Stderr = &said
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%q said nothing: %v\n%s", cmd.Args, err, said.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%q:\n%s", cmd.Args, said.String())
		}
	})
}

func get(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v\n%s", url, resp.Status, err, b)
	}
	return string(b)
}

// alert is one rule of alerts.yml.
type alert struct {
	Alert, Expr, For string
	Labels           struct{ Severity string }
	Annotations      struct{ VI, EN string }
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []alert }
	}
	readYAML(t, "dist/alerts.yml", &file)
	if len(file.Groups) != 1 || len(file.Groups[0].Rules) == 0 {
		t.Fatalf("alerts.yml has %d groups", len(file.Groups))
	}
	return file.Groups[0].Rules
}

// TestAlerts: every rule has a severity, and says in both languages what it is;
// the commands that it gives exist.
func TestAlerts(t *testing.T) {
	app := (&program{lang: "en"}).app()
	for _, r := range alerts(t) {
		if r.Expr == "" || r.Annotations.VI == "" || r.Annotations.EN == "" || !slices.Contains([]string{"warning", "critical"}, r.Labels.Severity) {
			t.Errorf("%s is not complete: %+v", r.Alert, r)
		}
		for _, call := range regexp.MustCompile(`lienthong [a-z]+( [a-z]+)?`).FindAllString(r.Annotations.VI+"\n"+r.Annotations.EN, -1) {
			if words := strings.Fields(call); find(app.Commands, words[1]) != nil {
				continue
			}
			if !strings.Contains(r.Annotations.VI, "systemctl") && !strings.Contains(r.Annotations.VI, "journalctl") {
				t.Errorf("%s: there is no %q", r.Alert, call)
			}
		}
	}
}

// TestDashboard: the dashboard is JSON, and asks for what the node counts.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("dist/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title  string
		Panels []struct{ Title string }
	}
	if err := json.Unmarshal(text, &board); err != nil || board.Title == "" || len(board.Panels) == 0 {
		t.Fatalf("%v: %+v", err, board)
	}
}

// TestRelease: what .goreleaser.yaml packs is there, and the Debian package that
// it makes has what deb.sh puts into ours.
func TestRelease(t *testing.T) {
	var release struct {
		Version int
		Before  struct{ Hooks []string }
		Builds  []struct {
			Main string
			Env  []string
		}
		Archives []struct{ Files []string }
		NFPMs    []struct {
			Contents []struct{ Src, Dst, Type string }
			Scripts  map[string]string
		} `yaml:"nfpms"`
	}
	const root = "../.."
	readYAML(t, root+"/.goreleaser.yaml", &release)
	if release.Version != 2 || len(release.Builds) != 1 || len(release.Archives) != 1 || len(release.NFPMs) != 1 {
		t.Fatalf("%+v", release)
	}
	mustExist(t, filepath.Join(root, release.Builds[0].Main, "main.go"))
	if !slices.Contains(release.Builds[0].Env, "CGO_ENABLED=0") {
		t.Error("the binary is not static")
	}
	written := "" // the folder that the hook writes
	for _, h := range release.Before.Hooks {
		words := strings.Fields(h)
		mustExist(t, filepath.Join(root, words[0]))
		written = words[len(words)-1]
	}
	for _, f := range release.Archives[0].Files {
		if found, err := filepath.Glob(filepath.Join(root, f)); err != nil || len(found) == 0 {
			t.Errorf("archives: there is no %s", f)
		}
	}
	for _, c := range release.NFPMs[0].Contents {
		if c.Src != "" && !strings.HasPrefix(c.Src, written+"/") {
			mustExist(t, filepath.Join(root, c.Src))
		}
	}
	for _, s := range release.NFPMs[0].Scripts {
		mustExist(t, filepath.Join(root, s))
	}
}

// TestUnit holds the units against what the node does and where packages put
// it; that for many nodes is that for one, but for names.
func TestUnit(t *testing.T) {
	one, many := readUnit(t, "dist/lienthong.service"), readUnit(t, "dist/lienthong@.service")
	for _, unit := range []map[string]string{one, many} {
		checkUnit(t, unit)
	}
	for key, value := range one {
		named := strings.NewReplacer("/node.toml", "/%i.toml", "/var/lib/lienthong", "/var/lib/lienthong/%i").Replace(value)
		if key == "StateDirectory" {
			named += "/%i"
		}
		if got := many[key]; got != named && key != "Description" && key != "After" {
			t.Errorf("lienthong@.service: %s=%s, want %s", key, got, named)
		}
	}
}

func readUnit(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	unit := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			unit[key] = value
		}
	}
	return unit
}

func checkUnit(t *testing.T, unit map[string]string) {
	t.Helper()
	if unit["Type"] != "notify" { // TestNodeNotifies hears it
		t.Errorf("Type=%s", unit["Type"])
	}
	words := strings.Fields(unit["ExecStart"])
	if len(words) == 0 || words[0] != "/usr/bin/lienthong" {
		t.Fatalf("ExecStart=%s", unit["ExecStart"])
	}
	checkCall(t, (&program{lang: "en"}).app(), append([]string{"lienthong"}, words[1:]...))
}
