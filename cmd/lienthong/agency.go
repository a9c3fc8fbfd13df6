package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/edxml/organ"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/hub"
)

// agencyPath answers questions about the agencies of a hub.
const agencyPath = "/upkeep/agency"

// agencyQuestion is what is asked, or done, about agencies.
type agencyQuestion struct {
	Verb   string       `json:"verb"`
	ID     string       `json:"id,omitempty"`
	To     string       `json:"to,omitempty"`
	Note   string       `json:"note,omitempty"`
	Digest string       `json:"digest,omitempty"` // the beginning of a token's or the whole of a certificate's
	Remove bool         `json:"remove,omitempty"`
	All    []hub.Agency `json:"all,omitempty"`
}

// agencyAnswer is what came of it.
type agencyAnswer struct {
	Agencies  []agencyShown    `json:"agencies,omitempty"`
	Mailboxes []hub.Mailbox    `json:"mailboxes,omitempty"`
	Waiting   []*node.Transfer `json:"waiting,omitempty"`
	Secret    string           `json:"secret,omitempty"` // a new token or VXP secret, shown this once
	Added     int              `json:"added,omitempty"`
	Existed   int              `json:"existed,omitempty"`
	Upstream  *upstreamShown   `json:"upstream,omitempty"` // of a report, where there is an axis above
}

// upstreamShown is the directory of the axis above: whom documents may go to
// beside those that are hosted here.
type upstreamShown struct {
	Organs int       `json:"organs"`
	At     time.Time `json:"at,omitzero"` // when the axis gave it
}

// agencyShown is an agency without its secrets.
type agencyShown struct {
	hub.Agency
	Tokens []tokenShown `json:"tokens,omitempty"`
	Secret bool         `json:"vxp"` // it has a VXP secret
}

// tokenShown names a token by the beginning of its digest.
type tokenShown struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Note    string    `json:"note,omitempty"`
}

func shownAgency(a *hub.Agency) agencyShown {
	s := agencyShown{Agency: *a, Secret: len(a.Secret) > 0}
	s.Agency.Tokens, s.Agency.Secret = nil, nil
	for _, t := range a.Tokens {
		s.Tokens = append(s.Tokens, tokenShown{t.SHA256[:8], t.Created, t.Note})
	}
	return s
}

// agencyRoute adds the path to the routes behind the node's socket.
func agencyRoute(h *hub.Hub, routes http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", routes)
	mux.HandleFunc("POST "+agencyPath, func(w http.ResponseWriter, r *http.Request) {
		respond(w, r, func(q agencyQuestion) (any, error) { return answerAgency(r.Context(), h, q) })
	})
	return mux
}

// answerAgency does what is asked.
func answerAgency(ctx context.Context, h *hub.Hub, q agencyQuestion) (a agencyAnswer, err error) {
	change := func(do func(*hub.Agency) error) {
		var changed *hub.Agency
		if changed, err = h.Change(ctx, q.ID, do); err == nil {
			a.Agencies = []agencyShown{shownAgency(changed)}
		}
	}
	switch q.Verb {
	case "list":
		var all []*hub.Agency
		all, err = h.Agencies(ctx)
		for _, x := range all {
			if q.ID == "" || q.ID == x.OrganID {
				a.Agencies = append(a.Agencies, shownAgency(x))
			}
		}
		if err == nil && q.ID != "" && len(a.Agencies) == 0 {
			err = fmt.Errorf("%w: %s", hub.ErrNotHosted, q.ID)
		}
	case "add":
		for _, x := range q.All {
			switch err := h.Add(ctx, x); {
			case errors.Is(err, hub.ErrHosted) && len(q.All) > 1:
				a.Existed++
			case err != nil:
				return a, err
			default:
				a.Added++
			}
		}
	case "token":
		if q.Digest == "" {
			var t edxml.Secret
			t, err = h.NewToken(ctx, q.ID, q.Note)
			a.Secret = string(t)
			break
		}
		change(func(x *hub.Agency) error { return revoke(x, q.Digest) })
	case "secret":
		secret, sealed := hub.NewSecret(), []byte(nil)
		if !q.Remove {
			if sealed, err = h.Seal(q.ID, secret); err != nil {
				return a, err
			}
			a.Secret = string(secret)
		}
		change(func(x *hub.Agency) error { x.Secret = sealed; return nil })
	case "cert":
		change(func(x *hub.Agency) error {
			x.Certs = slices.DeleteFunc(x.Certs, func(c string) bool { return c == q.Digest })
			if !q.Remove {
				x.Certs = append(x.Certs, q.Digest)
			}
			return nil
		})
	case "close":
		change(func(x *hub.Agency) error { x.Closed = time.Now().UTC().Truncate(time.Second); return nil })
	case "open":
		change(func(x *hub.Agency) error { x.Closed, x.MovedTo = time.Time{}, ""; return nil })
	case "move":
		err = h.Move(ctx, q.ID, q.To)
	case "mailbox":
		a.Waiting, err = h.Waiting(ctx, q.ID, "", 1000)
		for i, t := range a.Waiting {
			a.Waiting[i] = t.Public()
		}
	case "report":
		if a.Mailboxes, err = h.Mailboxes(ctx); err == nil {
			a.Upstream, err = upstreamOf(ctx, h)
		}
	default:
		err = fmt.Errorf("hub: there is no %q", q.Verb)
	}
	return a, err
}

