package api

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestContract walks openapi.json: what it says there is, is there, with the
// scope it says, and nothing else is.
func TestContract(t *testing.T) {
	c := readContract(t)
	n, _ := open(t)
	d := New(n, Options{Metrics: http.NotFoundHandler()})
	said := map[string]bool{}
	for path, methods := range c.Paths {
		for method, op := range methods {
			route := strings.ToUpper(method) + " " + path
			said[route] = true
			scope, ok := d.scopes[route]
			if !ok {
				t.Errorf("%s is in openapi.json and not in the door", route)
				continue
			}
			want := Anyone
			if len(op.Security) > 0 {
				want = Scope(op.Security[0]["token"][0])
			}
			if scope != want {
				t.Errorf("%s needs the scope %q, openapi.json says %q", route, scope, want)
			}
			if op.ID == "" || op.Summary == "" {
				t.Errorf("%s has no name or no summary", route)
			}
			if _, ok := op.Responses["default"]; !ok {
				t.Errorf("%s does not say what a refusal looks like", route)
			}
			for _, segment := range strings.Split(path, "/") {
				if name := strings.Trim(segment, "{}"); name != segment && !slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.Name == name || strings.HasSuffix(p.Ref, "/"+name) }) {
					t.Errorf("%s does not declare %s", route, name)
				}
			}
		}
	}
	for route := range d.scopes {
		if !said[route] {
			t.Errorf("%s is in the door and not in openapi.json", route)
		}
	}
	if len(c.Paths) < 10 {
		t.Errorf("%d paths", len(c.Paths))
	}
}

// TestTexts: every code there is has its texts, in both languages.
func TestTexts(t *testing.T) {
	for _, k := range kinds {
		if texts[k.code].message.VI == "" {
			t.Errorf("code %q has no text", k.code)
		}
	}
	for code, text := range texts {
		for _, part := range []string{text.message.VI, text.message.EN, text.remedy.VI, text.remedy.EN} {
			if part == "" {
				t.Errorf("code %q lacks a text", code)
			}
		}
	}
}

// judged serves a door and holds every answer against openapi.json.
func judged(t *testing.T, d *Door, side http.Handler) http.Handler {
	c := readContract(t)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, route := d.mux.Handler(r)
		if strings.Contains(r.Header.Get("Accept"), "event-stream") { // has no end to wait for
			side.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		side.ServeHTTP(rec, r)
		if route != "" {
			c.judge(t, route, rec)
		}
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

func (c *contract) judge(t *testing.T, route string, rec *httptest.ResponseRecorder) {
	method, path, _ := strings.Cut(route, " ")
	op := c.Paths[path][strings.ToLower(method)]
	if op == nil {
		t.Errorf("%s answered, and openapi.json does not know it", route)
		return
	}
	said, ok := op.Responses[strconv.Itoa(rec.Code)]
	if !ok {
		said = c.Components.Responses["Refusal"]
		if rec.Code < 400 {
			t.Errorf("%s answered %d, which openapi.json does not know", route, rec.Code)
			return
		}
	}
	if len(said.Content) == 0 {
		if rec.Body.Len() > 0 {
			t.Errorf("%s: %d has no content, but is %q", route, rec.Code, rec.Body)
		}
		return
	}
	kind, _, err := mime.ParseMediaType(rec.Header().Get("Content-Type"))
	content, known := said.Content[kind]
	if err != nil || !known {
		t.Errorf("%s: %d of type %q, which openapi.json does not know", route, rec.Code, kind)
		return
	}
	if !strings.HasSuffix(kind, "json") {
		return
	}
	var v any
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		t.Errorf("%s: %v", route, err)
	}
	for _, wrong := range c.check(content.Schema, v, route+" → answer") {
		t.Error(wrong)
	}
}

// validator is the OpenAPI validator that has the last word about openapi.json.
const validator = "@seriousme/openapi-schema-validator@2.11.0"

// TestValidator has openapi.json judged by somebody else's program.
func TestValidator(t *testing.T) {
	npx, err := exec.LookPath("npx")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("npx is not installed")
	}
	if os.Getenv("CI") == "" && os.Getenv("LIENTHONG_EXAMPLES") == "" {
		t.Skip("asks the registry of npm; only with CI or LIENTHONG_EXAMPLES set")
	}
	file := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(file, openapi, 0o600); err != nil {
		t.Fatal(err)
	}
	judge := func(file string) (string, error) {
		cmd := exec.CommandContext(t.Context(), npx, "--yes", "--package", validator, "validate-api", file)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := judge(file); err != nil {
		if os.Getenv("CI") == "" && strings.Contains(out, "npm error") {
			t.Skipf("npm cannot get %s: %s", validator, out)
		}
		t.Fatalf("%v: %s", err, out)
	}
	bad := filepath.Join(t.TempDir(), "bad.json") // proves that it looks
	if err := os.WriteFile(bad, bytes.Replace(openapi, []byte(`"in": "path"`), []byte(`"in": "nowhere"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := judge(bad); err == nil {
		t.Errorf("the validator takes anything: %s", out)
	}
}

// TestDocument serves it to anybody.
func TestDocument(t *testing.T) {
	n, _ := open(t)
	d := New(n, Options{})
	srv := httptest.NewServer(judged(t, d, d.Remote()))
	defer srv.Close()
	resp, err := http.Get(srv.URL + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !bytes.Equal(b, openapi) {
		t.Errorf("%s, %d octets, %v", resp.Status, len(b), err)
	}
}
