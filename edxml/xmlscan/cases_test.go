package xmlscan_test

import "github.com/lienthong/lienthong/edxml/xmlscan"

// form is a document that shows one production or constraint, from the side
// that is accepted or from the side that is refused.
type form struct {
	name  string // the production or constraint
	doc   string
	want  string // accepted: the values, see values
	rule  string // refused: SyntaxError.Rule
	cause error  // refused: what errors.Is finds, nil for none

	// other says why xmllint judges otherwise, "" if it agrees.
	other string
}

// The reasons for which xmllint (libxml2) judges otherwise.
const (
	otherDTD      = "libxml2 reads document types; here they are refused whole"
	otherEncoding = "libxml2 converts other encodings; here only UTF-8 is read"
	otherLong     = "a reference here has at most 32 bytes"
	otherNUL      = "libxml2 takes a NUL after the root element for the end"
	otherVersion  = "libxml2 only warns about a version that is none"
)

const (
	docRule      = "XML 1.0 [1] document"
	charRule     = "XML 1.0 [2] Char"
	nameRule     = "Namespaces [4] NCName"
	qNameRule    = "Namespaces [7] QName"
	valueRule    = "XML 1.0 [10] AttValue"
	textRule     = "XML 1.0 [14] CharData"
	commentRule  = "XML 1.0 [15] Comment"
	piRule       = "XML 1.0 [16] PI"
	targetRule   = "XML 1.0 [17] PITarget"
	declRule     = "XML 1.0 [23] XMLDecl"
	dtdRule      = "XML 1.0 §2.8"
	elementRule  = "XML 1.0 [39] element"
	startRule    = "XML 1.0 [40] STag"
	attrRule     = "XML 1.0 [41] Attribute"
	endRule      = "XML 1.0 [42] ETag"
	contentRule  = "XML 1.0 [43] content"
	emptyRule    = "XML 1.0 [44] EmptyElemTag"
	charRefRule  = "XML 1.0 [66] CharRef"
	refRule      = "XML 1.0 [67] Reference"
	encodingRule = "XML 1.0 §4.3.3"
	matchRule    = "XML 1.0 §3, WFC: Element Type Match"
	uniqueRule   = "XML 1.0 §3.1, WFC: Unique Att Spec"
	lessRule     = "XML 1.0 §3.1, WFC: No < in Attribute Values"
	legalRule    = "XML 1.0 §4.1, WFC: Legal Character"
	entityRule   = "XML 1.0 §4.1, WFC: Entity Declared"
	reservedRule = "Namespaces §3, NSC: Reserved Prefixes and Namespace Names"
	prefixRule   = "Namespaces §5, NSC: Prefix Declared"
	undoRule     = "Namespaces §5, NSC: No Prefix Undeclaring"
	sameRule     = "Namespaces §6.3, NSC: Attributes Unique"
)

const (
	bom    = "\ufeff"
	xmlNS  = "http://www.w3.org/XML/1998/namespace"
	declNS = "http://www.w3.org/2000/xmlns/"
)

func forms() []form {
	var all []form
	for _, part := range [][]form{documentForms(), characterForms(), textForms(), miscForms(), tagForms(), referenceForms(), namespaceForms()} {
		all = append(all, part...)
	}
	return all
}

