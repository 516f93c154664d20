/**
 * Opens the database file, or sets a damaged one aside and begins a new one: what it held is rebuilt from what the
 * batch system and the cloud say, so a broken file must not keep the service from starting.
 */
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface Opened {
  readonly db: DatabaseSync;
  /** Where a damaged file was put, or null. */
  readonly setAside: string | null;
}

/** @param stamp goes into the name of a file that is set aside */
export function openDatabase(file: string, stamp: string): Opened {
  try {
    return { db: open(file), setAside: null };
  } catch (error) {
    if (!damaged(error)) throw error;
    const aside = `${file}.damaged-${stamp}`;
    for (const tail of ['', '-wal', '-shm']) {
      if (existsSync(file + tail)) renameSync(file + tail, aside + tail);
    }
    return { db: open(file), setAside: aside };
  }
}

/** A database that lives as long as the process, for tests and the simulator. */
export function memoryDatabase(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  migrate(db);
  return db;
}

function open(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5000 });
  try {
    // FULL: a move is on disk before its call goes out, also through a power cut.
    db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;');
    const found = db.prepare('PRAGMA quick_check(1)').get() as { quick_check?: string } | undefined;
    if (found?.quick_check !== 'ok') throw new Error(`database disk image is malformed: ${found?.quick_check}`);
    migrate(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function damaged(error: unknown): boolean {
  return /malformed|not a database|corrupt|no such (table|column)|newer version/i.test(String(error));
}

/** Runs the migrations this file has not seen; `user_version` counts them. */
function migrate(db: DatabaseSync): void {
  const folder = join(import.meta.dirname, 'migrations');
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  const { user_version: done } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (done > files.length) throw new Error(`the database was written by a newer version (${done})`);
  for (const [index, name] of files.entries()) {
    if (index < done) continue;
    db.exec(`BEGIN; ${readFileSync(join(folder, name), 'utf8')}; PRAGMA user_version=${index + 1}; COMMIT;`);
  }
}
