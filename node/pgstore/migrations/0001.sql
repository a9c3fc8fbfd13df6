-- The first layout. doc.go says what the tables hold.

CREATE TABLE transfers (
	id        text COLLATE "C" PRIMARY KEY,
	direction text COLLATE "C" NOT NULL,
	due       timestamptz,                       -- from when on it can be leased
	due_ns    smallint    NOT NULL DEFAULT 0,    -- what a timestamptz cannot hold of it
	record    json        NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE UNIQUE INDEX transfers_box ON transfers (direction, id);
CREATE INDEX transfers_due ON transfers (direction, due, due_ns, id) WHERE due IS NOT NULL;

CREATE TABLE uniques (
	key bytea PRIMARY KEY,
	id  text COLLATE "C" NOT NULL
);

CREATE TABLE lookup (
	key bytea,
	id  text COLLATE "C",
	PRIMARY KEY (key, id)
);

CREATE TABLE words (
	direction text COLLATE "C",
	id        text COLLATE "C",
	words     tsvector NOT NULL,
	PRIMARY KEY (direction, id)
);
CREATE INDEX words_words ON words USING gin (words) WITH (gin_pending_list_limit = 512);

CREATE TABLE counts (
	key  bytea,
	node text COLLATE "C",
	n    bigint NOT NULL,
	PRIMARY KEY (key, node)
) WITH (fillfactor = 50);

CREATE TABLE vals (
	name  bytea PRIMARY KEY,
	value bytea   NOT NULL,
	holds bytea[] NOT NULL DEFAULT '{}'
);

CREATE TABLE contents (
	digest bytea PRIMARY KEY,
	size   bigint      NOT NULL,
	at     timestamptz NOT NULL,                 -- of its last Put
	month  date                                  -- of its chunks; NULL for a file
);
CREATE INDEX contents_month ON contents (month, digest);

CREATE TABLE chunks (
	month  date,
	digest bytea,
	n      integer,
	data   bytea NOT NULL,
	PRIMARY KEY (month, digest, n)
) PARTITION BY LIST (month);
ALTER TABLE chunks ALTER data SET STORAGE EXTERNAL;

CREATE TABLE holds (
	digest bytea,
	owner  bytea,                                -- 't' and a Transfer's ID, 'v' and a value's name
	PRIMARY KEY (digest, owner)
);

CREATE TABLE journal (
	chain text COLLATE "C",
	seq   bigint,
	line  text NOT NULL,
	PRIMARY KEY (chain, seq)
);

CREATE TABLE writers (
	id    bigint PRIMARY KEY,                    -- of one open store
	batch bigint      NOT NULL,                  -- its last that was committed
	at    timestamptz NOT NULL
) WITH (fillfactor = 50);
