package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/api"
)

func (p *program) nodeCommand() *cli.Command {
	return &cli.Command{
		Name: "node", Usage: p.say("chạy nút: gửi, nhận, giữ văn bản cho tới khi trục đã nhận", "run the node: it sends, fetches, and keeps documents until the axis has them"),
		Flags:  []cli.Flag{p.configFlag()},
		Action: p.node,
	}
}

// node runs until it is told to stop.
func (p *program) node(c *cli.Context) (err error) {
	if c.NArg() > 0 {
		return usageError{edxml.Text{VI: "lệnh này không có đối số: " + c.Args().First(), EN: "this command takes no argument: " + c.Args().First()}, c.Command.HelpName}
	}
	cfg, err := readConfig(c.String("config"))
	if err != nil {
		return err
	}
	socket, err := cfg.socket()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(p.err, nil))
	n, err := cfg.open(log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Store.Close()) }()
	door, err := api.Listen(socket)
	if err != nil {
		return err
	}
	if n.Axis == nil {
		log.Warn("no axis is configured: documents wait in the queue", "config", cfg.file)
	}
	if n.Key == nil {
		log.Warn("no key is configured: documents leave unsigned, for information only", "config", cfg.file)
	}
	log.Info("node runs", "organ", cfg.Organ, "store", cfg.Store, "version", version())
	fmt.Fprintln(p.out, "node "+socket)
	return serve(c.Context, n, door)
}

// shutdown is how long open requests may take when the node stops.
const shutdown = 10 * time.Second

// serve runs the engine and its door until ctx ends.
func serve(ctx context.Context, n *node.Node, door net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{Handler: upkeep(n, api.New(n, api.Options{Log: n.Log}).Local()), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(door) }()
	ran := make(chan error, 1)
	go func() { ran <- n.Run(ctx) }()
	var err error
	select {
	case err = <-failed:
		cancel()
		err = errors.Join(err, <-ran)
	case err = <-ran:
	}
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
	defer done()
	return errors.Join(err, server.Shutdown(stop))
}
