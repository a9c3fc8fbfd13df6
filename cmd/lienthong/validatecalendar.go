package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

// maxCalendar is the limit for a calendar file, in bytes.
const maxCalendar = 1 << 20

// calendar is the days on which it is not as Monday to Friday. Tết is announced
// every year, with the Saturdays worked in exchange, so it is a file of the
// user and never part of the program.
type calendar struct {
	off, work map[edxml.Date]bool
}

// workday says that people work on a day.
func (c *calendar) workday(day time.Time) bool {
	date := edxml.DateOf(day)
	weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
	return c.work[date] || !weekend && !c.off[date]
}

// readCalendar reads a calendar: TOML with the lists off and work, of days
// written 2026-02-16 or "2026/02/16".
func readCalendar(name string) (*calendar, error) {
	fault := func(vi, en string, args ...any) error {
		return fileError{name, told{exitUsage, edxml.Text{VI: fmt.Sprintf(vi, args...), EN: fmt.Sprintf(en, args...)}, edxml.Text{
			VI: "lịch là tệp TOML: off = [2026-02-16, …] ngày nghỉ, work = [2026-02-28, …] ngày làm bù",
			EN: "a calendar is a TOML file: off = [2026-02-16, …] days off, work = [2026-02-28, …] days worked in exchange",
		}}}
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fileError{name, errors.Unwrap(err)}
	}
	if info.Size() > maxCalendar {
		return nil, fault("tệp lớn hơn %d byte", "the file is larger than %d bytes", maxCalendar)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fileError{name, errors.Unwrap(err)}
	}
	raw := map[string]any{}
	if err := readTOML(text, &raw); err != nil {
		return nil, fault("tệp sai cú pháp: %v", "the file is not well-formed: %v", err)
	}
	c := &calendar{off: map[edxml.Date]bool{}, work: map[edxml.Date]bool{}}
	days := map[string]map[edxml.Date]bool{"off": c.off, "work": c.work}
	for key, value := range raw {
		list, isList := value.([]any)
		if days[key] == nil || !isList {
			return nil, fault("%q không phải off hay work với một danh sách ngày", "%q is not off or work with a list of days", key)
		}
		for _, v := range list {
			text := fmt.Sprint(v)
			if t, ok := v.(time.Time); ok {
				text = wireTime(t)
			}
			day, err := edxml.Date(text).Time()
			if err != nil {
				return nil, fault("%s: %q không phải một ngày", "%s: %q is no day", key, text)
			}
			days[key][edxml.DateOf(day)] = true
		}
	}
	var both []string
	for day := range c.off {
		if c.work[day] {
			both = append(both, string(day))
		}
	}
	if slices.Sort(both); len(both) > 0 {
		return nil, fault("vừa nghỉ vừa làm: %s", "off and worked: %s", strings.Join(both, ", "))
	}
	return c, nil
}
