package pgstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/pgstore/pgtest"
)

func opens(t testing.TB, url string, o Options) *Store {
	t.Helper()
	if o.Node == "" {
		o.Node = "n1"
	}
	s, err := Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func fresh() *node.Transfer {
	return &node.Transfer{ID: uuid.Must(uuid.NewV7()).String(), Direction: node.Out, State: node.Queued, Created: time.Now(), Due: time.Now(), Count: []string{"all"}}
}

// verified checks every chain and returns how many rows they have together.
func verified(t *testing.T, s *Store) int {
	t.Helper()
	chains, err := s.Chains(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	all := 0
	for _, chain := range chains {
		for at := uint64(0); ; {
			rows, err := s.Journal(t.Context(), chain, at, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) == 0 {
				break
			}
			for _, row := range rows {
				lines.Write(append(row, '\n'))
			}
			at, all = at+uint64(len(rows)), all+len(rows)
		}
	}
	if _, err := node.VerifyJournal(&lines); err != nil {
		t.Error(err)
	}
	return all
}

// TestRestarts crashes and starts PostgreSQL under writers: what was reported
// as done is there, what was refused is not, and only an UnsureError leaves it
// open.
func TestRestarts(t *testing.T) {
	server := pgtest.New(t, "")
	s := opens(t, server.Schema(t), Options{})
	const workers = 8
	stop, made := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	outcome := map[string]error{}
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for {
				x := fresh()
				err := s.Create(t.Context(), x)
				mu.Lock()
				outcome[x.ID] = err
				mu.Unlock()
				select {
				case <-stop:
					return
				case made <- struct{}{}:
				}
			}
		})
	}
	works := func() {
		for range 10 * workers {
			<-made
		}
	}
	for range 3 {
		works()
		crashed := make(chan error)
		go func() { crashed <- errors.Join(server.Stop("immediate"), server.Start()) }()
		for waiting := true; waiting; {
			select {
			case <-made:
			case err := <-crashed:
				if waiting = false; err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	works()
	close(stop)
	all.Wait()
	done, unsure, refused := 0, 0, 0
	for id, err := range outcome {
		_, missing := s.Transfer(t.Context(), id)
		var open *UnsureError
		switch {
		case err == nil:
			if done++; missing != nil {
				t.Errorf("%s was reported as done: %v", id, missing)
			}
		case errors.As(err, &open):
			unsure++
		default:
			if refused++; !errors.Is(missing, node.ErrNotFound) {
				t.Errorf("%s was refused (%v), and is there", id, err)
			}
		}
	}
	t.Logf("%d done, %d refused, %d unsure", done, refused, unsure)
	counts, err := s.Counts(t.Context(), "all")
	if err != nil {
		t.Fatal(err)
	}
	if rows := verified(t, s); int64(rows) != counts["all"] || rows < done || rows > done+unsure {
		t.Errorf("%d rows, counted %d, %d done", rows, counts["all"], done)
	}
}

// TestGone takes PostgreSQL away: calls say so within their patience, and the
// same store works when it is back. What was leased before is leased after.
func TestGone(t *testing.T) {
	server := pgtest.New(t, "")
	s := opens(t, server.Schema(t), Options{})
	x := fresh()
	if err := s.Create(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lease(t.Context(), node.Out, "w", time.Now(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop("fast"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err := s.Create(t.Context(), fresh())
	var unsure *UnsureError
	if err == nil || errors.As(err, &unsure) {
		t.Errorf("Create: error %v, want one that says that nothing happened", err)
	}
	if took := time.Since(began); took > 2*patience {
		t.Errorf("it took %v", took)
	}
	if _, err := s.Transfer(t.Context(), x.ID); err == nil || errors.Is(err, node.ErrNotFound) {
		t.Errorf("Transfer: error %v", err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.Create(t.Context(), fresh()); err != nil {
		t.Error(err)
	}
	if got, err := s.Transfer(t.Context(), x.ID); err != nil || got.Lease != "w" {
		t.Errorf("%v, error %v", got, err)
	}
	if n := verified(t, s); n != 2 {
		t.Errorf("%d rows", n)
	}
}

// TestLostAnswer cuts the connection at a COMMIT, before the server has it or
// before its answer is here. Either way every call does what it says once.
func TestLostAnswer(t *testing.T) {
	server := pgtest.Shared(t)
	for _, kept := range []bool{false, true} {
		t.Run(fmt.Sprint("kept ", kept), func(t *testing.T) {
			p := newProxy(t, server.Socket())
			p.kept.Store(kept)
			s := opens(t, p.through(server.Schema(t)), Options{})
			x := fresh()
			x.Unique = []string{"k"}
			cut := func(what string, call func() error) {
				t.Helper()
				p.cut.Store(1)
				if err := call(); err != nil {
					t.Errorf("%s: %v", what, err)
				}
				if p.cut.Load() > 0 {
					t.Errorf("%s: nothing was cut", what)
				}
			}
			cut("Create", func() error { return s.Create(t.Context(), x) })
			cut("Update", func() error {
				_, err := s.Update(t.Context(), x.ID, func(t *node.Transfer) error { t.Tries++; t.AxisID += "1"; return nil })
				return err
			})
			cut("SwapValue", func() error {
				done, err := s.SwapValue(t.Context(), "v", nil, []byte("1"))
				if !done {
					return errors.Join(err, errors.New("not swapped"))
				}
				return err
			})
			cut("Lease", func() error {
				_, err := s.Lease(t.Context(), node.Out, "w", time.Now(), time.Hour)
				return err
			})
			got, err := s.Transfer(t.Context(), x.ID)
			if err != nil || got.Tries != 1 || got.AxisID != "1" || got.Lease != "w" {
				t.Errorf("%+v, error %v", got, err)
			}
			if n := verified(t, s); n != 2 {
				t.Errorf("%d rows, want those of Create and Update", n)
			}
			counts, err := s.Counts(t.Context(), "")
			if err != nil || counts["all"] != 1 {
				t.Errorf("counts %v, error %v", counts, err)
			}
		})
	}
}

// TestUnsure loses the answer to a COMMIT and the database with it: the caller is
// told that it is not known, and learns by asking again.
func TestUnsure(t *testing.T) {
	server := pgtest.Shared(t)
	p := newProxy(t, server.Socket())
	p.kept.Store(true)
	s := opens(t, p.through(server.Schema(t)), Options{})
	s.writer.doubt = 300 * time.Millisecond
	p.away.Store(true)
	p.cut.Store(1)
	x := fresh()
	err := s.Create(t.Context(), x)
	var unsure *UnsureError
	if !errors.As(err, &unsure) {
		t.Fatalf("error %v, want an UnsureError", err)
	}
	p.refuse.Store(false)
	var taken *node.ExistsError
	if err := s.Create(t.Context(), x); !errors.As(err, &taken) || taken.ID != x.ID {
		t.Errorf("again: error %v, want an ExistsError", err)
	}
	if n := verified(t, s); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// TestReadOnly is a database that takes no changes for a while.
func TestReadOnly(t *testing.T) {
	server := pgtest.New(t, "")
	s := opens(t, server.Schema(t), Options{})
	x := fresh()
	if err := s.Create(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	set := func(value string) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), server.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		for _, sql := range []string{"ALTER SYSTEM SET default_transaction_read_only = " + value, "SELECT pg_reload_conf()"} {
			if _, err := conn.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
	}
	// until the sessions have heard of it
	create := func(done func(error) bool) (err error) {
		for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			if err = s.Create(t.Context(), fresh()); done(err) {
				return nil
			}
		}
		return err
	}
	set("on")
	err := create(func(err error) bool { var readOnly *ReadOnlyError; return errors.As(err, &readOnly) })
	if err != nil {
		t.Fatalf("error %v, want a ReadOnlyError", err)
	}
	if _, err := s.Transfer(t.Context(), x.ID); err != nil {
		t.Errorf("reading: %v", err)
	}
	set("off")
	if err := create(func(err error) bool { return err == nil }); err != nil {
		t.Error(err)
	}
	verified(t, s)
}

// TestDiskFull fills the disk of the tables: the error says so, what was
// reported as done is there, and with more space it goes on.
func TestDiskFull(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	dir, err := os.MkdirTemp("", "pgfull-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=16m,mode=0777", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no small disk can be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	if out, err := exec.Command("chown", "postgres", dir).CombinedOutput(); err != nil {
		t.Skipf("%v: %s", err, out)
	}
	server := pgtest.New(t, "")
	conn, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE TABLESPACE small LOCATION '"+dir+"'"); err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())
	s := opens(t, server.Schema(t)+"&default_tablespace=small", Options{})
	store := func(n int) error {
		c, err := s.Put(t.Context(), bytes.NewReader(noise(byte(n), 900_000)))
		if err != nil {
			return err
		}
		x := fresh()
		x.Envelope, x.Lookup = c, []string{fmt.Sprint(n)}
		return s.Create(t.Context(), x)
	}
	n := 0
	for ; err == nil && n < 100; n++ {
		err = store(n)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error %v after %d, want ENOSPC", err, n)
	}
	for i := range n - 1 {
		found, err := s.Find(t.Context(), fmt.Sprint(i), "", 1)
		if err != nil || len(found) != 1 {
			t.Fatalf("%d: %v, error %v", i, found, err)
		}
		o, err := s.Open(t.Context(), found[0].Envelope.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		o.Close()
	}
	if out, err := exec.Command("mount", "-o", "remount,size=64m", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := store(n - 1); err != nil {
		t.Error(err)
	}
	verified(t, s)
}

func noise(seed byte, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// TestClocks opens stores of nodes whose clocks differ: one that is off is
// refused, or leases nothing any more; a small difference takes no lease away.
func TestClocks(t *testing.T) {
	url := pgtest.URL(t)
	behind := func(d time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(d) } }
	for _, ahead := range []time.Duration{time.Minute, -time.Minute} {
		_, err := open(t.Context(), url, Options{Node: "off"}, behind(ahead))
		var clock *ClockError
		if !errors.As(err, &clock) || (clock.Ahead-ahead).Abs() > 2*time.Second {
			t.Errorf("error %v, want a ClockError of %v", err, ahead)
		}
	}
	a := opens(t, url, Options{Node: "a"})
	b, err := open(t.Context(), url, Options{Node: "b"}, behind(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	x := fresh()
	if err := a.Create(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	const hold = 10 * time.Minute
	if _, err := a.Lease(t.Context(), node.Out, "a", time.Now(), hold); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Lease(t.Context(), node.Out, "b", b.clock.now(), hold); !errors.Is(err, node.ErrNothingDue) {
		t.Errorf("b has leased %v, error %v", got, err)
	}
	if got, err := b.Lease(t.Context(), node.Out, "b", b.clock.now().Add(hold), hold); err != nil || got.Lease != "b" {
		t.Errorf("b, when the lease has run out: %v, error %v", got, err)
	}
	b.clock.ahead.Store(int64(time.Minute))
	var clock *ClockError
	if _, err := b.Lease(t.Context(), node.Out, "b", time.Now(), hold); !errors.As(err, &clock) {
		t.Errorf("error %v, want a ClockError", err)
	}
	if err := b.Create(t.Context(), fresh()); err != nil { // accepting needs no clock
		t.Error(err)
	}
}

// TestSpoiled makes one change of a group one that the database refuses: the
// others are made.
func TestSpoiled(t *testing.T) {
	s := opens(t, pgtest.URL(t), Options{})
	var all sync.WaitGroup
	errs := make([]error, 40)
	for i := range errs {
		all.Go(func() {
			if i%10 == 7 {
				errs[i] = s.LoadRows(t.Context(), "other", 1, [][]byte{[]byte("\xff")})
				return
			}
			errs[i] = s.Create(t.Context(), fresh())
		})
	}
	all.Wait()
	for i, err := range errs {
		if (err != nil) != (i%10 == 7) {
			t.Errorf("%d: error %v", i, err)
		}
	}
	if n := verified(t, s); n != 36 {
		t.Errorf("%d rows", n)
	}
}

// TestSameName lets two processes write to one chain: a node and a command beside
// it, or two nodes that were given the same name.
func TestSameName(t *testing.T) {
	url := pgtest.URL(t)
	stores := []*Store{opens(t, url, Options{Node: "n"}), opens(t, url, Options{Node: "n"})}
	const workers, turns = 8, 15
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for range turns {
				x := fresh()
				if err := stores[w%2].Create(t.Context(), x); err != nil {
					t.Error(err)
				}
				if _, err := stores[(w+1)%2].Update(t.Context(), x.ID, func(t *node.Transfer) error { t.State = node.Sent; return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := verified(t, stores[0]); n != 2*workers*turns {
		t.Errorf("%d rows", n)
	}
	counts, err := stores[1].Counts(t.Context(), "")
	if err != nil || counts["all"] != workers*turns {
		t.Errorf("counts %v, error %v", counts, err)
	}
}

// TestTwoNodes lets two nodes create with the same keys and change the same
// Transfers and values at once: each key has one owner, no change is lost.
func TestTwoNodes(t *testing.T) {
	url := pgtest.URL(t)
	stores := []*Store{opens(t, url, Options{Node: "a"}), opens(t, url, Options{Node: "b"})}
	shared := fresh()
	if err := stores[0].Create(t.Context(), shared); err != nil {
		t.Fatal(err)
	}
	const workers, turns = 8, 10
	var all sync.WaitGroup
	var mu sync.Mutex
	created := map[string]int{}
	for w := range workers {
		all.Go(func() {
			s := stores[w%2]
			for n := range turns {
				x := fresh()
				x.Unique = []string{fmt.Sprint("key ", n)}
				err := s.Create(t.Context(), x)
				var taken *node.ExistsError
				if err == nil {
					mu.Lock()
					created[x.Unique[0]]++
					mu.Unlock()
				} else if !errors.As(err, &taken) {
					t.Error(err)
				}
				if _, err := s.Update(t.Context(), shared.ID, func(t *node.Transfer) error { t.Tries++; return nil }); err != nil {
					t.Error(err)
				}
				for done := false; !done; { // a counter by compare and swap
					old, err := s.Value(t.Context(), "v")
					if err == nil {
						done, err = s.SwapValue(t.Context(), "v", old, append(bytes.Clone(old), 1))
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	for n := range turns {
		if key := fmt.Sprint("key ", n); created[key] != 1 {
			t.Errorf("%s was created %d times", key, created[key])
		}
	}
	if got, err := stores[0].Transfer(t.Context(), shared.ID); err != nil || got.Tries != workers*turns {
		t.Errorf("%d changes of %d, error %v", got.Tries, workers*turns, err)
	}
	if v, err := stores[1].Value(t.Context(), "v"); err != nil || len(v) != workers*turns {
		t.Errorf("%d swaps of %d, error %v", len(v), workers*turns, err)
	}
	verified(t, stores[0])
}

// TestLayouts opens stores whose layout is one newer, with which this program
// works, and one with which it does not.
func TestLayouts(t *testing.T) {
	url := pgtest.URL(t)
	older := opens(t, url, Options{})
	steps, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	last := steps[len(steps)-1].version
	upgrade := func(version, oldest int, sql string) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if err := new(Store).migrate(t.Context(), conn, append(steps, migration{version, oldest, sql})); err != nil {
			t.Fatal(err)
		}
	}
	upgrade(last+1, last, "ALTER TABLE transfers ADD extra text")
	shared := fresh()
	if err := older.Create(t.Context(), shared); err != nil {
		t.Errorf("the older beside the newer: %v", err)
	}
	// the newer one writes what the older one does not know, and then the older one changes the record
	text := func(sql string) (record string) {
		t.Helper()
		if err := older.pool.QueryRow(t.Context(), sql, shared.ID).Scan(&record); err != nil {
			t.Fatal(err)
		}
		return record
	}
	text(`UPDATE transfers SET record = (rtrim(record::text, '}') || ',"later":{"by":["n2"]}}')::json WHERE id = $1 RETURNING record::text`)
	if _, err := older.Update(t.Context(), shared.ID, func(t *node.Transfer) error { t.State = node.Sent; return nil }); err != nil {
		t.Error(err)
	}
	if got := text(`SELECT record::text FROM transfers WHERE id = $1`); !strings.HasSuffix(got, `,"later":{"by":["n2"]}}`) || !strings.Contains(got, `"state":"sent"`) {
		t.Errorf("the older one made it %s", got)
	}
	opens(t, url, Options{Node: "n2"})
	steps = append(steps, migration{last + 1, last, ""})
	upgrade(last+2, last+1, "ALTER TABLE transfers DROP extra")
	_, err = Open(t.Context(), url, Options{Node: "n3"})
	var version *VersionError
	if !errors.As(err, &version) || version.Found != last+2 || version.Known != last {
		t.Errorf("error %v, want a VersionError", err)
	}
}

// TestLaidOutAtOnce has many nodes begin at the same moment on an empty schema:
// one of them makes the tables, the others wait for it, and all work.
func TestLaidOutAtOnce(t *testing.T) {
	url := pgtest.URL(t)
	const nodes = 12
	var all sync.WaitGroup
	for i := range nodes {
		all.Go(func() {
			s, err := Open(t.Context(), url, Options{Node: fmt.Sprint("n", i), Connections: 2})
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { s.Close() })
			if err := s.Create(t.Context(), fresh()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := opens(t, url, Options{Node: "last"})
	steps, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	var layouts int
	if err := s.pool.QueryRow(t.Context(), `SELECT count(*) FROM layouts`).Scan(&layouts); err != nil || layouts != len(steps) {
		t.Errorf("%d layouts, want %d; %v", layouts, len(steps), err)
	}
	if n := verified(t, s); n != nodes {
		t.Errorf("%d rows, want %d", n, nodes)
	}
}

// TestExclusive is a store that one process wants for itself.
func TestExclusive(t *testing.T) {
	url := pgtest.URL(t)
	a := opens(t, url, Options{Node: "a"})
	_, err := Open(t.Context(), url, Options{Node: "copy", Exclusive: true})
	var used *InUseError
	if !errors.As(err, &used) || !strings.Contains(used.Error(), "lienthong a") {
		t.Errorf("error %v, want an InUseError that names a", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	opens(t, url, Options{Node: "copy", Exclusive: true})
	if _, err := Open(t.Context(), url, Options{Node: "b"}); !errors.As(err, &used) {
		t.Errorf("error %v, want an InUseError", err)
	}
}

// TestMonths puts content into months that are long over: what nothing needs
// goes with the partition, what is needed keeps it.
func TestMonths(t *testing.T) {
	s := opens(t, pgtest.URL(t), Options{})
	january, february := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2020, 2, 1, 0, 0, 0, 0, time.UTC)
	var held node.Content
	for i, month := range []time.Time{january, january, february, february} {
		c, err := s.Put(t.Context(), bytes.NewReader(noise(byte(i), 3<<20)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.months.make(t.Context(), s, month); err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{
			`UPDATE chunks SET month = $2::date WHERE digest = decode($1, 'hex')`, `UPDATE contents SET month = $2::date, at = $2::date WHERE digest = decode($1, 'hex')`,
		} {
			if _, err := s.pool.Exec(t.Context(), sql, c.SHA256, month); err != nil {
				t.Fatal(err)
			}
		}
		held = c
	}
	x := fresh()
	x.Envelope = held
	if err := s.Create(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	swept, err := s.Sweep(t.Context(), time.Now().Add(-time.Hour), false)
	if want := (node.Swept{Removed: 3, RemovedBytes: 9 << 20, Kept: 1, KeptBytes: 3 << 20}); err != nil || swept != want {
		t.Errorf("swept %+v, error %v, want %+v", swept, err, want)
	}
	for month, there := range map[time.Time]bool{january: false, february: true} {
		var found bool
		if err := s.pool.QueryRow(t.Context(), `SELECT to_regclass($1) IS NOT NULL`, partition(month)).Scan(&found); err != nil || found != there {
			t.Errorf("%s: there %v, error %v", partition(month), found, err)
		}
	}
	var chunks int
	if err := s.pool.QueryRow(t.Context(), `SELECT count(*) FROM chunks`).Scan(&chunks); err != nil || chunks != 3 {
		t.Errorf("%d chunks, error %v", chunks, err)
	}
}

// TestQueued hears what another node queues.
func TestQueued(t *testing.T) {
	url := pgtest.URL(t)
	a, b := opens(t, url, Options{Node: "a"}), opens(t, url, Options{Node: "b"})
	heard := make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		defer close(heard)
		for range 3 { // said by b when it began to listen
			<-b.Queued()
		}
		<-b.Queued()
	}()
	for {
		if err := a.Create(ctx, fresh()); err != nil {
			t.Fatal(err)
		}
		select {
		case <-heard:
			return
		case <-ctx.Done():
			t.Fatal("nothing was heard")
		default:
		}
	}
}
