package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// consumption is what a process has used.
type consumption struct {
	CPU     time.Duration
	Memory  int64 // RssAnon, octets
	Written int64 // octets that went to the disk
}

// plus adds another process of the same station, which came later.
func (u consumption) plus(later consumption) consumption {
	return consumption{u.CPU + later.CPU, later.Memory, u.Written + later.Written}
}

// machineUsage is how busy a machine has been since it was started.
type machineUsage struct {
	Busy     time.Duration // of all processors together
	DiskWait time.Duration // somebody was waiting for a disk
}

// sample is one look at the simulation.
type sample struct {
	At       time.Duration          // since the first document
	CPU      map[role]time.Duration // so far
	Runner   time.Duration          // CPU of the program that plays the document systems
	Machine  machineUsage
	Memory   map[role]int64 // of all stations of a role
	Disk     int64          // octets in the folders
	Sent     int            // documents submitted
	Answered int            // deliveries taken and answered
}

// lookEvery is how often a sample is taken. The folder is measured with every
// fifth only: that costs a look at each file.
const (
	lookEvery  = time.Second
	measureDir = 5
)

// observer takes samples until it is stopped.
type observer struct {
	country *country
	begin   time.Time
	count   func() (sent, answered int)

	samples []sample
	most    map[string]int64 // memory of a station at its highest, by organ
	peak    int64            // of the disk
}

// run takes samples until ctx ends, and a last one then.
func (o *observer) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		o.take(n%measureDir == 0)
		select {
		case <-ctx.Done():
			o.take(true)
			return
		case <-tick.C:
		}
	}
}

func (o *observer) take(disk bool) {
	s := sample{At: time.Since(o.begin), CPU: map[role]time.Duration{}, Memory: map[role]int64{}}
	for _, st := range o.country.stations {
		u := st.used()
		s.CPU[st.Role] += u.CPU
		s.Memory[st.Role] += u.Memory
		o.most[st.Organ] = max(o.most[st.Organ], u.Memory)
	}
	if u, err := usageOf(os.Getpid()); err == nil {
		s.Runner = u.CPU
	}
	s.Machine, _ = machineNow() // zero where nobody tells
	s.Sent, s.Answered = o.count()
	if disk {
		s.Disk = folderSize(o.country.dir)
	} else if n := len(o.samples); n > 0 {
		s.Disk = o.samples[n-1].Disk
	}
	o.peak = max(o.peak, s.Disk)
	o.samples = append(o.samples, s)
}

// folderSize adds up the files of a folder; what goes away meanwhile is nothing.
func folderSize(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}

// saturated says what the machine ran out of first.
type saturated string

// What a machine can run out of.
const (
	satProcessors saturated = "processors"
	satDisk       saturated = "disk"
	satNothing    saturated = "nothing"
	satUnknown    saturated = "unknown"
)

// The shares of the time from which on something counts as saturated.
const (
	busyShare = 0.85 // of all processors
	diskShare = 0.5  // somebody waits for the disk
)

// judge says what was saturated between two samples: processors that are busy,
// with whoever's work, are named before a disk that somebody waits for.
func judge(from, to sample) (s saturated, busy, disk float64) {
	wall := to.At - from.At
	if to.Machine.Busy == 0 || wall <= 0 {
		return satUnknown, 0, 0
	}
	busy = float64(to.Machine.Busy-from.Machine.Busy) / float64(wall) / float64(runtime.NumCPU())
	disk = float64(to.Machine.DiskWait-from.Machine.DiskWait) / float64(wall)
	switch {
	case busy >= busyShare:
		return satProcessors, busy, disk
	case disk >= diskShare:
		return satDisk, busy, disk
	}
	return satNothing, busy, disk
}
