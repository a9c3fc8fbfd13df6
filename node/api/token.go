package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lienthong/lienthong/node"
)

// Token is what the node knows about a token. The token itself is shown once
// and kept nowhere: only its SHA-256 is stored.
type Token struct {
	ID      string    `json:"id"`   // the first characters of its hash
	Name    string    `json:"name"` // whose it is
	Scopes  []Scope   `json:"scopes"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
}

// tokenPrefix lets people and secret scanners know a token when they see one.
const tokenPrefix = "lt_"

// tokenName is the beginning of the names under which tokens are stored; their
// hash follows.
const tokenName = "api token "

// maxTokenName is how long the name of a token may be, in octets.
const maxTokenName = 100

// errNoToken says nothing about which of it is the case.
var errNoToken = errors.New("api: the token is missing, unknown, expired or revoked")

// CreateToken makes a token and returns it with the secret, which nobody can
// ask for again.
func CreateToken(ctx context.Context, s node.Store, name string, scopes []Scope, expires time.Time) (*Token, string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxTokenName {
		return nil, "", badRequest(fmt.Errorf("a token needs a name of at most %d octets: whose it is", maxTokenName))
	}
	if len(scopes) == 0 {
		return nil, "", badRequest(fmt.Errorf("a token needs scopes: some of %v", Scopes()))
	}
	for _, scope := range scopes {
		if !slices.Contains(Scopes(), scope) {
			return nil, "", badRequest(fmt.Errorf("there is no scope %q; there are %v", scope, Scopes()))
		}
	}
	secret := tokenPrefix + rand.Text()
	sum := hash(secret)
	t := &Token{ID: sum[:12], Name: name, Scopes: scopes, Created: time.Now().UTC().Truncate(time.Second), Expires: expires}
	value, err := json.Marshal(t)
	if err != nil {
		return nil, "", fmt.Errorf("api: %w", err)
	}
	return t, secret, s.SetValue(ctx, tokenName+sum, value)
}

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Lookup finds a token by its secret: one that is neither expired nor revoked.
func Lookup(ctx context.Context, s node.Store, secret string, now time.Time) (*Token, error) {
	if len(secret) > maxTokenName || !strings.HasPrefix(secret, tokenPrefix) {
		return nil, errNoToken
	}
	value, err := s.Value(ctx, tokenName+hash(secret))
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, errNoToken
	}
	t := &Token{}
	if err := json.Unmarshal(value, t); err != nil {
		return nil, fmt.Errorf("api: stored token: %w", err)
	}
	if !t.Expires.IsZero() && !now.Before(t.Expires) {
		return nil, errNoToken
	}
	return t, nil
}
