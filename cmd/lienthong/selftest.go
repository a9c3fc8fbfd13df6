package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/failpoint"
)

func (p *program) selftestCommand() *cli.Command {
	return &cli.Command{
		Name:  "selftest",
		Usage: p.say("tự chứng minh: giết nút nhiều lần, không mất và không trùng văn bản nào", "prove it here: kill the node again and again, and lose or double nothing"),
		Description: p.say(
			"Hai nút và một trục thử cư xử xấu, đều là chính chương trình này, trong một thư mục tạm. Mỗi vòng một nút\nbị kill -9, lần lượt tại từng điểm có tên và tại lúc ngẫu nhiên, rồi khởi động lại. Không đụng tới nút nào đang chạy.",
			"Two nodes and a test axis with bad manners, all of them this program, in a folder of their own. In each\nround a node is killed with -9, at each named point in turn and at random, and started again. No node that runs\nelsewhere is touched."),
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "kill", Value: 200, Usage: p.say("số vòng, ít nhất là số điểm có tên", "number of rounds, at least as many as there are named points")},
			&cli.Uint64Flag{Name: "seed", Usage: p.say("hạt giống của văn bản, lỗi và thời điểm; 0 để máy tự chọn", "seed of documents, bad manners and moments; 0 for any")},
			&cli.StringFlag{Name: "dir", Usage: p.say("thư mục làm việc, mới hoặc rỗng, được giữ lại; mặc định là thư mục tạm, được xóa", "folder to work in, new or empty, which stays; by default a temporary one, which is removed")},
			p.jsonFlag(),
		},
		Action: p.selftest,
	}
}

// sceneRounds is how many rounds are played with the same nodes. Then all is
// checked, and others begin: an axis that repeats the statuses of a thousand
// rounds at every look would be what is measured.
const sceneRounds = 100

// rehearsed is what selftest --json prints.
type rehearsed struct {
	OK         bool                    `json:"ok"`
	Rounds     int                     `json:"rounds"`
	Documents  int                     `json:"documents"`  // that a node accepted, recalls among them
	Statuses   int                     `json:"statuses"`   // that the receiver reported
	Recalls    int                     `json:"recalls"`    // among the documents
	Lost       int                     `json:"lost"`       // documents, statuses and recalls that did not get where they belong
	Duplicated int                     `json:"duplicated"` // documents that were delivered more than once
	Orphans    int                     `json:"orphans"`    // contents that nothing needs, after fsck --repair
	Swept      int64                   `json:"swept"`      // those that fsck --repair removed
	Random     int                     `json:"random"`     // rounds at a random moment
	Points     map[failpoint.Point]int `json:"points"`     // how often a node was killed there
	Faults     []string                `json:"faults"`     // what went wrong, in words
	Seed       uint64                  `json:"seed"`
	Seconds    float64                 `json:"seconds"`
}

// rehearsal is one selftest.
type rehearsal struct {
	*program
	exe    string
	dir    string
	goal   int // rounds
	rng    *rand.Rand
	began  time.Time
	report rehearsed
	next   map[string]int             // in the programme of each role
	armed  map[string]failpoint.Point // by role: where it is to be killed at next
}

// maxSaid is how many faults are put into words.
const maxSaid = 20

func (r *rehearsal) fault(format string, args ...any) {
	if len(r.report.Faults) < maxSaid {
		r.report.Faults = append(r.report.Faults, fmt.Sprintf(format, args...))
	}
}

func (p *program) selftest(c *cli.Context) (err error) {
	if err := noArgument(c); err != nil {
		return err
	}
	if least := len(failpoint.All()); c.Int("kill") < least {
		return usageError{edxml.Text{
			VI: fmt.Sprintf("--kill ít nhất là %d: mỗi điểm có tên một vòng", least), EN: fmt.Sprintf("--kill is at least %d: a round for each named point", least),
		}, c.Command.HelpName}
	}
	r := &rehearsal{program: p, goal: c.Int("kill"), began: time.Now(), next: map[string]int{}, armed: map[string]failpoint.Point{}, report: rehearsed{
		Points: map[failpoint.Point]int{}, Faults: []string{}, Seed: c.Uint64("seed"),
	}}
	for r.report.Seed == 0 {
		r.report.Seed = rand.Uint64() >> 1 // no JSON reader loses a digit of what a person types
	}
	r.rng = rand.New(rand.NewPCG(r.report.Seed, 1))
	for _, point := range failpoint.All() {
		r.report.Points[point] = 0
	}
	if r.exe, err = os.Executable(); err != nil {
		return err
	}
	remove, err := r.folder(c.String("dir"))
	if err != nil {
		return err
	}
	err = r.play(c.Context)
	if c.Context.Err() != nil {
		return errors.Join(told{exitFailed, edxml.Text{VI: "bị dừng giữa chừng", EN: "stopped before its end"}, edxml.Text{}}, remove())
	}
	if err != nil {
		return fmt.Errorf("%w (seed %d, %s)", err, r.report.Seed, r.dir)
	}
	return r.conclude(c.Bool("json"), remove)
}

