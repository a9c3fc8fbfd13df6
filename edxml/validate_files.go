package edxml

import "strconv"

// copyVersion is the oldest version of a PDF that an electronic copy may be.
const copyVersion = "1.4"

// copies are the abbreviations of the kinds of copy: sao y, sao lục, trích sao.
var copies = map[string]bool{"SY": true, "SL": true, "TrS": true}

// files judges the PDF files of a packet that was read. The first file is the
// document, the others what is attached to it in files of their own. Files of
// other types do not show their signatures, so nothing is said of them.
func (v *validation) files(d *Document) {
	isCopy := copies[abbreviation(d.Code.CodeNotation)] || copies[kinds[kindName(d.DocumentType.TypeName)]]
	for i, a := range d.Attachments {
		if a.PDF == nil {
			continue
		}
		tell := func(id string, args ...any) {
			file := v.packet.outline.file(i)
			v.findAt(id, file.pos, "Attachment["+strconv.Itoa(i+1)+"]", args...)
			v.findings[len(v.findings)-1].Second = file.second
		}
		name := shorten(a.Name)
		if isCopy && a.PDF.Before(copyVersion) {
			tell("ATT-2", name, a.PDF.Version)
		}
		switch {
		case i == 0 && a.PDF.Signatures < 2:
			tell("SIG-4", name, a.PDF.Signatures)
		case i > 0 && a.PDF.Signatures == 0:
			tell("ATT-3", name)
		}
	}
}
