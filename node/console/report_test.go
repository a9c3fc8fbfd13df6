package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

// arrived is a Document that came from H41, whole.
func (h *house) arrived(number int, change func(*node.Transfer)) *node.Transfer {
	h.t.Helper()
	return h.document(node.In, node.Confirmed, number, func(t *node.Transfer) {
		t.From, t.FromName, t.Digest = "H41", "UBND tỉnh Nghệ An", "d"
		t.DocumentID = strings.Replace(t.DocumentID, "G22", "H41", 1)
		t.Receivers = []node.Receiver{{OrganID: "G22", OrganName: "Văn phòng Chính phủ"}}
		if change != nil {
			change(t)
		}
	})
}

// buttons are the verbs of the buttons of a page.
func buttons(body string) string {
	var all []string
	for _, b := range strings.Split(body, `<button formaction="`)[1:] {
		path, _, _ := strings.Cut(b, `"`)
		all = append(all, path[strings.LastIndex(path, "/")+1:])
	}
	return strings.Join(all, " ")
}

// TestReport: accept, reject and finish send a Status to the sender, once and
// in order, in the name of the token; a viewer has no such button.
func TestReport(t *testing.T) {
	h := openHouse(t, Options{})
	x, y := h.arrived(1, nil), h.arrived(2, nil)
	look := h.enter("lt_look")
	if _, body := look.get("/console/in/" + x.ID); buttons(body) != "" {
		t.Errorf("a viewer has %s", buttons(body))
	}
	proof := look.proof()
	for _, verb := range []string{"accept", "reject", "finish"} {
		if resp, _ := look.post("/console/in/"+x.ID+"/"+verb, url.Values{"proof": {proof}, "reason": {"x"}}); resp.StatusCode != http.StatusForbidden {
			t.Errorf("a viewer may %s: %s", verb, resp.Status)
		}
		h.refusedOnce(verb, "forbidden")
	}

	v := h.enter("lt_act")
	proof = v.proof()
	press := func(x *node.Transfer, verb, reason string, want int, code string) {
		t.Helper()
		h.forget()
		resp, body := v.post("/console/in/"+x.ID+"/"+verb, url.Values{"proof": {proof}, "reason": {reason}})
		if resp.StatusCode != want {
			t.Errorf("%s: %s, want %d\n%s", verb, resp.Status, want, body)
		}
		if code != "" {
			h.refusedOnce(verb, code)
		}
	}
	has := func(x *node.Transfer, want string, texts ...string) {
		t.Helper()
		_, body := v.get("/console/in/" + x.ID + "?done=accept")
		if got := strings.TrimSpace(strings.TrimSuffix(buttons(body), "export")); got != want {
			t.Errorf("the buttons are %q, want %q", got, want)
		}
		for _, text := range texts {
			if !strings.Contains(body, text) {
				t.Errorf("the page lacks %q:\n%s", text, body)
			}
		}
	}
	h.forget()
	if resp, _ := v.post("/console/in/"+x.ID+"/accept", url.Values{}); resp.StatusCode != http.StatusForbidden {
		t.Errorf("without a proof: %s", resp.Status)
	}
	h.refusedOnce("without a proof", "csrf")
	has(x, "accept reject")
	press(x, "finish", "", 409, "status-order")
	press(x, "reject", " ", 400, "reason")
	press(x, "accept", "đã vào sổ", 303, "")
	has(x, "finish", "Đã ghi nhận: Tiếp nhận (03)", "03 đã tiếp nhận", "token Làm: tiếp nhận, báo 03", "đã vào sổ")
	press(x, "accept", "", 409, "status-order")
	press(x, "reject", "thôi", 409, "status-order")
	press(x, "finish", "", 303, "")
	has(x, "", "Không còn gì để báo")
	press(y, "reject", "gửi nhầm <nơi>", 303, "")
	has(y, "", "02 từ chối", "gửi nhầm &lt;nơi&gt;")

	var out []string
	for _, s := range must(h.node.Store.List(t.Context(), node.Out, "", 10)) {
		out = append(out, string(s.Status.StatusCode)+" "+s.Status.ResponseFor.OrganID+" "+s.Status.ResponseFor.DocumentID+" "+s.Status.Description)
	}
	if want := "02 H41 H41,2026/03/02,2/VPCP-TH gửi nhầm <nơi>|06 H41 H41,2026/03/02,1/VPCP-TH |03 H41 H41,2026/03/02,1/VPCP-TH đã vào sổ"; strings.Join(out, "|") != want {
		t.Errorf("statuses %q, want %q", strings.Join(out, "|"), want)
	}
	var acts []string
	for _, id := range []string{x.ID, y.ID} {
		for _, a := range must(h.node.Store.Transfer(t.Context(), id)).Acts {
			acts = append(acts, a.Actor+" "+a.Action+" "+a.Reason)
		}
	}
	if want := "token Làm accept đã vào sổ|token Làm finish |token Làm reject gửi nhầm <nơi>"; strings.Join(acts, "|") != want {
		t.Errorf("acts %q, want %q", strings.Join(acts, "|"), want)
	}
	chains := must(h.node.Store.Chains(t.Context()))
	var rows strings.Builder
	for _, row := range must(h.node.Store.Journal(t.Context(), chains[0], 0, 100)) {
		rows.Write(row)
	}
	for _, verb := range []string{"accept", "reject", "finish"} {
		if strings.Count(rows.String(), `"action":"`+verb+`"`) != 1 {
			t.Errorf("the journal does not have %s once:\n%s", verb, rows.String())
		}
	}
}

// TestNothingToReport: there is no button where no Status can follow.
func TestNothingToReport(t *testing.T) {
	h := openHouse(t, Options{})
	v := h.enter("lt_act")
	proof := v.proof()
	for what, x := range map[string]*node.Transfer{
		"a recall":      h.arrived(1, func(t *node.Transfer) { t.DocType = edxml.Recall }),
		"not fetched":   h.arrived(2, func(t *node.Transfer) { t.State, t.Digest = node.Listed, "" }),
		"refused by us": h.arrived(3, func(t *node.Transfer) { t.State = node.Rejected }),
		"taken back":    h.arrived(4, func(t *node.Transfer) { t.State, t.Withdrawn = node.Sealed, &node.Act{Actor: "H41"} }),
	} {
		if _, body := v.get("/console/in/" + x.ID); strings.Contains(buttons(body), "accept") {
			t.Errorf("%s: %s", what, buttons(body))
		}
		h.forget()
		if resp, body := v.post("/console/in/"+x.ID+"/accept", url.Values{"proof": {proof}}); resp.StatusCode != http.StatusConflict || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%s: %s", what, resp.Status)
		}
		h.refusedOnce(what, "move")
		if now := must(h.node.Store.Transfer(t.Context(), x.ID)); len(now.Acts) > 0 {
			t.Errorf("%s: %+v", what, now.Acts)
		}
	}
	if resp, _ := v.post("/console/out/"+h.document(node.Out, node.Sent, 9, nil).ID+"/accept", url.Values{"proof": {proof}}); resp.StatusCode != http.StatusNotFound {
		t.Errorf("in the outbox: %s", resp.Status)
	}
}
