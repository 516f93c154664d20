/**
 * Keeps the state while the service runs: writes down the moment, so that a restart can carry the clocks on, and makes
 * the backups.
 */
import type { DatabaseSync } from 'node:sqlite';
import { sayError } from '../domain/errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { backUp } from './backup.ts';
import { keepMoment } from './carry.ts';

export interface KeepSettings {
  readonly stateDir: string;
  readonly backup: { readonly every: number | null; readonly keep: number };
}

export interface KeepParts {
  /** The wall's. */
  readonly clock: Clock;
  /** The service's own. */
  readonly steady: Clock;
  /** Since this machine started, ms. */
  readonly boot: () => number;
  readonly log: Log;
  /** The database is found damaged: the next start mends it. */
  readonly end: (code: number) => never;
}

/** How much of the elapsed time a crash may cost at most when the wall clock cannot be believed after it; ms. */
const MOMENT = 30_000;

/** Begins at once; disposing writes the moment a last time. To be disposed before the database is closed. */
export function keepState(
  db: DatabaseSync,
  { stateDir, backup }: KeepSettings,
  { clock, steady, boot, log, end }: KeepParts,
): AsyncDisposable {
  const stop = new AbortController();
  const troubles = new Map<string, string>();
  const moment = () => keepMoment(db, { steady: steady.now(), wall: clock.now(), boot: boot() });
  const attempt = (what: string, work: () => void) => {
    try {
      work();
      troubles.delete(what);
    } catch (error) {
      const text = `${what}: ${sayError(error)}`;
      if (text !== troubles.get(what)) log.error(text);
      troubles.set(what, text);
      if (!/malformed/.test(text)) return;
      log.error('the database is damaged; ending, so that the next start sets it aside and takes a backup');
      end(1);
    }
  };

  async function keep(): Promise<void> {
    let backedUp = clock.monotonic();
    while (!stop.signal.aborted) {
      attempt('the clocks could not be written down', moment);
      await clock.sleep(MOMENT, stop.signal);
      if (stop.signal.aborted || backup.every === null || clock.monotonic() - backedUp < backup.every) continue;
      backedUp = clock.monotonic();
      const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\..*/g, '');
      attempt('no backup of the database was made', () => {
        log.debug(`backup of the database: ${backUp(db, stateDir, stamp, backup.keep)}`);
      });
    }
  }
  const keeping = keep();

  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await keeping;
      attempt('the clocks could not be written down', moment);
    },
  };
}
