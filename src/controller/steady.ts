/**
 * Steady: waits and deadlines are kept as wall-clock times, since they must survive a restart, and a wall clock can be
 * set (NTP after a long time, a wrong time zone put right, a virtual machine that was frozen). The monotonic clock tells
 * by how much; then all kept times are moved by as much, and every wait goes on as if nothing had been.
 */
import { span } from '../domain/words.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { Recorder } from './record.ts';

export interface Steady {
  /** To be asked before a look and after its readings. @returns true when the clock was set since the last time */
  check(): boolean;
}

/** Less is no setting of a clock, ms. */
const NOTICED = 1000;

/** @param retryCallAt times that are kept in memory and move with the others */
export function makeSteady(store: Store, clock: Clock, recorder: Recorder, retryCallAt: Map<string, number>): Steady {
  let offset = clock.now() - clock.monotonic();
  let begun = false;

  function shift(by: number, when: string): void {
    store.shiftTimes(by);
    for (const [host, at] of retryCallAt) retryCallAt.set(host, at + by);
    const where = by > 0 ? 'forward' : 'back';
    recorder.tell(
      'warn',
      null,
      `the clock was set ${where} by ${span(Math.abs(by))} ${when}: waits and deadlines go on as before`,
    );
  }

  return {
    check() {
      if (!begun) {
        // What happened while no service ran nobody has measured; but nothing can have begun in the future.
        const early = newest(store) - clock.now();
        if (early >= NOTICED) shift(-early, 'before this start');
        begun = true;
      }
      const by = Math.round(clock.now() - clock.monotonic() - offset);
      if (Math.abs(by) < NOTICED) return false;
      shift(by, 'while the service ran');
      offset += by;
      return true;
    },
  };
}

/** The latest moment at which anything that is kept began, epoch ms. */
function newest(store: Store): number {
  const { emptySince, noWaitingSince } = store.clocks();
  const times = store.hosts().flatMap((host) => [host.since, host.bornAt, host.idleSince, host.missingSince]);
  return Math.max(0, ...[...times, emptySince, noWaitingSince].map((at) => at ?? 0));
}
