package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// TestLogMasks lets no secret through, whatever it is called and wherever it stands.
func TestLogMasks(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var b bytes.Buffer
		log, level, err := logSection{Level: "warn", Format: format}.logger(&b, "s3cret", "")
		if err != nil {
			t.Fatal(err)
		}
		log.Info("not said")
		log.Warn("said s3cret", "token", "x1", "Authorization", "x2", "error", errors.New("GET ?t=s3cret: refused"), "transfer", "id-7")
		log.With("password", "x3").WithGroup("g").Warn("said", "url", "https://s3cret@x")
		level.Set(slog.LevelDebug)
		log.Debug("said, too")
		text := b.String()
		for _, bad := range []string{"s3cret", "x1", "x2", "x3", "not said"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: %q stands in %s", format, bad, text)
			}
		}
		if !strings.Contains(text, "id-7") || !strings.Contains(text, "said, too") || !strings.Contains(text, "refused") {
			t.Errorf("%s: %s", format, text)
		}
	}
	for _, bad := range []logSection{{Level: "loud"}} {
		if _, _, err := bad.logger(&bytes.Buffer{}); err == nil {
			t.Errorf("%+v passes", bad)
		}
	}
}
