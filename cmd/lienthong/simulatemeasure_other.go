//go:build !linux

package main

import "errors"

// errNoMeasure says that only Linux tells what a process uses, by /proc.
var errNoMeasure = errors.New("CPU and memory are measured on Linux only")

func usageOf(int) (consumption, error) { return consumption{}, errNoMeasure }

func machineNow() (machineUsage, error) { return machineUsage{}, errNoMeasure }
