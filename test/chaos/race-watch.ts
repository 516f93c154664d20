/**
 * Follows slurmctld's log while races are run, so that a racer can submit in the moment in which a host is closed: it
 * costs a reading of some bytes, not a command. Each drain is given to one racer.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Notebook, type Notes, openNotebook } from './race-meetings.ts';

export interface Watch extends AsyncDisposable {
  readonly notes: Notes;
  /** Waits for a drain that no other racer has taken, not too long. @returns false after so many ms without one */
  drain(ms: number): Promise<boolean>;
  /**
   * Waits until so many ms before the service may close a host: a look after it last closed or opened one.
   * @returns false at once when that was too long ago to tell
   */
  before(ms: number): Promise<boolean>;
}

/** Pause between two readings, ms. */
const PAUSE = 20;
/** A drain is offered for so many ms. */
const FRESH = 200;
/** Who has waited so many ms shares the next drain with another: the hosts are too few, and only jobs bring more. */
const LONG = 3000;
/** From what one look changes to what the next one does, ms: the pause between two looks and the readings. */
const LOOK = 1100;
const CHUNK = 64 * 1024;

export function watchLog(file: string): Watch {
  const notebook = openNotebook();
  const log = openSync(file, 'r');
  const buffer = Buffer.alloc(CHUNK);
  let rest = Buffer.alloc(0);
  let position = 0;

  function look(into: Notebook): void {
    for (;;) {
      const bytes = readSync(log, buffer, 0, CHUNK, position);
      if (bytes === 0) return;
      position += bytes;
      const text = Buffer.concat([rest, buffer.subarray(0, bytes)]);
      const end = text.lastIndexOf('\n') + 1;
      rest = text.subarray(end);
      into.read(text.toString('utf8', 0, end));
    }
  }

  const waiting: { readonly since: number; readonly wake: () => void }[] = [];
  let offered = 0;
  /** Those that have waited longest first. */
  function offer(): void {
    const now = Date.now();
    const fresh = notebook.drains.slice(offered).filter(({ at }) => now - at < FRESH).length;
    offered = notebook.drains.length;
    if (fresh === 0) return;
    const late = waiting.findIndex(({ since }) => now - since < LONG);
    for (const { wake } of waiting.splice(0, Math.max(fresh, late < 0 ? waiting.length : late))) wake();
  }

  const ended = new AbortController();
  const following = (async () => {
    while (!ended.signal.aborted) {
      look(notebook);
      offer();
      await sleep(PAUSE, undefined, { signal: ended.signal }).catch(() => {});
    }
    look(notebook);
    closeSync(log);
  })();

  return {
    notes: notebook,
    async drain(ms) {
      const { promise, resolve } = Promise.withResolvers<true>();
      const one = { since: Date.now(), wake: () => resolve(true) };
      waiting.push(one);
      const late = new AbortController();
      const timeout = sleep(ms, false as const, { signal: late.signal }).catch(() => false as const);
      const came = await Promise.race([promise, timeout]);
      late.abort();
      const at = waiting.indexOf(one);
      if (at >= 0) waiting.splice(at, 1);
      return came;
    },
    async before(ms) {
      const since = Date.now() - notebook.changed;
      if (since > 2 * LOOK) return false;
      await sleep((2 * LOOK - (since % LOOK) - ms) % LOOK);
      return true;
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      await following;
    },
  };
}
