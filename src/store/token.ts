/**
 * The token in the database: whoever opens it for work writes its token there, and from then on every write of its
 * connection is checked, in the same transaction and by SQLite itself, against the token that stands there then.
 */
import type { DatabaseSync } from 'node:sqlite';

const KEY = 'token';

/** The token under which the database was last worked with; null when never. */
export function tokenOf(db: DatabaseSync): number | null {
  const row = db.prepare('SELECT value FROM service WHERE key = ?').get(KEY) as { value: string } | undefined;
  return row === undefined ? null : Number(row.value);
}

/** From now on this connection's writes fail once a newer token stands in the database. @throws when one does already */
export function guardWrites(db: DatabaseSync, token: number): void {
  const there = tokenOf(db);
  if (there !== null && there > token) throw new Error(refusal(token));
  db.prepare(
    'INSERT INTO service (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  ).run(KEY, String(token));
  const tables = db
    .prepare("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all() as { name: string }[];
  // Temporary triggers belong to this connection alone.
  for (const { name } of tables) {
    for (const what of ['INSERT', 'UPDATE', 'DELETE']) {
      db.exec(`CREATE TEMP TRIGGER "token_${name}_${what}" BEFORE ${what} ON main."${name}"
        WHEN (SELECT value FROM main.service WHERE key = '${KEY}') IS NOT '${token}'
        BEGIN SELECT RAISE(ABORT, '${refusal(token)}'); END`);
    }
  }
}

function refusal(token: number): string {
  return `a newer service works with this database: token ${token} may not write any more`;
}
