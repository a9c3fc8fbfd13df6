//go:build !race

package vxp_test

const raceEnabled = false
