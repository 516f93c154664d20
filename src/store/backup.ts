/**
 * Backups of the database, made while it is in use, and what is believed of one that had to be brought back.
 */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { makeFolder } from '../lib/folder.ts';

/** In the state folder. */
export const BACKUPS = 'backup';

/**
 * One whole copy, on disk under its name or not there at all; the oldest beyond `keep` go.
 * @param stamp goes into its name; later ones must sort behind earlier ones
 * @returns the file
 * @throws Error when the database is damaged (then no copy is made and none is removed) or the disk is full
 */
export function backUp(db: DatabaseSync, stateDir: string, stamp: string, keep: number): string {
  const found = db.prepare('PRAGMA quick_check(1)').get() as { quick_check?: string } | undefined;
  if (found?.quick_check !== 'ok') throw new Error(`database disk image is malformed: ${found?.quick_check}`);
  const folder = join(stateDir, BACKUPS);
  makeFolder(folder, 0o700);
  const file = join(folder, `state-${stamp}.db`);
  const draft = `${file}.draft`;
  rmSync(draft, { force: true });
  try {
    db.prepare('VACUUM INTO ?').run(draft);
    flush(draft);
    renameSync(draft, file);
    flush(folder);
  } finally {
    rmSync(draft, { force: true });
  }
  for (const old of backups(stateDir).slice(keep)) rmSync(old, { force: true });
  return file;
}

/** The backups, newest first. */
export function backups(stateDir: string): readonly string[] {
  const folder = join(stateDir, BACKUPS);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^state-[\w-]+\.db$/.test(name))
    .sort()
    .reverse()
    .map((name) => join(folder, name));
}

/**
 * Keeps of an old or foreign record what only a person or our own experience knows (holds, failures, quarantines, the
 * brake, events), and forgets the lives of the hosts: a lease or a `stopping` of yesterday must not be acted on today.
 * The hosts are found again in the batch system and the cloud.
 */
export function forgetLives(db: DatabaseSync): void {
  db.exec(`BEGIN IMMEDIATE;
    UPDATE hosts SET state = 'free', reason = 'what it was is found again in the batch system and the cloud',
      retry_at = NULL WHERE state <> 'quarantined';
    UPDATE hosts SET lease = NULL, machine_id = NULL, registration_before = NULL, born_at = NULL, idle_since = NULL,
      missing_since = NULL, drained_by = NULL;
    DELETE FROM facts WHERE value LIKE '%"emptySince"%';
    COMMIT;`);
}

function flush(path: string): void {
  const open = openSync(path, 'r');
  try {
    fsyncSync(open);
  } finally {
    closeSync(open);
  }
}
