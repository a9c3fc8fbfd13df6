package main

import (
	_ "embed" // for the scripts
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
)

// completeFlag asks for what could stand at the end of the command line. It is
// the last argument there, and no word of a user.
const completeFlag = "--generate-bash-completion"

//go:embed dist/completion.bash
var completionBash string

//go:embed dist/completion.zsh
var completionZsh string

func (p *program) completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", ArgsUsage: "bash|zsh|fish",
		Usage:  p.say("in tập lệnh tự hoàn thành cho shell", "print the completion script of a shell"),
		Action: p.completion,
	}
}

func (p *program) completion(c *cli.Context) error {
	shell, err := argument(c, "tên shell (bash, zsh hoặc fish)", "the shell (bash, zsh or fish)")
	if err != nil {
		return err
	}
	script := ""
	switch shell {
	case "bash":
		script = completionBash
	case "zsh":
		script = completionZsh
	case "fish":
		if script, err = c.App.ToFishCompletion(); err != nil {
			return err
		}
	default:
		return usageError{edxml.Text{
			VI: fmt.Sprintf("không có tập lệnh cho %q: bash, zsh hoặc fish", shell),
			EN: fmt.Sprintf("there is no script for %q: bash, zsh or fish", shell),
		}, c.Command.HelpName}
	}
	_, err = fmt.Fprintln(p.out, strings.TrimSuffix(script, "\n"))
	return err
}
