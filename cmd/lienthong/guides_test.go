package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/urfave/cli/v2"
)

// guides are the documents for people, by language.
func guides(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, lang := range []string{"vi", "en"} {
		found, err := filepath.Glob("../../docs/*." + lang + ".md")
		if err != nil {
			t.Fatal(err)
		}
		all[lang] = found
	}
	if len(all["vi"]) == 0 || len(all["vi"]) != len(all["en"]) {
		t.Fatalf("each guide is in Vietnamese and in English: %q", all)
	}
	return all
}

// block is a fenced block of a document.
type block struct {
	info  string // what stands behind the fence: "console", "toml node.toml"
	line  int    // of the fence
	lines []string
}

// readBlocks takes a document apart: its fenced blocks, and the rest.
func readBlocks(text string) (blocks []block, prose []string) {
	var open *block
	for i, line := range strings.Split(text, "\n") {
		info, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && open == nil:
			open = &block{info: info, line: i + 1}
		case fence:
			blocks, open = append(blocks, *open), nil
		case open != nil:
			open.lines = append(open.lines, line)
		default:
			prose = append(prose, line)
		}
	}
	return blocks, prose
}

var (
	codeSpan = regexp.MustCompile("`([^`]+)`")
	callPart = regexp.MustCompile(`(?:^|[\s(|;&])(?:\./)?lienthong\s+([^|;&)>#]*)`)
	service  = regexp.MustCompile(`(systemctl|journalctl)[^|;&]*`) // where lienthong is the unit
	word     = regexp.MustCompile(`'[^']*'|"[^"]*"|[^\s'"]+`)
)

// callsIn finds the calls of the program in a line of shell.
func callsIn(line string) [][]string {
	var calls [][]string
	line = service.ReplaceAllString(line, "")
	for _, m := range callPart.FindAllStringSubmatch(strings.ReplaceAll(line, `\|`, "\x00"), -1) {
		words := word.FindAllString(strings.ReplaceAll(m[1], "\x00", "|"), -1)
		calls = append(calls, append([]string{"lienthong"}, words...))
	}
	return calls
}

// checkCall fails when a call names a command or a flag that there is not. A word
// may offer several, as in list|show.
func checkCall(t *testing.T, app *cli.App, call []string) {
	t.Helper()
	for i, w := range call {
		if offered := strings.Split(w, "|"); len(offered) > 1 && !strings.HasPrefix(w, "-") && regexp.MustCompile(`^[a-z|]+$`).MatchString(w) {
			for _, one := range offered {
				checkCall(t, app, slices.Concat(call[:i], []string{one}, call[i+1:]))
			}
			return
		}
	}
	flags, commands, at := app.Flags, app.Commands, []string{"lienthong"}
	value := false
	for _, w := range call[1:] {
		if value {
			value = false
			continue
		}
		if strings.HasPrefix(w, "[") || w == "-" || w == "…" {
			continue
		}
		if name, ok := strings.CutPrefix(w, "-"); ok {
			name, _, assigned := strings.Cut(strings.TrimPrefix(name, "-"), "=")
			if !hasFlag(flags, name) && !hasFlag(app.Flags, name) && !slices.Contains([]string{"help", "h", "version"}, name) {
				t.Errorf("%s has no flag %s: %s", strings.Join(at, " "), w, strings.Join(call, " "))
			}
			value = !assigned && (takesValue(flags, w) || takesValue(app.Flags, w))
			continue
		}
		if c := find(commands, w); c != nil {
			flags, commands, at = c.Flags, c.Subcommands, append(at, w)
		} else if len(commands) > 0 && len(at) == 1 {
			t.Errorf("there is no command %q: %s", w, strings.Join(call, " "))
			return
		} else if len(commands) > 0 && regexp.MustCompile(`^[a-z]+$`).MatchString(w) {
			t.Errorf("%s has no %q: %s", strings.Join(at, " "), w, strings.Join(call, " "))
		} else {
			commands = nil
		}
	}
}

func hasFlag(flags []cli.Flag, name string) bool {
	return slices.ContainsFunc(flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
}

// documents are all that are read by people: the guides, and what else names
// commands.
func documents(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(all, "../../README.md", "../../docs/examples/README.md", "../../CHANGELOG.md", "../../ARCHITECTURE.md", "../../CONTRIBUTING.md", "../../SECURITY.md")
}

// TestDocumentedCalls: every call of the program in the documents, and every
// flag in it, is one that the program knows.
func TestDocumentedCalls(t *testing.T) {
	app := (&program{lang: "en"}).app()
	for _, file := range documents(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			blocks, prose := readBlocks(string(text))
			count := 0
			for _, b := range blocks {
				for _, line := range joined(b.lines) {
					shell, command := strings.CutPrefix(line, "$ ")
					if strings.HasPrefix(b.info, "console") && !command || !strings.HasPrefix(b.info, "console") && !strings.HasPrefix(shell, "lienthong ") {
						continue // what it says, or another file
					}
					for _, call := range callsIn(shell) {
						checkCall(t, app, call)
						count++
					}
				}
			}
			for _, m := range codeSpan.FindAllStringSubmatch(strings.Join(prose, "\n"), -1) {
				for _, call := range callsIn(m[1]) {
					checkCall(t, app, call)
					count++
				}
			}
			t.Logf("%d calls", count)
		})
	}
}

