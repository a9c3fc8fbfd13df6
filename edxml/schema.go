package edxml

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/beevik/etree"
	"github.com/jacoelho/xsd"

	"github.com/lienthong/lienthong/wsdl"
)

// form is one of the three shapes that the published schemas state.
type form struct {
	file      string
	namespace string
	soap      bool // elements without a value are written, not left out
	engine    *xsd.Engine
	content   map[string]model // by the name of the parent
	spare     sync.Pool        // of *skeleton
}

// maxErrors bounds the errors of a schema for one packet.
const maxErrors = 200

// borrow takes what is needed to judge one packet, and keeps its memory for
// the next; back gives it back.
func (f *form) borrow() (k *skeleton, back func()) {
	k, ok := f.spare.Get().(*skeleton)
	if !ok {
		session, err := f.engine.NewSession(xsd.ValidateOptions{MaxErrors: maxErrors})
		if err != nil {
			panic(err) // of the options
		}
		k = &skeleton{form: f, session: session}
	}
	return k, func() {
		const most = 1 << 20 // a huge packet's memory is not kept
		if k.b.Cap() > most || cap(k.lines) > most/64 {
			return
		}
		clear(k.lines)
		clear(k.lacks)
		k.b.Reset()
		k.v, k.lines, k.lacks = nil, k.lines[:0], k.lacks[:0]
		f.spare.Put(k)
	}
}

// model is what may stand in an element.
type model struct {
	particles []particle
	free      bool // there is more than one order
}

// particle is a child that a schema allows.
type particle struct {
	name     string
	many     bool
	required bool
	inner    bool // it holds elements; its name may hold a value elsewhere
	want     Text // of a value
}

// forms compiles the published schemas, once for the program. The files are
// part of it, so an error is a fault of the build.
var forms = sync.OnceValues(func() (map[string]*form, error) {
	all := make(map[string]*form)
	for _, f := range []*form{
		{file: "edxml-qcvn102.xsd", namespace: NamespaceQCVN102},
		{file: "edxml-status.xsd", namespace: NamespaceQCVN102},
		{file: "edxml-soap.xsd", namespace: NamespaceEDoc, soap: true},
	} {
		if err := f.compile(); err != nil {
			return nil, fmt.Errorf("edxml: schema %s: %w", f.file, err)
		}
		all[f.file] = f
	}
	return all, nil
})

func (f *form) compile() error {
	g := grammar{defined: make(map[string]*etree.Element), content: make(map[string]model)}
	load := func(name string) (xsd.SchemaSource, error) {
		text, err := fs.ReadFile(wsdl.Files, name)
		if err != nil {
			return xsd.SchemaSource{}, err
		}
		return xsd.Bytes(name, text), g.read(text)
	}
	main, err := load(f.file)
	if err != nil {
		return err
	}
	main = main.WithResolver(xsd.ResolverFunc(func(_ context.Context, _, location string) (xsd.SchemaSource, error) {
		return load(location)
	}))
	if f.engine, err = xsd.Compile(context.Background(), main); err != nil {
		return err
	}
	for _, root := range []string{"edXML", "Envelope"} {
		if el := g.defined["element "+root]; el != nil {
			g.element(el)
		}
	}
	f.content = g.content
	return nil
}

// grammar reads from a schema what a validator does not tell: which children
// an element has, in which order, and what a value must look like.
type grammar struct {
	defined map[string]*etree.Element // "element Name", "complexType Name" …
	content map[string]model
}

func (g *grammar) read(text []byte) error {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(text); err != nil {
		return err
	}
	for _, el := range doc.Root().ChildElements() {
		if name := el.SelectAttrValue("name", ""); name != "" {
			g.defined[el.Tag+" "+name] = el
		}
	}
	return nil
}

// refer follows an attribute to what it names.
func (g *grammar) refer(el *etree.Element, attr, kind string) *etree.Element {
	_, local, prefixed := strings.Cut(el.SelectAttrValue(attr, ""), ":")
	if !prefixed {
		return nil
	}
	return g.defined[kind+" "+local]
}

// element notes the content of an element and of all below it.
func (g *grammar) element(el *etree.Element) {
	name := el.SelectAttrValue("name", "")
	body := g.complex(el)
	if _, known := g.content[name]; body == nil || known {
		return
	}
	list := &model{}
	var below []*etree.Element
	g.particles(body, true, list, &below)
	if len(list.particles) == 0 {
		return
	}
	g.content[name] = *list
	for _, b := range below {
		g.element(b)
	}
}

