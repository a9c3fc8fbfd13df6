package pgstore

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// above returns the first octets in their order behind all that begin with
// prefix, nil when there are none.
func above(prefix string) []byte {
	b := []byte(prefix)
	for len(b) > 0 && b[len(b)-1] == 0xff {
		b = b[:len(b)-1]
	}
	if len(b) == 0 {
		return nil
	}
	b[len(b)-1]++
	return b
}

// Counts returns the counters whose keys begin with prefix, those of all nodes
// together.
func (s *Store) Counts(ctx context.Context, prefix string) (map[string]int64, error) {
	all := map[string]int64{}
	err := s.view(ctx, func(pool *pgxpool.Pool) error {
		rows, err := pool.Query(ctx, `SELECT key, sum(n)::int8 FROM counts WHERE key >= $1 AND ($2::bytea IS NULL OR key < $2)
			GROUP BY key HAVING sum(n) <> 0`, []byte(prefix), above(prefix))
		if err != nil {
			return err
		}
		clear(all)
		var key []byte
		var n int64
		_, err = pgx.ForEachRow(rows, []any{&key, &n}, func() error { all[string(key)] = n; return nil })
		return err
	})
	return all, err
}

// Chains returns the names of the chains, one for each node that has written.
func (s *Store) Chains(ctx context.Context) ([]string, error) {
	var chains []string
	err := s.view(ctx, func(pool *pgxpool.Pool) error {
		// from one name to the next: there are few, with many rows each
		rows, err := pool.Query(ctx, `WITH RECURSIVE c (chain) AS (
				(SELECT chain FROM journal ORDER BY chain LIMIT 1)
				UNION ALL
				SELECT (SELECT j.chain FROM journal j WHERE j.chain > c.chain ORDER BY j.chain LIMIT 1) FROM c WHERE c.chain IS NOT NULL
			) SELECT chain FROM c WHERE chain IS NOT NULL ORDER BY chain`)
		if err != nil {
			return err
		}
		chains, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return chains, err
}

// Journal returns a page of one chain.
func (s *Store) Journal(ctx context.Context, chain string, after uint64, limit int) ([][]byte, error) {
	if err := s.usable(ctx); err != nil || !plain(chain) || limit <= 0 || after >= 1<<63 {
		return nil, err
	}
	var all [][]byte
	err := s.view(ctx, func(pool *pgxpool.Pool) error {
		rows, err := pool.Query(ctx, `SELECT line FROM journal WHERE chain = $1 AND seq > $2 ORDER BY seq LIMIT $3`, chain, int64(after), limit)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (b []byte, err error) {
			var text string
			err = row.Scan(&text)
			return []byte(text), err
		})
		return err
	})
	return all, err
}
