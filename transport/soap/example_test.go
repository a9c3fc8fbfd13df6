package soap_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/lienthong/lienthong/transport/soap"
)

// A document with one file goes over HTTP: the sender names the parts, the receiver asks for them.
func Example() {
	axis := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(soap.Action(r.Header))
		msg, err := soap.Read(r.Header.Get("Content-Type"), r.Body, soap.Limits{Part: 50 << 20})
		if err != nil {
			fmt.Println(err)
			return
		}
		defer msg.Close()
		for {
			part, err := msg.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				fmt.Println(err)
				return
			}
			content, err := io.ReadAll(part.Content)
			fmt.Println(part.Root, part.ID, len(content), err)
		}
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		w.WriteHeader(http.StatusInternalServerError)
		soap.WriteFault(w, &soap.Fault{Code: "Client", String: "this axis is closed on Sundays"})
	}))
	defer axis.Close()

	content := func(text string) func() (io.ReadCloser, error) {
		return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
	}
	envelope := string(soap.ControlEnvelope("", "<Manifest/>"))
	body, err := soap.NewBody(
		soap.Part{ID: "root", Encoding: "8bit", Size: int64(len(envelope)), Open: content(envelope)},
		[]soap.Part{{ID: "f1@example.vn", Type: "application/pdf", Size: 8, Open: content("%PDF-1.7")}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	stream, _ := body.Open()
	req, _ := http.NewRequest(http.MethodPost, axis.URL, stream)
	req.Header.Set("SOAPAction", `"SendDocument"`)
	req.Header.Set("Content-Type", body.ContentType())
	req.ContentLength, req.GetBody = body.Size(), body.Open
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	fault, ok, err := soap.ParseFault(answer)
	fmt.Println(fault, ok, err)

	// Output:
	// SendDocument
	// true root 179 <nil>
	// false f1@example.vn 8 <nil>
	// soap: fault Client: this axis is closed on Sundays true <nil>
}

// A limit that is exceeded is named in the error.
func ExampleLimits() {
	msg, err := soap.Read("text/xml", strings.NewReader("<Envelope>…</Envelope>"), soap.Limits{Envelope: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer msg.Close()
	part, _ := msg.Next()
	_, err = io.ReadAll(part.Content)
	limit, ok := errors.AsType[*soap.LimitError](err)
	fmt.Println(ok, limit.Limit, limit.Max)
	// Output: true envelope 10
}
