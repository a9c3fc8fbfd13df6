package console

import (
	"errors"
	"net/http"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// What an operator may tell the sender of a Document, as verbs.
const (
	accept = node.Verb("accept")
	reject = node.Verb("reject")
	finish = node.Verb("finish")
)

// report is a button that sends a Status back.
type report struct {
	Verb node.Verb
	Code edxml.StatusCode
}

// reports are they all, in the order of their buttons.
var reports = []report{{accept, edxml.StatusAccepted}, {reject, edxml.StatusRefused}, {finish, edxml.StatusDone}}

// needsReason reports whether a verb is not done without one.
func needsReason(v node.Verb) bool { return v == node.Cancel || v == reject }

// answerable reports whether its sender waits to hear what becomes of a
// Transfer: a recall is answered by the node itself.
func answerable(t *node.Transfer) bool {
	return t.Direction == node.In && t.Kind != edxml.KindStatus && t.DocType != edxml.Recall && t.Withdrawn == nil
}

// reportable are the buttons that a page has now.
func (c *Console) reportable(t *node.Transfer) []report {
	var now []report
	for _, r := range reports {
		if c.node.MayReport(t, r.Code) == nil {
			now = append(now, r)
		}
	}
	return now
}

// report tells the sender of a Document what becomes of it here. That somebody
// asked for it is filed first, so that no Status leaves without a name behind it.
func (c *Console) report(r report) page {
	return func(x *exchange) error {
		by, err := c.by(x, r.Verb)
		if err != nil {
			return err
		}
		if !answerable(x.transfer) {
			return &refusal{Status: http.StatusConflict, Code: "move", Why: edxml.Text{
				VI: "Văn bản này không trả lời bằng trạng thái được.", EN: "This document is not answered by a status."}}
		}
		if err := c.node.MayReport(x.transfer, r.Code); err != nil {
			return reportRefusal(err)
		}
		if _, err := c.node.Record(x.Context(), string(r.Verb), x.transfer.ID, by); err != nil {
			return err
		}
		if _, err := c.node.Report(x.Context(), x.transfer.ID, r.Code, by.Reason, nil); err != nil {
			return reportRefusal(err)
		}
		return done(x, r.Verb)
	}
}

// reportRefusal says why a Status cannot be sent now.
func reportRefusal(err error) error {
	var order *node.StatusOrderError
	switch {
	case errors.Is(err, node.ErrNotFound):
		return &refusal{Status: http.StatusConflict, Code: "move", err: err, Why: edxml.Text{
			VI: "Văn bản chưa được nhận xong, hoặc không còn ở đây.", EN: "The document has not come in whole yet, or is not here any more."}}
	case !errors.As(err, &order):
		return err
	case order.After == "":
		return &refusal{Status: http.StatusConflict, Code: "status-order", err: err, Why: edxml.Text{
			VI: "Chưa báo được " + statusName(order.Code, "vi") + ": trước hết phải tiếp nhận (03).",
			EN: "Status " + statusName(order.Code, "en") + " cannot come first: accept it (03) before."}}
	}
	return &refusal{Status: http.StatusConflict, Code: "status-order", err: err, Why: edxml.Text{
		VI: "Đã báo " + statusName(order.After, "vi") + "; sau đó không báo " + statusName(order.Code, "vi") + " được.",
		EN: "Status " + statusName(order.After, "en") + " was reported; " + statusName(order.Code, "en") + " cannot follow it."}}
}
