package main

import (
	"strings"
	"testing"
)

// TestMaskStore looks for the password of a store's address wherever one can
// stand.
func TestMaskStore(t *testing.T) {
	for address, want := range map[string]string{
		"bolt:./data":                                "bolt:./data",
		"postgres://u@h/db":                          "postgres://u@h/db",
		"postgres://u:sesame@h/db":                   "postgres://u:***@h/db",
		"postgres://u:sesame@h1,h2:5433/db?a=b":      "postgres://u:***@h1,h2:5433/db?a=b",
		"postgres://h/db?password=sesame&user=u":     "postgres://h/db?password=***&user=u",
		"postgres://h/db?sslpassword=sesame":         "postgres://h/db?sslpassword=***",
		"postgres://u:sesame%zz@h/db":                "postgres:***",
		"postgres://u:sesame@[::1/db":                "postgres:***",
		"postgres://u:se%20same@h/db?sslmode=verify": "postgres://u:***@h/db?sslmode=verify",
	} {
		if got := maskStore(address); got != want || strings.Contains(got, "sesame") {
			t.Errorf("%s is shown as %s, want %s", address, got, want)
		}
	}
}
