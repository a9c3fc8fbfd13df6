package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of times in /proc/PID/stat: USER_HZ, which is 100 on
// every architecture that Go runs on.
const clockTick = 10 * time.Millisecond

// usageOf reads what a process has used so far (proc_pid_stat(5), proc_pid_io(5)).
func usageOf(pid int) (u consumption, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // the name before may hold anything
	if len(fields) < 13 {
		return u, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	for _, i := range []int{11, 12} { // utime, stime
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return u, err
		}
		u.CPU += time.Duration(n) * clockTick
	}
	status, err := procNumbers(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	u.Memory = status["RssAnon"] << 10                                       // it is in KiB
	if io, err := procNumbers(fmt.Sprintf("/proc/%d/io", pid)); err == nil { // root may be needed
		u.Written = io["write_bytes"]
	}
	return u, nil
}

// procNumbers reads the lines "name: number …" of a file of /proc.
func procNumbers(file string) (map[string]int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if f := strings.Fields(value); len(f) > 0 {
			if n, err := strconv.ParseInt(f[0], 10, 64); err == nil {
				all[name] = n
			}
		}
	}
	return all, nil
}

// machineNow reads how busy the whole machine is: proc_stat(5), and how long
// somebody waited for the disk, from the pressure of it (PSI), where the kernel
// tells.
func machineNow() (m machineUsage, err error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return m, err
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	for i, f := range strings.Fields(line) {
		n, err := strconv.ParseInt(f, 10, 64)
		if err == nil && i != 4 && i != 5 && i < 9 { // "cpu", then user nice system idle iowait irq softirq steal; guests are in user
			m.Busy += time.Duration(n) * clockTick
		}
	}
	m.DiskWait = pressure("/proc/pressure/io")
	return m, nil
}

// pressure reads how long some task was held up since the machine began.
func pressure(file string) time.Duration {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	_, total, _ := strings.Cut(line, "total=")
	n, _ := strconv.ParseInt(total, 10, 64)
	return time.Duration(n) * time.Microsecond
}
