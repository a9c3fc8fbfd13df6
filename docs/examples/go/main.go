// Command example is a client of a lienthong node, with the standard library
// alone:
//
//	example send HEADER.json FILE…   hand a document over, wait until it is sent
//	example receive FOLDER           take everything that waits, report 03 and 06
//
// LIENTHONG_API is the address of the node, LIENTHONG_TOKEN a token with the
// scopes submit, receive and read.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type transfer struct {
	ID      string `json:"id"`
	State   string `json:"state"`
	Subject string `json:"subject"`
	Parts   []struct {
		Name string `json:"name"`
	} `json:"parts"`
}

// problem is a refusal (RFC 9457).
type problem struct {
	Code    string            `json:"code"`
	Detail  string            `json:"detail"`
	Message map[string]string `json:"message"`
	Remedy  map[string]string `json:"remedy"`
}

func (p *problem) Error() string {
	return fmt.Sprintf("%s: %s %s\n  %s", p.Code, p.Message["vi"], p.Remedy["vi"], p.Detail)
}

func main() {
	var err error
	switch {
	case len(os.Args) > 2 && os.Args[1] == "send":
		err = send(os.Args[2], os.Args[3:])
	case len(os.Args) == 3 && os.Args[1] == "receive":
		err = receive(os.Args[2])
	default:
		fmt.Fprintln(os.Stderr, "example send HEADER.json FILE… | receive FOLDER")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// call makes a request and decodes the answer into into, or copies it into a writer.
func call(method, path string, body io.Reader, into any, header ...string) (int, error) {
	req, err := http.NewRequest(method, os.Getenv("LIENTHONG_API")+path, body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("LIENTHONG_TOKEN"))
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	switch w, copies := into.(io.Writer); {
	case resp.StatusCode >= 400:
		p := &problem{}
		if err := json.NewDecoder(resp.Body).Decode(p); err != nil {
			return resp.StatusCode, fmt.Errorf("%s %s: %s", method, path, resp.Status)
		}
		return resp.StatusCode, p
	case into == nil || resp.StatusCode == http.StatusNoContent:
		return resp.StatusCode, nil
	case copies:
		_, err = io.Copy(w, resp.Body)
		return resp.StatusCode, err
	}
	return resp.StatusCode, json.NewDecoder(resp.Body).Decode(into)
}

func send(header string, files []string) error {
	key, err := digest(append([]string{header}, files...))
	if err != nil {
		return err
	}
	// The form goes out as it is written: no file is ever whole in memory.
	body, in := io.Pipe()
	form := multipart.NewWriter(in)
	go func() { in.CloseWithError(write(form, header, files)) }()
	var accepted struct {
		Transfer transfer `json:"transfer"`
	}
	_, err = call("POST", "/v1/outbox", body, &accepted, "Content-Type", form.FormDataContentType(), "Idempotency-Key", key)
	if err != nil {
		return err
	}
	id := accepted.Transfer.ID
	fmt.Println("accepted", id)
	for {
		var t transfer
		if _, err := call("GET", "/v1/outbox/"+id, nil, &t); err != nil {
			return err
		}
		switch t.State {
		case "sent":
			fmt.Println("sent", id)
			return nil
		case "failed":
			var why map[string]string
			_, err := call("GET", "/v1/outbox/"+id+"/why", nil, &why)
			return fmt.Errorf("%s %w", why["vi"], err)
		}
		time.Sleep(time.Second)
	}
}

// digest makes the key of a document: after a lost answer the same document
// goes again under the same key.
func digest(files []string) (string, error) {
	sum := sha256.New()
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(sum, f)
		f.Close()
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// write writes the form: header first, then the files.
func write(form *multipart.Writer, header string, files []string) error {
	for i, file := range append([]string{header}, files...) {
		disposition := `form-data; name="header"`
		if i > 0 {
			name := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(filepath.Base(file))
			disposition = `form-data; name="file"; filename="` + name + `"`
		}
		part, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}})
		if err != nil {
			return err
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		_, err = io.Copy(part, f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return form.Close()
}

func receive(folder string) error {
	for {
		var taken struct {
			Lease    string   `json:"lease"`
			Transfer transfer `json:"transfer"`
		}
		status, err := call("POST", "/v1/inbox/lease", strings.NewReader(`{"seconds":300}`), &taken)
		if err != nil || status == http.StatusNoContent {
			return err
		}
		t := taken.Transfer
		if err := save(filepath.Join(folder, t.ID), t); err != nil {
			return err // the hold ends by itself, and somebody takes it anew
		}
		body, err := json.Marshal(map[string]string{"lease": taken.Lease})
		if err != nil {
			return err
		}
		if _, err := call("POST", "/v1/inbox/"+t.ID+"/done", bytes.NewReader(body), nil); err != nil {
			return err
		}
		for _, code := range []string{"03", "06"} {
			report := fmt.Sprintf(`{"code":%q,"staffInfo":{"staff":"Văn thư"}}`, code)
			if _, err := call("POST", "/v1/inbox/"+t.ID+"/status", strings.NewReader(report), nil); err != nil {
				return err
			}
		}
		fmt.Printf("received %s: %s\n", t.ID, t.Subject)
	}
}

// save writes the files of a document. Their names are what the sender wrote:
// never a path.
func save(folder string, t transfer) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	for i, part := range t.Parts {
		name := fmt.Sprintf("%d-%s", i+1, filepath.Base(strings.ReplaceAll(part.Name, `\`, "/")))
		f, err := os.Create(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		_, err = call("GET", fmt.Sprintf("/v1/inbox/%s/files/%d", t.ID, i), nil, f)
		if err := f.Close(); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
	return nil
}
