// Package edoc speaks the eight operations of a document axis over SOAP 1.1:
// SendDocument, GetPendingDocumentIds, GetDocument, ConfirmReceived,
// UpdateTraces, GetTraces, GetOrganizations and CheckPermission, as wsdl/edoc.wsdl
// states them.
//
// A [Client] calls an axis for one organ. What it sends are the bytes that were
// signed; the access token is put in on the way, into a header block of its own
// that no signature covers:
//
//	c := &edoc.Client{URL: "https://axis.example.vn/edoc", Organ: "000.00.00.G22", Token: token}
//	receipt, err := c.Send(ctx, packet)
//
// Every error of a Client is a [*transport.Fault]; its Temporary method is the
// one question a caller has to ask. [NewHandler] is the other end, over a
// [Backend] that keeps the documents.
//
// The Client takes what axes are known to answer: any MIME framing, names in
// any namespace, a Report where a list should be, base64 text in parts,
// M.Exist for what it sends again. The handler takes no more than this beside
// what wsdl/edoc.wsdl states: an envelope without MIME around it, SOAPAction in
// quotes or missing, request elements in any namespace, blocks and children in
// any order, the token as the .NET client sends it, cid: absent or doubled. The
// From of a packet or status must be an organ of the credential, a receiver is
// checked by the Backend, and neither hands on a token.
//
// Attachments pass through both ends as streams. The envelope is held in
// memory, bounded by [soap.Limits].
package edoc

import (
	"fmt"
	"strings"

	"github.com/lienthong/lienthong/edxml"
)

// The operations, named as SOAPAction names them.
const (
	opSend    = "SendDocument"
	opPending = "GetPendingDocumentIds"
	opFetch   = "GetDocument"
	opConfirm = "ConfirmReceived"
	opStatus  = "UpdateTraces"
	opTraces  = "GetTraces"
	opOrgans  = "GetOrganizations"
	opCheck   = "CheckPermission"
)

// The codes of refusals that a [Backend] or a caller of [Client] branches on.
// All but the last three are the BKAV axis's (public server code).
const (
	CodePermission      = "Permission"              // the credential may not do this, or not for this organ
	CodeExist           = "M.Exist"                 // the Document is here already; to a Client that is success
	CodeSave            = "M.SaveDocError"          // could not be stored; temporary
	CodeNotReceiver     = "M.GetDocumentCheckAllow" // the organ is no receiver of that Document
	CodeConfirm         = "M.ConfirmReceived"       // no such Document to confirm
	CodeStatusDocument  = "M.UpdateStatusDoc"       // the Document a Status is about is not known here
	CodeUnknownReceiver = "M.UnknownReceiver"       // ours: a receiver is no organ the axis knows; the text names it
	CodeOtherContent    = "M.OtherContent"          // ours: same DocumentId from the same organ, other content
	CodeBusy            = "M.Busy"                  // ours: too many calls or octets, or a full mailbox; temporary
	codeCursor          = "T.Cursor"                // ours: a cursor of GetTraces that is none
)

// partsHeader, with the value [partsBinary], asks for the parts of GetDocument
// as they are, and says in the answer that they are. Without it parts hold
// base64 text, as the BKAV axis gives them.
const (
	partsHeader = "Lienthong-Parts"
	partsBinary = "binary"
)

// cursorHeader asks for the statuses of GetTraces in pages, from a place in
// the list on: "0" is its beginning. The answer says with it where the next
// page begins; without it the page was the last. The list is that of TimeStamp,
// so that any page may be asked for again. Without the header, GetTraces
// answers in one piece.
const cursorHeader = "Lienthong-Cursor"

// markHeader stands in the last page of an axis that can go on from there: with
// it as the cursor, GetTraces gives what came later, and the moment does not
// count. What came just before may be in it again.
const markHeader = "Lienthong-Mark"

// say writes a text for the wire in both languages; the arguments serve both.
func say(text edxml.Text, args ...any) string {
	if len(args) == 0 {
		return text.VI + " / " + text.EN
	}
	return fmt.Sprintf(text.VI, args...) + " / " + fmt.Sprintf(text.EN, args...)
}

// clip shortens text from the wire to what an error or an answer may hold, at
// a line end where there is one: descriptions of some axes are stack traces.
func clip(text string) string {
	const most = 400
	text = strings.TrimSpace(text)
	if line, _, cut := strings.Cut(text, "\n"); cut {
		text = strings.TrimSpace(line) + " …"
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	return text
}
