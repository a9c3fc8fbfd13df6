package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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

// idLength is how long the ID of a token is.
const idLength = 12

// tokenPrefix lets people and secret scanners know a token when they see one.
const tokenPrefix = "lt_"

// tokenName is the beginning of the names under which tokens are stored; their
// hash follows.
const tokenName = "api token "

// maxTokenName is how long the name of a token may be, in octets.
const maxTokenName = 100

// ErrNoToken says nothing about which of it is the case.
var ErrNoToken = errors.New("api: the token is missing, unknown, expired or revoked")

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
	t := &Token{ID: sum[:idLength], Name: name, Scopes: scopes, Created: time.Now().UTC().Truncate(time.Second), Expires: expires}
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
		return nil, ErrNoToken
	}
	value, err := s.Value(ctx, tokenName+hash(secret))
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, ErrNoToken
	}
	return opened(value, now)
}

// Standing finds a token by its ID: one that is neither expired nor revoked. It
// is for whoever has seen the token before and does not keep it.
func Standing(ctx context.Context, s node.Store, id string, now time.Time) (*Token, error) {
	if len(id) != idLength {
		return nil, ErrNoToken
	}
	stored, err := s.Values(ctx, tokenName+id, "", 1)
	if err != nil {
		return nil, err
	}
	if len(stored) == 0 {
		return nil, ErrNoToken
	}
	return opened(stored[0].Value, now)
}

// opened reads a stored token, unless it has expired.
func opened(value []byte, now time.Time) (*Token, error) {
	t := &Token{}
	if err := json.Unmarshal(value, t); err != nil {
		return nil, fmt.Errorf("api: stored token: %w", err)
	}
	if !t.Expires.IsZero() && !now.Before(t.Expires) {
		return nil, ErrNoToken
	}
	return t, nil
}

// Tokens lists the tokens, by name. At most 10,000 are listed.
func Tokens(ctx context.Context, s node.Store) ([]Token, error) {
	stored, err := s.Values(ctx, tokenName, "", 10_000)
	if err != nil {
		return nil, err
	}
	all := make([]Token, 0, len(stored))
	for _, v := range stored {
		var t Token
		if err := json.Unmarshal(v.Value, &t); err != nil {
			return nil, fmt.Errorf("api: stored token: %w", err)
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b Token) int { return cmp.Or(strings.Compare(a.Name, b.Name), a.Created.Compare(b.Created)) })
	return all, nil
}

// RevokeToken removes the token with an ID or, if only one has it, a name. It
// is refused from then on. Errors: node.ErrNotFound, *node.AmbiguousError.
func RevokeToken(ctx context.Context, s node.Store, ref string) (*Token, error) {
	all, err := Tokens(ctx, s)
	if err != nil {
		return nil, err
	}
	var found []Token
	for _, t := range all {
		if t.ID == ref {
			found = []Token{t}
			break
		}
		if t.Name == ref {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w: there is no token %q", node.ErrNotFound, ref)
	case 1:
	default:
		e := &node.AmbiguousError{Ref: ref}
		for _, t := range found {
			e.IDs = append(e.IDs, t.ID)
		}
		return nil, e
	}
	stored, err := s.Values(ctx, tokenName+found[0].ID, "", 1)
	if err != nil || len(stored) == 0 {
		return nil, err
	}
	return &found[0], s.SetValue(ctx, stored[0].Name, nil)
}

// Asked asks for a token.
type Asked struct {
	Name    string    `json:"name"`
	Scopes  []Scope   `json:"scopes"`
	Expires time.Time `json:"expires,omitzero"`
}

// Created is a new token with its secret, which is shown this once.
type Created struct {
	Token  *Token `json:"token"`
	Secret string `json:"secret"`
}

// TokenList are the tokens there are.
type TokenList struct {
	Tokens []Token `json:"tokens"`
}

func (d *Door) tokens(w http.ResponseWriter, r *http.Request) {
	all, err := Tokens(r.Context(), d.node.Store)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, TokenList{all})
}

func (d *Door) createToken(w http.ResponseWriter, r *http.Request) {
	var req Asked
	if !read(w, r, &req) {
		return
	}
	t, secret, err := CreateToken(r.Context(), d.node.Store, req.Name, req.Scopes, req.Expires)
	if err != nil {
		refuse(w, err)
		return
	}
	d.options.Log.InfoContext(r.Context(), "token created", "id", t.ID, "name", t.Name, "scopes", t.Scopes, "by", by(r.Context()).name)
	answer(w, http.StatusCreated, Created{t, secret})
}

func (d *Door) revokeToken(w http.ResponseWriter, r *http.Request) {
	t, err := RevokeToken(r.Context(), d.node.Store, r.PathValue("id"))
	if err != nil {
		refuse(w, err)
		return
	}
	d.options.Log.InfoContext(r.Context(), "token revoked", "id", t.ID, "name", t.Name, "by", by(r.Context()).name)
	answer(w, http.StatusOK, t)
}
