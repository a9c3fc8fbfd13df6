package edxml

import (
	"fmt"

	"github.com/lienthong/lienthong/edxml/xmlscan"
)

// Limits bounds what reading a packet may cost. The zero value of a field
// means its default.
type Limits struct {
	Packet      int64          // bytes of the packet without MIME parts; default 4 GiB
	Attachment  int64          // bytes of one attachment as the user sees it; default 2 GiB
	Attachments int            // default 1,000
	Receivers   int            // default 10,000
	Header      int64          // bytes of the header; default 32 MiB
	UnzipRatio  int64          // growth of a zipped attachment beyond 10 MB; default 200
	XML         xmlscan.Limits // see there
}

// LimitError says that a packet exceeded one of the [Limits] that are not the
// scanner's own ([xmlscan.LimitError]).
type LimitError struct {
	Limit string // "attachment", "attachments", "receivers" or "unzip ratio"
	Max   int64
	Name  string // the attachment, if one is concerned
}

// Error names the limit, its value and the attachment.
func (e *LimitError) Error() string {
	if e.Name != "" {
		return fmt.Sprintf("edxml: attachment %q: limit %q of %d exceeded", e.Name, e.Limit, e.Max)
	}
	return fmt.Sprintf("edxml: limit %q of %d exceeded", e.Limit, e.Max)
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int64
		value int64
	}{{&l.Packet, 4 << 30}, {&l.Attachment, 2 << 30}, {&l.Header, 32 << 20}, {&l.UnzipRatio, 200}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if l.Attachments == 0 {
		l.Attachments = 1000
	}
	if l.Receivers == 0 {
		l.Receivers = 10_000
	}
	l.XML.Size = l.Packet
	return l
}
