package main

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// complete makes the packet that the header describes with the constructor of
// its kind, which knows what the kind cannot do without, and fills in what the
// header leaves out: DocumentId, the first TraceHeader, what axes take for
// granted. What the header says stays as it is.
func (h *header) complete(file string, now time.Time) error {
	var err error
	if h.status != nil {
		var made *edxml.Status
		if made, err = newStatus(h.status, now); err == nil {
			h.status.StatusCode = made.StatusCode // "3" is written 03
			fillIn(reflect.ValueOf(h.status).Elem(), reflect.ValueOf(made).Elem())
		}
	} else {
		var made *edxml.Document
		if made, err = newDocument(h.document, now); err == nil {
			fillIn(reflect.ValueOf(h.document).Elem(), reflect.ValueOf(made).Elem())
		}
	}
	var lack *edxml.IncompleteError
	if errors.As(err, &lack) {
		names := make([]string, len(lack.Fields))
		for i, field := range lack.Fields {
			names[i] = headerName(field)
		}
		fields := strings.Join(names, ", ")
		return fileError{file, told{exitInvalid, edxml.Text{
			VI: "khai báo còn thiếu hoặc chưa đúng: " + fields, EN: "the header lacks, or has not as it must be: " + fields,
		}, edxml.Text{
			VI: "lienthong build --example " + h.kind() + " in một tệp mẫu đầy đủ", EN: "lienthong build --example " + h.kind() + " prints a complete one",
		}}}
	}
	return err
}

// headerName gives the name that an element has in a header file.
func headerName(element string) string {
	if rest, receiver := strings.CutPrefix(element, "Receiver["); receiver {
		element = "business/receivers[" + rest
	}
	element = strings.Replace(element, "Bussiness/", "business/", 1)
	element = strings.Replace(element, "BussinessDocReason", "business/docReason", 1)
	element = strings.Replace(element, "ReplacementInfo", "business/replacements", 1)
	element = strings.Replace(element, "TraceHeader", "traceHeaders", 1)
	steps := strings.Split(element, "/")
	for i, s := range steps {
		steps[i] = strings.ToLower(s[:1]) + s[1:]
	}
	return strings.Join(steps, ".")
}

// kind is the name of the example that shows a packet of this kind.
func (h *header) kind() string {
	if h.status != nil {
		return "status"
	}
	switch docType(h.document) {
	case edxml.Recall:
		return "recall"
	case edxml.Update:
		return "update"
	case edxml.Replace:
		return "replace"
	}
	return "new"
}

// docType is the kind of a document as a plain code.
func docType(d *edxml.Document) edxml.BusinessDocType {
	n, _ := d.DocType().Int()
	return edxml.BusinessDocType(fmt.Sprint(n))
}

func newDocument(d *edxml.Document, now time.Time) (*edxml.Document, error) {
	e := edxml.Essentials{
		From: d.From, To: d.To, Code: d.Code, Promulgated: d.PromulgationInfo.PromulgationDate, Place: d.PromulgationInfo.Place,
		TypeName: d.DocumentType.TypeName, Subject: d.Subject, Signer: d.SignerInfo, At: now,
	}
	b := d.Business
	switch docType(d) {
	case edxml.Recall:
		of := *d
		if of.DocumentID == "" {
			of.DocumentID = edxml.DocumentID(d.From.OrganID, d.PromulgationInfo.PromulgationDate, d.Code)
		}
		return edxml.NewRecall(&of, b.DocReason, now)
	case edxml.Update:
		return edxml.NewUpdate(e, b.DocumentID, b.DocReason, b.Receivers...)
	case edxml.Replace:
		return edxml.NewReplacement(e, b.DocReason, b.Replacements...)
	}
	return edxml.NewDocument(e) // of a kind that there is none of, the rules speak
}

func newStatus(s *edxml.Status, now time.Time) (*edxml.Status, error) {
	staff := edxml.StaffInfo{}
	if s.StaffInfo != nil {
		staff = *s.StaffInfo
	}
	number, notation, _ := strings.Cut(s.ResponseFor.Code, "/")
	of := &edxml.Document{
		From: edxml.Organ{OrganID: s.ResponseFor.OrganID}, DocumentID: s.ResponseFor.DocumentID, Code: edxml.Code{CodeNumber: number, CodeNotation: notation},
		PromulgationInfo: edxml.PromulgationInfo{PromulgationDate: s.ResponseFor.PromulgationDate},
	}
	if s.StatusCode.Canonical() == edxml.StatusTakeBack {
		of.From = s.From
		return edxml.NewTakeBack(of, s.ResponseFor.OrganID, staff, s.Description, now)
	}
	return edxml.NewStatus(s.From, staff, of, s.StatusCode, s.Description, now)
}

// fillIn gives every field of a struct that is empty its value from another.
func fillIn(to, from reflect.Value) {
	for i := range to.NumField() {
		field, other := to.Field(i), from.Field(i)
		switch {
		case field.IsZero():
			field.Set(other)
		case field.Kind() == reflect.Struct:
			fillIn(field, other)
		case field.Kind() == reflect.Pointer && !other.IsNil() && field.Type().Elem().Kind() == reflect.Struct:
			fillIn(field.Elem(), other.Elem())
		}
	}
}