// upstreamOf tells what is known of the axis above a hub, nil where there is none.
func upstreamOf(ctx context.Context, h *hub.Hub) (*upstreamShown, error) {
	d, err := h.Upstream(ctx)
	if err != nil || d == nil {
		return nil, err
	}
	return &upstreamShown{d.Len(), d.At}, nil
}

// revoke takes a token from an agency, by the beginning of its digest.
func revoke(a *hub.Agency, digest string) error {
	found := slices.IndexFunc(a.Tokens, func(t hub.Token) bool { return strings.HasPrefix(t.SHA256, digest) })
	if found < 0 || len(digest) < 8 {
		return told{exitNotFound, edxml.Text{
			VI: a.OrganID + " không có token " + digest, EN: a.OrganID + " has no token " + digest,
		}, edxml.Text{VI: "lienthong agency list " + a.OrganID + " liệt kê các token", EN: "lienthong agency list " + a.OrganID + " lists its tokens"}}
	}
	a.Tokens = slices.Delete(a.Tokens, found, found+1)
	return nil
}

// askAgency asks the running node, else opens its store.
func (p *program) askAgency(c *cli.Context, q agencyQuestion) (a agencyAnswer, err error) {
	k, _, end, err := p.openKeeper(c, false) // agencies may be entered before the node runs for the first time
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, end()) }()
	if remote, ok := k.(remoteKeeper); ok {
		return a, remote.ask(c.Context, agencyPath, q, &a)
	}
	cfg, err := readConfig(c.String("config"))
	if err != nil {
		return a, err
	}
	h, err := cfg.hub(k.(localKeeper).node)
	if err != nil {
		return a, err
	}
	return answerAgency(c.Context, h, q)
}