func documentForms() []form {
	return []form{
		{name: "[1] document, one element", doc: "<a/>"},
		{name: "[1] document, Misc around", doc: "<!--x--> <?p q?>\n<a/>\r\n<!--y--><?r?>\t", want: "x|q|y|"},
		{name: "[1] document, white space first", doc: " \t\r\n<a/>"},
		{name: "[1] document, empty", doc: "", rule: docRule, cause: xmlscan.ErrNotXML},
		{name: "[1] document, white space alone", doc: " \n", rule: docRule, cause: xmlscan.ErrNotXML},
		{name: "[1] document, no element", doc: "<!--x-->", rule: docRule, cause: xmlscan.ErrNotXML},
		{name: "[1] document, text alone", doc: "text", rule: docRule, cause: xmlscan.ErrNotXML},
		{name: "[1] document, text before", doc: "<!--x-->t<a/>", rule: docRule, cause: xmlscan.ErrNotXML},
		{name: "[1] document, stray digits", doc: "0004<?xml version='1.0'?><a/>", rule: docRule, cause: xmlscan.ErrNotXML},
		{name: "[1] document, text after", doc: "<a/>t", rule: docRule},
		{name: "[1] document, reference after", doc: "<a/>&#32;", rule: docRule},
		{name: "[1] document, NUL after", doc: "<a/>\x00", rule: docRule, other: otherNUL},
		{name: "[1] document, two elements", doc: "<a/><b/>", rule: docRule},
		{name: "[1] document, end tag first", doc: "</a>", rule: docRule, cause: xmlscan.ErrNotXML},
		{name: "[1] document, end tag after", doc: "<a/></a>", rule: docRule},
		{name: "[1] document, CDATA before", doc: "<![CDATA[x]]><a/>", rule: docRule},
		{name: "[1] document, CDATA after", doc: "<a/><![CDATA[x]]>", rule: docRule},
		{name: "[1] document, cut in the root tag", doc: "<a b='c' ", rule: docRule, cause: xmlscan.ErrTruncated},
		{name: "[1] document, cut in the declaration", doc: "<?xml version='1.0'", rule: docRule, cause: xmlscan.ErrTruncated},
		{name: "[1] document, cut after", doc: "<a/><!--", rule: docRule, cause: xmlscan.ErrTruncated},
		{name: "[1] document, a lone <", doc: "<", rule: docRule, cause: xmlscan.ErrTruncated},

		{name: "[23] XMLDecl, version", doc: `<?xml version="1.0"?><a/>`},
		{name: "[23] XMLDecl, whole", doc: "<?xml\tversion = '1.0'\nencoding=\"utf-8\" standalone='yes' ?>\n<a/>"},
		{name: "[23] XMLDecl, standalone no", doc: `<?xml version="1.0" standalone="no"?><a/>`},
		{name: "[23] XMLDecl, without version", doc: `<?xml encoding="UTF-8"?><a/>`, rule: declRule},
		{name: "[23] XMLDecl, empty", doc: `<?xml ?><a/>`, rule: declRule},
		{name: "[23] XMLDecl, nothing", doc: `<?xml?><a/>`, rule: declRule},
		{name: "[23] XMLDecl, order", doc: `<?xml version="1.0" standalone="yes" encoding="UTF-8"?><a/>`, rule: declRule},
		{name: "[23] XMLDecl, twice the version", doc: `<?xml version="1.0" version="1.0"?><a/>`, rule: declRule},
		{name: "[23] XMLDecl, other attribute", doc: `<?xml version="1.0" lang="vi"?><a/>`, rule: declRule},
		{name: "[23] XMLDecl, no space between", doc: `<?xml version="1.0"encoding="UTF-8"?><a/>`, rule: declRule},
		{name: "[23] XMLDecl, longer name", doc: `<?xml versions="1.0"?><a/>`, rule: declRule},
		{name: "[23] XMLDecl, second one", doc: `<?xml version="1.0"?><?xml version="1.0"?><a/>`, rule: targetRule},
		{name: "[23] XMLDecl, after a comment", doc: `<!--x--><?xml version="1.0"?><a/>`, rule: targetRule},
		{name: "[23] XMLDecl, inside", doc: `<a><?xml version="1.0"?></a>`, rule: targetRule},
		{name: "[22] prolog, space before XMLDecl", doc: "\n<?xml version='1.0'?><a/>", rule: docRule, cause: xmlscan.ErrNotXML},
		{name: "[24] VersionInfo, no quotes", doc: `<?xml version=1.0?><a/>`, rule: declRule},
		{name: "[24] VersionInfo, unlike quotes", doc: `<?xml version="1.0'?><a/>`, rule: declRule},
		{name: "[25] Eq, without", doc: `<?xml version "1.0"?><a/>`, rule: declRule},
		{name: "[26] VersionNum, 1.7", doc: `<?xml version="1.7"?><a/>`},
		{name: "[26] VersionNum, 2.0", doc: `<?xml version="2.0"?><a/>`, rule: declRule},
		{name: "[26] VersionNum, 1.", doc: `<?xml version="1."?><a/>`, rule: declRule, other: otherVersion},
		{name: "[26] VersionNum, 1.0a", doc: `<?xml version="1.0a"?><a/>`, rule: declRule},
		{name: "[32] SDDecl, other value", doc: `<?xml version="1.0" standalone="ja"?><a/>`, rule: declRule},
		{name: "[80] EncodingDecl, UTF-8", doc: `<?xml version="1.0" encoding="UTF-8"?><a>é</a>`, want: "é"},
		{name: "[80] EncodingDecl, US-ASCII", doc: `<?xml version="1.0" encoding="us-ascii"?><a/>`},
		{name: "[80] EncodingDecl, windows-1258", doc: `<?xml version="1.0" encoding="windows-1258"?><a/>`, rule: declRule, cause: xmlscan.ErrEncoding, other: otherEncoding},
		{name: "[80] EncodingDecl, UTF-16 that is none", doc: `<?xml version="1.0" encoding="UTF-16"?><a/>`, rule: declRule, cause: xmlscan.ErrEncoding},
		{name: "[81] EncName, no name", doc: `<?xml version="1.0" encoding=""?><a/>`, rule: declRule, cause: xmlscan.ErrEncoding},

		{name: "§4.3.3 byte order mark", doc: bom + "<a/>"},
		{name: "§4.3.3 byte order mark and XMLDecl", doc: bom + "<?xml version='1.0'?><a/>"},
		{name: "§4.3.3 byte order mark alone", doc: bom, rule: docRule, cause: xmlscan.ErrNotXML},
		{name: "§4.3.3 two byte order marks", doc: bom + bom + "<a/>", rule: docRule, cause: xmlscan.ErrNotXML},
		{name: "§4.3.3 UTF-16 BE", doc: "\xfe\xff\x00<\x00a\x00/\x00>", rule: encodingRule, cause: xmlscan.ErrEncoding, other: otherEncoding},
		{name: "§4.3.3 UTF-16 LE", doc: "\xff\xfe<\x00a\x00/\x00>\x00", rule: encodingRule, cause: xmlscan.ErrEncoding, other: otherEncoding},
		{name: "§4.3.3 UTF-16 LE without a mark", doc: "<\x00?\x00", rule: encodingRule, cause: xmlscan.ErrEncoding},
		{name: "§4.3.3 UTF-16 BE without a mark", doc: "\x00<\x00?", rule: encodingRule, cause: xmlscan.ErrEncoding},

		{name: "[28] doctypedecl", doc: `<!DOCTYPE a><a/>`, rule: dtdRule, cause: xmlscan.ErrDTD, other: otherDTD},
		{name: "[28] doctypedecl, entities", doc: `<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>`, rule: dtdRule, cause: xmlscan.ErrDTD, other: otherDTD},
		{name: "[28] doctypedecl, external", doc: `<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>`, rule: dtdRule, cause: xmlscan.ErrDTD, other: otherDTD},
		{name: "[28] doctypedecl, inside", doc: `<a><!DOCTYPE a></a>`, rule: dtdRule, cause: xmlscan.ErrDTD},
		{name: "[28] doctypedecl, after", doc: `<a/><!DOCTYPE a>`, rule: dtdRule, cause: xmlscan.ErrDTD},
	}
}

