package conform_test

import (
	"net/http/httptest"
	"testing"

	"github.com/lienthong/lienthong/transport/axistest"
	"github.com/lienthong/lienthong/transport/conform"
)

func TestAxis(t *testing.T) {
	axis := axistest.New(axistest.Options{Dir: t.TempDir(), Gentle: true})
	defer axis.Close()
	srv := httptest.NewServer(axis)
	defer srv.Close()
	report, err := conform.RunAxis(t.Context(), conform.Target{URL: srv.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Failed() {
		t.Errorf("%s %s: %s", r.ID, r.Expect.EN, r.Why.EN)
	}
	t.Log(len(report.Results))
}
