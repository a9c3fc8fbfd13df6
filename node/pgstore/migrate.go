package pgstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one step of the layout. Programs of version oldest and above
// work with it: so that one node after the other can be upgraded, a migration
// only adds, and what it makes useless is dropped by a later one.
type migration struct {
	version, oldest int
	sql             string
}

// migrations returns the steps in order; the last is the layout of this program.
func migrations() ([]migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql") // in order
	if err != nil {
		return nil, err
	}
	var all []migration
	for i, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, migration{version: i + 1, oldest: max(i, 1), sql: string(text)})
	}
	return all, nil
}

// VersionError says that the tables were laid out by a newer program, beside
// which this one cannot work.
type VersionError struct {
	Found, Oldest int // the layout, and the oldest that works with it
	Known         int // by this program
}

// Error names the versions.
func (e *VersionError) Error() string {
	return fmt.Sprintf("pgstore: the tables have layout %d, which needs a program that knows %d; this one knows %d: upgrade it", e.Found, e.Oldest, e.Known)
}

// migrate brings the tables up to the last of steps. Others that open the store
// meanwhile wait.
func (s *Store) migrate(ctx context.Context, conn *pgx.Conn, steps []migration) error {
	known := steps[len(steps)-1].version
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT current_schema(), coalesce(to_regnamespace(quote_ident(current_schema()))::oid, 0)`).Scan(&s.schema, &s.space); err != nil {
			return errors.Join(errors.New("the search_path names no schema that is there"), err)
		}
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1, $2::oid::int8::bit(32)::int4)`, lockMigrate, s.space); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, `SELECT to_regclass('layouts') IS NOT NULL`).Scan(&there); err != nil {
			return err
		}
		found, oldest := 0, 0
		if there {
			if err := tx.QueryRow(ctx, `SELECT version, oldest FROM layouts ORDER BY version DESC LIMIT 1`).Scan(&found, &oldest); err != nil {
				return err
			}
		}
		if oldest > known {
			return &VersionError{Found: found, Oldest: oldest, Known: known}
		}
		if found >= known {
			return nil
		}
		if !there {
			if _, err := tx.Exec(ctx, `CREATE TABLE layouts (version integer PRIMARY KEY, oldest integer NOT NULL, at timestamptz NOT NULL DEFAULT now())`); err != nil {
				return err
			}
		}
		for _, m := range steps {
			if m.version <= found {
				continue
			}
			if _, err := tx.Exec(ctx, m.sql); err != nil {
				return fmt.Errorf("layout %d: %w", m.version, err)
			}
			if _, err := tx.Exec(ctx, `INSERT INTO layouts (version, oldest) VALUES ($1, $2)`, m.version, m.oldest); err != nil {
				return err
			}
		}
		return nil
	})
}
