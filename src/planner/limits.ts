/**
 * Limits wrap the rules: whatever a rule wants, this decides how many machines may come into being. The only place
 * where MAX_NODES, MAX_STARTING and the creation brake are looked at.
 */
import type { Snapshot } from '../domain/snapshot.ts';
import { span } from '../domain/words.ts';
import { onTheWay, type View, withMachine } from './view.ts';

export interface Allowance {
  /** New machines that may exist at all, besides those there are. */
  readonly total: number;
  /** Of these, how many may be asked for in this plan. */
  readonly now: number;
  /** Why `now` is smaller than `total`, for people; empty when it is not. */
  readonly because: string;
}

export function allowance(s: Snapshot, hosts: readonly View[]): Allowance {
  const { limits } = s.pool;
  const total = Math.max(0, limits.maxNodes - hosts.filter(withMachine).length);
  const brake = braking(s);
  if (brake !== null) return { total, now: 0, because: brake };
  const starting = hosts.filter(onTheWay).length;
  const byStarting = Math.max(0, limits.maxStarting - starting);
  if (probing(s)) {
    const now = Math.min(total, byStarting, starting === 0 ? 1 : 0);
    return { total, now, because: `after trouble one machine is tried first: ${s.brake.message}` };
  }
  const atOnce = s.brake.atMost ?? Number.POSITIVE_INFINITY;
  const now = Math.min(total, byStarting, atOnce);
  const because =
    atOnce < byStarting
      ? `the cloud takes only so many machines at one time, ${atOnce} are asked for now: ${s.brake.message}`
      : `at most ${limits.maxStarting} may start at one time`;
  return { total, now, because: now < total ? because : '' };
}

/** Creation is paused: why and until when. */
function braking(s: Snapshot): string | null {
  const { kind, message, until } = s.brake;
  if (kind === null) return null;
  if (until === null) return `creation is stopped: ${message}`;
  return s.at < until ? `creation is paused for ${span(until - s.at)} more: ${message}` : null;
}

/** The pause is over, but nothing has worked since: try with one machine. Throttling says nothing about machines. */
function probing(s: Snapshot): boolean {
  return s.brake.kind !== null && s.brake.kind !== 'throttled';
}
