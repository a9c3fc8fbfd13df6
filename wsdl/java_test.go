package wsdl_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestJava compiles the schemas with those of the JDK, which looks closer than
// libxml2, and holds the instances against them; those of the operations a
// second time against what the WSDL imports.
//
// No JDK since 11 has wsimport or javax.wsdl, so this is as far as the JDK
// alone reads a WSDL.
func TestJava(t *testing.T) {
	java, err := exec.LookPath("java")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("java is not installed (package openjdk-17-jdk-headless)")
		}
		t.Skip("java is not installed (package openjdk-17-jdk-headless)")
	}
	dir := unpack(t)
	var input strings.Builder
	want := map[string]bool{} // file: valid
	var asked int
	for folder, valid := range map[string]bool{"valid": true, "invalid": false} {
		files, err := filepath.Glob(filepath.Join("testdata", folder, "*.xml"))
		if err != nil || len(files) < 10 {
			t.Fatalf("testdata/%s holds %d files, %v", folder, len(files), err)
		}
		for _, file := range files {
			want[file] = valid
			schemas := []string{schemaOf(t, file)}
			if strings.HasPrefix(schemas[0], "edoc") {
				schemas = append(schemas, "edoc.wsdl")
			}
			for _, schema := range schemas {
				input.WriteString(schema + "\t" + file + "\n")
				asked++
			}
		}
	}
	cmd := exec.Command(java, "-Dfile.encoding=UTF-8", "testdata/Validate.java", dir)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8") // Java maps the names of files by the locale
	cmd.Stdin = strings.NewReader(input.String())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != asked {
		t.Errorf("%d answers to %d questions", len(lines), asked)
	}
	for _, line := range lines {
		file, verdict, _ := strings.Cut(line, "\t")
		if (verdict == "valid") != want[file] {
			t.Errorf("%s: %s, want valid %v", file, verdict, want[file])
		}
	}
}
