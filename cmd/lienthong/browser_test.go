package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// pageTime is how long a page may take to show something.
const pageTime = time.Minute

// browser is a headless Chromium with one tab.
type browser struct {
	t      *testing.T // the one that runs now
	ctx    context.Context
	shots  string
	seen   chan []string // what its console said, when it has ended
	endTab context.CancelFunc
}

func openBrowser(t *testing.T, path, shots string) *browser {
	t.Helper()
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 900))
	all, endAll := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, endTab := chromedp.NewContext(all)
	b := &browser{t: t, ctx: ctx, shots: shots, seen: make(chan []string, 1), endTab: endTab}
	t.Cleanup(func() { endTab(); endAll() })
	b.do()
	messages := chromedp.Console(ctx)
	go func() {
		var bad []string
		for m, err := range messages {
			if err != nil {
				break
			}
			if m.IsException() || strings.Contains("error warning assert", string(m.Type)) {
				bad = append(bad, m.String()+" "+m.URL)
			}
		}
		b.seen <- bad
	}()
	return b
}

// quiet closes the browser and fails if its console said anything bad.
func (b *browser) quiet(t *testing.T) {
	t.Helper()
	b.endTab()
	for _, m := range <-b.seen {
		t.Errorf("the browser's console: %s", m)
	}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, end := context.WithTimeout(b.ctx, pageTime)
	defer end()
	if len(steps) == 0 { // the first one starts the browser, which must outlive it
		ctx = b.ctx
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.fail(err)
	}
}

// fail ends the test with what the page shows.
func (b *browser) fail(err error) {
	b.t.Helper()
	text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot()); err == nil {
		_ = os.WriteFile(filepath.Join(b.shots, "failed.png"), picture, 0o644) // for whoever looks into it
	}
	b.t.Fatalf("%v; the page:\n%s", err, text)
}

func (b *browser) open(url string) { b.t.Helper(); b.do(chromedp.Navigate(url)) }

func (b *browser) fill(selector, text string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(selector, text))
}

func (b *browser) click(selector string) { b.t.Helper(); b.do(chromedp.Click(selector)) }

// press clicks on what leads to another page, and waits for that.
func (b *browser) press(selector string) {
	b.t.Helper()
	ctx, end := context.WithTimeout(b.ctx, pageTime)
	defer end()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(selector)); err != nil {
		b.fail(fmt.Errorf("%s: %w", selector, err))
	}
}

func (b *browser) logIn(token string) {
	b.t.Helper()
	b.fill("#token", token)
	b.press("form.stack button")
}

// sees waits until an element has a text.
func (b *browser) sees(selector, text string) {
	b.t.Helper()
	if !b.wait(selector, text, pageTime) {
		b.fail(fmt.Errorf("%s does not say %q", selector, text))
	}
}

// until loads the page anew until an element has a text.
func (b *browser) until(selector, text string) {
	b.t.Helper()
	for end := time.Now().Add(pageTime); !b.wait(selector, text, 300*time.Millisecond); {
		if time.Now().After(end) {
			b.fail(fmt.Errorf("%s does not say %q", selector, text))
		}
		b.do(chromedp.Reload())
	}
}

func (b *browser) wait(selector, text string, most time.Duration) bool {
	ctx, end := context.WithTimeout(b.ctx, most)
	defer end()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf(`(document.querySelector(%q)?.innerText || "").includes(%q)`, selector, text)))
		if err == nil && ok {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// shoot takes pictures of the page: wide and narrow, light and dark. None may
// be wider than the window.
func (b *browser) shoot(name string) {
	b.t.Helper()
	for _, width := range []int64{1280, 390} {
		for _, scheme := range []string{"light", "dark"} {
			b.do(chromedp.EmulateViewport(width, 900), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
				return err
			}))
			wide, err := chromedp.Run(b.ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
			if err != nil {
				b.fail(err)
			}
			if wide > width {
				b.t.Errorf("%s: the page is %d px wide in a window of %d", name, wide, width)
			}
			picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			if err != nil {
				b.fail(err)
			}
			if err := os.WriteFile(filepath.Join(b.shots, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), picture, 0o644); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	b.do(chromedp.EmulateViewport(1280, 900))
}
