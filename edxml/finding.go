package edxml

import (
	"encoding/json"
	"fmt"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// Severity weighs a Finding.
type Severity string

// The severities, heaviest first.
const (
	Error   Severity = "error"   // the packet breaks a rule its readers enforce
	Warning Severity = "warning" // readable, but somebody will stumble
	Info    Severity = "info"    // worth knowing
)

// Finding is one thing that reading or validating has to say about a packet.
type Finding struct {
	Rule     string // stable identifier, for example "DOC-1"
	Severity Severity
	Path     string // element path with one-based positions, "" for the packet
	Pos      xmlscan.Pos
	Second   bool // Pos is one of the second file, see ReadOptions.With
	Message  Text // what is wrong
	Clause   Clause
	Remedy   Text // what to do
}

// String gives line, rule and message in English, on one line.
func (f Finding) String() string {
	return fmt.Sprintf("%d:%d: %s: %s: %s", f.Pos.Line, f.Pos.Column, f.Severity, f.Rule, f.Message.EN)
}

// MarshalJSON gives rule, severity, path, line, column, message, clause and
// remedy, with the messages in English; see [Finding.In] for another language.
func (f Finding) MarshalJSON() ([]byte, error) { return json.Marshal(f.In("en")) }

// FindingText is a Finding in one language, the shape of the JSON output.
type FindingText struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Path     string   `json:"path,omitempty"`
	Second   bool     `json:"second,omitempty"` // line and column are of the second file
	File     string   `json:"file,omitempty"`   // its name, if who reads it fills it in
	Line     int      `json:"line,omitempty"`
	Column   int      `json:"column,omitempty"`
	Message  string   `json:"message"`
	Clause   string   `json:"clause,omitempty"`
	Remedy   string   `json:"remedy,omitempty"`
}

// In returns the Finding in lang, see [Text.In].
func (f Finding) In(lang string) FindingText {
	return FindingText{
		Rule: f.Rule, Severity: f.Severity, Path: f.Path, Second: f.Second, Line: f.Pos.Line, Column: f.Pos.Column,
		Message: f.Message.In(lang), Clause: f.Clause.In(lang), Remedy: f.Remedy.In(lang),
	}
}

// Worst returns the heaviest severity among findings, "" when there is none.
func Worst(findings []Finding) Severity {
	worst := Severity("")
	for _, f := range findings {
		switch {
		case f.Severity == Error:
			return Error
		case f.Severity == Warning || worst == "":
			worst = f.Severity
		}
	}
	return worst
}
