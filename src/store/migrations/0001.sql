CREATE TABLE hosts (
  name TEXT PRIMARY KEY,
  ip TEXT NOT NULL,
  position INTEGER NOT NULL,
  registered INTEGER NOT NULL,
  state TEXT NOT NULL,
  since INTEGER NOT NULL,
  reason TEXT NOT NULL,
  lease TEXT,
  machine_id TEXT,
  registration_before TEXT,
  born_at INTEGER,
  failures INTEGER NOT NULL,
  retry_at INTEGER,
  idle_since INTEGER,
  missing_since INTEGER,
  held INTEGER NOT NULL,
  drained_by TEXT
) STRICT;

-- Every move of every host, written in the same transaction as the move.
CREATE TABLE journal (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  host TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  lease TEXT,
  reason TEXT NOT NULL
) STRICT;

CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  level TEXT NOT NULL,
  subject TEXT,
  text TEXT NOT NULL
) STRICT;

-- Durable clocks, the creation brake, and small notes; values are JSON or text.
CREATE TABLE facts (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
