/**
 * A bootstrap in memory, for tests and for the simulator: what happens to a host is set by the test, how long it takes
 * passes on the injected clock.
 */
import { PrepareError, type PrepareErrorKind } from '../domain/errors.ts';
import type { Host } from '../domain/host.ts';
import { span } from '../domain/words.ts';
import type { Clock } from '../lib/clock.ts';
import type { Bootstrap } from './bootstrap.ts';

export interface FakeBootstrapOptions {
  readonly clock: Clock;
  /** Milliseconds a preparation takes; a function of the host. */
  takes?: number | ((host: string) => number);
  /** Does something answer on this address? Default: nothing does. The simulator asks its cloud. */
  alive?: (host: Host) => boolean;
}

export interface FakeBootstrap extends Bootstrap {
  readonly options: FakeBootstrapOptions;
  /** The next `times` preparations of this host fail with this kind. */
  fail(host: string, kind: PrepareErrorKind, times?: number): void;
  /** Preparations of this host do not end until they are aborted. */
  hang(host: string, hanging?: boolean): void;
  /** Something answers on this address, whatever `alive` says. */
  haunt(ip: string, haunted?: boolean): void;
  /** Host names, in the order of the calls that ended well; the last thousand. */
  readonly prepared: readonly string[];
  readonly forgotten: readonly string[];
  readonly counts: { prepare: number; answers: number };
}

export function fakeBootstrap(options: FakeBootstrapOptions): FakeBootstrap {
  const { clock } = options;
  const failures = new Map<string, { kind: PrepareErrorKind; times: number }>();
  const hanging = new Set<string>();
  const haunted = new Set<string>();
  const prepared: string[] = [];
  const forgotten: string[] = [];
  const counts = { prepare: 0, answers: 0 };

  function nextFailure(host: string): PrepareErrorKind | null {
    const failure = failures.get(host);
    if (!failure) return null;
    failure.times -= 1;
    if (failure.times <= 0) failures.delete(host);
    return failure.kind;
  }

  return {
    kind: 'fake',
    options,
    prepared,
    forgotten,
    counts,

    check: async () => 'ready',

    async prepare(host, signal) {
      counts.prepare += 1;
      const began = clock.monotonic();
      const failure = nextFailure(host.name);
      if (hanging.has(host.name)) await aborted(signal);
      const { takes = 0 } = options;
      const ms = typeof takes === 'number' ? takes : takes(host.name);
      if (ms > 0) await clock.sleep(ms, signal);
      if (signal.aborted) {
        const took = span(clock.monotonic() - began);
        throw new PrepareError('timeout', `${host.name} was not prepared within ${took}: it does not answer`);
      }
      if (failure) throw new PrepareError(failure, `${host.name}: the fake says ${failure}`);
      if (prepared.push(host.name) > REMEMBERED) prepared.shift();
    },

    async answers(host, signal) {
      counts.answers += 1;
      return signal?.aborted === true || haunted.has(host.ip) || (options.alive?.(host) ?? false);
    },

    async forget(host) {
      if (forgotten.push(host.name) > REMEMBERED) forgotten.shift();
    },
    fail: (host, kind, times = 1) => void failures.set(host, { kind, times }),
    hang: (host, on = true) => void (on ? hanging.add(host) : hanging.delete(host)),
    haunt: (ip, on = true) => void (on ? haunted.add(ip) : haunted.delete(ip)),
  };
}

/** Names kept of the last calls: a simulated year has many. */
const REMEMBERED = 1000;

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