func characterForms() []form {
	return []form{
		{name: "[2] Char, first of each range", doc: "<a>\t\n \ue000\U00010000</a>", want: "\t\n \ue000\U00010000"},
		{name: "[2] Char, last of each range", doc: "<a>\ud7ff\ufffd\U0010ffff</a>", want: "\ud7ff\ufffd\U0010ffff"},
		{name: "[2] Char, DEL and C1", doc: "<a>\x7f\u0080\u009f</a>", want: "\x7f\u0080\u009f"},
		{name: "[2] Char, NUL", doc: "<a>x\x00</a>", rule: charRule},
		{name: "[2] Char, U+0001", doc: "<a>\x01</a>", rule: charRule},
		{name: "[2] Char, U+001F", doc: "<a>\x1f</a>", rule: charRule},
		{name: "[2] Char, form feed", doc: "<a\f/>", rule: startRule},
		{name: "[2] Char, U+FFFE", doc: "<a>\ufffe</a>", rule: charRule},
		{name: "[2] Char, U+FFFF", doc: "<a>\uffff</a>", rule: charRule},
		{name: "[2] Char, in an attribute", doc: "<a b='\x02'/>", rule: charRule},
		{name: "[2] Char, in a comment", doc: "<a><!--\x02--></a>", rule: charRule},
		{name: "[2] Char, in a PI", doc: "<a><?p \uffff?></a>", rule: charRule},
		{name: "[2] Char, in a CDATA section", doc: "<a><![CDATA[\x02]]></a>", rule: charRule},
		{name: "[2] Char, surrogate", doc: "<a>\xed\xa0\x80</a>", rule: encodingRule, cause: xmlscan.ErrEncoding},
		{name: "§4.3.3 a byte that is no UTF-8", doc: "<a>\xff</a>", rule: encodingRule, cause: xmlscan.ErrEncoding},
		{name: "§4.3.3 a continuation alone", doc: "<a>\x80</a>", rule: encodingRule, cause: xmlscan.ErrEncoding},
		{name: "§4.3.3 cut UTF-8", doc: "<a>\xe1\xba</a>", rule: encodingRule, cause: xmlscan.ErrEncoding},
		{name: "§4.3.3 cut UTF-8 at the end", doc: "<a>\xe1\xba", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "§4.3.3 overlong", doc: "<a>\xc0\xbc</a>", rule: encodingRule, cause: xmlscan.ErrEncoding},
		{name: "§4.3.3 beyond Unicode", doc: "<a>\xf4\x90\x80\x80</a>", rule: encodingRule, cause: xmlscan.ErrEncoding},
		{name: "§4.3.3 in a name", doc: "<a\xff/>", rule: encodingRule, cause: xmlscan.ErrEncoding},
		{name: "§4.3.3 in an attribute", doc: "<a b='\xff'/>", rule: encodingRule, cause: xmlscan.ErrEncoding},
		{name: "§4.3.3 in a comment", doc: "<!--\xff--><a/>", rule: encodingRule, cause: xmlscan.ErrEncoding},

		{name: "[4] NameStartChar, ASCII", doc: "<_A.b-9/>"},
		{name: "[4] NameStartChar, ranges", doc: "<a>" +
			"<\u00c0/><\u00d6/><\u00d8/><\u00f6/><\u00f8/><\u02ff/><\u0370/><\u037d/><\u037f/><\u1fff/><\u200c/><\u200d/>" +
			"<\u2070/><\u218f/><\u2c00/><\u2fef/><\u3001/><\ud7ff/><\uf900/><\ufdcf/><\ufdf0/><\ufffd/><\U00010000/><\U000effff/></a>"},
		{name: "[4a] NameChar, ranges", doc: "<a-.09\u00b7\u0300\u036f\u203f\u2040/>"},
		{name: "[5] Name, digit first", doc: "<1a/>", rule: nameRule},
		{name: "[5] Name, hyphen first", doc: "<-a/>", rule: nameRule},
		{name: "[5] Name, combining first", doc: "<\u0300/>", rule: nameRule},
		{name: "[5] Name, multiplication sign", doc: "<\u00d7/>", rule: nameRule},
		{name: "[5] Name, division sign", doc: "<\u00f7/>", rule: nameRule},
		{name: "[5] Name, Greek question mark", doc: "<\u037e/>", rule: nameRule},
		{name: "[5] Name, U+2190", doc: "<a\u2190/>", rule: startRule},
		{name: "[5] Name, U+F0000", doc: "<\U000f0000/>", rule: nameRule},
		{name: "[5] Name, of an attribute", doc: "<a 1='x'/>", rule: nameRule},
		{name: "[5] Name, of an end tag", doc: "<a></ a>", rule: nameRule},
		{name: "[5] Name, space first", doc: "< a/>", rule: nameRule},
		{name: "[5] Name, missing", doc: "<>x</>", rule: nameRule},
	}
}

