/**
 * Follows slurmctld's log while races are run, so that a racer can submit in the moment in which a host is closed: it
 * costs a reading of some bytes, not a command. Each drain is given to one racer.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Notebook, type Notes, openNotebook } from './race-meetings.ts';

export interface Watch extends AsyncDisposable {
  readonly notes: Notes;
  /** Waits for a drain that no other racer has taken. @returns false after so many ms without one */
  drain(ms: number): Promise<boolean>;
  /** Waits until so many ms before the service may close a host: a look after it last closed or opened one. */
  before(ms: number): Promise<void>;
}

/** Pause between two readings, ms. */
const PAUSE = 20;
/** A drain is offered for so many ms. */
const FRESH = 200;
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

  const waiting: (() => void)[] = [];
  let offered = 0;
  /** Those that have waited longest first. */
  function offer(): void {
    for (; offered < notebook.drains.length; offered++) {
      const fresh = Date.now() - (notebook.drains[offered]?.at ?? 0) < FRESH;
      if (!fresh) continue;
      const wake = waiting.shift();
      if (wake === undefined) return;
      wake();
    }
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
      const wake = () => resolve(true);
      waiting.push(wake);
      const late = new AbortController();
      const timeout = sleep(ms, false as const, { signal: late.signal }).catch(() => false as const);
      const came = await Promise.race([promise, timeout]);
      late.abort();
      const at = waiting.indexOf(wake);
      if (at >= 0) waiting.splice(at, 1);
      return came;
    },
    async before(ms) {
      const since = Date.now() - notebook.changed;
      await sleep((2 * LOOK - (since % LOOK) - ms) % LOOK);
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      await following;
    },
  };
}
