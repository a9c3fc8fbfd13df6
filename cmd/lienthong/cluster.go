package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
	"github.com/lienthong/lienthong/node/pgstore"
)

// clusterSection is about one node of many on one PostgreSQL.
type clusterSection struct {
	Node        string `toml:"node"`        // its name, "" for that of the machine
	Folder      string `toml:"folder"`      // on this machine: socket and hand-over
	Content     string `toml:"content"`     // shared by all nodes; "": content is in the database
	Connections int    `toml:"connections"` // for reading
}

// storeTime is how long the opening of a store may take.
const storeTime = time.Minute

// isBolt reports whether the store is a folder of this machine.
func (c *config) isBolt() bool { return strings.HasPrefix(c.Store, "bolt:") }

// folder returns the node's folder on this machine, which is the store itself
// where that is a folder.
func (c *config) folder() (string, error) {
	scheme, rest, _ := strings.Cut(c.Store, ":")
	switch scheme {
	case "bolt":
		return c.path(rest), nil
	case "postgres", "postgresql":
		if c.Cluster.Folder == "" {
			return c.path("data"), nil
		}
		return c.path(c.Cluster.Folder), nil
	}
	return "", configFault(c.file, fmt.Errorf("store %q: this program knows bolt:FOLDER and postgres://…", maskStore(c.Store)))
}

// boltFolder returns the folder of a bolt store.
func (c *config) boltFolder() (string, error) {
	dir, err := c.folder()
	if err == nil && !c.isBolt() {
		err = errOtherStore
	}
	return dir, err
}

// openStore opens the store that the configuration names, or a folder only if
// there is one.
func (c *config) openStore(existing bool) (node.Store, error) {
	dir, err := c.folder()
	if err != nil {
		return nil, err
	}
	s, err := c.openNamed(c.Store, dir, existing, false)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTime)
	defer cancel()
	mark, err := s.Value(ctx, copyMark)
	if err == nil && mark != nil {
		err = told{exitFailed, edxml.Text{
			VI: "kho dữ liệu này là bản sao chưa xong của " + string(mark), EN: "this store is an unfinished copy of " + string(mark),
		}, edxml.Text{VI: "chạy lại lienthong store copy với cùng nguồn và đích", EN: "run lienthong store copy again, from the same to the same"}}
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openNamed opens the store of an address; dir is its folder where it is one.
func (c *config) openNamed(address, dir string, existing, exclusive bool) (depot, error) {
	switch scheme, _, _ := strings.Cut(address, ":"); scheme {
	case "bolt":
		s, err := boltstore.OpenWith(dir, boltstore.Options{Existing: existing})
		if errors.Is(err, fs.ErrNotExist) && existing {
			return nil, fileError{dir, told{exitNotFound, edxml.Text{VI: "thư mục này không có kho dữ liệu", EN: "there is no store in this folder"}, edxml.Text{
				VI: "xem lại store trong " + c.file, EN: "check store in " + c.file,
			}}}
		}
		if err != nil {
			return nil, err
		}
		return s, nil
	default:
		if dir != "" {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return nil, fmt.Errorf("cluster.folder: %w", err)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), storeTime)
		defer cancel()
		s, err := pgstore.Open(ctx, address, pgstore.Options{
			Node: c.Cluster.Node, ContentDir: c.path(c.Cluster.Content), Connections: c.Cluster.Connections, Exclusive: exclusive,
		})
		if err != nil {
			return nil, err
		}
		return s, nil
	}
}

// maskStore hides the password of a store's address.
func maskStore(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		scheme, _, _ := strings.Cut(address, ":")
		return scheme + ":" + mask
	}
	if _, set := u.User.Password(); set {
		u.User = url.UserPassword(u.User.Username(), mask)
	}
	q := u.Query()
	for _, name := range []string{"password", "sslpassword"} {
		if q.Has(name) {
			q.Set(name, mask)
			u.RawQuery = q.Encode()
		}
	}
	return strings.ReplaceAll(u.String(), url.QueryEscape(mask), mask)
}

// heed makes the node look when another one has queued something in the store
// that they share.
func heed(n *node.Node) {
	if s, shared := n.Driver().(*pgstore.Store); shared {
		go func() {
			for d := range s.Queued() {
				n.Wake(d)
			}
		}()
	}
}

// sharedFault explains what a store that many nodes share said.
func sharedFault(err error) (told, bool) {
	var used *pgstore.InUseError
	var version *pgstore.VersionError
	var clock *pgstore.ClockError
	var readOnly *pgstore.ReadOnlyError
	var unsure *pgstore.UnsureError
	var dial *pgconn.ConnectError
	var said *pgconn.PgError
	switch {
	case errors.As(err, &used):
		return told{exitFailed, with("kho dữ liệu đang có nút khác dùng", "other nodes use the store", err), edxml.Text{
			VI: "dừng mọi nút dùng kho này rồi chạy lại", EN: "stop every node that uses it, then run this again",
		}}, true
	case errors.As(err, &version):
		return told{exitFailed, with("kho dữ liệu do phiên bản mới hơn dựng", "a newer version laid the store out", err), edxml.Text{
			VI: "nâng cấp chương trình này", EN: "upgrade this program",
		}}, true
	case errors.As(err, &clock):
		return told{exitFailed, with("đồng hồ máy này lệch với máy cơ sở dữ liệu", "the clock here differs from the database's", err), edxml.Text{
			VI: "đồng bộ giờ bằng NTP trên cả hai máy", EN: "set both by NTP",
		}}, true
	case errors.As(err, &readOnly):
		return told{exitFailed, with("cơ sở dữ liệu chỉ cho đọc", "the database is read-only", err), edxml.Text{
			VI: "trỏ store tới máy chính, hoặc liệt kê các máy với target_session_attrs=read-write", EN: "point store at the primary, or name all servers with target_session_attrs=read-write",
		}}, true
	case errors.As(err, &unsure):
		return told{exitFailed, with("mất kết nối khi đang ghi, không biết đã ghi hay chưa", "the connection was lost during a commit that may have taken place", err), edxml.Text{
			VI: "xem outbox list trước khi làm lại; gửi lại cùng văn bản là vô hại", EN: "look at outbox list before doing it again; the same document again does no harm",
		}}, true
	case errors.As(err, &dial), errors.As(err, &said) && strings.HasPrefix(said.Code, "57P"):
		return told{exitFailed, with("không kết nối được PostgreSQL", "PostgreSQL cannot be reached", err), edxml.Text{
			VI: "kiểm tra máy chủ, địa chỉ trong store, mật khẩu (PGPASSFILE)", EN: "check the server, the address in store, the password (PGPASSFILE)",
		}}, true
	}
	return told{}, false
}
