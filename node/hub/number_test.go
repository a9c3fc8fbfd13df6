package hub

import (
	"strconv"
	"sync"
	"testing"
)

// Numbers of one hub are never given twice, however many are asked for in one
// millisecond: 15 bits at random alone are the same every few hundred times.
func TestNumbers(t *testing.T) {
	var x numbers
	var mu sync.Mutex
	seen := map[string]bool{}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			last := int64(0)
			for range 5000 {
				number, err := x.next()
				if err != nil {
					t.Error(err)
					return
				}
				n, err := strconv.ParseInt(number, 10, 64)
				if err != nil || n <= last {
					t.Errorf("%s after %d: error %v", number, last, err)
				}
				last = n
				mu.Lock()
				if seen[number] {
					t.Errorf("%s was given twice", number)
				}
				seen[number] = true
				mu.Unlock()
			}
		})
	}
	wait.Wait()
}
