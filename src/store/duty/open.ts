/**
 * Takes duty and opens the database that goes with it. A database file is written by one process only: whoever takes
 * over from one that was merely silent works on a copy under a name of its own, so that the old one, should it come
 * back, spoils nothing (two machines writing one SQLite file over NFS would).
 */
import { copyFileSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../lib/clock.ts';
import { makeFolder } from '../../lib/folder.ts';
import { forgetLives } from '../backup.ts';
import { LockedError, lockState } from '../lock.ts';
import { onNetwork } from '../network.ts';
import { openDatabase, TAILS } from '../open.ts';
import { guardWrites, tokenOf } from '../token.ts';
import { beginDuty, type Duty } from './duty.ts';
import { dutyFiles, type HolderRecord } from './records.ts';
import { type Self, type Taken, takeDuty } from './take.ts';

export interface OnDutyParts {
  readonly stateDir: string;
  /** STANDBY_DIR: where all that may be at work see each other. */
  readonly standbyDir: string;
  readonly self: Self;
  readonly clock: Clock;
  /** TAKEOVER_TIME, ms. */
  readonly takeover: number;
  readonly standby: boolean;
  /** Goes into the names of files that are set aside. */
  readonly stamp: string;
  readonly onWait: (active: HolderRecord, silent: number) => void;
  readonly onTrouble: (text: string) => void;
  readonly onLost: (text: string) => never;
}

export interface OnDuty extends AsyncDisposable {
  readonly duty: Duty;
  readonly db: DatabaseSync;
  /** What a person should know about how it came to this, one line each. */
  readonly news: readonly string[];
  /** The records of the hosts' lives are lost or old: they are found again in the batch system and the cloud. */
  readonly rebuilt: boolean;
}

/**
 * Disposing gives duty back; the database is closed by its store before.
 * @returns null when the signal aborts before duty could be taken
 * @throws LockedError when another process is at work and this one does not stand by
 */
export async function openOnDuty(parts: OnDutyParts, signal: AbortSignal): Promise<OnDuty | null> {
  const { stateDir, standbyDir, self, clock, takeover, standby } = parts;
  await using stack = new AsyncDisposableStack();
  // A standby does not fight for the lock: who is at work may hold it, stopped or not.
  let lock = standby ? null : stack.use(lockState(stateDir, self.pid));
  const folder = dutyFolder(standbyDir);
  makeFolder(folder, 0o700);
  const files = dutyFiles(folder);
  const taken = await takeDuty({ ...parts, files, locked: lock !== null }, signal);
  if (taken === null) return null;
  lock ??= lockIfFree(stack, stateDir, self.pid);
  const record = { ...taken.record, locked: lock !== null };
  const duty = stack.use(
    beginDuty({ files, record, clock, takeover, onLost: parts.onLost, onTrouble: parts.onTrouble }),
  );
  const opened = openDatabaseOf(stateDir, taken, parts.stamp);
  guardWrites(opened.db, record.token);
  duty.works(opened.name);
  const open = stack.move();
  return {
    duty,
    db: opened.db,
    news: opened.news,
    rebuilt: opened.rebuilt,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Where the signs of life are. */
export function dutyFolder(standbyDir: string): string {
  return join(standbyDir, 'duty');
}

/** Not on a network file system: its lock proves nothing, and asking for it may hang. */
function lockIfFree(stack: AsyncDisposableStack, stateDir: string, pid: number): Disposable | null {
  try {
    if (onNetwork(stateDir)) return null;
    return stack.use(lockState(stateDir, pid));
  } catch (error) {
    if (error instanceof LockedError) return null;
    throw error;
  }
}

function openDatabaseOf(stateDir: string, taken: Taken, stamp: string) {
  const { before, how, record } = taken;
  const news: string[] = [];
  let name = record.database;
  if (how === 'silent' && before !== null) {
    news.push(
      `took over from pid ${before.pid} on ${before.host} (token ${before.token}), which gave no sign of life; ours is token ${record.token}`,
    );
    name = `state-${String(record.token).padStart(8, '0')}.db`;
    copyDatabase(join(stateDir, before.database), join(stateDir, name));
    dropOld(stateDir, [name, before.database]);
  } else if (how === 'stopped' && before !== null && before.machine !== record.machine) {
    news.push(`took over from pid ${before.pid} on ${before.host}, which ended in good order`);
  }
  const { db, setAside, restored } = openDatabase(join(stateDir, name), stamp);
  const found = 'hosts are found again in the batch system and the cloud';
  if (setAside !== null) {
    const from = restored === null ? '' : `, and the backup ${restored} taken for holds, pauses and events`;
    news.push(`the database was damaged: set aside as ${setAside}${from}; ${found}`);
  }
  // Somebody else was at work since this file was written, or it is new although somebody was.
  const old = before !== null && !lastUsedBy(before, tokenOf(db) ?? 0);
  if (old) {
    forgetLives(db);
    if (setAside === null) news.push(`the records here are older than the work of ${before.host}: ${found}`);
  }
  return { db, name, news, rebuilt: setAside !== null || old };
}

/** One that never came to work left the file as it found it. */
function lastUsedBy(before: HolderRecord, token: number): boolean {
  return token === before.token || (!before.working && token === before.base);
}

/**
 * The log goes with it: what the other wrote last is in there. Again while the other still writes (it may have been
 * slow and not dead; it ends by itself now); a copy caught in the middle of a write is damaged, and treated so.
 */
function copyDatabase(from: string, to: string): void {
  if (!existsSync(from)) return;
  for (let tries = 0; tries < 5; tries++) {
    for (const tail of TAILS) rmSync(to + tail, { force: true });
    const before = print(from);
    copyFileSync(from, to);
    if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${to}-wal`);
    if (print(from) === before) return;
  }
}

function print(file: string): string {
  const sizes = ['', '-wal'].map((tail) => statSync(file + tail, { bigint: true, throwIfNoEntry: false }));
  return sizes.map((one) => `${one?.size} ${one?.mtimeNs}`).join(' ');
}

/** Copies of earlier takeovers; the last ones stay. */
function dropOld(stateDir: string, keep: readonly string[]): void {
  const names = readdirSync(stateDir).filter((name) => /^state-\d{8,}\.db$/.test(name) && !keep.includes(name));
  for (const old of names.sort().slice(0, -2)) {
    for (const tail of TAILS) rmSync(join(stateDir, old + tail), { force: true });
  }
}
