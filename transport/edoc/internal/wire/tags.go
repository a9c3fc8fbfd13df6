//go:build ignore

// Command tags finishes the wire_gen.go of a folder: for an element in no namespace gowsdl writes the tag
// `xml:" Name"`, which means the same as `xml:"Name"` and which go vet refuses.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: tags FOLDER")
		os.Exit(2)
	}
	if err := rewrite(filepath.Join(os.Args[1], "wire_gen.go")); err != nil {
		fmt.Fprintln(os.Stderr, "tags:", err)
		os.Exit(1)
	}
}

func rewrite(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, bytes.ReplaceAll(data, []byte("`xml:\" "), []byte("`xml:\"")), 0o644)
}