func (p *program) agencyCommand() *cli.Command {
	id := p.say("MÃ", "ID")
	command := func(name, args, vi, en string, action cli.ActionFunc, flags ...cli.Flag) *cli.Command {
		return &cli.Command{Name: name, ArgsUsage: args, Usage: p.say(vi, en), Flags: append([]cli.Flag{p.configFlag(), p.jsonFlag()}, flags...), Action: action}
	}
	remove := func(vi, en string) cli.Flag { return &cli.BoolFlag{Name: "remove", Usage: p.say(vi, en)} }
	return &cli.Command{
		Name: "agency", Usage: p.say("các cơ quan có hộp thư trên trục này", "the agencies that have their mailbox on this hub"),
		Subcommands: []*cli.Command{
			command("import", p.say("TỆP", "FILE"), "thêm các cơ quan từ tệp CSV (cột OrganId, OrganName, …)", "add agencies from a CSV file (columns OrganId, OrganName, …)", p.agencyImport,
				&cli.BoolFlag{Name: "dry-run", Usage: p.say("chỉ xem, không thêm", "only look, add nothing")}),
			command("add", id, "thêm một cơ quan", "add an agency", p.agencyAdd,
				&cli.StringFlag{Name: "name", Usage: p.say("tên; mặc định theo danh mục", "its name; by default that of the register")},
				&cli.StringFlag{Name: "speaks", Usage: p.say("các mã nó gửi và nhận thay, cách nhau bằng dấu phẩy", "identifiers it sends and collects for, separated by commas")}),
			command("list", "["+id+"]", "liệt kê các cơ quan", "list the agencies", p.agencyList),
			command("token", id, "tạo token mới, hiện một lần; hoặc thu hồi", "make a new token, shown once; or revoke one", p.agencyToken,
				&cli.StringFlag{Name: "note", Usage: p.say("token dùng ở đâu", "where the token is used")},
				&cli.StringFlag{Name: "revoke", Usage: p.say("mã ngắn của token cần thu hồi", "short id of the token to revoke")}),
			command("secret", id, "tạo khóa VXP mới, hiện một lần", "make a new VXP secret, shown once", p.agencySecret, remove("bỏ khóa VXP", "take its VXP secret away")),
			command("cert", id+" "+p.say("TỆP", "FILE"), "đăng ký chứng thư máy khách (mTLS)", "register a client certificate (mTLS)", p.agencyCert, remove("bỏ chứng thư này", "take this certificate away")),
			command("close", id, "đóng: không gửi, không nhận thêm", "close it: it sends and gets nothing new", p.agencyVerb("close")),
			command("open", id, "mở lại", "open it again", p.agencyVerb("open")),
			command("move", id+" "+p.say("MÃ_MỚI", "NEW_ID"), "chuyển hộp thư cùng thư đang chờ sang cơ quan khác (sáp nhập, đổi mã)", "give its mailbox, and what waits there, to another agency (merged, renumbered)", p.agencyMove),
			command("merge", id+" "+p.say("MÃ_MỚI", "NEW_ID"), "như move", "the same as move", p.agencyMove),
			command("mailbox", id, "xem văn bản đang chờ trong hộp thư", "what waits in a mailbox", p.agencyMailbox),
			command("report", "", "mỗi cơ quan đã nhận bao nhiêu, còn chờ bao nhiêu", "how much each agency got, and how much waits", p.agencyReport,
				&cli.IntFlag{Name: "idle", Usage: p.say("chỉ các cơ quan để văn bản chờ quá số ngày này", "only agencies that let documents wait for more than so many days")}),
		},
	}
}

func (p *program) agencyImport(c *cli.Context) error {
	name, err := argument(c, "tệp CSV", "the CSV file")
	if err != nil {
		return err
	}
	f, err := p.input(name)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := hub.ReadAgencies(f)
	if err != nil {
		return fileError{name, err}
	}
	q := agencyQuestion{Verb: "add"}
	skipped := 0
	for _, r := range rows {
		if r.Skip != "" {
			skipped++
			p.talk("%s:%d: bỏ qua %s: %s", "%s:%d: skipped %s: %s", name, r.Line, clean(r.Agency.OrganID), r.Skip)
			continue
		}
		q.All = append(q.All, r.Agency)
	}
	var a agencyAnswer
	if !c.Bool("dry-run") {
		for batch := range slices.Chunk(q.All, 500) { // a question fits into 1 MiB
			b, err := p.askAgency(c, agencyQuestion{Verb: "add", All: batch})
			if err != nil {
				return err
			}
			a.Added, a.Existed = a.Added+b.Added, a.Existed+b.Existed
		}
	}
	if c.Bool("json") {
		return p.printJSON(map[string]int{"lines": len(rows), "skipped": skipped, "added": a.Added, "existed": a.Existed})
	}
	p.talk("%d dòng: thêm %d, đã có %d, bỏ qua %d", "%d lines: %d added, %d were there, %d skipped", len(rows), a.Added, a.Existed, skipped)
	return nil
}

