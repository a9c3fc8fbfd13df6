package hub

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
)

// maxRows is how many agencies a list may have.
const maxRows = 200_000

// Row is a line of a list of agencies.
type Row struct {
	Line   int
	Agency Agency
	Skip   string // why it is not taken, "" when it is
}

// columns are the names that a column of a list goes by, in lower case: those
// of GetOrganizations, of registers of codes (orgcodes), and plain ones.
var columns = map[string]func(*Row, string) error{
	"organid": setID, "code": setID, "id": setID, "mã": setID, "mã định danh": setID,
	"organname": setName, "name": setName, "name_vi": setName, "tên": setName, "tên cơ quan": setName,
	"organizationincharge": func(r *Row, v string) error { r.Agency.OrganizationInCharge = v; return nil },
	"organadd":             func(r *Row, v string) error { r.Agency.OrganAdd = v; return nil },
	"email":                func(r *Row, v string) error { r.Agency.Email = v; return nil },
	"mail":                 func(r *Row, v string) error { r.Agency.Email = v; return nil },
	"telephone":            func(r *Row, v string) error { r.Agency.Telephone = v; return nil },
	"mobile":               func(r *Row, v string) error { r.Agency.Telephone = v; return nil },
	"fax":                  func(r *Row, v string) error { r.Agency.Fax = v; return nil },
	"website":              func(r *Row, v string) error { r.Agency.Website = v; return nil },
	"parent":               func(r *Row, v string) error { r.Agency.Parent = v; return nil },
	"pcode":                func(r *Row, v string) error { r.Agency.Parent = v; return nil },
	"speaks": func(r *Row, v string) error {
		r.Agency.Speaks = strings.Fields(strings.NewReplacer(",", " ", ";", " ").Replace(v))
		return nil
	},
	"valid_to": func(r *Row, v string) error {
		if v == "" {
			return nil
		}
		last, err := time.ParseInLocation(time.DateOnly, v, edxml.Vietnam)
		if err != nil {
			return fmt.Errorf("%q is no day (yyyy-mm-dd)", v)
		}
		if !time.Now().Before(last.AddDate(0, 0, 1)) {
			r.Skip = "its code was closed on " + v
		}
		return nil
	},
}

func setID(r *Row, v string) error {
	id, err := organ.Parse(v)
	if err != nil || id.Generation() == organ.Other {
		r.Skip = "it is no identifier of an agency"
	}
	r.Agency.OrganID = string(id)
	return nil
}

func setName(r *Row, v string) error { r.Agency.OrganName = v; return nil }

// ReadAgencies reads a list of agencies: the answer of GetOrganizations as it
// came (XML), or CSV in UTF-8, separated by commas or semicolons. The first line names the columns; one must hold the identifier
// and one the name, others that it does not know are left alone. Letters and
// ranges of a register of codes (A, B02-B99) and closed codes are skipped, and
// say so. An error names its line.
func ReadAgencies(src io.Reader) ([]Row, error) {
	in := bufio.NewReader(src)
	if bom, _ := in.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3)
	}
	if first, _ := in.Peek(1); string(first) == "<" {
		return readOrganizations(in)
	}
	r := csv.NewReader(in)
	if head, _ := in.Peek(in.Buffered()); separator(head) == ';' {
		r.Comma = ';'
	}
	r.FieldsPerRecord, r.TrimLeadingSpace, r.ReuseRecord = -1, true, true
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("hub: the list is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("hub: list of agencies: %w", err)
	}
	names := slices.Clone(header)
	if err := checkColumns(names); err != nil {
		return nil, err
	}
	var rows []Row
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("hub: list of agencies: %w", err)
		}
		if len(rows) == maxRows {
			return nil, fmt.Errorf("hub: list of agencies: more than %d lines", maxRows)
		}
		line, _ := r.FieldPos(0)
		row, err := readRow(line, names, record)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}

// separator tells which of the two separates the columns of the first line.
func separator(head []byte) byte {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	if bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")) {
		return ';'
	}
	return ','
}

func hasAny(names []string, set string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(strings.Split(set, "|"), n) })
}

// checkColumns makes the names of the columns comparable, and asks for those
// that must be there.
func checkColumns(names []string) error {
	for i, n := range names {
		names[i] = strings.ToLower(strings.TrimSpace(n))
	}
	switch {
	case !hasAny(names, "organid|code|id|mã|mã định danh"):
		return fmt.Errorf("hub: list of agencies: no column OrganId (or code) among %s", strings.Join(names, ", "))
	case !hasAny(names, "organname|name|name_vi|tên|tên cơ quan"):
		return fmt.Errorf("hub: list of agencies: no column OrganName (or name) among %s", strings.Join(names, ", "))
	}
	return nil
}

func readRow(line int, names, record []string) (Row, error) {
	row := Row{Line: line}
	for i, v := range record {
		if i >= len(names) {
			return row, fmt.Errorf("hub: list of agencies: line %d has more columns than the first", line)
		}
		set := columns[names[i]]
		if set == nil {
			continue
		}
		if err := set(&row, strings.TrimSpace(strings.Clone(v))); err != nil {
			return row, fmt.Errorf("hub: list of agencies: line %d, column %s: %w", line, names[i], err)
		}
	}
	return row.named(), nil
}

// named skips what has no identifier, as a line has that ends before it, or no
// name.
func (r Row) named() Row {
	switch {
	case r.Skip != "":
	case r.Agency.OrganID == "":
		r.Skip = "it has no identifier"
	case r.Agency.OrganName == "":
		r.Skip = "it has no name"
	}
	return r
}
