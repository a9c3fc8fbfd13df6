package node

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// ErrDamaged says that stored content is not what it was when it came.
var ErrDamaged = errors.New("node: the disk has damaged stored content; run lienthong fsck")

// handOut opens stored content for whoever gets it. What the signature was
// verified over is what the store digested when it came; this is where it shows
// whether the disk still has it.
func (n *Node) handOut(ctx context.Context, c Content) (io.ReadCloser, error) {
	f, err := n.Store.Open(ctx, c.SHA256)
	if err != nil {
		return nil, err
	}
	return &compared{f, bufio.NewReader(f), sha256.New(), c.SHA256}, nil
}

// compared is stored content that keeps its end back, with ErrDamaged, when it
// is not what its name says.
type compared struct {
	io.Closer
	from *bufio.Reader
	sum  hash.Hash
	name string
}

// Read implements io.Reader.
func (c *compared) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.sum.Write(p[:n])
	if _, end := c.from.Peek(1); end == io.EOF && hex.EncodeToString(c.sum.Sum(nil)) != c.name {
		return 0, fmt.Errorf("%w: content %s", ErrDamaged, c.name)
	}
	return n, err
}
