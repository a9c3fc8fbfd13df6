package organ

import (
	"slices"
	"strings"
	"testing"
)

func TestGeneration(t *testing.T) {
	for _, tt := range []struct {
		id     ID
		want   Generation
		levels string // root first, separated by spaces
		parent ID
	}{
		{"000.00.00.H41", QCVN102, "H41", ""},
		{"000.00.13.H53", QCVN102, "H53 13", "000.00.00.H53"},
		{"000.12.31.H53", QCVN102, "H53 31 12", "000.00.31.H53"},
		{"005.12.31.H53", QCVN102, "H53 31 12 005", "000.12.31.H53"},
		{"000.12.00.H53", QCVN102, "H53 00 12", "000.00.00.H53"},
		{"777.77.03.D77", QCVN102, "D77 03 77 777", "000.77.03.D77"},
		{"001.00.20.TT2", QCVN102, "TT2 20 00 001", "000.00.20.TT2"},
		{"001.00.41.W00", QCVN102, "W00 41 00 001", "000.00.41.W00"},
		{"ABC.12.31.H53", QCVN102, "H53 31 12 ABC", "000.12.31.H53"},
		{"H41", QD20, "H41", ""},
		{"H41.1.2", QD20, "H41 1 2", "H41.1"},
		{"H56.242", QD20, "H56 242", "H56"},
		{"H37.DN.001", QD20, "H37 DN 001", "H37.DN"},
		{"H37.02.02.001.5", QD20, "H37 02 02 001 5", "H37.02.02.001"},
		{"A12.31.12.H53", QD20, "A12 31 12 H53", "A12.31.12"}, // a root in front decides
		{"Z01", Scheme, "Z01", ""},
		{"Z99abc.1", Scheme, "Z99 abc.1", ""},
		{"0100109106", TaxCode, "0100109106", ""},
		{"0100109106-001", TaxCode, "0100109106 001", "0100109106"},
		{"0100109106001", TaxCode, "0100109106 001", "0100109106"},
		{"28.22.H17", Other, "H17 22 28", ""},
		{"01.02.G22", Other, "G22 02 01", ""},
		{"00.53.W00", Other, "W00 53", ""},
		{"H37.dn.001", Other, "H37 dn 001", ""},
		{"000.00.00.h41", Other, "", ""},
		{"000.00.00.1AB", Other, "", ""},
		{"000.00.00.Z01", Other, "", ""},
		{"0000.0.00.H41", Other, "H41", ""},
		{"vxp.saas.03", Other, "", ""},
		{"H53.", Other, "", ""},
		{"H53..1", Other, "", ""},
		{"Z00ABC", Other, "", ""},
		{"H5", Other, "", ""},
		{"H533", Other, "", ""},
		{"010010910", Other, "", ""},
		{"0100109106_001", Other, "", ""},
		{"null", Other, "", ""},
		{"", Other, "", ""},
		{"H41." + "1234567890123456789012345678901", QD20, "H41 1234567890123456789012345678901", "H41"}, // 35
		{"H41." + "12345678901234567890123456789012", Other, "H41 12345678901234567890123456789012", ""}, // 36
		{"Z01" + "12345678901234567890123456789012", Scheme, "Z01 12345678901234567890123456789012", ""}, // 35
		{ID("Z01" + strings.Repeat("ậ", 32)), Scheme, "Z01 " + strings.Repeat("ậ", 32), ""},              // 35 characters
		{"Z01" + "123456789012345678901234567890123", Other, "", ""},                                     // 36
		{"H41.Ậ", Other, "H41 Ậ", ""},                 // not of the alphabet
		{"١٢٣.00.00.H41", Other, "H41 00 00 ١٢٣", ""}, // digits of another script
	} {
		if got := tt.id.Generation(); got != tt.want {
			t.Errorf("%q is %v, want %v", tt.id, got, tt.want)
		}
		if got := tt.id.Levels(); !slices.Equal(got, strings.Fields(tt.levels)) {
			t.Errorf("%q has levels %q, want %q", tt.id, got, tt.levels)
		}
		root, _, _ := strings.Cut(tt.levels, " ")
		if got := tt.id.Root(); got != root {
			t.Errorf("%q has root %q, want %q", tt.id, got, root)
		}
		if got, ok := tt.id.Parent(); got != tt.parent || ok != (tt.parent != "") {
			t.Errorf("%q has parent %q, %v; want %q", tt.id, got, ok, tt.parent)
		}
		checkLaws(t, tt.id)
	}
}

func TestCounterpart(t *testing.T) {
	for _, tt := range []struct{ old, new ID }{
		{"000.00.00.H41", "H41"},
		{"000.00.17.H36", "H36.17"},
		{"000.00.22.H36", "H36.22"},
		{"000.12.31.H53", "H53.31.12"},
		{"005.12.31.H53", "H53.31.12.005"},
		{"000.00.DN.H37", "H37.DN"},
	} {
		if got, ok := tt.old.Counterpart(); got != tt.new || !ok {
			t.Errorf("%q has counterpart %q, %v; want %q", tt.old, got, ok, tt.new)
		}
		if got, ok := tt.new.Counterpart(); got != tt.old || !ok {
			t.Errorf("%q has counterpart %q, %v; want %q", tt.new, got, ok, tt.old)
		}
	}
	for _, tt := range []struct {
		id  ID
		why string
	}{
		{"000.12.00.H53", "a level is skipped"},
		{"001.00.20.TT2", "the root is none of the second generation"},
		{"H41.1", "one digit, and a guess of 01 could be another agency"},
		{"H56.242", "three digits at level 2"},
		{"H41.00", "zeros in use"},
		{"H37.01.02.003.4", "five levels"},
		{"H53.31.12.A01", "turned round it would begin with a root"},
		{"28.22.H17", "no generation"},
		{"Z01AB", "a scheme"},
		{"0100109106", "a tax code"},
		{"", "nothing"},
	} {
		if got, ok := tt.id.Counterpart(); ok || got != "" {
			t.Errorf("%q has counterpart %q, want none: %s", tt.id, got, tt.why)
		}
	}
}

func TestTransit(t *testing.T) {
	for id, want := range map[ID]bool{
		"001.00.41.W00": true,
		"00.53.W00":     true,
		"W00.41":        true,
		"W01":           true,
		"H53.W00":       true,
		"000.00.13.H53": false,
		"H53.13":        false,
		"W0":            false,
		"W000":          false,
		"WAN.1":         false,
		"vxp.saas.03":   false,
		"":              false,
	} {
		if got := id.Transit(); got != want {
			t.Errorf("%q transit %v, want %v", id, got, want)
		}
	}
}

func TestGenerationString(t *testing.T) {
	seen := map[string]Generation{}
	for _, g := range []Generation{Other, QCVN102, QD20, Scheme, TaxCode} {
		if before, ok := seen[g.String()]; ok {
			t.Errorf("%d and %d are both %q", before, g, g)
		}
		seen[g.String()] = g
	}
}
