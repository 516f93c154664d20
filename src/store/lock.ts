/**
 * One daemon per state directory. The lock is a write lock that SQLite holds on a small file of its own: the kernel
 * drops it when the process dies, however it dies, so no stale lock is ever left behind.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export class LockedError extends Error {
  override readonly name = 'LockedError';
}

/** @throws LockedError naming the process that has the lock. */
export function lockState(stateDir: string, pid: number): Disposable {
  const who = join(stateDir, 'pid');
  const db = new DatabaseSync(join(stateDir, 'lock'), { timeout: 0 });
  try {
    db.exec('PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE;');
  } catch (error) {
    db.close();
    if (!/locked|busy/i.test(String(error))) throw error;
    throw new LockedError(
      `another hybrid-cloud (pid ${holder(who)}) already works with ${stateDir}; stop it first (systemctl stop hybrid-cloud)`,
      { cause: error },
    );
  }
  writeFileSync(who, `${pid}\n`);
  return {
    [Symbol.dispose]() {
      db.close();
    },
  };
}

function holder(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim() || 'unknown';
  } catch {
    return 'unknown';
  }
}
