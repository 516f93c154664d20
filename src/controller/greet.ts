/**
 * Greets the prepared nodes, where a dead-man switch waits for it: the service lives. Beside the loop, since a node that
 * does not answer must not hold up a look.
 */
import type { Bootstrap } from '../bootstrap/bootstrap.ts';
import { sayError } from '../domain/errors.ts';
import type { HostState } from '../domain/lifecycle.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Store } from '../store/store.ts';

export interface GreetParts {
  readonly bootstrap: Bootstrap;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/** States in which a node has its switch. */
const PREPARED: ReadonlySet<HostState> = new Set(['joining', 'ready', 'draining'] satisfies HostState[]);
/** Logins at one time; ms for one; failures in a row after which it is told. */
const AT_ONCE = 8;
const LIMIT = 30_000;
const TELL_AT = 2;

/** Begins at once where the bootstrap has such a switch, else does nothing. Disposing ends it. */
export function greetNodes({ bootstrap, store, clock, log }: GreetParts): AsyncDisposable {
  const stop = new AbortController();
  const failures = new Map<string, number>();
  const { greet } = bootstrap;

  async function one(host: { name: string; ip: string }, hello: NonNullable<typeof greet>['hello']): Promise<void> {
    const late = new AbortController();
    const done = new AbortController();
    void clock.sleep(LIMIT, done.signal).then(() => late.abort());
    try {
      await hello(host, AbortSignal.any([stop.signal, late.signal]));
      failures.delete(host.name);
    } catch (error) {
      if (stop.signal.aborted) return;
      const times = (failures.get(host.name) ?? 0) + 1;
      failures.set(host.name, times);
      if (times === TELL_AT)
        log.warn(`${sayError(error)}; without one for DEAD_MAN_TIME it stops when no job runs there`);
    } finally {
      done.abort();
    }
  }

  async function loop({ every, hello }: NonNullable<typeof greet>): Promise<void> {
    while (!stop.signal.aborted) {
      const hosts = store.hosts().filter((host) => PREPARED.has(host.state));
      for (let i = 0; i < hosts.length && !stop.signal.aborted; i += AT_ONCE) {
        await Promise.all(hosts.slice(i, i + AT_ONCE).map((host) => one(host, hello)));
      }
      await clock.sleep(every, stop.signal);
    }
  }
  const greeting = greet === undefined ? Promise.resolve() : loop(greet);

  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await greeting;
    },
  };
}
