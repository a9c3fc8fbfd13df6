package xmlscan

// The namespace names that Namespaces in XML §3 reserves.
const (
	xmlURI   = "http://www.w3.org/XML/1998/namespace"
	xmlnsURI = "http://www.w3.org/2000/xmlns/"
)

// namespaces holds the declarations in scope. A look-up costs the same however
// many there are.
type namespaces struct {
	latest map[string]int // prefix to its binding in stack
	stack  []scoped
	marks  []int // len(stack) at each open element
}

type scoped struct {
	Binding
	shadowed int // the binding of the same prefix this one hides, -1 if none
}

func newNamespaces() namespaces {
	n := namespaces{latest: make(map[string]int)}
	n.add(Binding{"xml", xmlURI})
	return n
}

func (n *namespaces) add(b Binding) {
	before, ok := n.latest[b.Prefix]
	if !ok {
		before = -1
	}
	n.latest[b.Prefix] = len(n.stack)
	n.stack = append(n.stack, scoped{b, before})
}

func (n *namespaces) push(bindings []Binding) {
	n.marks = append(n.marks, len(n.stack))
	for _, b := range bindings {
		n.add(b)
	}
}

func (n *namespaces) pop() {
	last := len(n.marks) - 1
	for i := len(n.stack) - 1; i >= n.marks[last]; i-- {
		if b := n.stack[i]; b.shadowed < 0 {
			delete(n.latest, b.Prefix)
		} else {
			n.latest[b.Prefix] = b.shadowed
		}
	}
	n.stack = n.stack[:n.marks[last]]
	n.marks = n.marks[:last]
}

func (n *namespaces) lookup(prefix string) (string, bool) {
	i, ok := n.latest[prefix]
	if !ok {
		return "", false
	}
	return n.stack[i].URI, true
}

// inScope returns the declarations in force, without those hidden or undone.
func (n *namespaces) inScope() []Binding {
	var all []Binding
	for i, b := range n.stack {
		if n.latest[b.Prefix] == i && b.URI != "" && b.Prefix != "xml" {
			all = append(all, b.Binding)
		}
	}
	return all
}

const reservedRule = "Namespaces §3, NSC: Reserved Prefixes and Namespace Names"

// forbidden says why a declaration is not allowed, or "".
func forbidden(b Binding) string {
	switch {
	case b.Prefix == "xmlns":
		return "the prefix xmlns cannot be declared"
	case b.Prefix == "xml" && b.URI != xmlURI:
		return "the prefix xml cannot be bound to another name"
	case b.Prefix != "xml" && b.URI == xmlURI:
		return "the namespace of xml cannot have another prefix"
	case b.URI == xmlnsURI:
		return "the namespace of xmlns cannot be declared"
	}
	return ""
}
