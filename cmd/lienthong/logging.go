package main

import (
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/lienthong/lienthong/edxml"
)

// mask stands where a secret was.
const mask = "***"

// logger makes the node's log. Its level can be changed while it is in use.
// The secrets given, and whatever is named like one, are masked.
func (l logSection) logger(w io.Writer, secrets ...edxml.Secret) (*slog.Logger, *slog.LevelVar, error) {
	level := &slog.LevelVar{}
	v, err := l.level()
	if err != nil {
		return nil, nil, err
	}
	level.Set(v)
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { return masked(a, secrets) }}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o)), level, nil
	}
	return slog.New(slog.NewTextHandler(w, o)), level, nil
}

// hushed are the names under which nothing is logged in clear.
var hushed = []string{"authorization", "password", "secret", "token"}

func masked(a slog.Attr, secrets []edxml.Secret) slog.Attr {
	if slices.Contains(hushed, strings.ToLower(a.Key)) {
		return slog.String(a.Key, mask)
	}
	v := a.Value.Resolve()
	text := ""
	switch x := v.Any().(type) {
	case string:
		text = x
	case error:
		text = x.Error()
	default:
		return a
	}
	clear := text
	for _, s := range secrets {
		if s != "" {
			clear = strings.ReplaceAll(clear, string(s), mask)
		}
	}
	if clear == text {
		return a
	}
	return slog.String(a.Key, clear)
}
