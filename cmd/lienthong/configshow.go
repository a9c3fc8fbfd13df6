package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/urfave/cli/v2"

	"github.com/lienthong/lienthong/transport"
)

// configCheck reads the configuration and everything it names, and says what is
// wrong with it.
func (p *program) configCheck(c *cli.Context) error {
	if err := noArgument(c); err != nil {
		return err
	}
	file := c.String("config")
	cfg, err := readConfig(file)
	if err != nil {
		return err
	}
	if err := cfg.readable(); err != nil {
		return err
	}
	if c.Bool("json") {
		return p.printJSON(map[string]any{"file": file, "ok": true})
	}
	p.talk("%s: cấu hình đúng", "%s: the configuration is right", file)
	return nil
}

// readable reads every file that the configuration names.
func (c *config) readable() error {
	if _, err := c.folder(); err != nil {
		return err
	}
	if _, err := c.node(slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if _, err := c.webhooks(); err != nil {
		return err
	}
	if _, err := c.collector(); err != nil {
		return err
	}
	if c.API.Cert != "" {
		if _, err := transport.LoadCertificate(c.path(c.API.Cert), c.path(c.API.Key)); err != nil {
			return configFault(c.file, err)
		}
	}
	return nil
}

// configShow prints the configuration as it counts, overrides included and
// secrets masked.
func (p *program) configShow(c *cli.Context) error {
	if err := noArgument(c); err != nil {
		return err
	}
	cfg, err := readConfig(c.String("config"))
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return p.printJSON(cfg.shown())
	}
	return cfg.print(p.out)
}

// shown gives every key that is set with its value, secrets masked.
func (c *config) shown() map[string]any {
	all := map[string]any{}
	for _, k := range c.keys() {
		if !k.value.IsZero() {
			all[k.name] = k.shown()
		}
	}
	return all
}

func (k configKey) shown() any {
	switch v := k.value.Interface().(type) {
	case duration:
		return time.Duration(v).String()
	case size:
		text, _ := v.MarshalText() // it has no way to fail
		return string(text)
	}
	if isSecret(k.name) {
		return mask
	}
	if k.name == "store" {
		return maskStore(k.value.String())
	}
	if k.value.Kind() == reflect.Slice && k.value.Type().Elem().Kind() == reflect.Struct {
		tables := []map[string]any{}
		for i := range k.value.Len() {
			one := map[string]any{}
			for _, inner := range keysOf(k.value.Index(i), "") {
				if !inner.value.IsZero() {
					one[inner.name] = configKey{k.name + "." + inner.name, inner.value, inner.list}.shown()
				}
			}
			tables = append(tables, one)
		}
		return tables
	}
	return k.value.Interface()
}

// print writes the keys as TOML, section by section.
func (c *config) print(w io.Writer) error {
	var b bytes.Buffer
	section := ""
	for _, k := range c.keys() {
		if k.value.IsZero() {
			continue
		}
		in, name := "", k.name
		if at := strings.LastIndex(k.name, "."); at >= 0 {
			in, name = k.name[:at], k.name[at+1:]
		}
		if tables, ok := k.shown().([]map[string]any); ok {
			for _, one := range tables {
				fmt.Fprintf(&b, "\n[[%s]]\n", k.name)
				if err := toml.NewEncoder(&b).Encode(one); err != nil {
					return fmt.Errorf("%s: %w", k.name, err)
				}
			}
			section = k.name
			continue
		}
		if in != section {
			fmt.Fprintf(&b, "\n[%s]\n", in)
			section = in
		}
		var line bytes.Buffer
		if err := toml.NewEncoder(&line).Encode(map[string]any{name: k.shown()}); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		text := strings.TrimSuffix(line.String(), "\n")
		if slices.Contains(c.fromEnv, k.name) {
			text += " # " + k.env()
		}
		fmt.Fprintln(&b, text)
	}
	_, err := w.Write(bytes.TrimLeft(b.Bytes(), "\n"))
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}