func (p *program) agencyAdd(c *cli.Context) error {
	text, err := argument(c, "mã định danh", "the identifier")
	if err != nil {
		return err
	}
	id, err := organ.Parse(text)
	if err != nil {
		return usageError{edxml.Text{VI: "mã định danh sai: " + err.Error(), EN: "wrong identifier: " + err.Error()}, c.Command.HelpName}
	}
	a := hub.Agency{Organ: edxml.Organ{OrganID: string(id), OrganName: c.String("name")}}
	if a.OrganName == "" {
		a.OrganName = organName(string(id))
	}
	for _, s := range strings.Split(c.String("speaks"), ",") {
		if s = strings.TrimSpace(s); s != "" {
			a.Speaks = append(a.Speaks, s)
		}
	}
	if _, err := p.askAgency(c, agencyQuestion{Verb: "add", All: []hub.Agency{a}}); err != nil {
		return err
	}
	if c.Bool("json") {
		return p.printJSON(shownAgency(&a))
	}
	p.talk("đã thêm %s (%s); tạo token: lienthong agency token %[1]s", "added %s (%s); make it a token: lienthong agency token %[1]s", a.OrganID, clean(a.OrganName))
	return nil
}

func (p *program) agencyList(c *cli.Context) error {
	q := agencyQuestion{Verb: "list"}
	if c.NArg() > 0 {
		id, err := argument(c, "mã định danh", "the identifier")
		if err != nil {
			return err
		}
		q.ID = id
	}
	a, err := p.askAgency(c, q)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return p.printJSON(a)
	}
	w := tabwriter.NewWriter(p.out, 0, 8, 2, ' ', 0)
	for _, x := range a.Agencies {
		state := p.say("mở", "open")
		if !x.Closed.IsZero() {
			state = p.say("đóng ", "closed ") + x.Closed.In(edxml.Vietnam).Format(time.DateOnly)
		}
		if x.MovedTo != "" {
			state += " → " + x.MovedTo
		}
		var keys []string
		for _, t := range x.Tokens {
			keys = append(keys, strings.TrimSpace(t.ID+" "+t.Note))
		}
		if x.Secret {
			keys = append(keys, "VXP")
		}
		if n := len(x.Certs); n > 0 {
			keys = append(keys, fmt.Sprintf("%d × TLS", n))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", x.OrganID, state, strings.Join(keys, ", "), clean(x.OrganName))
	}
	return w.Flush()
}

func (p *program) agencyToken(c *cli.Context) error {
	return p.agencySecretOf(c, agencyQuestion{Verb: "token", Note: c.String("note"), Digest: c.String("revoke")})
}

func (p *program) agencySecret(c *cli.Context) error {
	return p.agencySecretOf(c, agencyQuestion{Verb: "secret", Remove: c.Bool("remove")})
}

// agencySecretOf makes something that is shown this once, or takes it away.
func (p *program) agencySecretOf(c *cli.Context, q agencyQuestion) error {
	id, err := argument(c, "mã định danh", "the identifier")
	if err != nil {
		return err
	}
	q.ID = id
	a, err := p.askAgency(c, q)
	switch {
	case err != nil:
		return err
	case c.Bool("json"):
		return p.printJSON(a)
	case a.Secret == "":
		p.talk("đã thu hồi", "revoked")
		return nil
	}
	fmt.Fprintln(p.out, a.Secret)
	p.talk("chỉ hiện một lần: giao cho %s qua kênh an toàn", "shown this once: hand it to %s over a safe channel", id)
	return nil
}

func (p *program) agencyCert(c *cli.Context) error {
	if c.NArg() != 2 {
		return usageError{edxml.Text{VI: "cần mã định danh và tệp chứng thư", EN: "the identifier and the certificate file are needed"}, c.Command.HelpName}
	}
	certs, err := readCertificates(c.Args().Get(1))
	if err != nil {
		return err
	}
	if len(certs) == 0 {
		return fileError{c.Args().Get(1), os.ErrInvalid}
	}
	digest := hub.Fingerprint(certs[0].Certificate)
	if _, err := p.askAgency(c, agencyQuestion{Verb: "cert", ID: c.Args().First(), Digest: digest, Remove: c.Bool("remove")}); err != nil {
		return err
	}
	raw, _ := hex.DecodeString(digest)
	fmt.Fprintf(p.out, "sha256 %x\n", raw)
	return nil
}

func (p *program) agencyVerb(verb string) cli.ActionFunc {
	return func(c *cli.Context) error {
		id, err := argument(c, "mã định danh", "the identifier")
		if err != nil {
			return err
		}
		a, err := p.askAgency(c, agencyQuestion{Verb: verb, ID: id})
		if err == nil && c.Bool("json") {
			return p.printJSON(a)
		}
		return err
	}
}

