/**
 * How much a database holds: for tests of what grows, and for those who wonder.
 */
import type { DatabaseSync } from 'node:sqlite';

export interface StoreSize {
  /** Bytes of its pages. */
  readonly bytes: number;
  /** Rows. */
  readonly journal: number;
  readonly events: number;
}

export function storeSize(db: DatabaseSync): StoreSize {
  const number = (sql: string) => Number(Object.values(db.prepare(sql).get() ?? {})[0]);
  return {
    bytes: number('PRAGMA page_count') * number('PRAGMA page_size'),
    journal: number('SELECT COUNT(*) FROM journal'),
    events: number('SELECT COUNT(*) FROM events'),
  };
}
