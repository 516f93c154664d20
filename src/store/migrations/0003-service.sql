-- Of the service as a whole, whatever its pools: the token of whoever works with this file, and the last moment.
CREATE TABLE service (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