func (p *program) agencyMove(c *cli.Context) error {
	if c.NArg() != 2 {
		return usageError{edxml.Text{VI: "cần mã cũ và mã mới", EN: "the old and the new identifier are needed"}, c.Command.HelpName}
	}
	from, to := c.Args().Get(0), c.Args().Get(1)
	if _, err := p.askAgency(c, agencyQuestion{Verb: "move", ID: from, To: to}); err != nil {
		return err
	}
	p.talk("%s đã đóng; thư của nó, cả thư đang chờ, nay ở %s", "%s is closed; its mail, what waits included, is now with %s", from, to)
	return nil
}

func (p *program) agencyMailbox(c *cli.Context) error {
	id, err := argument(c, "mã định danh", "the identifier")
	if err != nil {
		return err
	}
	a, err := p.askAgency(c, agencyQuestion{Verb: "mailbox", ID: id})
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return p.printJSON(a)
	}
	w := tabwriter.NewWriter(p.out, 0, 8, 2, ' ', 0)
	for _, t := range a.Waiting {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", t.AxisID, t.Created.In(edxml.Vietnam).Format("02/01/2006 15:04"), clean(t.From), clean(t.Code), clean(t.Subject))
	}
	return w.Flush()
}

func (p *program) agencyReport(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	a, err := p.askAgency(c, agencyQuestion{Verb: "report"})
	if err != nil {
		return err
	}
	now := time.Now()
	if days := c.Int("idle"); c.IsSet("idle") {
		a.Mailboxes = slices.DeleteFunc(a.Mailboxes, func(m hub.Mailbox) bool { return m.Idle(now) <= time.Duration(days)*24*time.Hour })
	}
	if c.Bool("json") {
		return p.printJSON(a)
	}
	w := tabwriter.NewWriter(p.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, p.say("mã\tđã nhận\tđang chờ\tchờ lâu nhất\ttên", "id\tcollected\twaiting\tthe oldest since\tname"))
	for _, m := range a.Mailboxes {
		oldest := "–"
		if !m.Oldest.IsZero() {
			oldest = m.Oldest.In(edxml.Vietnam).Format("02/01/2006 15:04")
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\n", m.OrganID, m.Documents-m.Waiting, m.Waiting, oldest, clean(m.OrganName))
	}
	switch u := a.Upstream; {
	case u == nil:
	case u.Organs == 0:
		p.talk("trục trên chưa cho danh bạ: nơi nhận lạ vẫn được chuyển lên", "the axis above has given no directory yet: receivers that are not known here go up all the same")
	default:
		p.talk("danh bạ trục trên: %d cơ quan, lúc %s", "directory of the axis above: %d organs, as of %s", u.Organs, u.At.In(edxml.Vietnam).Format("02/01/2006 15:04"))
	}
	return w.Flush()
}

// hubFault explains what a hub refuses.
func hubFault(err error) (told, bool) {
	switch {
	case errors.Is(err, hub.ErrNotHosted):
		return told{exitNotFound, with("cơ quan này không có hộp thư ở đây", "no such agency is hosted here", err), edxml.Text{
			VI: "lienthong agency list liệt kê; lienthong agency add thêm", EN: "lienthong agency list lists them; lienthong agency add adds one",
		}}, true
	case errors.Is(err, hub.ErrHosted):
		return told{exitFailed, with("cơ quan này đã có hộp thư ở đây", "the agency is hosted here already", err), edxml.Text{
			VI: "hai thế hệ mã của một cơ quan dùng chung một hộp thư", EN: "the two generations of an identifier share one mailbox",
		}}, true
	case errors.Is(err, hub.ErrNoKey):
		return told{exitFailed, with("chưa có khóa để mã hóa khóa VXP", "there is no key to encrypt VXP secrets with", err), edxml.Text{
			VI: "thêm key_file = \"hub.key\" vào mục [hub]; tệp được tạo lần đầu", EN: "write key_file = \"hub.key\" under [hub]; the file is made the first time",
		}}, true
	}
	return told{}, false
}
