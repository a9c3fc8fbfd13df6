package edoc

import (
	"net/http"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/soap"
)

// Answers are written by hand: the generated types drop what is false or
// empty, and an axis writes IsSuccess and ErrorList always.

const (
	success = `<edXML:Report><edXML:IsSuccess>true</edXML:IsSuccess><edXML:ErrorList/></edXML:Report>`
	failure = `<edXML:Report xmlns:edXML="` + edxml.NamespaceEDoc + `"><edXML:IsSuccess>false</edXML:IsSuccess>`
)

// report writes the Report of a refusal; without code and text its list is
// empty, which is how an axis refuses a wrong pair.
func report(f *transport.Fault) string {
	if f.Code == "" && f.Text == "" {
		return failure + `<edXML:ErrorList/></edXML:Report>`
	}
	return failure + `<edXML:ErrorList><edXML:Error>` + element("edXML:Code", f.Code) +
		element("edXML:Description", f.Text) + `</edXML:Error></edXML:ErrorList></edXML:Report>`
}

// response wraps the result of an operation.
func response(op, result string) string {
	return `<edXML:` + op + `Response xmlns:edXML="` + edxml.NamespaceEDoc + `">` + result + `</edXML:` + op + `Response>`
}

// answer sends the result of an operation.
func (c *call) answer(body string) {
	c.write(http.StatusOK, soap.ControlEnvelope("", body))
}
