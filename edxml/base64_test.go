package edxml

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// inPieces hands out text in pieces whose sizes size chooses, each in a buffer
// that is spoiled before the next one, as the scanner's window is.
func inPieces(text []byte, size func() int) func() ([]byte, error) {
	var last []byte
	return func() ([]byte, error) {
		for i := range last {
			last[i] = '?'
		}
		if len(text) == 0 {
			return nil, io.EOF
		}
		n := min(size(), len(text))
		last = bytes.Clone(text[:n])
		text = text[n:]
		return last, nil
	}
}

// TestBase64AgreesWithStandardLibrary decodes random bytes with random white
// space in random pieces into buffers of random sizes.
func TestBase64AgreesWithStandardLibrary(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 3000 {
		raw := make([]byte, rnd.IntN(400))
		for i := range raw {
			raw[i] = byte(rnd.Uint32())
		}
		encoding := base64.StdEncoding
		if round%5 == 0 {
			encoding = base64.RawStdEncoding
		}
		var text []byte
		spaces := rnd.IntN(4) // none, few, many
		for _, c := range []byte(encoding.EncodeToString(raw)) {
			for spaces > 0 && rnd.IntN(20) < spaces {
				text = append(text, " \t\r\n"[rnd.IntN(4)])
			}
			text = append(text, c)
		}
		if spaces > 0 {
			text = append(text, '\n')
		}
		largest := 1 + rnd.IntN(100)
		r := &base64Reader{next: inPieces(text, func() int { return rnd.IntN(largest + 1) })}
		var got []byte
		var err error
		for err == nil {
			p := make([]byte, rnd.IntN(50))
			var n int
			n, err = r.Read(p)
			got = append(got, p[:n]...)
		}
		if err != io.EOF || !bytes.Equal(got, raw) {
			t.Fatalf("round %d: %q gave %x, %v; want %x", round, text, got, err, raw)
		}
	}
}

func TestBase64Reader(t *testing.T) {
	r := &base64Reader{next: inPieces([]byte(" TGnDqm4g\ndGjDtG5n\t"), func() int { return 5 })}
	if err := iotest.TestReader(r, []byte("Liên thông")); err != nil {
		t.Error(err)
	}
}

// TestBase64OfURLs takes the other alphabet, in every rhythm, and says so.
func TestBase64OfURLs(t *testing.T) {
	raw := []byte("\xfb\xef\xbe\xff\xff\xffLiên thông\xfb\xf0")
	for _, enc := range []*base64.Encoding{base64.URLEncoding, base64.RawURLEncoding, base64.StdEncoding} {
		for _, piece := range []int{1, 2, 3, 5, 1 << 20} {
			r := &base64Reader{next: inPieces([]byte(enc.EncodeToString(raw)), func() int { return piece })}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, raw) || r.url != (enc != base64.StdEncoding) {
				t.Errorf("pieces of %d: %q, %v, url %v", piece, got, err, r.url)
			}
		}
	}
}

// TestEncodedTwice tells the base64 text of a file from everything else.
func TestEncodedTwice(t *testing.T) {
	pdf := "%PDF-1.7\n" + strings.Repeat("Trục liên thông\n", 1000)
	text := base64.StdEncoding.EncodeToString([]byte(pdf))
	var broken strings.Builder
	for i := 0; i < len(text); i += 76 {
		broken.WriteString(text[i:min(i+76, len(text))] + "\r\n")
	}
	short := base64.StdEncoding.EncodeToString([]byte("PK\x03\x04..."))
	for _, c := range []struct {
		name, part, want string
		twice            bool
	}{
		{"a file as base64 text", text, pdf, true},
		{"with line ends", broken.String(), pdf, true},
		{"a short one", short, "PK\x03\x04...", true},
		{"the file itself", pdf, pdf, false},
		{"base64 text of something unknown", "R2hpIGNow7o=", "R2hpIGNow7o=", false},
		{"a short one cut off", short[:len(short)-1], short[:len(short)-1], false},
		{"text that begins like it", "JVBERi0xLjc= and so on", "JVBERi0xLjc= and so on", false},
		{"nothing", "", "", false},
	} {
		r := bufio.NewReaderSize(iotest.HalfReader(strings.NewReader(c.part)), sniff)
		var src io.Reader = r
		b := encodedTwice(r)
		if b != nil {
			src = b
		}
		got, err := io.ReadAll(src)
		if (b != nil) != c.twice || string(got) != c.want || err != nil {
			t.Errorf("%s: twice %v, %d bytes, %v", c.name, b != nil, len(got), err)
		}
	}
}

