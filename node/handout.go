package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// handOut opens stored content for a Sink. What the signature was verified over
// is what the store digested when it came; this is where it shows whether the
// disk still has it.
func (n *Node) handOut(ctx context.Context) func(Content) (io.ReadCloser, error) {
	return func(c Content) (io.ReadCloser, error) {
		f, err := n.Store.Open(ctx, c.SHA256)
		if err != nil {
			return nil, err
		}
		return &compared{f, f, sha256.New(), c.SHA256}, nil
	}
}

// compared is stored content whose end is an error when it is not what its
// name says.
type compared struct {
	io.Closer
	from io.Reader
	sum  hash.Hash
	name string
}

// Read implements io.Reader.
func (c *compared) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.sum.Write(p[:n])
	if err == io.EOF && hex.EncodeToString(c.sum.Sum(nil)) != c.name {
		err = fmt.Errorf("node: the stored content %s is not what it was when it came: the disk has damaged it; run lienthong fsck", c.name)
	}
	return n, err
}
