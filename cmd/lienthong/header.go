package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/lienthong/lienthong/edxml"
)

// maxHeader is the limit for a header file, in bytes; 10,000 receivers fit.
const maxHeader = 4 << 20

// maxNesting is how deep values may stand in one another in a header file.
const maxNesting = 100

// maxFaults is how many faults of a header file are told at once.
const maxFaults = 10

// headerFrame is what inspect --json says about a packet beside its fields.
// What it found out by itself is passed over.
type headerFrame struct {
	File       json.RawMessage `json:"file"`
	Kind       edxml.Kind      `json:"kind"`
	Profile    edxml.Profile   `json:"profile"`
	Signatures json.RawMessage `json:"signatures"`
	Findings   json.RawMessage `json:"findings"`
}

// documentHeader and statusHeader are header files, by the names of inspect
// --json.
type (
	documentHeader struct {
		headerFrame
		edxml.Document
	}
	statusHeader struct {
		headerFrame
		statusView
		From        edxml.Organ         `json:"from"`
		ResponseFor []edxml.ResponseFor `json:"responseFor"`
	}
)

// header is a header file that was read: one of document and status is set.
type header struct {
	document *edxml.Document
	status   *edxml.Status
	profile  edxml.Profile // "" when it names none
}

// headerFault says what is wrong with a header file.
func headerFault(file string, vi, en string, args ...any) error {
	return headerError(file, edxml.Text{VI: fmt.Sprintf(vi, args...), EN: fmt.Sprintf(en, args...)})
}

func headerError(file string, what edxml.Text) error {
	return fileError{file, told{exitInvalid, what, edxml.Text{
		VI: "lienthong build --example new in một tệp mẫu; các trường mang tên như trong inspect --json",
		EN: "lienthong build --example new prints a sample; fields are named as in inspect --json",
	}}}
}

// readHeader reads a header file in TOML or JSON, "-" for standard input.
func (p *program) readHeader(ctx context.Context, file string) (*header, error) {
	in, err := p.input(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1) // a pipe that says nothing must not keep the program from ending
	go func() {
		text, err := io.ReadAll(io.LimitReader(in, maxHeader+1))
		done <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-done:
		if r.err != nil {
			return nil, fileError{file, r.err}
		}
		return parseHeader(file, r.text)
	}
}

// parseHeader reads the text of a header file. JSON is known by its name or by
// its first character.
func parseHeader(file string, text []byte) (*header, error) {
	if len(text) > maxHeader {
		return nil, headerFault(file, "tệp lớn hơn %d byte", "the file is larger than %d bytes", maxHeader)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	raw := map[string]any{}
	var err error
	if strings.EqualFold(filepath.Ext(file), ".json") || bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		err = readJSON(text, &raw)
	} else {
		err = readTOML(text, &raw)
	}
	if err != nil {
		return nil, headerFault(file, "tệp khai báo sai cú pháp: %v", "the header file is not well-formed: %v", err)
	}
	kind, _ := raw["kind"].(string)
	if _, status := raw["statusCode"]; kind == "" && status {
		kind = string(edxml.KindStatus)
	}
	switch edxml.Kind(kind) {
	case edxml.KindStatus:
		return parseStatus(file, raw)
	case edxml.KindDocument, "":
		return parseDocument(file, raw)
	}
	return nil, headerFault(file, "kind là %q, phải là document hoặc status", "kind is %q, it must be document or status", kind)
}

func readJSON(text []byte, raw *map[string]any) error {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	if err := in.Decode(raw); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line := 1 + bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n"))
			return fmt.Errorf("line %d: %w", line, err)
		}
		return err
	}
	if _, err := in.Token(); err != io.EOF {
		return errors.New("one JSON object is expected, and there is more")
	}
	return nil
}

func readTOML(text []byte, raw *map[string]any) error {
	if tooDeep(string(text)) {
		return fmt.Errorf("values stand in one another more than %d deep", maxNesting)
	}
	_, err := toml.Decode(string(text), raw)
	var parse toml.ParseError
	if errors.As(err, &parse) {
		return fmt.Errorf("line %d: %s", parse.Position.Line, parse.Message)
	}
	return err
}

// tooDeep reports arrays and inline tables within one another beyond
// maxNesting, and keys of more parts: the TOML parser has no such limits, and
// needs stack for the ones, time that grows with the square for the others.
func tooDeep(text string) bool {
	depth, dots := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\n':
			dots = 0
		case '.':
			if dots++; dots > maxNesting {
				return true
			}
		case '[', '{':
			if depth++; depth > maxNesting {
				return true
			}
		case ']', '}':
			depth--
		case '#', '"', '\'':
			i = pastText(text, i)
		}
	}
	return false
}