// TestBase64Faults: every fault is found in every rhythm, behind the same bytes.
func TestBase64Faults(t *testing.T) {
	for _, c := range []struct{ text, before, says string }{
		{"QUJD*UJD", "ABC", "alphabet"},
		{"QUJDQUI!", "ABC", "alphabet"},
		{"QUJD\x00UJD", "ABC", "alphabet"},
		{"QUJD\vUJD", "ABC", "alphabet"},
		{"QUJDQ===", "ABC", "alphabet"},
		{"QUJD=QQQ", "ABC", "alphabet"},
		{"QUJDQQ=A", "ABC", "alphabet"},
		{"====", "", "alphabet"},
		{"QQ==QQ==", "A", "behind the padding"},
		{"QQ==\n=", "A", "behind the padding"},
		{"QUI=x", "AB", "behind the padding"},
		{strings.Repeat("QUJD", 9) + "QQ==" + strings.Repeat("QUJD", 9), strings.Repeat("ABC", 9) + "A", "behind the padding"},
		{"QUJDQ", "ABC", "ends inside"},
		{"QUJDQQ=", "ABC", "ends inside"},
		{"=", "", "ends inside"},
	} {
		for _, piece := range []int{1, 2, 3, 5, 1 << 20} {
			for _, room := range []int{1, 3, 7, 4096} {
				r := &base64Reader{next: inPieces([]byte(c.text), func() int { return piece })}
				var got []byte
				var err error
				p := make([]byte, room)
				for err == nil {
					var n int
					n, err = r.Read(p)
					got = append(got, p[:n]...)
				}
				var fault *ContentError
				if !errors.As(err, &fault) || fault.Rule != "ATT-6" || !strings.Contains(fault.Text, c.says) || string(got) != c.before {
					t.Errorf("%q by %d into %d: %q, %v", c.text, piece, room, got, err)
				}
				if _, again := r.Read(p); again != err {
					t.Errorf("%q: first %v, then %v", c.text, err, again)
				}
			}
		}
	}
	lost := errors.New("lost")
	r := &base64Reader{next: func() ([]byte, error) { return nil, lost }}
	if _, err := r.Read(make([]byte, 9)); err != lost {
		t.Errorf("the source's error became %v", err)
	}
}

func FuzzBase64(f *testing.F) {
	for _, s := range []string{"", "QUJD", " QQ = =\n", "QQ==QQ==", "QUJDQ", "*", "TGnDqm4gdGjDtG5n", "000_", "-_-_", strings.Repeat("QUJD\r\n", 50)} {
		f.Add([]byte(s), uint8(3), uint8(7))
	}
	f.Fuzz(func(t *testing.T, text []byte, piece, room uint8) {
		read := func(piece, room int) (string, string) {
			r := &base64Reader{next: inPieces(text, func() int { return piece })}
			var b strings.Builder
			_, err := io.CopyBuffer(&b, struct{ io.Reader }{r}, make([]byte, room))
			if err != nil {
				return b.String(), err.Error()
			}
			return b.String(), ""
		}
		got, fault := read(1+int(piece), 1+int(room))
		all, allFault := read(len(text)+1, 4096)
		if got != all || fault != allFault {
			t.Errorf("%q %s by %d into %d, but %q %s at once", got, fault, piece, room, all, allFault)
		}
		// white space is passed over, and the letters of the URL alphabet are read
		squeezed := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "", "-", "+", "_", "/").Replace(string(text))
		want, err := base64.StdEncoding.DecodeString(squeezed)
		if err == nil && (fault != "" || got != string(want)) {
			t.Errorf("%q: %q %s, the standard library %q", text, got, fault, want)
		}
		if fault == "" && err != nil && len(squeezed)%4 == 0 {
			t.Errorf("%q: no fault, but the standard library says %v", text, err)
		}
	})
}
