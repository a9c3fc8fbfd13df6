// Command lienthong exchanges Vietnam's electronic documents (edXML): it
// validates, signs and verifies packets, and runs the node that carries them
// between document systems and an axis.
//
// Results go to standard output, talk goes to standard error. Every reading
// command has --json. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 packet
// invalid, 4 signature not acceptable, 5 refused for good by the axis, 6 axis
// unreachable or temporary, 7 not found.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/failpoint"
)

func main() {
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr, os.LookupEnv))
}

// program is one run of the command: where it reads and writes, and in which
// language it talks.
type program struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
	lang     string
	screen   *screen // nil when standard error is no terminal
}

// run runs the program and returns its exit code.
func run(args []string, in io.Reader, out, errs io.Writer, env func(string) (string, bool)) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &program{in: in, env: env, screen: newScreen(errs)}
	p.out, p.err = p.screen.over(out), p.screen.over(errs)
	defer p.screen.clear()
	p.lang = p.language(args)
	if err := failpoint.Fault(); err != nil {
		return p.report(told{exitUsage, with("biến môi trường sai", "the environment is wrong", err), edxml.Text{
			VI: "bỏ biến này nếu không thử giết tiến trình", EN: "unset it unless you rehearse crashes",
		}})
	}
	app := p.app()
	if len(args) > 1 && args[len(args)-1] != completeFlag {
		global, rest := splitGlobal(args[1:])
		args = append(append(args[:1:1], global...), reorder(app.Flags, app.Commands, rest)...)
	}
	return p.report(app.RunContext(ctx, args))
}

func (p *program) app() *cli.App {
	usage := func(c *cli.Context, err error, sub bool) error {
		return usageError{edxml.Text{VI: "sai cú pháp: " + err.Error(), EN: "wrong usage: " + err.Error()}, c.Command.HelpName}
	}
	cli.VersionPrinter = func(c *cli.Context) { fmt.Fprintln(p.out, c.App.Version) }
	app := &cli.App{
		Name:    "lienthong",
		Usage:   p.say("liên thông văn bản điện tử (edXML)", "exchange electronic documents (edXML)"),
		Version: version(),
		Writer:  p.out, ErrWriter: p.err, Reader: p.in,
		HideHelpCommand: true, UseShortOptionHandling: false, EnableBashCompletion: true,
		Flags: []cli.Flag{&cli.StringFlag{
			Name: "lang", Usage: p.say("ngôn ngữ: vi hoặc en (mặc định theo LANG)", "language: vi or en (default by LANG)"),
		}},
		Commands: []*cli.Command{
			p.demoCommand(), p.nodeCommand(), p.axisCommand(), p.simulateCommand(), p.conformCommand(), p.configCommand(), p.doctorCommand(),
			p.submitCommand(), p.inboxCommand(), p.outboxCommand(), p.tokenCommand(),
			p.statsCommand(), p.reconcileCommand(),
			p.backupCommand(), p.restoreCommand(), p.fsckCommand(), p.purgeCommand(), p.journalCommand(), p.storeCommand(),
			p.selftestCommand(),
			p.validateCommand(), p.inspectCommand(), p.signCommand(), p.verifyCommand(),
			p.xmldsigCommand(), p.certCommand(),
			p.explainCommand(),
			p.buildCommand(),
			p.convertCommand(),
			p.extractCommand(),
			p.diffCommand(),
			p.organCommand(),
			p.agencyCommand(),
			p.completionCommand(), p.manCommand(),
		},
		ExitErrHandler: func(*cli.Context, error) {}, // report decides
		OnUsageError:   usage,
		Action:         p.noCommand,
	}
	prepare(app.Commands, usage, p.noCommand)
	return app
}

// prepare gives every command the same manners.
func prepare(commands []*cli.Command, usage cli.OnUsageErrorFunc, none cli.ActionFunc) {
	for _, c := range commands {
		c.OnUsageError = usage
		c.HideHelpCommand = true
		if len(c.Subcommands) > 0 && c.Action == nil {
			c.Action = none
		}
		prepare(c.Subcommands, usage, none)
	}
}

