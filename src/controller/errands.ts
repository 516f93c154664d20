/**
 * Errands: the slow calls (create, prepare, delete) that run beside the loop, each with its own time limit and signal,
 * so that no slow cloud and no slow node ever blocks a look at the queue. A host has at most one at a time.
 */
import type { Clock } from '../lib/clock.ts';

export interface Errands {
  /** Hosts with a call under way. */
  readonly hosts: ReadonlySet<string>;
  /**
   * Starts a call for these hosts. Its errors are its own business; one that escapes is handed to `onError`.
   * @param limit ms after which its signal aborts; counted from when it really begins
   */
  start(hosts: readonly string[], limit: number, work: (signal: AbortSignal) => Promise<void>): void;
  /** Ends the call under way for this host, if it is for this host alone. */
  cancel(host: string): void;
  /** Aborts all and waits for them. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ErrandEnds {
  onEnd(): void;
  onError(error: unknown): void;
}

/** Made once: without a reason each abort makes an exception with a stack, for nobody. */
const ENDED = new Error('ended');

/** @param most how many may run at one time; further ones wait for their turn */
export function makeErrands(most: number, clock: Clock, ends: ErrandEnds): Errands {
  const hosts = new Set<string>();
  const alone = new Map<string, AbortController>();
  const running = new Set<Promise<void>>();
  const waiting: (() => void)[] = [];
  const stop = new AbortController();
  let active = 0;

  async function errand(
    names: readonly string[],
    limit: number,
    cancel: AbortSignal,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    if (active >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    active++;
    const late = new AbortController();
    const ended = new AbortController();
    void clock.sleep(limit, ended.signal).then(() => late.abort(new DOMException('too late', 'TimeoutError')));
    try {
      if (!stop.signal.aborted) await work(AbortSignal.any([stop.signal, cancel, late.signal]));
    } catch (error) {
      ends.onError(error);
    } finally {
      ended.abort(ENDED);
      active--;
      waiting.shift()?.();
      for (const name of names) {
        hosts.delete(name);
        alone.delete(name);
      }
      ends.onEnd();
    }
  }

  return {
    hosts,
    start(names, limit, work) {
      const cancel = new AbortController();
      const [only] = names;
      if (names.length === 1 && only !== undefined) alone.set(only, cancel);
      for (const name of names) hosts.add(name);
      const ended: Promise<void> = errand(names, limit, cancel.signal, work).finally(() => running.delete(ended));
      running.add(ended);
    },
    cancel: (host) => alone.get(host)?.abort(new Error('cancelled')),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the service is stopping'));
      for (const wake of waiting.splice(0)) wake();
      await Promise.all(running);
    },
  };
}
