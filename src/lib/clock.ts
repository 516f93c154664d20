/**
 * Clock: the only place that knows the time. Everything else is handed one, so a test moves time instead of waiting.
 */
import { setTimeout as sleepFor } from 'node:timers/promises';

export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Milliseconds that only ever grow, for measuring durations (a set-back of the wall clock does not disturb it). */
  monotonic(): number;
  /** Resolves after `ms`, or at once when the signal aborts (never rejects: a woken sleeper just looks again). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await sleepFor(ms, undefined, signal ? { signal } : {});
    } catch {
      // aborted: that is what the signal is for
    }
  },
};

/**
 * Milliseconds since this machine started, the same for all its processes: tells how long a service was down without
 * asking the wall clock. Says nothing across a reboot, and nothing about another machine.
 */
export function sinceBoot(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** A clock that stands still until `advance` moves it. */
export interface ManualClock extends Clock {
  /** Moves time on and wakes the sleepers whose time has come, in order. */
  advance(ms: number): Promise<void>;
}

/** @param turns how often `advance` lets the event loop go round after each sleeper; 1 will do without files and processes */
export function manualClock(start = 1_800_000_000_000, turns = 20): ManualClock {
  let at = start;
  let sleepers: { due: number; wake: () => void }[] = [];
  return {
    now: () => at,
    monotonic: () => at - start,
    sleep(ms, signal) {
      return new Promise<void>((resolve) => {
        if (signal?.aborted) return resolve();
        const sleeper = { due: at + ms, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((s) => s !== sleeper);
          resolve();
        });
      });
    },
    async advance(ms) {
      const until = at + ms;
      for (;;) {
        const next = sleepers.filter((s) => s.due <= until).sort((a, b) => a.due - b.due)[0];
        if (!next) break;
        at = Math.max(at, next.due);
        sleepers = sleepers.filter((s) => s !== next);
        next.wake();
        await settle(turns);
      }
      at = until;
      await settle(turns);
    },
  };
}

/** Lets everything that is ready to run do so, without real time passing that a test could depend on. */
async function settle(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