// noCommand answers a call that names no command, or one there is none of.
func (p *program) noCommand(c *cli.Context) error {
	name := strings.TrimSpace(c.Command.HelpName)
	if name == "" {
		name = c.App.Name
	}
	if c.NArg() > 0 {
		return usageError{edxml.Text{
			VI: fmt.Sprintf("không có lệnh %q", c.Args().First()),
			EN: fmt.Sprintf("there is no command %q", c.Args().First()),
		}, name}
	}
	c.App.Writer = p.err
	if len(c.Lineage()) > 2 { // a group such as inbox
		_ = cli.ShowSubcommandHelp(c)
	} else {
		_ = cli.ShowAppHelp(c)
	}
	return usageError{edxml.Text{VI: "thiếu tên lệnh", EN: "a command is missing"}, name}
}

// language returns the language to talk in: --lang, else the environment.
func (p *program) language(args []string) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(strings.TrimPrefix(a, "-"), "-lang="); ok {
			return v
		}
		if (a == "--lang" || a == "-lang") && i+1 < len(args) {
			return args[i+1]
		}
	}
	for _, name := range []string{"LIENTHONG_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if v, ok := p.env(name); ok && v != "" {
			if strings.HasPrefix(v, "vi") {
				return "vi"
			}
			return "en"
		}
	}
	return "en"
}

// say returns the text in the language of this run.
func (p *program) say(vi, en string) string { return edxml.Text{VI: vi, EN: en}.In(p.lang) }

// talk writes a line to standard error.
func (p *program) talk(vi, en string, args ...any) {
	fmt.Fprintf(p.err, p.say(vi, en)+"\n", args...)
}

// report prints an error for its reader and returns the exit code.
func (p *program) report(err error) int {
	if err == nil {
		return exitDone
	}
	var quiet quietError
	if errors.As(err, &quiet) {
		return quiet.code
	}
	e := explain(err)
	fmt.Fprintln(p.err, "lienthong: "+clean(e.what.In(p.lang)))
	if hint := e.hint.In(p.lang); hint != "" {
		fmt.Fprintln(p.err, p.say("gợi ý: ", "hint: ")+hint)
	}
	return e.code
}

// reorder puts flags before arguments, since the flag parser takes everything
// behind the first argument for arguments. What follows "--" is left alone.
func reorder(flags []cli.Flag, commands []*cli.Command, args []string) []string {
	var before, behind []string
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			behind = append(append(behind, a), args[i+1:]...)
			break
		}
		if strings.HasPrefix(a, "-") && a != "-" {
			before = append(before, a)
			if takesValue(flags, a) && i+1 < len(args) {
				i++
				before = append(before, args[i])
			}
			continue
		}
		if len(behind) == 0 {
			if c := find(commands, a); c != nil {
				return append(append(before, a), reorder(c.Flags, c.Subcommands, args[i+1:])...)
			}
		}
		behind = append(behind, a)
	}
	return append(before, behind...)
}

// splitGlobal takes --lang out from wherever it stands before "--".
func splitGlobal(args []string) (global, rest []string) {
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "--":
			return global, append(rest, args[i:]...)
		case strings.HasPrefix(a, "--lang="), strings.HasPrefix(a, "-lang="):
			global = append(global, a)
		case (a == "--lang" || a == "-lang") && i+1 < len(args):
			global = append(global, a, args[i+1])
			i++
		default:
			rest = append(rest, a)
		}
	}
	return global, rest
}

// takesValue reports whether the flag's value is the next argument.
func takesValue(flags []cli.Flag, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	if strings.Contains(name, "=") {
		return false
	}
	for _, f := range flags {
		for _, n := range f.Names() {
			if n == name {
				_, bool := f.(*cli.BoolFlag)
				return !bool
			}
		}
	}
	return false
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}