// complex returns the content of an element that holds elements, nil for one
// that holds a value.
func (g *grammar) complex(el *etree.Element) *etree.Element {
	if body := el.SelectElement("complexType"); body != nil {
		return body
	}
	return g.refer(el, "type", "complexType")
}

// particles adds the children that a group of a content model allows.
func (g *grammar) particles(group *etree.Element, required bool, to *model, below *[]*etree.Element) {
	for _, el := range group.ChildElements() {
		needed := required && el.SelectAttrValue("minOccurs", "1") != "0"
		switch el.Tag {
		case "sequence":
			g.particles(el, needed, to, below)
		case "group":
			if def := g.refer(el, "ref", "group"); def != nil {
				g.particles(def, needed, to, below)
			}
		case "choice":
			g.choice(el, needed, to, below)
		case "element":
			if def := g.refer(el, "ref", "element"); def != nil {
				el = def
			}
			name := el.SelectAttrValue("name", "")
			if !slices.ContainsFunc(to.particles, func(p particle) bool { return p.name == name }) {
				to.particles = append(to.particles, particle{name, el.SelectAttrValue("maxOccurs", "1") != "1", needed, g.complex(el) != nil, g.want(el)})
				*below = append(*below, el)
			}
		}
	}
}

// choice adds the children of all branches; needed are those that every branch
// needs.
func (g *grammar) choice(el *etree.Element, needed bool, to *model, below *[]*etree.Element) {
	count := make(map[string]int)
	branches := el.ChildElements()
	var all model
	for _, b := range branches {
		var one model
		g.particles(wrap(b), needed, &one, below)
		for _, p := range one.particles {
			if p.required {
				count[p.name]++
			}
			if !slices.ContainsFunc(all.particles, func(q particle) bool { return q.name == p.name }) {
				all.particles = append(all.particles, p)
			}
		}
	}
	for _, p := range all.particles {
		p.required = count[p.name] == len(branches)
		to.free = to.free || p.required
		to.particles = append(to.particles, p)
	}
}

// wrap puts a branch of a choice into a group of its own.
func wrap(branch *etree.Element) *etree.Element {
	group := etree.NewElement("group")
	group.AddChild(branch.Copy())
	return group
}

// want says what a value of this element must look like.
func (g *grammar) want(el *etree.Element) Text {
	var list []Text
	var values []string
	add := func(vi, en string) { list = append(list, Text{vi, en}) }
	for typ := el; typ != nil; {
		base := typ.SelectAttrValue("type", "")
		simple := typ.SelectElement("simpleType")
		if simple == nil && base != "" {
			simple = g.refer(typ, "type", "simpleType")
		}
		if simple == nil {
			builtin(strings.TrimPrefix(base, "xs:"), add)
			break
		}
		switch simple.SelectAttrValue("name", "") {
		case "Day", "OptionalDay":
			return Text{"ngày có thật, dạng yyyy/MM/dd", "a real day, yyyy/MM/dd"}
		case "Instant":
			return Text{"thời điểm dạng yyyy/MM/dd HH:mm:ss", "a moment, yyyy/MM/dd HH:mm:ss"}
		case "Integer":
			return Text{"số nguyên, không có khoảng trắng", "an integer, without white space"}
		}
		rule := simple.SelectElement("restriction")
		for _, facet := range rule.ChildElements() {
			v := facet.SelectAttrValue("value", "")
			switch facet.Tag {
			case "minLength":
				add("không để trống", "not empty")
			case "maxLength":
				add("tối đa "+v+" ký tự", "at most "+v+" characters")
			case "minInclusive":
				add("từ "+v, "from "+v)
			case "maxInclusive":
				add("đến "+v, "to "+v)
			case "enumeration":
				values = append(values, v)
			case "pattern":
				add("theo mẫu "+v, "of the pattern "+v)
			}
		}
		typ = etree.NewElement("element")
		typ.CreateAttr("type", rule.SelectAttrValue("base", ""))
	}
	if len(values) > 0 {
		add("một trong "+strings.Join(values, ", "), "one of "+strings.Join(values, ", "))
	}
	var vi, en []string
	for _, t := range list {
		vi, en = append(vi, t.VI), append(en, t.EN)
	}
	return Text{strings.Join(vi, ", "), strings.Join(en, ", ")}
}

// builtin says what a type of XML Schema itself wants.
func builtin(name string, add func(vi, en string)) {
	switch name {
	case "int":
		add("số nguyên", "an integer")
	case "unsignedShort":
		add("số nguyên từ 0 đến 65535", "an integer from 0 to 65535")
	}
}