// pastText returns the last byte of the comment or string of TOML that begins
// at i.
func pastText(text string, i int) int {
	quote := text[i : i+1]
	long := strings.Repeat(quote, 3)
	isLong := quote != "#" && strings.HasPrefix(text[i:], long)
	if isLong {
		i += 2
	}
	for i++; i < len(text); i++ {
		switch {
		case text[i] == '\n' && !isLong: // the end of a comment; within a short string the parser stops here
			return i - 1
		case text[i] == '\\' && quote == `"`:
			i++
		case isLong && strings.HasPrefix(text[i:], long):
			for i += 2; i+1 < len(text) && text[i+1:i+2] == quote; i++ { // quotes may stand before the closing ones
			}
			return i
		case !isLong && text[i:i+1] == quote && quote != "#":
			return i
		}
	}
	return i
}

func parseDocument(file string, raw map[string]any) (*header, error) {
	var h documentHeader
	if err := fill(file, raw, &h); err != nil {
		return nil, err
	}
	return &header{document: &h.Document, profile: h.Profile}, nil
}

func parseStatus(file string, raw map[string]any) (*header, error) {
	var h statusHeader
	if err := fill(file, raw, &h); err != nil {
		return nil, err
	}
	s := &edxml.Status{From: h.From, StaffInfo: h.StaffInfo, StatusCode: h.StatusCode, Description: h.Description, Timestamp: h.Timestamp}
	switch len(h.ResponseFor) {
	case 0: // Validate says what is missing
	case 1:
		s.ResponseFor = h.ResponseFor[0]
	default:
		return nil, headerFault(file, "trạng thái chỉ nói về một văn bản, responseFor có %d", "a status is about one document, responseFor has %d", len(h.ResponseFor))
	}
	return &header{status: s, profile: h.Profile}, nil
}

// fill puts the values into a header, and says of each one what is wrong.
func fill(file string, raw map[string]any, into any) error {
	for _, passed := range []string{"file", "signatures", "findings"} {
		delete(raw, passed)
	}
	var faults []edxml.Text
	v := fit(raw, reflect.TypeOf(into).Elem(), "", &faults)
	if len(faults) > 0 {
		var vi, en []string
		for _, f := range faults {
			vi, en = append(vi, f.VI), append(en, f.EN)
		}
		return headerError(file, edxml.Text{VI: strings.Join(vi, "; "), EN: strings.Join(en, "; ")})
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fileError{file, err}
	}
	if err := json.Unmarshal(b, into); err != nil {
		return headerFault(file, "giá trị sai kiểu: %v", "a value has the wrong type: %v", err)
	}
	return nil
}

// fit checks a value against the type it goes into, and returns it as JSON can
// carry it.
func fit(v any, t reflect.Type, path string, faults *[]edxml.Text) any {
	fault := func(vi, en string, args ...any) any {
		*faults = append(*faults, edxml.Text{VI: path + ": " + fmt.Sprintf(vi, args...), EN: path + ": " + fmt.Sprintf(en, args...)})
		return nil
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	day, isTime := v.(time.Time)
	if isTime {
		v = wireTime(day)
	}
	text, isText := v.(string)
	switch {
	case t.Kind() == reflect.Struct:
		table, ok := v.(map[string]any)
		if !ok {
			return fault("phải là một nhóm trường", "it must be a table")
		}
		return fitTable(table, t, path, faults)
	case t.Kind() == reflect.Slice:
		list := reflect.ValueOf(v)
		if v == nil || list.Kind() != reflect.Slice {
			return fault("phải là một danh sách, viết trong [ ] hoặc [[%s]]", "it must be a list, written in [ ] or as [[%s]]", path)
		}
		fitted := make([]any, list.Len())
		for i := range fitted {
			fitted[i] = fit(list.Index(i).Interface(), t.Elem(), fmt.Sprintf("%s[%d]", path, i+1), faults)
		}
		return fitted
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()), t.Kind() == reflect.Int64:
		switch v.(type) {
		case int64, json.Number, string:
			return v
		}
		return fault("phải là một số", "it must be a number")
	case !isText:
		return fault("phải là chữ, viết trong dấu nháy \"…\"", "it must be text, written in quotes \"…\"")
	}
	return strings.Trim(text, " \t\r\n") // as every reader does
}

// fitTable checks the keys of a table.
func fitTable(table map[string]any, t reflect.Type, path string, faults *[]edxml.Text) any {
	known := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			known[name] = f.Type
		}
	}
	names := slices.Sorted(maps.Keys(known))
	fitted := make(map[string]any, len(table))
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if len(*faults) >= maxFaults {
			break
		}
		inner := strings.TrimPrefix(path+"."+key, ".")
		field, ok := known[key]
		if !ok {
			near := nearest(key, names, 1)[0]
			*faults = append(*faults, edxml.Text{
				VI: fmt.Sprintf("không có trường %q; gần giống: %s", inner, near), EN: fmt.Sprintf("there is no field %q; close to it: %s", inner, near),
			})
			continue
		}
		fitted[key] = fit(table[key], field, inner, faults)
	}
	return fitted
}

// wireTime gives a date or time of TOML in the form of the wire.
func wireTime(t time.Time) string {
	switch t.Location().String() {
	case "date-local":
		return t.Format("2006/01/02")
	case "datetime-local":
		return t.Format("2006/01/02 15:04:05")
	case "time-local":
		return t.Format("15:04:05")
	}
	return string(edxml.TimestampOf(t))
}
