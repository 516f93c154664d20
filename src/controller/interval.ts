/**
 * How long to sleep until the next look. Pure.
 */
import type { HostState } from '../domain/lifecycle.ts';

/** States in which something is about to change: then we look often, since every second is a waiting job's. */
const MOVING: ReadonlySet<HostState> = new Set([
  'starting',
  'preparing',
  'joining',
  'draining',
  'stopping',
  'cooling',
] satisfies HostState[]);

/** The machine is there and jobs wait for it: this takes a second or two, and half of one is worth a look. */
const JOINING: ReadonlySet<HostState> = new Set(['preparing', 'joining'] satisfies HostState[]);

/** Shortest pause, ms. */
const SHORTEST = 100;

/** Longest stretch, ms. */
const LONGEST = 60_000;

export interface Pace {
  /** POLL_INTERVAL, ms. */
  readonly base: number;
  readonly states: readonly HostState[];
  /** Complete readings in a row. */
  readonly completeReads: number;
  /** The last look decided something new: the next one follows it up. */
  readonly acted: boolean;
  /** In so many ms the plan will be another one even if nothing changes; null = not. */
  readonly changesIn?: number | null;
  /** How long the last readings took, ms. */
  readonly batchTook: number;
  readonly cloudTook: number;
}

/**
 * POLL_INTERVAL; 1 s while hosts are on the move or after something was done, half of that while they join; at once after
 * a start. A batch system that answers slowly is asked less often: it is busy a tenth of the time with us at most, so that we never are the load that sites ban.
 */
export function nextLook(pace: Pace): number {
  const wish = pace.completeReads === 1 ? 200 : wished(pace);
  const due = Math.max(SHORTEST, pace.changesIn ?? Number.POSITIVE_INFINITY);
  const polite = Math.max(pace.batchTook * 10, pace.cloudTook * 3);
  return Math.min(Math.max(Math.min(wish, pace.base, due), polite), Math.max(LONGEST, pace.base));
}

function wished({ states, acted, base }: Pace): number {
  if (states.some((state) => JOINING.has(state))) return 500;
  return acted || states.some((state) => MOVING.has(state)) ? 1000 : base;
}
