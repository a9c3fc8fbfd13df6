package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/rogpeppe/go-internal/testscript"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector starts a server that takes traces until the script ends. What it
// took it says, one span to a line.
func collector(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "collector NAME")
	c := &child{done: make(chan struct{})}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		data := &tracepb.TracesData{}
		if err == nil {
			err = proto.Unmarshal(body, data)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, of := range data.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				for _, s := range scope.Spans {
					line := fmt.Sprintf("%x %s", s.TraceId, s.Name)
					for _, a := range s.Attributes {
						line += " " + a.Key + "=" + a.Value.GetStringValue()
					}
					fmt.Fprintf(&c.errs, "%s %s authorization=%q\n", line, s.Status.GetMessage(), r.Header.Get("Authorization"))
				}
			}
		}
	}))
	ts.Defer(func() { srv.Close(); close(c.done) })
	ts.Value(started{}).(map[string]*child)[args[0]] = c
	ts.Setenv(args[0], srv.URL)
}
