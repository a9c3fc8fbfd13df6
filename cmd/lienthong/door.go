package main

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node/api"
)

// defaultConfig is where commands look for the configuration.
const defaultConfig = "lienthong.toml"

// configFlag is the flag of every command that needs a node.
func (p *program) configFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "config", Value: defaultConfig, EnvVars: []string{"LIENTHONG_CONFIG"},
		Usage: p.say("tệp cấu hình của nút", "the node's configuration file"),
	}
}

func (p *program) jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: p.say("in JSON", "print JSON")}
}

// door opens the way to the node: the socket of a running one, else the store
// itself. The second result closes it.
func (p *program) door(c *cli.Context) (*api.Client, func() error, error) {
	cfg, err := readConfig(c.String("config"))
	if err != nil {
		return nil, nil, err
	}
	socket, err := cfg.socket()
	if err != nil {
		return nil, nil, err
	}
	if conn, err := net.Dial("unix", socket); err == nil {
		conn.Close()
		return api.Dial(socket), func() error { return nil }, nil
	}
	n, err := cfg.open(slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	return api.InProcess(api.New(n, api.Options{}).Local()), n.Store.Close, nil
}

// through opens the door, does something, and closes it.
func (p *program) through(c *cli.Context, do func(*api.Client) error) (err error) {
	d, closeDoor, err := p.door(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDoor()) }()
	return do(d)
}

// argument returns the one argument of a command.
func argument(c *cli.Context, vi, en string) (string, error) {
	switch c.NArg() {
	case 0:
		return "", usageError{edxml.Text{VI: "thiếu " + vi, EN: en + " is missing"}, c.Command.HelpName}
	case 1:
		return c.Args().First(), nil
	}
	return "", usageError{edxml.Text{VI: "quá nhiều đối số: " + c.Args().Get(1), EN: "too many arguments: " + c.Args().Get(1)}, c.Command.HelpName}
}

// require says which of the named flags is missing.
func require(c *cli.Context, names ...string) error {
	for _, name := range names {
		if c.String(name) == "" {
			return usageError{edxml.Text{VI: "thiếu --" + name, EN: "--" + name + " is missing"}, c.Command.HelpName}
		}
	}
	return nil
}

// input opens a file to be read, "-" for standard input.
func (p *program) input(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(p.in), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError{name, errors.Unwrap(err)}
	}
	if s, err := f.Stat(); err == nil && s.IsDir() {
		f.Close()
		return nil, fileError{name, errors.New(p.say("đây là thư mục, không phải tệp", "this is a folder, not a file"))}
	}
	return f, nil
}
