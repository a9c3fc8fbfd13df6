package hub

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// maxOrganization is how long one entry of an answer may be, in octets.
const maxOrganization = 64 << 10

// readOrganizations reads an answer of GetOrganizations as it came over the
// wire: every element Organization is an agency, whatever stands around it.
func readOrganizations(src io.Reader) ([]Row, error) {
	s := xmlscan.New(src, xmlscan.Options{Limits: xmlscan.Limits{Size: 256 << 20, Elements: 16 * maxRows}})
	var rows []Row
	for {
		tok, err := s.Next()
		if errors.Is(err, io.EOF) {
			if len(rows) == 0 {
				return nil, errors.New("hub: list of agencies: there is no Organization in the answer")
			}
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("hub: list of agencies: %w", err)
		}
		if tok.Kind != xmlscan.Start || tok.Name.Local != "Organization" {
			continue
		}
		if len(rows) == maxRows {
			return nil, fmt.Errorf("hub: list of agencies: more than %d entries", maxRows)
		}
		tree, err := s.Tree(maxOrganization)
		if err != nil {
			return nil, fmt.Errorf("hub: list of agencies: %w", err)
		}
		row := Row{Line: tree.Pos(tree.Root).Line}
		for _, el := range tree.Root.ChildElements() {
			if set := columns[strings.ToLower(el.Tag)]; set != nil {
				if err := set(&row, strings.TrimSpace(el.Text())); err != nil {
					return nil, fmt.Errorf("hub: list of agencies: line %d, %s: %w", row.Line, el.Tag, err)
				}
			}
		}
		rows = append(rows, row.named())
	}
}
