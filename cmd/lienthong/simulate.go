package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
)

func (p *program) simulateCommand() *cli.Command {
	return &cli.Command{
		Name: "simulate", Usage: p.say("mô phỏng một ngày liên thông toàn quốc trên máy này", "simulate a national day of exchange on this machine"),
		Description: p.say(
			"Chạy chính chương trình này 12 lần: 1 trục trung tâm, 3 trục của tỉnh, 8 đơn vị, qua 127.0.0.1. Lưu lượng theo một ngày làm việc tháng 7/2022:\n6.144 văn bản, mỗi văn bản 3,6 nơi nhận, mỗi nơi nhận trả 4 trạng thái, tệp trung bình 300 KB, nội dung bị hủy sau khi giao.",
			"It runs this same program 12 times over 127.0.0.1: a central hub, 3 provincial hubs, 8 leaves. The traffic is that of a working day of July 2022:\n6,144 documents, 3.6 receivers each, 4 statuses from each receiver, files of 300 KB on average, content purged after delivery."),
		Flags: []cli.Flag{
			p.jsonFlag(),
			&cli.Float64Flag{Name: "factor", Value: 1, Usage: p.say("bao nhiêu lần lưu lượng của ngày ấy, ví dụ 0.1", "how many times the traffic of that day, 0.1 for example")},
			&cli.DurationFlag{Name: "within", Usage: p.say("rải cả ngày trong khoảng này theo giờ làm việc; mặc định: nhanh hết mức", "play the day within this time by its office hours; by default as fast as it goes")},
			&cli.IntFlag{Name: "in-flight", Value: 200, Usage: p.say("số văn bản cùng lúc chưa đến đủ nơi nhận", "documents that are on their way at a time")},
			&cli.BoolFlag{Name: "faults", Usage: p.say("kill -9 ngẫu nhiên các tiến trình rồi chạy lại", "kill -9 processes at random, and start them again")},
			&cli.Uint64Flag{Name: "seed", Value: 2022, Usage: p.say("cùng số này là cùng một ngày", "the same number makes the same day")},
			&cli.StringFlag{Name: "dir", Usage: p.say("thư mục làm việc nằm trong đây; mặc định là thư mục tạm", "put the working folder in here; by default among temporary files")},
			&cli.StringFlag{Name: "report", Usage: p.say("viết báo cáo HTML có biểu đồ vào tệp này", "write an HTML report with charts to this file")},
		},
		Action: p.simulate,
	}
}

// maxFactor keeps a slip of the finger from filling a disk.
const maxFactor = 100

