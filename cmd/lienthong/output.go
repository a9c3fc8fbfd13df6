package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf16"

	"github.com/lienthong/lienthong/edxml"
)

// steers reports a character that moves a terminal's cursor, begins an escape
// sequence or turns the direction of the text. Packets may hold any of them.
func steers(r rune) bool {
	return r < ' ' || r >= 0x7F && r < 0xA0 || r == '\u2028' || r == '\u2029' ||
		r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}

// clean makes text from a packet safe for a terminal and for one line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if steers(r) {
			return ' '
		}
		return r
	}, s)
}

// record prints a value as one line of JSON.
func (p *program) record(v any) error { return p.writeJSON(v, "") }

// printJSON prints a value as indented JSON.
func (p *program) printJSON(v any) error { return p.writeJSON(v, "  ") }

// writeJSON prints JSON in which characters that would steer a terminal are
// escaped.
func (p *program) writeJSON(v any, indent string) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	var out strings.Builder
	for _, r := range b.String() {
		if r != '\n' && steers(r) {
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&out, `\u%04x`, unit)
			}
			continue
		}
		out.WriteRune(r)
	}
	_, err := fmt.Fprint(p.out, out.String())
	return err
}

// createFile makes a file that must not exist; hint says what to do if it does.
func createFile(name string, perm os.FileMode, hint edxml.Text) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	if errors.Is(err, os.ErrExist) {
		return nil, told{exitFailed, edxml.Text{VI: name + " đã có, không ghi đè", EN: name + " exists already and is not overwritten"}, hint}
	}
	if err != nil {
		return nil, fileError{name, errors.Unwrap(err)}
	}
	return f, nil
}
