package main

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// freePorts finds n ports of the loopback at which processes may come, go and
// come back. They lie below those that systems give out by themselves, so that
// neither a connection nor a listener at port 0 is given one meanwhile. Until
// release is called, the UDP port of the same number is held: whoever looks for
// ports this way passes it by.
func freePorts(n int) (ports []string, release func(), err error) {
	var held []net.PacketConn
	release = func() {
		for _, c := range held {
			_ = c.Close() // nothing was sent over it
		}
	}
	const first, beyond = 20_000, 30_000
	for try := 0; len(ports) < n; try++ {
		if try == beyond-first {
			release()
			return nil, nil, errors.New("no free ports on the loopback")
		}
		port := strconv.Itoa(first + rand.IntN(beyond-first))
		at := net.JoinHostPort("127.0.0.1", port)
		reserved, err := net.ListenPacket("udp", at)
		if err != nil {
			continue
		}
		if l, err := net.Listen("tcp", at); err != nil || l.Close() != nil {
			_ = reserved.Close()
			continue
		}
		held, ports = append(held, reserved), append(ports, port)
	}
	return ports, release, nil
}
