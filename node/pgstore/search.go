package pgstore

import (
	"context"
	"slices"
	"strings"

	"github.com/lienthong/lienthong/node"
)

const (
	maxPrefix    = 40     // runes of a word that are indexed; what is longer is compared with the record
	searchWindow = "1000" // of the newest that are looked through before the index is asked
)

// indexedPart returns the indexed part of a word: PostgreSQL has no NUL.
func indexedPart(word string) string {
	word, _, _ = strings.Cut(word, "\x00")
	n := 0
	for at := range word {
		if n == maxPrefix {
			return word[:at]
		}
		n++
	}
	return word
}

// indexedWords returns what is indexed of words, each once.
func indexedWords(words []string) []string {
	var all []string
	for _, w := range words {
		if w = indexedPart(w); w != "" {
			all = append(all, w)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// fits reports whether each of query is the beginning of one of words.
func fits(words, query []string) bool {
	for _, q := range query {
		if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, q) }) {
			return false
		}
	}
	return true
}

// Search returns a page of the Transfers of one direction that fit, newest first.
func (s *Store) Search(ctx context.Context, d node.Direction, query []string, before string, limit int) ([]*node.Transfer, error) {
	query = slices.DeleteFunc(slices.Clone(query), func(w string) bool { return w == "" })
	if len(query) == 0 {
		return s.List(ctx, d, before, limit)
	}
	if !known(d) {
		return nil, unknownDirection(d)
	}
	var terms []string
	for _, q := range query {
		if q = strings.ToValidUTF8(indexedPart(q), ""); q != "" {
			terms = append(terms, `'`+strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(q)+`':*`)
		}
	}
	var page []*node.Transfer
	for {
		some, err := s.candidates(ctx, d, strings.Join(terms, " & "), before, limit)
		if err != nil {
			return nil, err
		}
		for _, t := range some {
			if before = t.ID; fits(t.Words, query) {
				page = append(page, t)
			}
		}
		if len(page) >= limit || len(some) < limit {
			return page[:min(len(page), max(limit, 0))], nil
		}
	}
}

// candidates returns a page of what the index finds.
func (s *Store) candidates(ctx context.Context, d node.Direction, terms, before string, limit int) (all []*node.Transfer, err error) {
	if terms == "" {
		return s.List(ctx, d, before, limit)
	}
	// A word that many have is found among the newest, one that few have by its
	// index. Which it is the planner cannot know: it has no statistics of
	// beginnings.
	for _, sql := range []string{
		`WITH w AS MATERIALIZED (SELECT id, words FROM words WHERE direction = $1 AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT ` + searchWindow + `),
			p AS MATERIALIZED (SELECT id FROM w WHERE words @@ $4::text::tsquery ORDER BY id DESC LIMIT $3)
			SELECT t.id, t.record FROM p JOIN transfers t USING (id) ORDER BY t.id DESC`,
		`WITH w AS MATERIALIZED (SELECT id FROM words WHERE direction = $1 AND words @@ $4::text::tsquery AND ($2 = '' OR id < $2)),
			p AS MATERIALIZED (SELECT id FROM w ORDER BY id DESC LIMIT $3)
			SELECT t.id, t.record FROM p JOIN transfers t USING (id) ORDER BY t.id DESC`,
	} {
		some, err := s.page(ctx, limit, before, sql, string(d), before, limit, terms)
		if err != nil || len(some) == limit {
			return some, err
		}
		all = some
	}
	return all, nil
}