func textForms() []form {
	return []form{
		{name: "[14] CharData", doc: "<a>x > ] ]] ]>y</a>", want: "x > ] ]] ]>y"},
		{name: "[14] CharData, quotes", doc: `<a>'"</a>`, want: `'"`},
		{name: "[14] CharData, ]]>", doc: "<a>x]]>y</a>", rule: textRule},
		{name: "[14] CharData, ]]]>", doc: "<a>]]]></a>", rule: textRule},
		{name: "[14] CharData, é]]>", doc: "<a>é]]>y</a>", rule: textRule},
		{name: "[14] CharData, ]]&gt;", doc: "<a>]]&gt; &#93;]> ]&#93;> ]]&#62;</a>", want: "]]> ]]> ]]> ]]>"},
		{name: "[14] CharData, ]] then markup", doc: "<a>]]<b/>> ]]<!---->> ]]<![CDATA[]]>></a>", want: "]]|> ]]||> ]]>"},
		{name: "[14] CharData, ]] LF >", doc: "<a>]]\n> ]\r]></a>", want: "]]\n> ]\n]>"},
		{name: "[20] CData", doc: "<a><![CDATA[<b>&amp;]] > ]>]]></a>", want: "<b>&amp;]] > ]>"},
		{name: "[20] CData, brackets before the end", doc: "<a><![CDATA[]]]]]></a>", want: "]]]"},
		{name: "[20] CData, cut in two", doc: "<a><![CDATA[]]]]><![CDATA[>]]></a>", want: "]]>"},
		{name: "[18] CDSect, empty", doc: "<a><![CDATA[]]></a>"},
		{name: "[18] CDSect, joined with text", doc: "<a>x<![CDATA[<]]>y</a>", want: "x<y"},
		{name: "[18] CDSect, not nested", doc: "<a><![CDATA[<![CDATA[]]>]]></a>", rule: textRule},
		{name: "[19] CDStart, lower case", doc: "<a><![cdata[]]></a>", rule: contentRule},
		{name: "[19] CDStart, space", doc: "<a><! [CDATA[]]></a>", rule: contentRule},
		{name: "[21] CDEnd, missing", doc: "<a><![CDATA[x</a>", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[21] CDEnd, cut", doc: "<a><![CDATA[x]]", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[43] content, <!", doc: "<a><!x></a> <!-- longer -->", rule: contentRule},
		{name: "[43] content, <! cut", doc: "<a><!", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[43] content, <!ENTITY", doc: "<a><!ENTITY e 'x'></a>", rule: contentRule},

		{name: "§2.11 CR LF", doc: "<a>x\r\ny</a>", want: "x\ny"},
		{name: "§2.11 CR", doc: "<a>x\ry\r\rz\r</a>", want: "x\ny\n\nz\n"},
		{name: "§2.11 CR CR LF", doc: "<a>\r\r\n</a>", want: "\n\n"},
		{name: "§2.11 LF CR", doc: "<a>\n\r</a>", want: "\n\n"},
		{name: "§2.11 in a CDATA section", doc: "<a><![CDATA[\r\n\r]]></a>", want: "\n\n"},
		{name: "§2.11 at the end of a CDATA section", doc: "<a><![CDATA[\r]]>\n</a>", want: "\n\n"},
		{name: "§2.11 in a comment", doc: "<a><!--\r\n\r--></a>", want: "\n\n"},
		{name: "§2.11 in a PI", doc: "<a><?p x\r\n\r?></a>", want: "x\n\n"},
		{name: "§2.11 a reference is no line end", doc: "<a>&#13;\n&#xD;&#xA;</a>", want: "\r\n\r\n"},
		{name: "§2.11 NEL and LS are no line ends", doc: "<a>\u0085\u2028</a>", want: "\u0085\u2028"},
	}
}

func miscForms() []form {
	return []form{
		{name: "[15] Comment", doc: "<a><!-- <b> & ]]> - - --></a>", want: " <b> & ]]> - - "},
		{name: "[15] Comment, empty", doc: "<a><!----></a>", want: ""},
		{name: "[15] Comment, é", doc: "<!--é--><a/>", want: "é"},
		{name: "[15] Comment, --", doc: "<a><!-- x -- y --></a>", rule: commentRule},
		{name: "[15] Comment, --->", doc: "<a><!-- x ---></a>", rule: commentRule},
		{name: "[15] Comment, <!-->", doc: "<a><!--></a>", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[15] Comment, <!--->", doc: "<a><!---></a>", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[15] Comment, no end", doc: "<a><!-- x --", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[15] Comment, <!-", doc: "<a><!- x --></a>", rule: contentRule},
		{name: "[16] PI", doc: "<a><?p x <b> & ? > ?></a>", want: "x <b> & ? > "},
		{name: "[16] PI, no data", doc: "<a><?p?><?q ?></a>", want: "|"},
		{name: "[16] PI, ??>", doc: "<a><?p ???></a>", want: "??"},
		{name: "[16] PI, no space", doc: "<a><?p+x?></a>", rule: piRule},
		{name: "[16] PI, no end", doc: "<a><?p x></a>", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[16] PI, no target", doc: "<a><? p?></a>", rule: nameRule},
		{name: "[16] PI, nothing", doc: "<a><??></a>", rule: nameRule},
		{name: "[17] PITarget, xml-stylesheet", doc: "<?xml-stylesheet href='x'?><a/>", want: "href='x'"},
		{name: "[17] PITarget, xmlx", doc: "<a><?xmlx?></a>", want: ""},
		{name: "[17] PITarget, XML", doc: "<a><?XML x?></a>", rule: targetRule},
		{name: "[17] PITarget, XmL at the beginning", doc: "<?XmL version='1.0'?><a/>", rule: targetRule},
		{name: "Namespaces §7, colon in a PITarget", doc: "<a><?p:q x?></a>", rule: piRule},
	}
}

func tagForms() []form {
	return []form{
		{name: "[39] element", doc: "<a><b></b>x<c/></a>", want: "x"},
		{name: "[39] element, not closed", doc: "<a><b></b>", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[39] element, cut in text", doc: "<a>x", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[39] element, cut in an end tag", doc: "<a></a", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[39] element, cut at <", doc: "<a><", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[39] element, cut in a value", doc: "<a><b c='", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[39] element, cut after CR in a value", doc: "<a><b c='\r", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[39] element, cut at /", doc: "<a><b/", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "[39] element, cut in a reference", doc: "<a>x&am", rule: elementRule, cause: xmlscan.ErrTruncated},
		{name: "WFC Element Type Match", doc: "<a></b>", rule: matchRule},
		{name: "WFC Element Type Match, crossed", doc: "<a><b></a></b>", rule: matchRule},
		{name: "WFC Element Type Match, case", doc: "<a></A>", rule: matchRule},
		{name: "WFC Element Type Match, longer", doc: "<a></ab>", rule: matchRule},
		{name: "WFC Element Type Match, same name of another prefix", doc: "<p:a xmlns:p='u' xmlns:q='u'></q:a>", rule: matchRule},
		{name: "[40] STag, white space", doc: "<a\n\tb='1'\r\nc='2' ></a>", want: "1|2"},
		{name: "[40] STag, no space between", doc: "<a b='1'c='2'/>", rule: startRule},
		{name: "[40] STag, comma", doc: "<a,b/>", rule: startRule},
		{name: "[40] STag, < inside", doc: "<a <b/>", rule: nameRule},
		{name: "[41] Attribute", doc: `<a b="1" c='2'/>`, want: "1|2"},
		{name: "[41] Attribute, space around =", doc: "<a b = '1' c\n=\t'2'/>", want: "1|2"},
		{name: "[41] Attribute, no value", doc: "<a b/>", rule: attrRule},
		{name: "[41] Attribute, two names", doc: "<a b c='1'/>", rule: attrRule},
		{name: "[10] AttValue, other quote", doc: `<a b="'" c='"'/>`, want: `'|"`},
		{name: "[10] AttValue, empty", doc: `<a b=""/>`, want: ""},
		{name: "[10] AttValue, >", doc: `<a b=">]]>/>"/>`, want: ">]]>/>"},
		{name: "[10] AttValue, é", doc: "<a b='đấu giá 😀'/>", want: "đấu giá 😀"},
		{name: "[10] AttValue, no quotes", doc: "<a b=1/>", rule: valueRule},
		{name: "[10] AttValue, missing", doc: "<a b=/>", rule: valueRule},
		{name: "WFC No < in Attribute Values", doc: "<a b='<'/>", rule: lessRule},
		{name: "WFC No < in Attribute Values, quote forgotten", doc: "<a b='1><c d='2'/></a>", rule: lessRule},
		{name: "WFC No < in Attribute Values, reference", doc: "<a b='&lt;&#60;'/>", want: "<<"},
		{name: "WFC Unique Att Spec", doc: "<a b='1' c='2' b='1'/>", rule: uniqueRule},
		{name: "WFC Unique Att Spec, prefixed", doc: "<a xmlns:p='u' p:b='1' p:b='1'/>", rule: uniqueRule},
		{name: "WFC Unique Att Spec, xmlns", doc: "<a xmlns='u' xmlns='u'/>", rule: uniqueRule},
		{name: "WFC Unique Att Spec, xmlns:p", doc: "<a xmlns:p='u' xmlns:p='v'/>", rule: uniqueRule},
		{name: "WFC Unique Att Spec, case differs", doc: "<a b='1' B='2'/>", want: "1|2"},
		{name: "[42] ETag, white space", doc: "<a></a \r\n\t>"},
		{name: "[42] ETag, attribute", doc: "<a></a b='1'>", rule: endRule},
		{name: "[42] ETag, slash", doc: "<a></a/>", rule: endRule},
		{name: "[44] EmptyElemTag", doc: "<a><b /><b/></a>"},
		{name: "[44] EmptyElemTag, space inside", doc: "<a / >", rule: emptyRule},
		{name: "[44] EmptyElemTag, attribute after", doc: "<a / b='1'>", rule: emptyRule},

		{name: "§3.3.3 white space", doc: "<a b=' x\ty\nz\rw '/>", want: " x y z w "},
		{name: "§3.3.3 CR LF is one", doc: "<a b='\r\n\r\r\n'/>", want: "   "},
		{name: "§3.3.3 references stay", doc: "<a b='&#9;&#10;&#13;&#32;\n'/>", want: "\t\n\r  "},
		{name: "§3.3.3 not collapsed", doc: "<a b='  x   y  '/>", want: "  x   y  "},
		{name: "§3.3.3 namespace name", doc: "<a xmlns='u&#45;v'><b/></a>"},
	}
}

func referenceForms() []form {
	return []form{
		{name: "§4.6 predefined entities", doc: `<a b="&lt;&gt;&amp;&apos;&quot;">&lt;&gt;&amp;&apos;&quot;</a>`, want: `<>&'"|<>&'"`},
		{name: "§4.4 no second expansion", doc: "<a b='&amp;lt;'>&amp;#60;&#38;amp;</a>", want: "&lt;|&#60;&amp;"},
		{name: "[66] CharRef", doc: "<a>&#65;&#x41;&#x1F600;&#x1f600;&#0065;&#1114111;</a>", want: "AA😀😀A\U0010ffff"},
		{name: "[66] CharRef, no digits", doc: "<a>&#;</a>", rule: charRefRule},
		{name: "[66] CharRef, no hex digits", doc: "<a>&#x;</a>", rule: charRefRule},
		{name: "[66] CharRef, X", doc: "<a>&#X41;</a>", rule: charRefRule},
		{name: "[66] CharRef, hex without x", doc: "<a>&#4F;</a>", rule: charRefRule},
		{name: "[66] CharRef, sign", doc: "<a>&#-65;</a>", rule: charRefRule},
		{name: "[66] CharRef, no semicolon", doc: "<a>&#65</a>", rule: refRule},
		{name: "[66] CharRef, too long", doc: "<a>&#x0000000000000000000000000000041;</a>", rule: refRule, other: otherLong},
		{name: "WFC Legal Character, 0", doc: "<a>&#0;</a>", rule: legalRule},
		{name: "WFC Legal Character, 1", doc: "<a b='&#x1;'/>", rule: legalRule},
		{name: "WFC Legal Character, surrogate", doc: "<a>&#xD800;</a>", rule: legalRule},
		{name: "WFC Legal Character, U+FFFE", doc: "<a>&#xFFFE;</a>", rule: legalRule},
		{name: "WFC Legal Character, beyond Unicode", doc: "<a>&#x110000;</a>", rule: legalRule},
		{name: "WFC Legal Character, a number that wraps around", doc: "<a>&#x10000000000000041;</a>", rule: legalRule},
		{name: "[67] Reference, & alone", doc: "<a>x & y</a>", rule: refRule},
		{name: "[67] Reference, & and a far semicolon", doc: "<a>AT&T is not; one</a>", rule: refRule},
		{name: "[67] Reference, &;", doc: "<a>&;</a>", rule: refRule},
		{name: "[67] Reference, no semicolon", doc: "<a>&amp</a>", rule: refRule},
		{name: "[67] Reference, in an attribute", doc: "<a b='x&y=z'/>", rule: refRule},
		{name: "WFC Entity Declared, nbsp", doc: "<a>&nbsp;</a>", rule: entityRule},
		{name: "WFC Entity Declared, case", doc: "<a>&LT;</a>", rule: entityRule},
		{name: "WFC Entity Declared, in an attribute", doc: "<a b='&e;'/>", rule: entityRule},
	}
}

func namespaceForms() []form {
	return []form{
		{name: "Namespaces §6.2 default", doc: "<a xmlns='u'><b xmlns=''><c/></b></a>"},
		{name: "Namespaces §6.1 scope", doc: "<p:a xmlns:p='u'><p:b xmlns:p='v'/><p:c p:d='1'/></p:a>", want: "1"},
		{name: "Namespaces §6.1 a declaration holds for its own element", doc: "<p:a p:b='1' xmlns:p='u'/>", want: "1"},
		{name: "NSC Prefix Declared, element", doc: "<p:a/>", rule: prefixRule},
		{name: "NSC Prefix Declared, attribute", doc: "<a p:b='1'/>", rule: prefixRule},
		{name: "NSC Prefix Declared, out of scope", doc: "<a><b xmlns:p='u'/><p:c/></a>", rule: prefixRule},
		{name: "NSC Prefix Declared, out of scope after an end tag", doc: "<a><b xmlns:p='u'></b><c p:d='1'/></a>", rule: prefixRule},
		{name: "NSC No Prefix Undeclaring", doc: "<a xmlns:p='u'><b xmlns:p=''/></a>", rule: undoRule},
		{name: "NSC Reserved, xml needs no declaration", doc: "<xml:a xml:lang='vi'/>", want: "vi"},
		{name: "NSC Reserved, xml declared as itself", doc: "<a xmlns:xml='" + xmlNS + "' xml:lang='vi'/>", want: "vi"},
		{name: "NSC Reserved, xml declared otherwise", doc: "<a xmlns:xml='u'/>", rule: reservedRule},
		{name: "NSC Reserved, other prefix for xml", doc: "<a xmlns:p='" + xmlNS + "'/>", rule: reservedRule},
		{name: "NSC Reserved, xml as default", doc: "<a xmlns='" + xmlNS + "'/>", rule: reservedRule},
		{name: "NSC Reserved, xmlns declared", doc: "<a xmlns:xmlns='" + declNS + "'/>", rule: reservedRule},
		{name: "NSC Reserved, other prefix for xmlns", doc: "<a xmlns:p='" + declNS + "'/>", rule: reservedRule},
		{name: "NSC Reserved, xmlns as default", doc: "<a xmlns='" + declNS + "'/>", rule: reservedRule},
		{name: "NSC Reserved, xmlns on an element", doc: "<xmlns:a/>", rule: reservedRule},
		{name: "NSC Attributes Unique", doc: "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", rule: sameRule},
		{name: "NSC Attributes Unique, over two elements", doc: "<a xmlns:p='u'><b xmlns:q='u' p:c='1' q:c='2'/></a>", rule: sameRule},
		{name: "NSC Attributes Unique, by the value after normalisation", doc: "<a xmlns:p='u' xmlns:q='&#117;' p:b='1' q:b='2'/>", rule: sameRule},
		{name: "NSC Attributes Unique, the default does not count", doc: "<a xmlns='u' xmlns:p='u' b='1' p:b='2'/>", want: "1|2"},
		{name: "NSC Attributes Unique, other namespaces", doc: "<a xmlns:p='u' xmlns:q='v' p:b='1' q:b='2' b='3'/>", want: "1|2|3"},
		{name: "[7] QName, two colons", doc: "<p:a:b xmlns:p='u'/>", rule: qNameRule},
		{name: "[7] QName, two colons in an attribute", doc: "<a xmlns:p='u' p:b:c='1'/>", rule: qNameRule},
		{name: "[7] QName, no prefix", doc: "<:a/>", rule: nameRule},
		{name: "[7] QName, no local part", doc: "<p: xmlns:p='u'/>", rule: nameRule},
		{name: "[7] QName, local part begins with a digit", doc: "<p:1 xmlns:p='u'/>", rule: nameRule},
		{name: "[2] PrefixedAttName, no prefix", doc: "<a xmlns:='u'/>", rule: nameRule},
		{name: "[3] DefaultAttName, longer name is an attribute", doc: "<a xmlnsp='u'/>", want: "u"},
	}
}
