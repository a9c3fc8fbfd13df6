package edxml_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/xmlscan"
)

var verbs = regexp.MustCompile(`%[a-z]`)

func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range edxml.Rules() {
		if seen[r.ID] {
			t.Errorf("rule %s stands twice", r.ID)
		}
		seen[r.ID] = true
		for what, text := range map[string]string{
			"vi": r.Message.VI, "en": r.Message.EN, "clause": string(r.Clause), "remedy vi": r.Remedy.VI, "remedy en": r.Remedy.EN,
		} {
			if text == "" {
				t.Errorf("rule %s has no %s", r.ID, what)
			}
		}
		if strings.Contains(r.Remedy.VI+r.Remedy.EN, "%") {
			t.Errorf("rule %s: a remedy takes no particulars", r.ID)
		}
		if vi, en := verbs.FindAllString(r.Message.VI, -1), verbs.FindAllString(r.Message.EN, -1); strings.Join(vi, "") != strings.Join(en, "") {
			t.Errorf("rule %s: the languages take different particulars, %v and %v", r.ID, vi, en)
		}
		if len(r.Sets()) == 0 || slices.Contains(r.Sets(), edxml.All) {
			t.Errorf("rule %s is in the sets %v", r.ID, r.Sets())
		}
		switch r.Severity {
		case edxml.Error, edxml.Warning, edxml.Info:
		default:
			t.Errorf("rule %s weighs %q", r.ID, r.Severity)
		}
	}
	edxml.Rules()[0].ID = "changed"
	if edxml.Rules()[0].ID == "changed" {
		t.Error("a caller can change the catalogue")
	}
}

// TestRulesAreUsed reads the source: every rule named in it exists, and every
// rule of the catalogue is named outside the catalogue.
func TestRulesAreUsed(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`^[A-Z]{2,4}-[0-9]+[a-z]?$`)
	used := map[string]bool{edxml.RuleSignature: true, edxml.RuleWeakKey: true} // by those who know signatures
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "rules") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && id.MatchString(s) {
					used[s] = true
				}
			}
			return true
		})
	}
	for _, r := range edxml.Rules() {
		if !used[r.ID] {
			t.Errorf("nothing ever finds %s", r.ID)
		}
		delete(used, r.ID)
	}
	for name := range used {
		if name != "UTF-8" {
			t.Errorf("the source names rule %s, which the catalogue lacks", name)
		}
	}
}

func TestFinding(t *testing.T) {
	f := edxml.Finding{
		Rule: "DOC-1", Severity: edxml.Error, Path: "Subject", Pos: xmlscan.Pos{Offset: 40, Line: 3, Column: 7},
		Message: edxml.Text{VI: "thiếu Subject", EN: "Subject is missing"}, Clause: "QĐ 28", Remedy: edxml.Text{VI: "điền", EN: "fill it in"},
	}
	if got, want := f.String(), "3:7: error: DOC-1: Subject is missing"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	b, err := json.Marshal(f)
	want := `{"rule":"DOC-1","severity":"error","path":"Subject","line":3,"column":7,"message":"Subject is missing","clause":"QĐ 28","remedy":"fill it in"}`
	if err != nil || string(b) != want {
		t.Errorf("%s (%v), want %s", b, err, want)
	}
	if vi := f.In("vi"); vi.Message != "thiếu Subject" || vi.Remedy != "điền" {
		t.Errorf("in Vietnamese: %+v", vi)
	}
}

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		severities []edxml.Severity
		want       edxml.Severity
	}{
		{nil, ""}, {[]edxml.Severity{edxml.Info}, edxml.Info}, {[]edxml.Severity{edxml.Info, edxml.Warning, edxml.Info}, edxml.Warning},
		{[]edxml.Severity{edxml.Warning, edxml.Error, edxml.Info}, edxml.Error},
	} {
		var list []edxml.Finding
		for _, s := range c.severities {
			list = append(list, edxml.Finding{Severity: s})
		}
		if got := edxml.Worst(list); got != c.want {
			t.Errorf("%v: %q, want %q", c.severities, got, c.want)
		}
	}
}

// TestSecretStaysSecret prints a packet with a token in every way there is.
func TestSecretStaysSecret(t *testing.T) {
	const token = "khong-duoc-lo-ra"
	var p *edxml.Packet
	for _, f := range fixtures(t) {
		if strings.HasSuffix(f.name, "soap-token") {
			var err error
			if p, err = edxml.Read(strings.NewReader(string(f.doc)), f.options()); err != nil {
				t.Fatal(err)
			}
			if got := string(f.doc[p.Credential.Span.Start:p.Credential.Span.End]); !strings.HasPrefix(got, "<edXML:Signature>") || !strings.HasSuffix(got, "</edXML:Signature>") {
				t.Errorf("the block is %q", got)
			}
		}
	}
	if p == nil || p.Credential == nil || p.Credential.OrganID != "000.00.00.G22" || string(p.Credential.Token) != token {
		t.Fatal("the credential was not read")
	}
	if len(p.Signatures) != 0 {
		t.Error("the token block counts as a signature")
	}
	wrapped := struct{ P *edxml.Packet }{p}
	for _, v := range []any{wrapped, &wrapped, []*edxml.Credential{p.Credential}, p, *p, p.Credential, *p.Credential, p.Credential.Token, &p.Credential.Token, []edxml.Secret{p.Credential.Token}} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
			if text := fmt.Sprintf(format, v); strings.Contains(text, token) {
				t.Errorf("%s of %T: %s", format, v, text)
			}
		}
		b, err := json.Marshal(v)
		if err != nil || strings.Contains(string(b), token) {
			t.Errorf("JSON of %T: %s, %v", v, b, err)
		}
	}
	var out strings.Builder
	if err := edxml.WriteEnvelope(&out, p.Document); err != nil || strings.Contains(out.String(), token) {
		t.Errorf("the token was handed on (%v)", err)
	}
}

// TestClauses: every clause of the catalogue can be told in Vietnamese.
func TestClauses(t *testing.T) {
	for _, r := range edxml.Rules() {
		vi := r.Clause.In("vi")
		if strings.Contains(vi, "Art.") || strings.Contains(vi, "practice") || r.Clause.In("en") != string(r.Clause) {
			t.Errorf("%s: %q", r.ID, vi)
		}
		for _, part := range strings.Split(string(r.Clause), "; ") {
			if what, practice := strings.CutPrefix(part, "practice: "); practice && strings.Contains(vi, "thực tế: "+what) {
				t.Errorf("%s: %q is not told in Vietnamese", r.ID, what)
			}
		}
	}
	if got := edxml.Clause("QĐ 28/2018/QĐ-TTg Art. 6(2); practice: BKAV axis").In("vi"); got != "QĐ 28/2018/QĐ-TTg Điều 6(2); thực tế: trục BKAV" {
		t.Errorf("%q", got)
	}
}
