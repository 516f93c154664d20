/**
 * Limits wrap the rules: whatever a rule wants, this decides how many machines may come into being. The only place
 * where MAX_NODES, MAX_STARTING, budgets and the creation brake are looked at.
 */
import type { CloudState, CreationBrake, Snapshot } from '../domain/snapshot.ts';
import { list, span } from '../domain/words.ts';
import { budgetStop } from './budget.ts';
import { onTheWay, type View, withMachine } from './view.ts';

export interface Allowance {
  /** New machines that may exist at all, besides those there are. */
  readonly total: number;
  /** Of these, how many may be asked for in this plan. */
  readonly now: number;
  /** Why `now` is smaller than `total`, for people; empty when it is not. */
  readonly because: string;
  /** The same for each of several clouds, in the order of preference; null where the pool has one. */
  readonly clouds: ReadonlyMap<string, CloudAllowance> | null;
  /** The pool's budget is used up: nothing new, not even what MIN_NODES would keep. */
  readonly spent: boolean;
}

export interface CloudAllowance {
  readonly total: number;
  readonly now: number;
  readonly because: string;
  /** Why it takes no new machine at all, or null. */
  readonly closed: string | null;
  /** After trouble, one machine is tried first. */
  readonly probing: boolean;
}

export function allowance(s: Snapshot, hosts: readonly View[]): Allowance {
  const { limits, budget } = s.pool;
  const most = Math.min(limits.maxNodes, budget?.nodes ?? Number.POSITIVE_INFINITY);
  const total = Math.max(0, most - hosts.filter(withMachine).length);
  const clouds = s.clouds === undefined ? null : cloudAllowances(s, hosts, s.clouds);
  const spent = budgetStop(budget, s.usage, s.at);
  if (spent !== null) return { total, now: 0, because: spent, clouds, spent: true };
  const starting = hosts.filter(onTheWay).length;
  const byStarting = Math.max(0, limits.maxStarting - starting);
  const now = Math.min(total, byStarting);
  const slow = now < total ? `at most ${limits.maxStarting} may start at one time` : '';
  if (clouds !== null) return { ...overClouds(clouds, total, now, slow), clouds, spent: false };

  const brake = braking(s.brake, s.at);
  if (brake !== null) return { total, now: 0, because: brake, clouds, spent: false };
  if (probing(s.brake)) {
    const because = `after trouble one machine is tried first: ${s.brake.message}`;
    return { total, now: Math.min(now, starting === 0 ? 1 : 0), because, clouds, spent: false };
  }
  return { total, now, because: slow, clouds, spent: false };
}

/** What each cloud allows, within what the pool allows. */
function cloudAllowances(
  s: Snapshot,
  hosts: readonly View[],
  clouds: readonly CloudState[],
): ReadonlyMap<string, CloudAllowance> {
  return new Map(
    clouds.map((cloud): [string, CloudAllowance] => {
      const mine = hosts.filter((view) => view.record.cloud === cloud.name);
      const offer = s.pool.clouds?.find((one) => one.name === cloud.name);
      const most = Math.min(cloud.maxNodes, offer?.budget?.nodes ?? Number.POSITIVE_INFINITY);
      const total = Math.max(0, most - mine.filter(withMachine).length);
      const closed = cloud.answers
        ? (braking(cloud.brake, s.at) ?? budgetStop(offer?.budget, cloud.usage, s.at))
        : 'it does not answer';
      if (closed !== null) return [cloud.name, { total, now: 0, closed, because: closed, probing: false }];
      if (!probing(cloud.brake)) return [cloud.name, { total, now: total, closed, because: '', probing: false }];
      const now = Math.min(total, mine.some(onTheWay) ? 0 : 1);
      const because = `after trouble one machine is tried first: ${cloud.brake.message}`;
      return [cloud.name, { total, now, closed, because, probing: true }];
    }),
  );
}

function overClouds(clouds: ReadonlyMap<string, CloudAllowance>, total: number, now: number, slow: string) {
  const able = [...clouds.values()].reduce((sum, cloud) => sum + cloud.now, 0);
  const reasons = [...clouds].flatMap(([name, cloud]) => (cloud.because === '' ? [] : [`${name}: ${cloud.because}`]));
  if (able < now) return { total, now: able, because: reasons.length === 0 ? slow : list(reasons) };
  return { total, now, because: slow };
}

/** Creation is paused: why and until when. */
function braking({ kind, message, until }: CreationBrake, at: number): string | null {
  if (kind === null) return null;
  if (until === null) return `creation is stopped: ${message}`;
  return at < until ? `creation is paused for ${span(until - at)} more: ${message}` : null;
}

/** The pause is over, but nothing has worked since: try with one machine. Throttling says nothing about machines. */
function probing(brake: CreationBrake): boolean {
  return brake.kind !== null && brake.kind !== 'throttled';
}
