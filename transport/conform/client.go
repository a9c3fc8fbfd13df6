package conform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// entry is a request in the journal of a test axis (package axistest).
type entry struct {
	Seq         int64     `json:"seq"`
	At          time.Time `json:"at"`
	Took        int64     `json:"took"`
	Wire        string    `json:"wire"`
	Operation   string    `json:"operation"`
	Organ       string    `json:"organ"`
	Outcome     string    `json:"outcome"`
	Text        string    `json:"text"`
	Temporary   bool      `json:"temporary"`
	Trouble     string    `json:"trouble"`
	Method      string    `json:"method"`
	Action      string    `json:"action"`
	ContentType string    `json:"contentType"`
	Status      int       `json:"status"`
	Number      string    `json:"number"`
	Listed      []string  `json:"listed"`
	Doubled     bool      `json:"doubled"`
	State       string    `json:"state"`
	Since       string    `json:"since"`
	Document    *struct {
		DocumentID string   `json:"documentId"`
		From       string   `json:"from"`
		To         []string `json:"to"`
		Digest     string   `json:"digest"`
		Signed     bool     `json:"signed"`
		Findings   []string `json:"findings"`
	} `json:"document"`
	Reported *struct {
		From       string `json:"from"`
		To         string `json:"to"`
		DocumentID string `json:"documentId"`
		StatusCode string `json:"statusCode"`
	} `json:"reported"`
}

// ok tells whether the axis did what it was asked, whatever became of the answer.
func (e *entry) ok() bool { return e.Outcome == "ok" }

// lost tells whether the client cannot know that.
func (e *entry) lost() bool { return slices.Contains([]string{"drop", "oversize", "page"}, e.Trouble) }

// collects tells whether a client got a packet.
func (e *entry) collects() bool {
	return e.ok() && !e.lost() && slices.Contains([]string{"GetDocument", "getEdoc", "downloadEdoc"}, e.Operation)
}

// confirms tells whether a client said that a packet is safe.
func (e *entry) confirms() bool {
	return e.Operation == "ConfirmReceived" || e.Operation == "updateStatus" && strings.EqualFold(e.State, "done")
}

// journal is what a client did.
type journal struct {
	entries []entry
}

// sends lists the tries to send, Document by Document, to a reserved receiver;
// "" is any.
func (j *journal) sends(receiver string) map[string][]entry {
	found := map[string][]entry{}
	for _, e := range j.entries {
		if e.Document == nil || receiver != "" && !slices.ContainsFunc(e.Document.To, func(to string) bool { return reserved(to, receiver) }) {
			continue
		}
		key := e.Document.From + " " + e.Document.DocumentID
		found[key] = append(found[key], e)
	}
	return found
}

// reserved tells whether an identifier is the reserved receiver X00.nn in one of
// its forms.
func reserved(id, receiver string) bool {
	return id == receiver || id == "000.00."+strings.TrimPrefix(receiver, "X00.")+".X00"
}

// ScoreClient reads the journal at the management door of a test axis and
// judges the client that spoke to the axis. Cases of a wire that nobody used
// are left out. The error is an [*UnreachableError] when there is no journal.
func ScoreClient(ctx context.Context, url string, client *http.Client) (*Report, error) {
	if client == nil {
		client = &http.Client{Timeout: 30 * time.Second}
	}
	j, err := readJournal(ctx, url, client)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, &UnreachableError{url, err}
	}
	report := &Report{Kind: "client", URL: url}
	for _, g := range ClientGroups() {
		for _, c := range g.Cases {
			if c.Wire != "" && !slices.ContainsFunc(j.entries, func(e entry) bool { return e.Wire == c.Wire }) {
				continue
			}
			r := Result{Case: c}
			began := time.Now()
			r.settle(c.score(j))
			r.Took = time.Since(began)
			report.Results = append(report.Results, r)
		}
	}
	return report, nil
}

// readJournal asks the management door.
func readJournal(ctx context.Context, url string, client *http.Client) (*journal, error) {
	url = strings.TrimSuffix(strings.TrimRight(url, "/"), "/journal") + "/journal"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	var doc struct {
		Entries *[]entry `json:"entries"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil || res.StatusCode != http.StatusOK || doc.Entries == nil {
		return nil, fmt.Errorf("%w: HTTP %d %s, no journal of a test axis (its management door is axis --test --admin ADDR)", ErrNoJournal, res.StatusCode, http.StatusText(res.StatusCode))
	}
	slices.SortStableFunc(*doc.Entries, func(a, b entry) int { return a.At.Compare(b.At) }) // they are filed when they end
	return &journal{*doc.Entries}, nil
}

// ErrNoJournal says that something answers which is no management door.
var ErrNoJournal = errors.New("what answers there is no management door")
