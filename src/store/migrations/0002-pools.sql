-- Several pools in one database. '' is the pool of a database that knew only one, until the service adopts it.
ALTER TABLE hosts ADD COLUMN pool TEXT NOT NULL DEFAULT '';
-- The cloud of the pool that makes its machines; NULL where the pool has only one.
ALTER TABLE hosts ADD COLUMN cloud TEXT;
ALTER TABLE journal ADD COLUMN pool TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN pool TEXT NOT NULL DEFAULT '';

CREATE TABLE facts_of_pools (
  pool TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (pool, key)
) STRICT;
INSERT INTO facts_of_pools (pool, key, value) SELECT '', key, value FROM facts;
DROP TABLE facts;
ALTER TABLE facts_of_pools RENAME TO facts;

-- Every machine that was seen, from its beginning to when it was last seen: what budgets are counted from.
CREATE TABLE lives (
  pool TEXT NOT NULL,
  host TEXT NOT NULL,
  machine TEXT NOT NULL,
  cloud TEXT NOT NULL,
  began INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  price REAL NOT NULL,
  PRIMARY KEY (pool, host, machine)
) STRICT;
CREATE INDEX lives_seen ON lives (pool, seen);