// joined puts lines together that end in a backslash.
func joined(lines []string) []string {
	return strings.Split(strings.ReplaceAll(strings.Join(lines, "\n"), "\\\n", " "), "\n")
}

// TestReadmeCommands: the table of the README and the program have the same commands.
func TestReadmeCommands(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	app := (&program{lang: "en"}).app()
	_, table, ok := strings.Cut(string(text), "\n| command | does |\n")
	if !ok {
		t.Fatal("README.md has no table of commands")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	told := map[string]bool{}
	for _, row := range strings.Split(table, "\n") {
		cells := strings.Split(strings.ReplaceAll(row, `\|`, "\x00"), "|")
		if len(cells) < 2 {
			t.Fatalf("%q is no row", row)
		}
		for _, m := range codeSpan.FindAllStringSubmatch(cells[1], -1) {
			call := strings.Fields("lienthong " + strings.ReplaceAll(m[1], "\x00", "|"))
			checkCall(t, app, call)
			told[call[1]] = true
		}
	}
	for _, c := range app.Commands {
		if !c.Hidden && !told[c.Name] {
			t.Errorf("README.md does not tell of %s", c.Name)
		}
	}
}

// TestDocumentedConfiguration: the TOML in the guides is what the node reads,
// and a key that the text names, as in `axis.url`, exists.
func TestDocumentedConfiguration(t *testing.T) {
	sections := map[string]bool{}
	names := map[string]bool{}
	for _, k := range (&config{}).keys() {
		section, _, ok := strings.Cut(k.name, ".")
		names[k.name] = true
		if ok {
			sections[section] = true
		}
	}
	for _, k := range []string{"api.webhook.url", "api.webhook.secret_file", "api.webhook.insecure_http"} {
		names[k] = true
	}
	key := regexp.MustCompile(`^([a-z]+)\.[a-z_.]+$`)
	for _, files := range guides(t) {
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			blocks, prose := readBlocks(string(text))
			for _, b := range blocks {
				if kind, name, _ := strings.Cut(b.info, " "); kind != "toml" || strings.Contains(name, "header") {
					continue
				}
				c := &config{}
				meta, err := toml.Decode(strings.Join(b.lines, "\n"), c)
				if err != nil {
					t.Errorf("%s:%d: %v", file, b.line, err)
				}
				for _, k := range meta.Undecoded() {
					t.Errorf("%s:%d: %v", file, b.line, c.unknownKey(k))
				}
			}
			for _, m := range codeSpan.FindAllStringSubmatch(strings.Join(prose, "\n"), -1) {
				if s := key.FindStringSubmatch(m[1]); s != nil && sections[s[1]] && !names[m[1]] {
					t.Errorf("%s: there is no key %s", file, m[1])
				}
				if section, ok := strings.CutPrefix(m[1], "["); ok && strings.HasSuffix(section, "]") && !sections[strings.Trim(section, "[]")] && section != "[api.webhook]]" {
					t.Errorf("%s: there is no section %s", file, m[1])
				}
			}
		}
	}
}

// TestDocumentedAlerts: the operator's guides explain the alerts there are, and no other.
func TestDocumentedAlerts(t *testing.T) {
	var want []string
	for _, r := range alerts(t) {
		want = append(want, r.Alert)
	}
	slices.Sort(want)
	for _, lang := range []string{"vi", "en"} {
		text, err := os.ReadFile("../../docs/operator." + lang + ".md")
		if err != nil {
			t.Fatal(err)
		}
		got := regexp.MustCompile(`(?m)^\| .(Lienthong\w+)`).FindAllStringSubmatch(string(text), -1)
		var names []string
		for _, m := range got {
			names = append(names, m[1])
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("operator.%s.md explains\n%q\nalerts.yml has\n%q", lang, names, want)
		}
	}
}

// TestLinks: files that the documents point to are there.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, prose := readBlocks(string(text))
		for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(strings.Join(prose, "\n"), ""), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s points to %s, which is not there", file, m[1])
			}
		}
	}
}
