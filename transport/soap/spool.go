package soap

import (
	"fmt"
	"io"
	"os"
)

// spool keeps the parts that come before the envelope in one temporary file. It is empty at first.
type spool struct {
	max     int64 // Limits.Spool
	file    *os.File
	size    int64
	waiting []*Incoming
}

// add copies the content of a part to the file.
func (s *spool) add(in *Incoming) error {
	if s.file == nil {
		file, err := os.CreateTemp("", "lienthong-soap-*")
		if err != nil {
			return fmt.Errorf("soap: spool a part before the envelope: %w", err)
		}
		s.file = file
	}
	n, err := io.Copy(s.file, &limitReader{src: in.Content, name: "spool", max: s.max, left: s.max - s.size})
	if err != nil {
		return err
	}
	in.Content = io.NewSectionReader(s.file, s.size, n)
	s.size += n
	s.waiting = append(s.waiting, in)
	return nil
}

// take returns the content of the part with a Content-ID, nil when it does not wait here.
func (s *spool) take(id string) *Incoming {
	for i, in := range s.waiting {
		if in.ID == id {
			s.waiting = append(s.waiting[:i:i], s.waiting[i+1:]...)
			return in
		}
	}
	return nil
}

// next returns the part that waits longest, nil when none does.
func (s *spool) next() (*Incoming, error) {
	if len(s.waiting) == 0 {
		return nil, nil
	}
	in := s.waiting[0]
	s.waiting = s.waiting[1:]
	return in, nil
}

// close removes the file.
func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	file := s.file
	s.file, s.waiting = nil, nil
	closing := file.Close()
	if err := os.Remove(file.Name()); err != nil {
		return fmt.Errorf("soap: %w", err)
	}
	return closing
}
