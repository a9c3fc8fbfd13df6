package organ_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/lienthong/lienthong/edxml/organ"
)

func Example() {
	id, err := organ.Parse(" 000.12.31.H02\n")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(id.Generation(), id.Levels())
	if parent, ok := id.Parent(); ok {
		fmt.Println("below", parent)
	}
	if other, ok := id.Counterpart(); ok {
		fmt.Println("perhaps also", other)
	}
	at := time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC)
	if e, ok := organ.Lookup(id, at); ok && e.Closed(at) {
		fmt.Printf("%s closed after %s, now %s\n", e.Name, e.To.Format(time.DateOnly), e.MergedInto)
	}
	// Output:
	// QCVN 102:2016 [H02 31 12]
	// below 000.00.31.H02
	// perhaps also H02.31.12
	// UBND tỉnh Bắc Giang closed after 2025-06-30, now H05
}

func ExampleParse() {
	for _, s := range []string{"H53.13", "28.22.H17", "H53 13"} {
		id, err := organ.Parse(s)
		var bad *organ.ParseError
		if errors.As(err, &bad) {
			fmt.Println("refused:", bad.Reason)
			continue
		}
		fmt.Println(id, id.Generation(), id.Root())
	}
	// Output:
	// H53.13 QĐ 20/2020 H53
	// 28.22.H17 other H17
	// refused: white space (U+0020)
}

func ExampleLookup() {
	for _, year := range []int{2024, 2026} {
		at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		e, _ := organ.Lookup("G10.05", at)
		fmt.Println(year, e.Name)
	}
	// Output:
	// 2024 Bộ Nông nghiệp và Phát triển nông thôn
	// 2026 Bộ Nông nghiệp và Môi trường
}

func ExampleRegister() {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	n := 0
	for e := range organ.Register() {
		if e.Kind == "provincial_peoples_committee" && !e.Closed(at) {
			n++
		}
	}
	fmt.Println(n, "provinces and cities")
	// Output:
	// 34 provinces and cities
}
