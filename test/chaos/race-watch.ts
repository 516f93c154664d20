/**
 * Follows slurmctld's log while races are run, so that a racer can submit in the moment in which a host is closed: it
 * costs a reading of some bytes, not a command.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Notebook, type Notes, openNotebook } from './race-meetings.ts';

export interface Watch extends AsyncDisposable {
  readonly notes: Notes;
  /**
   * Waits until the host is drained.
   * @returns false after so many ms without that, and at once when the host is not open: its machine is gone, or goes
   */
  drain(host: string, ms: number): Promise<boolean>;
  /**
   * Waits until so many ms before the host may be drained: the service looks again after it last closed or opened one.
   * @returns false at once when that was too long ago to tell, and when the host is not open
   */
  before(host: string, ms: number): Promise<boolean>;
}

/** Pause between two readings, ms. */
const PAUSE = 20;
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

  const ended = new AbortController();
  const following = (async () => {
    while (!ended.signal.aborted) {
      look(notebook);
      await sleep(PAUSE, undefined, { signal: ended.signal }).catch(() => {});
    }
    look(notebook);
    closeSync(log);
  })();

  return {
    notes: notebook,
    async drain(host, ms) {
      const end = performance.now() + ms;
      const known = notebook.drains.length;
      while (notebook.open.has(host) && performance.now() < end) await sleep(PAUSE);
      return notebook.drains.slice(known).some((drain) => drain.host === host);
    },
    async before(host, ms) {
      const since = Date.now() - notebook.changed;
      if (since > 2 * LOOK || !notebook.open.has(host)) return false;
      await sleep((2 * LOOK - (since % LOOK) - ms) % LOOK);
      return true;
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      await following;
    },
  };
}
