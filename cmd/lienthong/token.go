package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/api"
)

func (p *program) tokenCommand() *cli.Command {
	return &cli.Command{
		Name: "token", Usage: p.say("token của các hệ thống văn bản gọi nút", "tokens of the document systems that call the node"),
		Subcommands: []*cli.Command{
			{
				Name: "create", Usage: p.say("tạo token; chỉ hiện một lần", "make a token; it is shown once"), ArgsUsage: p.say("TÊN", "NAME"),
				Flags: []cli.Flag{
					p.configFlag(), p.jsonFlag(),
					&cli.StringFlag{Name: "scope", Value: "submit,receive,read", Usage: p.say("quyền, cách nhau bằng dấu phẩy: ", "scopes, with commas between: ") + scopeNames()},
					&cli.DurationFlag{Name: "expires", DefaultText: p.say("không", "never"), Usage: p.say("hết hạn sau bao lâu, như 2160h", "when it ends, like 2160h")},
				},
				Action: p.tokenCreate,
			},
			{
				Name: "list", Usage: p.say("liệt kê các token", "list the tokens"),
				Flags: []cli.Flag{p.configFlag(), p.jsonFlag()}, Action: p.tokenList,
			},
			{
				Name: "revoke", Usage: p.say("thu hồi token, có hiệu lực ngay", "revoke a token, at once"), ArgsUsage: p.say("MÃ|TÊN", "ID|NAME"),
				Flags: []cli.Flag{p.configFlag(), p.jsonFlag()}, Action: p.tokenRevoke,
			},
		},
	}
}

func scopeNames() string {
	var all []string
	for _, s := range api.Scopes() {
		all = append(all, string(s))
	}
	return strings.Join(all, ", ")
}

func (p *program) tokenCreate(c *cli.Context) error {
	name, err := argument(c, "tên của token: của hệ thống nào", "the token's name: whose it is")
	if err != nil {
		return err
	}
	ask := api.Asked{Name: name}
	for _, s := range strings.Split(c.String("scope"), ",") {
		if s = strings.TrimSpace(s); s != "" {
			ask.Scopes = append(ask.Scopes, api.Scope(s))
		}
	}
	if d := c.Duration("expires"); d < 0 {
		return usageError{edxml.Text{VI: "--expires phải lớn hơn 0", EN: "--expires must be above 0"}, c.Command.HelpName}
	} else if d > 0 {
		ask.Expires = time.Now().Add(d).UTC().Truncate(time.Second)
	}
	return p.through(c, func(d *api.Client) error {
		made, err := d.CreateToken(c.Context, ask)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return p.printJSON(made)
		}
		fmt.Fprintln(p.out, made.Secret)
		p.talk("token %s của %q; chỉ hiện lần này, hãy cất giữ", "token %s of %q; it is shown this once, keep it safe", made.Token.ID, made.Token.Name)
		return nil
	})
}

func (p *program) tokenList(c *cli.Context) error {
	if err := noArgument(c); err != nil {
		return err
	}
	return p.through(c, func(d *api.Client) error {
		all, err := d.Tokens(c.Context)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return p.printJSON(all)
		}
		for _, t := range all {
			ends := p.say("không hết hạn", "never ends")
			if !t.Expires.IsZero() {
				ends = t.Expires.In(edxml.Vietnam).Format("02/01/2006 15:04")
			}
			var scopes []string
			for _, s := range t.Scopes {
				scopes = append(scopes, string(s))
			}
			fmt.Fprintf(p.out, "%s  %s  %s  %s\n", t.ID, strings.Join(scopes, ","), ends, clean(t.Name))
		}
		return nil
	})
}

func (p *program) tokenRevoke(c *cli.Context) error {
	ref, err := argument(c, "mã hoặc tên của token", "the token's id or name")
	if err != nil {
		return err
	}
	return p.through(c, func(d *api.Client) error {
		t, err := d.RevokeToken(c.Context, ref)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			return p.printJSON(t)
		}
		fmt.Fprintln(p.out, t.ID)
		p.talk("đã thu hồi token của %q", "the token of %q is revoked", t.Name)
		return nil
	})
}

// noArgument refuses arguments.
func noArgument(c *cli.Context) error {
	if c.NArg() > 0 {
		return usageError{edxml.Text{VI: "lệnh này không có đối số: " + c.Args().First(), EN: "this command takes no argument: " + c.Args().First()}, c.Command.HelpName}
	}
	return nil
}
