package xmlscan

import "fmt"

// Limits bounds what a document may make the scanner do. The zero value of a
// field means its default.
type Limits struct {
	Size           int64 // bytes of the whole document; default 4 GiB
	Elements       int   // elements in the document; default 200,000
	Depth          int   // nesting; default 100
	Attributes     int   // attributes and namespace declarations of one element; default 64
	AttributeValue int   // bytes of one attribute value; default 64 KiB
	Name           int   // bytes of one name; default 1 KiB
	Text           int   // bytes of one comment or processing instruction, or of one text in a Tree; default 1 MiB
}

func (l Limits) withDefaults() Limits {
	if l.Size == 0 {
		l.Size = 4 << 30
	}
	for _, f := range []struct {
		field *int
		value int
	}{
		{&l.Elements, 200_000}, {&l.Depth, 100}, {&l.Attributes, 64},
		{&l.AttributeValue, 64 << 10}, {&l.Name, 1 << 10}, {&l.Text, 1 << 20},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
}

// LimitError says that a document exceeded one of the [Limits].
type LimitError struct {
	Limit string // the limit's name: "size", "elements", "depth", "attributes", "attribute value", "name", "text" or "header"
	Max   int64  // its value
	Pos   Pos
}

// Error names the limit, its value and the place.
func (e *LimitError) Error() string {
	return fmt.Sprintf("xml: line %d, column %d: limit %q of %d exceeded", e.Pos.Line, e.Pos.Column, e.Limit, e.Max)
}
