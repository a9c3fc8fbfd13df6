package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
)

func (p *program) manCommand() *cli.Command {
	return &cli.Command{
		Name: "man", ArgsUsage: p.say("[LỆNH]", "[COMMAND]"),
		Usage: p.say("in trang hướng dẫn (man) của chương trình hoặc của một lệnh", "print the manual page of the program, or of one command"),
		Flags: []cli.Flag{&cli.StringFlag{Name: "to", Usage: p.say("ghi tất cả các trang vào thư mục này", "write all pages into this folder")}},
		Action: func(c *cli.Context) error {
			if dir := c.String("to"); dir != "" {
				return p.writePages(c, dir)
			}
			page := p.programPage(c.App)
			if c.NArg() > 0 {
				name, err := argument(c, "tên lệnh", "the command")
				if err != nil {
					return err
				}
				of := find(c.App.Commands, name)
				if of == nil {
					return usageError{edxml.Text{
						VI: fmt.Sprintf("không có lệnh %q", name), EN: fmt.Sprintf("there is no command %q", name),
					}, c.Command.HelpName}
				}
				page = p.commandPage(c.App, of)
			}
			text, err := roff(page)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(p.out, text)
			return err
		},
	}
}

// writePages writes the page of the program and one for each command.
func (p *program) writePages(c *cli.Context, dir string) error {
	if err := noArgument(c); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fileError{dir, err}
	}
	pages := []*cli.App{p.programPage(c.App)}
	for _, of := range c.App.VisibleCommands() {
		pages = append(pages, p.commandPage(c.App, of))
	}
	for _, page := range pages {
		text, err := roff(page)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, page.Name+".1")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return fileError{file, err}
		}
	}
	return nil
}

// roff renders a page as man reads it.
func roff(page *cli.App) (string, error) {
	text, err := page.ToManWithSection(1)
	return strings.Replace(text, ".SH GLOBAL OPTIONS", ".SH OPTIONS", 1), err
}

// programPage is the page of the whole program.
func (p *program) programPage(app *cli.App) *cli.App {
	page := *app
	page.Description = p.say(
		"Kết quả ra stdout, lời nhắn ra stderr; lệnh đọc nào cũng có --json. Mã thoát: 0 xong, 1 hỏng, 2 sai cú pháp, 3 gói tin không hợp lệ, "+
			"4 chữ ký không chấp nhận được, 5 trục từ chối hẳn, 6 không tới được trục hoặc trục tạm từ chối, 7 không tìm thấy. "+
			"Mỗi lệnh có trang riêng: man lienthong-LỆNH.",
		"Results go to standard output, talk to standard error; every reading command has --json. Exit codes: 0 done, 1 failed, 2 wrong usage, "+
			"3 packet invalid, 4 signature not acceptable, 5 refused for good by the axis, 6 axis unreachable or temporary, 7 not found. "+
			"Each command has a page of its own: man lienthong-COMMAND.")
	page.Commands = documented(app.Commands, app.Name)
	return &page
}

// commandPage is the page of one command: its own flags, and its subcommands.
func (p *program) commandPage(app *cli.App, of *cli.Command) *cli.App {
	own := documented([]*cli.Command{of}, app.Name)[0]
	return &cli.App{
		Name: app.Name + "-" + of.Name, Usage: of.Usage, UsageText: own.UsageText,
		Description: lines(of.Description), Flags: of.VisibleFlags(), Commands: own.Subcommands,
	}
}

// documented copies commands, each with how it is called and what is said
// about it where the library's pages look for it.
func documented(commands []*cli.Command, caller string) []*cli.Command {
	var all []*cli.Command
	for _, c := range commands {
		doc := *c
		name := caller + " " + c.Name
		doc.UsageText = strings.TrimSpace(name + " [OPTIONS] " + c.ArgsUsage)
		if len(c.Subcommands) > 0 && c.ArgsUsage == "" {
			doc.UsageText = name + " COMMAND [OPTIONS]"
		}
		if c.Description != "" {
			doc.Usage += "\n\n" + lines(c.Description)
		}
		doc.Subcommands = documented(c.Subcommands, name)
		all = append(all, &doc)
	}
	return all
}

// lines keeps the lines of a text apart in Markdown.
func lines(text string) string { return strings.ReplaceAll(text, "\n", "  \n") }