func (p *program) simulate(c *cli.Context) error {
	if err := noArgument(c); err != nil {
		return err
	}
	wrong := func(vi, en string) error { return usageError{edxml.Text{VI: vi, EN: en}, c.Command.HelpName} }
	switch f := c.Float64("factor"); {
	case !(f > 0 && f <= maxFactor):
		return wrong(fmt.Sprintf("--factor là số trên 0 tới %d", maxFactor), fmt.Sprintf("--factor is a number above 0, at most %d", maxFactor))
	case c.Duration("within") < 0:
		return wrong("--within không được âm", "--within is not negative")
	case c.Int("in-flight") < 1:
		return wrong("--in-flight ít nhất là 1", "--in-flight is at least 1")
	}
	var report *os.File
	if name := c.String("report"); name != "" {
		f, err := os.Create(name) // before the work, not after it
		if err != nil {
			return fileError{name, errors.Unwrap(err)}
		}
		defer f.Close()
		report = f
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(c.String("dir"), "lienthong-day-")
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	s := &simulation{program: p, country: newCountry(dir, exe), plan: newDayPlan(c.Uint64("seed"), c.Float64("factor"), leafCount())}
	result, err := s.play(c.Context, c.Duration("within"), c.Int("in-flight"), c.Bool("faults"))
	if err != nil {
		if c.Context.Err() == nil { // it may be looked into
			return fmt.Errorf("%w (%s %s)", err, p.say("xem thư mục", "see the folder"), dir)
		}
		return errors.Join(told{exitFailed, edxml.Text{VI: "đã dừng giữa chừng", EN: "stopped on the way"}, edxml.Text{}}, os.RemoveAll(dir))
	}
	if result.OK {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	if report != nil {
		if err := writeDayReport(report, result, p.lang); err != nil {
			return err
		}
		if err := report.Close(); err != nil {
			return err
		}
	}
	return p.tellDay(c.Bool("json"), result, dir)
}

func leafCount() (n int) {
	for _, p := range provinces {
		n += len(p.leaves)
	}
	return n
}

// simulation is one simulated day.
type simulation struct {
	*program
	country *country
	plan    *dayPlan
}

// play plays the day: with an error when it could not be played to its end.
func (s *simulation) play(ctx context.Context, within time.Duration, flight int, faults bool) (*dayResult, error) {
	s.talk("ngày mô phỏng: %d văn bản, %d lượt giao, %s tệp; chuẩn bị %d nút trong %s",
		"the day: %d documents, %d deliveries, %s of files; preparing %d nodes in %s",
		len(s.plan.Documents), s.plan.deliveries(), octets(s.plan.octets()), len(s.country.stations), s.country.dir)
	defer s.country.stop()
	if err := s.country.prepare(ctx); err != nil {
		return nil, err
	}
	if err := s.country.start(); err != nil {
		return nil, err
	}
	now := time.Now()
	d := &drive{
		country: s.country, leaves: s.country.of(atLeaf), plan: s.plan, within: within, faults: faults, flight: make(chan struct{}, flight),
		begin: now, date: now, moved: now, journeys: map[string]*journey{},
	}
	o := &observer{country: s.country, begin: now, most: map[string]int64{}, count: func() (int, int) { return int(d.sent.Load()), int(d.answered.Load()) }}
	sent, failed := s.run(ctx, d, o)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if failed != nil && !errors.Is(failed, errStandstill) {
		return nil, failed
	}
	r := s.measured(d, o)
	if err := d.audit(ctx, sent, r); err != nil {
		return nil, err
	}
	if failed != nil {
		r.Troubles = append(r.Troubles, failed.Error())
	}
	story, err := readJournals(ctx, s.country)
	if err != nil {
		return nil, err
	}
	r.tell(story, d.begin)
	r.OK = len(r.Troubles) == 0 && r.Lost == 0 && r.Doubled == 0
	return r, nil
}

// run drives the day to its end, with everything that goes on beside it.
func (s *simulation) run(ctx context.Context, d *drive, o *observer) (home map[string]*node.Transfer, err error) {
	beside, end := context.WithCancel(ctx)
	g, beside := errgroup.WithContext(beside)
	for _, l := range d.leaves {
		g.Go(func() error { return d.answer(beside, l) })
	}
	for _, also := range []func(context.Context) error{d.purge, d.watch} {
		g.Go(func() error { return also(beside) })
	}
	g.Go(func() error { o.run(beside); return nil })
	g.Go(func() error { return s.show(beside, d) })
	quiet, calm := context.WithCancel(beside)
	var faults errgroup.Group
	if d.faults {
		faults.Go(func() error { return d.disturb(quiet) })
	}
	g.Go(func() (err error) {
		defer end()
		err = d.handIn(beside)
		for err == nil && int(d.answered.Load()) < d.plan.deliveries() {
			err = pause(beside, 50*time.Millisecond)
		}
		calm()
		err = errors.Join(faults.Wait(), err)
		if err == nil {
			home, err = d.home(beside)
		}
		return err
	})
	err = g.Wait()
	calm()
	end()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return home, err
}

// show says on a terminal how far it is.
func (s *simulation) show(ctx context.Context, d *drive) error {
	if s.screen == nil {
		return nil
	}
	defer fmt.Fprint(s.screen.tty, "\r\x1b[K")
	for {
		elapsed := time.Since(d.begin)
		fmt.Fprintf(s.screen.tty, "\r\x1b[K%s", fmt.Sprintf(s.say("%4.0f giây  đã gửi %d/%d văn bản, đã giao %d/%d", "%4.0f s  %d of %d documents sent, %d of %d delivered"),
			elapsed.Seconds(), d.sent.Load(), len(d.plan.Documents), d.answered.Load(), d.plan.deliveries()))
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return nil
		}
	}
}

// audit compares the records at both ends with the plan: everything must have
// arrived, once, and every sender must know how it ended.
func (d *drive) audit(ctx context.Context, home map[string]*node.Transfer, r *dayResult) error {
	inboxes := map[about]int{}
	for _, s := range d.leaves {
		for before := ""; ; {
			page, err := s.door.List(ctx, node.In, before, 100)
			if err != nil {
				return fmt.Errorf("%s: inbox: %w", s.Organ, err)
			}
			for _, t := range page {
				if before = t.ID; t.SameAs == "" && t.State == node.Confirmed {
					inboxes[about{t.DocumentID, s.Organ}]++
				}
			}
			if len(page) == 0 {
				break
			}
		}
	}
	for id, j := range d.journeys {
		for _, to := range j.To {
			n := inboxes[about{id, d.leaves[to].Organ}]
			switch delete(inboxes, about{id, d.leaves[to].Organ}); {
			case n == 0:
				r.Lost++
				r.Troubles = append(r.Troubles, fmt.Sprintf("%s never arrived at %s", id, d.leaves[to].Organ))
			case n > 1:
				r.Doubled += n - 1
				r.Troubles = append(r.Troubles, fmt.Sprintf("%s is in the inbox of %s %d times", id, d.leaves[to].Organ, n))
			}
		}
		if t := home[id]; t == nil && j.transfer != "" { // it stood still before anybody asked
			t, err := d.leaves[j.From].door.Transfer(ctx, node.Out, j.transfer)
			if err != nil {
				return err
			}
			home[id] = t
		}
		r.Statuses += j.statuses(home[id])
	}
	for a := range inboxes {
		r.Troubles = append(r.Troubles, fmt.Sprintf("%s is at %s, to whom nobody sent it", a.document, a.receiver))
	}
	if missing := perReceiver*d.plan.deliveries() - r.Statuses; missing > 0 {
		r.Troubles = append(r.Troubles, fmt.Sprintf("%d statuses did not come back", missing))
	}
	slices.Sort(r.Troubles)
	return nil
}

// perReceiver is how many statuses each receiver of a document reports.
const perReceiver = 4

// statuses counts the statuses of the plan that the sender knows, each once.
func (j *journey) statuses(t *node.Transfer) (n int) {
	if t == nil {
		return 0
	}
	for _, r := range t.Receivers {
		for _, code := range []edxml.StatusCode{edxml.StatusArrived, edxml.StatusAccepted, edxml.StatusAssigned, j.final} {
			if slices.ContainsFunc(r.Events, func(e node.Event) bool { return e.Code == code }) {
				n++
			}
		}
	}
	return n
}

// tellDay prints what came out.
func (p *program) tellDay(asJSON bool, r *dayResult, dir string) error {
	if asJSON {
		if err := p.printJSON(r); err != nil {
			return err
		}
	} else {
		fmt.Fprint(p.out, r.text(p))
	}
	if r.OK {
		return nil
	}
	shown := r.Troubles[:min(len(r.Troubles), 10)]
	return told{exitFailed, edxml.Text{
		VI: fmt.Sprintf("ngày mô phỏng có sai sót: %d mất, %d lặp; %s", r.Lost, r.Doubled, strings.Join(shown, "; ")),
		EN: fmt.Sprintf("the day went wrong: %d lost, %d doubled; %s", r.Lost, r.Doubled, strings.Join(shown, "; ")),
	}, edxml.Text{VI: "xem nhật ký trong " + dir, EN: "see the logs in " + dir}}
}
