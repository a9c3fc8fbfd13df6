package api

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// maxSocket is the longest path of a Unix socket (sun_path without its end).
const maxSocket = 103

// Listen opens a node's Unix socket, which only its user can open. A socket
// that a dead node left behind is replaced; one that answers is an error.
func Listen(socket string) (net.Listener, error) {
	if len(socket) > maxSocket {
		return nil, fmt.Errorf("api: the path of the socket is %d bytes long, the system allows %d: choose a folder nearer to the root: %s", len(socket), maxSocket, socket)
	}
	if info, err := os.Lstat(socket); err == nil && info.Mode()&os.ModeSocket == 0 {
		return nil, fmt.Errorf("api: %s is there and is no socket; it is left alone", socket)
	}
	if c, err := net.Dial("unix", socket); err == nil {
		c.Close()
		return nil, fmt.Errorf("api: a node answers on %s already", socket)
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		if err := os.Remove(socket); err != nil {
			return nil, fmt.Errorf("api: stale socket: %w", err)
		}
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("api: %w", err), l.Close())
	}
	return l, nil
}