// folder makes the folder to work in, and returns what removes it.
func (r *rehearsal) folder(asked string) (remove func() error, err error) {
	if asked == "" {
		r.dir, err = os.MkdirTemp("", "lienthong-selftest-")
		return func() error { return os.RemoveAll(r.dir) }, err
	}
	if r.dir, err = filepath.Abs(asked); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return nil, fileError{r.dir, errors.Unwrap(err)}
	}
	there, err := os.ReadDir(r.dir)
	if err == nil && len(there) > 0 {
		err = fileError{asked, told{exitUsage, edxml.Text{VI: "thư mục không rỗng", EN: "the folder is not empty"}, edxml.Text{}}}
	}
	return func() error { return nil }, err
}

// play plays scenes until there were enough rounds.
func (r *rehearsal) play(ctx context.Context) error {
	r.talk("diễn tập %d vòng, hạt giống %d, thư mục %s", "rehearsing %d rounds, seed %d, in %s", r.goal, r.report.Seed, r.dir)
	for number := 1; r.report.Rounds < r.goal; number++ {
		s, err := r.scene(filepath.Join(r.dir, fmt.Sprintf("s%d", number)))
		if err != nil {
			return err
		}
		err = s.play(ctx, min(r.report.Rounds+sceneRounds, r.goal))
		if err == nil {
			err = s.settle(ctx)
		}
		if err == nil {
			err = s.judge(ctx)
		}
		if err := errors.Join(err, s.end()); err != nil {
			return err
		}
		if len(r.report.Faults) > 0 { // the evidence is in this scene
			return nil
		}
		r.talk("%d/%d vòng, %d văn bản, %.0f giây", "%d of %d rounds, %d documents, %.0f s", r.report.Rounds, r.goal, r.report.Documents, time.Since(r.began).Seconds())
		if err := os.RemoveAll(s.dir); err != nil {
			return err
		}
	}
	for _, point := range failpoint.All() {
		if r.report.Points[point] == 0 {
			r.fault("no node was killed at %s", point)
		}
	}
	return nil
}

// conclude prints what came out.
func (r *rehearsal) conclude(asJSON bool, remove func() error) error {
	r.report.Seconds = time.Since(r.began).Seconds()
	r.report.OK = r.report.Lost+r.report.Duplicated+r.report.Orphans+len(r.report.Faults) == 0
	if asJSON {
		if err := r.printJSON(r.report); err != nil {
			return err
		}
	} else {
		r.table()
	}
	if r.report.OK {
		return remove()
	}
	return told{exitFailed, edxml.Text{VI: "nút không qua được: " + r.report.Faults[0], EN: "the node did not pass: " + r.report.Faults[0]}, edxml.Text{
		VI: fmt.Sprintf("xem %s; chạy lại bằng --seed %d", r.dir, r.report.Seed), EN: fmt.Sprintf("see %s; run it again with --seed %d", r.dir, r.report.Seed),
	}}
}

func (r *rehearsal) table() {
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%s\n", r.say("điểm", "point"), r.say("số lần bị giết", "kills"))
	for _, point := range failpoint.All() {
		fmt.Fprintf(w, "%s\t%d\n", point, r.report.Points[point])
	}
	fmt.Fprintf(w, "%s\t%d\n\n", r.say("ngẫu nhiên", "random"), r.report.Random)
	for _, line := range []struct {
		vi, en string
		n      int
	}{
		{"vòng", "rounds", r.report.Rounds}, {"văn bản", "documents", r.report.Documents}, {"trong đó lấy lại", "recalls among them", r.report.Recalls},
		{"trạng thái", "statuses", r.report.Statuses}, {"mất", "lost", r.report.Lost}, {"trùng", "duplicated", r.report.Duplicated},
		{"nội dung mồ côi sau fsck", "orphans after fsck", r.report.Orphans},
	} {
		fmt.Fprintf(w, "%s\t%d\n", r.say(line.vi, line.en), line.n)
	}
	w.Flush()
	for _, f := range r.report.Faults {
		fmt.Fprintln(r.out, r.say("lỗi: ", "fault: ")+clean(f))
	}
	if r.report.OK {
		r.talk("không mất, không trùng; nhật ký và kho nguyên vẹn", "nothing lost, nothing doubled; journal and store are sound")
	}
}

// missing returns the points at which nobody was killed so far.
func (r *rehearsal) missing() []failpoint.Point {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(r.report.Points)), func(p failpoint.Point) bool { return r.report.Points[p] > 0 })
}
