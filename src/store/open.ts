/**
 * Opens the database file. A damaged one is set aside and the newest good backup takes its place, or a new one: what is
 * missing then is found again in the batch system and the cloud, so a broken file must not keep the service from
 * starting.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { backups, forgetLives } from './backup.ts';
import { onNetwork } from './network.ts';

/** For those who hand a database on and write no SQL themselves. */
export type Database = DatabaseSync;

export interface Opened {
  readonly db: DatabaseSync;
  /** Where a damaged file was put, or null. */
  readonly setAside: string | null;
  /** The backup that took its place, or null. */
  readonly restored: string | null;
}

/** Damaged files that are kept for whoever wants to look at them. */
const KEEP_DAMAGED = 3;

/** @param stamp goes into the name of a file that is set aside */
export function openDatabase(file: string, stamp: string): Opened {
  try {
    return { db: open(file), setAside: null, restored: null };
  } catch (error) {
    if (!damaged(error)) throw error;
    const aside = `${file}.damaged-${stamp}`;
    for (const tail of TAILS) if (existsSync(file + tail)) renameSync(file + tail, aside + tail);
    dropOld(file);
    const back = restore(file);
    return back === null ? { db: open(file), setAside: aside, restored: null } : { ...back, setAside: aside };
  }
}

/** A database that lives as long as the process, for tests and the simulator. */
export function memoryDatabase(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  migrate(db);
  return db;
}

/** The files of one database. */
export const TAILS = ['', '-wal', '-shm'] as const;

/** The newest backup that is whole and not of a newer version. */
function restore(file: string): { db: DatabaseSync; restored: string } | null {
  for (const backup of backups(dirname(file))) {
    try {
      copyFileSync(backup, file);
      const db = open(file);
      forgetLives(db);
      return { db, restored: backup };
    } catch (error) {
      for (const tail of TAILS) rmSync(file + tail, { force: true });
      if (!damaged(error)) throw error;
    }
  }
  return null;
}

function dropOld(file: string): void {
  const folder = dirname(file);
  const mark = `${basename(file)}.damaged-`;
  const names = readdirSync(folder).filter((name) => name.startsWith(mark));
  const stamps = [...new Set(names.map((name) => name.slice(mark.length).replace(/-(wal|shm)$/, '')))].sort();
  for (const old of stamps.slice(0, -KEEP_DAMAGED)) {
    for (const tail of TAILS) rmSync(join(folder, mark + old + tail), { force: true });
  }
}

function open(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 5000 });
  try {
    // Without shared memory, which other machines could not see: SQLite's WAL works on NFS only for one process alone.
    if (onNetwork(dirname(file))) db.exec('PRAGMA locking_mode=EXCLUSIVE');
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
