package edoc_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/transport"
	"github.com/lienthong/lienthong/transport/edoc"
)

// many is an axis with statuses that grow in number while they are read.
type many struct {
	fixed
	statuses *[]edxml.Status // oldest first
}

func (m many) Statuses(context.Context, string, time.Time) ([]edxml.Status, error) {
	var list []edxml.Status
	for i := len(*m.statuses) - 1; i >= 0; i-- {
		list = append(list, (*m.statuses)[i])
	}
	m.grow(1)
	return list, nil
}

func (m many) grow(n int) {
	for range n {
		s := fixedStatus
		s.Description = fmt.Sprint(len(*m.statuses))
		*m.statuses = append(*m.statuses, s)
	}
}

// TestPages reads a long list page by page, while it grows, and in one piece
// the old way.
func TestPages(t *testing.T) {
	for _, count := range []int{0, 1, 999, 1000, 1001, 2500} {
		m := many{fixed{t: t}, new([]edxml.Status)}
		m.grow(count)
		var calls int
		handler := edoc.NewHandler(m, edoc.HandlerOptions{})
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls++
			handler.ServeHTTP(w, r)
		}))
		got, err := client(t, srv.URL, ministry).Statuses(t.Context(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		pages := max((count+999)/1000, 1)
		if calls != pages || len(got) < count || len(got) > count+pages {
			t.Errorf("%d statuses in %d calls, want %d in %d", len(got), calls, count, pages)
		}
		for i, s := range got {
			if s.Description != fmt.Sprint(i) {
				t.Fatalf("of %d: status %d stands at %d", count, i, i)
			}
		}
		before := len(*m.statuses)
		res, body := post(t, srv.URL, "GetTraces", "text/xml", bare("", "<GetTraces><OrganId>H41</OrganId><Token>t</Token><TimeStamp>2026/01/01 00:00:00</TimeStamp></GetTraces>"))
		if n := strings.Count(body, "<edXML:Status>"); n != before || res.Header.Get("Lienthong-Cursor") != "" {
			t.Errorf("without a cursor: %d statuses of %d, cursor %q", n, before, res.Header.Get("Lienthong-Cursor"))
		}
		srv.Close()
	}
	srv := httptest.NewServer(edoc.NewHandler(fixed{t: t}, edoc.HandlerOptions{}))
	defer srv.Close()
	c := client(t, srv.URL, ministry)
	c.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		r.Header.Set("Lienthong-Cursor", "-1")
		return http.DefaultTransport.RoundTrip(r)
	})}
	_, err := c.Statuses(t.Context(), time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC))
	if f := refused(t, err, ""); f.Code != "T.Cursor" || f.Temporary() {
		t.Errorf("a cursor that is none: %v", err)
	}
}

// TestManyPages: a client that does not follow says that there is more than it
// gathered.
func TestManyPages(t *testing.T) {
	m := many{fixed{t: t}, new([]edxml.Status)}
	m.grow(transport.MostStatuses + 1)
	srv := httptest.NewServer(edoc.NewHandler(m, edoc.HandlerOptions{}))
	defer srv.Close()
	got, err := client(t, srv.URL, ministry).Statuses(t.Context(), time.Now())
	if len(got) != transport.MostStatuses || !errors.Is(err, transport.ErrMore) {
		t.Errorf("%d statuses, error %v", len(got), err)
	}
}

// following is an axis with statuses that knows in which order they came; its
// cursors are "c" and a number.
type following struct {
	many
	asked *[]string
	other *bool // it has become another axis
}

func (a following) StatusesFrom(_ context.Context, _ string, _ time.Time, cursor string, most int) (list []edxml.Status, next, mark string, err error) {
	*a.asked = append(*a.asked, cursor)
	from := 0
	if _, err := fmt.Sscanf(cursor, "c%d", &from); cursor != "0" && (err != nil || *a.other) {
		return nil, "", "", edoc.ErrCursor
	}
	*a.other = false
	all := *a.statuses
	end := min(from+most, len(all))
	for i := end - 1; i >= from; i-- {
		list = append(list, all[i])
	}
	if end < len(all) {
		return list, fmt.Sprintf("c%d", end), "", nil
	}
	return list, "", fmt.Sprintf("c%d", end), nil
}

// TestFollowing reads what came later only, page by page, and all of it from an
// axis that does not know the cursor.
func TestFollowing(t *testing.T) {
	a := following{many{fixed{t: t}, new([]edxml.Status)}, new([]string), new(bool)}
	srv := httptest.NewServer(edoc.NewHandler(a, edoc.HandlerOptions{}))
	defer srv.Close()
	c := client(t, srv.URL, ministry)
	c.Follow = true
	since := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	for i, look := range []struct {
		come  int
		other bool
		moved time.Duration
		want  int
		asked string
	}{
		{come: 1500, want: 1500, asked: "[0 c1000]"},
		{come: 2, moved: time.Second, want: 2, asked: "[c1500]"},
		{come: 1, want: 3, asked: "[c1500]"}, // not applied
		{moved: time.Second, want: 0, asked: "[c1503]"},
		{other: true, moved: time.Second, want: 1503, asked: "[c1503 0 c1000]"},
	} {
		a.grow(look.come)
		*a.other, *a.asked = look.other, nil
		since = since.Add(look.moved)
		got, err := c.Statuses(t.Context(), since)
		if err != nil {
			t.Fatal(err)
		}
		if asked := fmt.Sprint(*a.asked); len(got) != look.want || asked != look.asked {
			t.Errorf("look %d: %d statuses, asked from %s; want %d, %s", i, len(got), asked, look.want, look.asked)
		}
	}
	c.Follow = false
	if got, err := c.Statuses(t.Context(), since); err != nil || len(got) != 1503 {
		t.Errorf("a client that does not follow: %d statuses, error %v", len(got), err)
	}
}
