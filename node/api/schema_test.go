package api

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// contract is openapi.json as far as the tests look at it.
type contract struct {
	Paths      map[string]map[string]*operation `json:"paths"`
	Components struct {
		Schemas    map[string]*schema   `json:"schemas"`
		Parameters map[string]parameter `json:"parameters"`
		Responses  map[string]response  `json:"responses"`
	} `json:"components"`
}

type operation struct {
	ID          string                `json:"operationId"`
	Summary     string                `json:"summary"`
	Parameters  []parameter           `json:"parameters"`
	RequestBody *response             `json:"requestBody"`
	Responses   map[string]response   `json:"responses"`
	Security    []map[string][]string `json:"security"`
}

type parameter struct {
	Ref  string `json:"$ref"`
	Name string `json:"name"`
	In   string `json:"in"`
}

type response struct {
	Ref     string `json:"$ref"`
	Content map[string]struct {
		Schema *schema `json:"schema"`
	} `json:"content"`
}

// schema is the part of JSON Schema 2020-12 that openapi.json uses; a test
// refuses any other keyword, so that nothing is checked in appearance only.
type schema struct {
	Ref                  string             `json:"$ref"`
	Description          string             `json:"description"`
	Type                 types              `json:"type"`
	Properties           map[string]*schema `json:"properties"`
	Required             []string           `json:"required"`
	AdditionalProperties *bool              `json:"additionalProperties"`
	Items                *schema            `json:"items"`
	Enum                 []string           `json:"enum"`
	Pattern              string             `json:"pattern"`
	Format               string             `json:"format"`
	Minimum              *float64           `json:"minimum"`
	Maximum              *float64           `json:"maximum"`
	MaxLength            *int               `json:"maxLength"`
	ContentMediaType     string             `json:"contentMediaType"`
}

// types are the types a value may have, any when there is none.
type types []string

// UnmarshalJSON takes one type or a list.
func (ts *types) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(ts))
	}
	*ts = types{""}
	return json.Unmarshal(b, &(*ts)[0])
}

func (ts types) has(name string) bool { return len(ts) == 0 || slices.Contains(ts, name) }

// UnmarshalJSON refuses keywords that check does not know.
func (s *schema) UnmarshalJSON(b []byte) error {
	type plain schema
	in := json.NewDecoder(strings.NewReader(string(b)))
	in.DisallowUnknownFields()
	return in.Decode((*plain)(s))
}

func readContract(t testing.TB) *contract {
	t.Helper()
	c := &contract{}
	if err := json.Unmarshal(openapi, c); err != nil {
		t.Fatal(err)
	}
	return c
}

// check says what is wrong with a value.
func (c *contract) check(s *schema, v any, at string) []string {
	if s == nil {
		return nil
	}
	if s.Ref != "" {
		name := strings.TrimPrefix(s.Ref, "#/components/schemas/")
		target := c.Components.Schemas[name]
		if target == nil {
			return []string{at + ": nothing is called " + s.Ref}
		}
		return c.check(target, v, at)
	}
	switch v := v.(type) {
	case map[string]any:
		return c.checkObject(s, v, at)
	case []any:
		if !s.Type.has("array") {
			return []string{fmt.Sprintf("%s: an array, not %s", at, s.Type)}
		}
		var wrong []string
		for i, item := range v {
			wrong = append(wrong, c.check(s.Items, item, fmt.Sprintf("%s[%d]", at, i))...)
		}
		return wrong
	case string:
		return checkText(s, v, at)
	case float64:
		whole := v == math.Trunc(v)
		if !s.Type.has("number") && !(s.Type.has("integer") && whole) || s.Minimum != nil && v < *s.Minimum || s.Maximum != nil && v > *s.Maximum {
			return []string{fmt.Sprintf("%s: %v is no %s of the range", at, v, s.Type)}
		}
	case bool:
		if !s.Type.has("boolean") {
			return []string{fmt.Sprintf("%s: a boolean, not %s", at, s.Type)}
		}
	default:
		return []string{fmt.Sprintf("%s: %v", at, v)}
	}
	return nil
}

func (c *contract) checkObject(s *schema, v map[string]any, at string) []string {
	if !s.Type.has("object") {
		return []string{fmt.Sprintf("%s: an object, not %s", at, s.Type)}
	}
	var wrong []string
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			wrong = append(wrong, at+": "+name+" is missing")
		}
	}
	for name, member := range v {
		inner, ok := s.Properties[name]
		if !ok && s.AdditionalProperties != nil && !*s.AdditionalProperties {
			wrong = append(wrong, at+": there is no "+name)
		}
		wrong = append(wrong, c.check(inner, member, at+"."+name)...)
	}
	return wrong
}

func checkText(s *schema, v, at string) []string {
	switch {
	case !s.Type.has("string"):
		return []string{fmt.Sprintf("%s: a string, not %s", at, s.Type)}
	case s.Enum != nil && !slices.Contains(s.Enum, v):
		return []string{fmt.Sprintf("%s: %q is none of %v", at, v, s.Enum)}
	case s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v):
		return []string{fmt.Sprintf("%s: %q does not fit %s", at, v, s.Pattern)}
	}
	if s.Format == "date-time" {
		if _, err := time.Parse(time.RFC3339, v); err != nil {
			return []string{at + ": " + err.Error()}
		}
	}
	return nil
}

// TestCheck proves that the checker refuses what it is there to refuse.
func TestCheck(t *testing.T) {
	c := readContract(t)
	for text, want := range map[string]string{
		`{"transfers":[]}`:             "",
		`{}`:                           "transfers is missing",
		`{"transfers":[],"more":1}`:    "there is no more",
		`{"transfers":{}}`:             "an object, not [array]",
		`{"transfers":["x"]}`:          "a string, not [object]",
		`{"transfers":[{"id":1}]}`:     "1 is no [string]",
		`{"transfers":[{"due":"x"}]}`:  "parsing time",
		`{"transfers":[{"kind":"x"}]}`: "is none of",
		`[]`:                           "an array, not [object]",
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(c.check(&schema{Ref: "#/components/schemas/List"}, v, "answer"), "; ")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
