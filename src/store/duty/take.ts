/**
 * Taking duty: exactly one process at a time is at work. A process that starts takes the next token when nobody has
 * duty, when the last one ended in good order, when it died on this very machine (the kernel's lock proves it), or when
 * it has been silent for the takeover time.
 */
import { sayError } from '../../domain/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import { LockedError } from '../lock.ts';
import type { DutyFiles, HolderRecord } from './records.ts';
import { makeWatch } from './watch.ts';

/** Who we are. */
export interface Self {
  /** New for each process. */
  readonly id: string;
  readonly host: string;
  readonly machine: string;
  readonly pid: number;
}

export interface TakeParts {
  readonly files: DutyFiles;
  readonly self: Self;
  readonly clock: Clock;
  /** TAKEOVER_TIME, ms. */
  readonly takeover: number;
  /** `run --standby`: wait for as long as it takes. Without: refuse to start beside one that lives. */
  readonly standby: boolean;
  /** This process holds the kernel's lock: whoever held it on this machine is dead. */
  readonly locked: boolean;
  /** Told at each look while another is at work. */
  readonly onWait: (active: HolderRecord, silent: number) => void;
  /** The folder cannot be read; told when it begins and when the reason changes. */
  readonly onTrouble: (text: string) => void;
}

export interface Taken {
  readonly record: HolderRecord;
  /** Whom it was taken from; null when nobody ever had duty. */
  readonly before: HolderRecord | null;
  /** `first`, `stopped` in good order, `dead` for certain, or only `silent`: that one may come back. */
  readonly how: 'first' | 'stopped' | 'dead' | 'silent';
}

/**
 * Waits for duty and takes it. Older holders are told to end before this returns.
 * @returns null when the signal aborts first
 * @throws LockedError when another process is at work and this one does not stand by
 */
export async function takeDuty(parts: TakeParts, signal: AbortSignal): Promise<Taken | null> {
  const { files, self, clock, standby } = parts;
  const every = Math.min(1000, parts.takeover / 10);
  let watch = makeWatch(clock, every);
  let watched = -1;
  let trouble = '';
  let beat = 0;
  try {
    while (!signal.aborted) {
      try {
        const token = files.greatest();
        if (token !== watched) watch = makeWatch(clock, every);
        watched = token;
        const before = token === 0 ? null : files.holder(token);
        const { silent, alive } = watch.look(`${token} ${before?.id} ${before?.beat}`);
        const how = mayTake(parts, token, before, silent);
        if (how !== null) {
          const record = claimed(parts, token + 1, before);
          if (files.claim(record)) {
            files.endOlder(record.token, `${record.token} ${self.host} ${self.pid}`);
            files.clean(record.token);
            return { record, before, how };
          }
        } else if (before !== null) {
          if (!standby && alive) throw atWork(before);
          parts.onWait(before, silent);
        }
        if (standby) files.standBy({ id: self.id, host: self.host, pid: self.pid, beat: ++beat });
        trouble = '';
      } catch (error) {
        if (error instanceof LockedError || !standby) throw error;
        watch.look(null);
        if (trouble !== sayError(error)) parts.onTrouble(sayError(error));
        trouble = sayError(error);
      }
      await clock.sleep(every, signal);
    }
    return null;
  } finally {
    if (standby) leaveQuietly(files, self.id);
  }
}

function mayTake(parts: TakeParts, token: number, before: HolderRecord | null, silent: number): Taken['how'] | null {
  if (token === 0) return 'first';
  if (before?.stopped === true) return 'stopped';
  if (before?.locked === true && parts.locked && before.machine === parts.self.machine) return 'dead';
  return silent >= parts.takeover ? 'silent' : null;
}

function claimed(parts: TakeParts, token: number, before: HolderRecord | null): HolderRecord {
  const { self, clock, locked } = parts;
  const database = before?.database ?? 'state.db';
  const base = before === null ? 0 : before.working ? before.token : before.base;
  return { ...self, token, since: clock.now(), beat: 0, stopped: false, locked, database, working: false, base };
}

function atWork(other: HolderRecord): LockedError {
  return new LockedError(
    `another hybrid-cloud (pid ${other.pid} on ${other.host}) is at work; stop it first, or start this one with --standby`,
  );
}

function leaveQuietly(files: DutyFiles, id: string): void {
  try {
    files.leave(id);
  } catch {
    // A file of ours that stays behind does no harm: nobody who has stopped changing counts.
  }
}
