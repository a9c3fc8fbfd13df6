package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/lienthong/lienthong/edxml"
)

// The JUnit report, as build servers read it: a test case a file, which fails
// on errors.
type (
	junitSuites struct {
		XMLName xml.Name   `xml:"testsuites"`
		Suite   junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitProblem `xml:"failure"`
		Error   *junitProblem `xml:"error"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit writes the results as a JUnit report.
func junit(results []validation) ([]byte, error) {
	suite := junitSuite{Name: "lienthong validate", Tests: len(results)}
	for _, v := range results {
		c := junitCase{Class: "lienthong", Name: v.File}
		var wrong, other []string
		first := edxml.FindingText{}
		for _, f := range v.Findings {
			line := fmt.Sprintf("%s%d:%d %s %s %s: %s (%s) %s", inFile(f), f.Line, f.Column, f.Severity, f.Rule, f.Path, f.Message, f.Clause, f.Remedy)
			if f.Severity != edxml.Error {
				other = append(other, line)
				continue
			}
			if wrong = append(wrong, line); first.Rule == "" {
				first = f
			}
		}
		c.Out = strings.Join(other, "\n")
		switch {
		case v.Error != "":
			c.Error = &junitProblem{Message: v.Error, Type: "unreadable", Text: v.Hint}
			suite.Errors++
		case len(wrong) > 0:
			c.Failure = &junitProblem{Message: first.Message, Type: first.Rule, Text: strings.Join(wrong, "\n")}
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, c)
	}
	return suite.text()
}

func (s junitSuite) text() ([]byte, error) {
	text, err := xml.MarshalIndent(junitSuites{Suite: s}, "", "  ")
	return append([]byte(xml.Header), append(text, '\n')...), err
}

// The SARIF report (OASIS SARIF 2.1.0), as far as it is used.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string       `json:"id"`
		Short   sarifMessage `json:"shortDescription"`
		Help    sarifMessage `json:"help"`
		Default sarifLevel   `json:"defaultConfiguration"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId,omitempty"`
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
)

// inFile names the file of a place where it is not the packet itself.
func inFile(f edxml.FindingText) string {
	if f.File == "" {
		return ""
	}
	return f.File + ":"
}

// sarif writes the results as a SARIF report in the language of this run.
func (p *program) sarif(results []validation) ([]byte, error) {
	level := map[edxml.Severity]string{edxml.Error: "error", edxml.Warning: "warning", edxml.Info: "note"}
	run := sarifRun{
		Tool:    sarifTool{sarifDriver{Name: "lienthong", Version: version()}},
		Results: []sarifResult{},
	}
	for _, r := range edxml.Rules() {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			r.ID, sarifMessage{pattern(r.Message.In(p.lang))}, sarifMessage{r.Remedy.In(p.lang) + " (" + r.Clause.In(p.lang) + ")"}, sarifLevel{level[r.Severity]},
		})
	}
	for _, v := range results {
		name := filepath.ToSlash(v.File)
		if v.File == "-" {
			name = "stdin"
		}
		at := sarifPhysical{Artifact: sarifArtifact{(&url.URL{Path: name}).String()}}
		if v.Error != "" {
			run.Results = append(run.Results, sarifResult{Level: "error", Message: sarifMessage{v.Error}, Locations: []sarifLocation{{Physical: at}}})
		}
		for _, f := range v.Findings {
			where := sarifLocation{Physical: at}
			if f.File != "" {
				where.Physical.Artifact = sarifArtifact{(&url.URL{Path: filepath.ToSlash(f.File)}).String()}
			}
			if f.Line > 0 {
				where.Physical.Region = &sarifRegion{f.Line, f.Column}
			}
			if f.Path != "" {
				where.Logical = []sarifLogical{{f.Path}}
			}
			run.Results = append(run.Results, sarifResult{f.Rule, level[f.Severity], sarifMessage{f.Message + " – " + f.Remedy}, []sarifLocation{where}})
		}
	}
	text, err := json.MarshalIndent(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}, "", "  ")
	return append(text, '\n'), err
}
