/**
 * When can a look decide something new although neither a job nor a machine has moved? When one of the clocks that the
 * planner compares with the time reaches its end. A replay leaves out the looks before that.
 */

import type { HostRecord } from '../domain/host.ts';
import type { Timing } from '../domain/pool.ts';
import { MISSING_GRACE } from '../planner/view.ts';
import type { Store } from '../store/store.ts';

/**
 * At least so often a look is made all the same, ms: a rule with a clock that is not in this file then comes late, but
 * it comes. `replay.test.ts` compares with a replay that leaves nothing out.
 */
const AT_LEAST = 900_000;

/** @returns epoch ms, later than `now` */
export function nextWake(store: Store, timing: Timing, now: number): number {
  let first = now + AT_LEAST;
  const consider = (since: number | null, wait: number) => {
    if (since !== null && since + wait > now && since + wait < first) first = since + wait;
  };
  const clocks = store.clocks();
  consider(clocks.emptySince, timing.cleanup);
  consider(clocks.noWaitingSince, timing.cleanup);
  consider(store.brake().until, 0);
  for (const host of store.hosts()) {
    if (timing.idle !== null) consider(host.idleSince, timing.idle);
    consider(host.missingSince, MISSING_GRACE);
    consider(host.missingSince, timing.join);
    consider(host.retryAt, 0);
    // Deadlines are passed, not reached: `since + limit < now`.
    const limit = deadline(host, timing);
    if (limit !== null) consider(host.since, limit + 1);
  }
  return first;
}

function deadline(host: HostRecord, timing: Timing): number | null {
  switch (host.state) {
    case 'starting':
      return timing.boot;
    case 'preparing':
      return timing.prepare;
    case 'joining':
      return timing.join;
    case 'stopping':
      return timing.stop;
    default:
      return null;
  }
}
