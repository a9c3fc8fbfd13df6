//go:build race

package edxml_test

// underRace says that the race detector slows everything down.
const underRace = true
