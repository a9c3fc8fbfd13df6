package edxml_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lienthong/lienthong/edxml"
)

// FuzzValidate judges whatever can be read against every rule: it ends, speaks
// two languages, and every place is in the packet.
func FuzzValidate(f *testing.F) {
	texts := sound(f)
	for _, doc := range texts {
		f.Add(doc)
	}
	for _, j := range judgements {
		f.Add(alter(f, texts[j.form], j.hit...))
	}
	f.Fuzz(func(t *testing.T, doc string) {
		p, err := edxml.Read(strings.NewReader(doc), edxml.ReadOptions{})
		if err != nil {
			return
		}
		found := edxml.ValidateWith(p, edxml.ValidateOptions{Now: now, Against: edxml.All})
		var x edxml.Exchange
		for _, finding := range slices.Concat(found, x.Add("a", p), x.Add("b", p), x.Statuses()["a"], x.Statuses()["b"]) {
			if finding.Message.VI == "" || strings.Contains(finding.Message.EN+finding.Message.VI, "%!") || finding.Pos.Offset > int64(len(doc)) {
				t.Errorf("%+v", finding)
			}
		}
		for _, set := range []edxml.Against{edxml.Law, edxml.Axis, edxml.Vendor} {
			one, of := edxml.ValidateWith(p, edxml.ValidateOptions{Now: now, Against: set}), set.Of(found)
			structural := func(f edxml.Finding) bool { return strings.HasPrefix(f.Rule, "STR-") } // they give way to any other
			if one, of = slices.DeleteFunc(one, structural), slices.DeleteFunc(of, structural); len(one) != len(of) {
				t.Errorf("%v alone finds %v, of all %v", set, one, of)
			}
		}
	})
}

// TestValidateTogether: packets are judged at the same time, by schemas that
// are compiled once.
func TestValidateTogether(t *testing.T) {
	texts := sound(t)
	bad := alter(t, texts["document"], el("PageAmount", "4"), el("PageAmount", "bốn"))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				for doc, want := range map[string]int{texts["document"]: 0, texts["soap"]: 0, texts["status"]: 0, bad: 1} {
					p, err := edxml.Read(strings.NewReader(doc), edxml.ReadOptions{})
					if err != nil {
						t.Error(err)
						return
					}
					if found := edxml.Validate(p, now); len(found) != want {
						t.Errorf("%v", found)
					}
				}
			}
		})
	}
	all.Wait()
}
