package boltstore

import (
	"fmt"
	"runtime/debug"
)

// PagesError says that the database holds pages that make no sense.
type PagesError struct {
	File string
	Why  string // what bbolt stumbled over
}

// Error names the file and says what to do.
func (e *PagesError) Error() string {
	return fmt.Sprintf("boltstore: %s: the file is damaged (%s): restore a backup", e.File, e.Why)
}

// guarded does what reads the database, which may be damaged: bbolt trusts its
// pages, and panics or reads outside of the file when they are wrong. The
// panic becomes a *PagesError.
func (s *Store) guarded(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = &PagesError{File: s.file(), Why: fmt.Sprint(r)}
		}
	}()
	return do()
}
