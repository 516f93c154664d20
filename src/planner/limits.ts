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
  /** The brake holds: nothing can be created for some time. */
  readonly braked: boolean;
  /** Why `now` is smaller than `total`, for people; empty when it is not. */
  readonly because: string;
  /** The same for each of several clouds, in the order of preference; null where the pool has one. */
  readonly clouds: ReadonlyMap<string, CloudAllowance> | null;
  /** The pool's budget is used up: nothing new, not even what MIN_NODES would keep. */
  readonly spent: boolean;
}

export interface CloudAllowance {
  /** New machines it could have at all. */
  readonly total: number;
  /** Of these, on how many jobs are placed while others are there to choose from. */
  readonly offered: number;
  /** Of these, how many may be asked for in this plan. */
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
  if (spent !== null) return { total, now: 0, braked: true, because: spent, clouds, spent: true };
  const starting = hosts.filter(onTheWay).length;
  const byStarting = Math.max(0, limits.maxStarting - starting);
  const fast = Math.min(total, byStarting);
  const slow = fast < total ? `at most ${limits.maxStarting} may start at one time` : '';
  if (clouds !== null) {
    const braked = [...clouds.values()].every((cloud) => cloud.closed !== null);
    return { ...overClouds(clouds, total, fast, slow), braked, clouds, spent: false };
  }

  const brake = braking(s.brake, s.at);
  if (brake !== null) return { total, now: 0, braked: true, because: brake, clouds, spent: false };
  if (probing(s.brake)) {
    const because = `after trouble one machine is tried first: ${s.brake.message}`;
    return { total, now: Math.min(fast, starting === 0 ? 1 : 0), braked: false, because, clouds, spent: false };
  }
  const atOnce = s.brake.atMost ?? Number.POSITIVE_INFINITY;
  const now = Math.min(fast, atOnce);
  return {
    total,
    now,
    braked: false,
    because: now < total ? (atOnce < byStarting ? paced(s.brake) : slow) : '',
    clouds,
    spent: false,
  };
}

function paced({ atMost, message }: CreationBrake): string {
  return `the cloud takes only so many machines at one time, ${atMost} are asked for now: ${message}`;
}

/** What each cloud allows, within what the pool allows. */
function cloudAllowances(
  s: Snapshot,
  hosts: readonly View[],
  clouds: readonly CloudState[],
): ReadonlyMap<string, CloudAllowance> {
  let waits = '';
  return new Map(
    clouds.map((cloud): [string, CloudAllowance] => {
      const { brake } = cloud;
      const mine = hosts.filter((view) => view.record.cloud === cloud.name);
      const offer = s.pool.clouds?.find((one) => one.name === cloud.name);
      const most = Math.min(cloud.maxNodes, offer?.budget?.nodes ?? Number.POSITIVE_INFINITY);
      const total = Math.max(0, most - mine.filter(withMachine).length);
      const paused = braking(brake, s.at);
      // Being slowed down is no lack of capacity: its jobs wait those seconds rather than pay another cloud.
      const slowed = brake.kind === 'throttled';
      const spent = cloud.answers ? budgetStop(offer?.budget, cloud.usage, s.at) : 'it does not answer';
      const closed = spent ?? (slowed ? null : paused);
      const base = { total, closed, because: closed ?? '', probing: false };
      if (closed !== null) return [cloud.name, { ...base, offered: 0, now: 0 }];
      if (waits !== '') return [cloud.name, { ...base, offered: 0, now: 0, because: waits }];
      if (slowed) {
        // What it refused just now is being settled and asked again at the next look.
        if (mine.some((view) => view.record.state === 'cooling')) waits = `${cloud.name} is asked again in a moment`;
        const now = paused === null ? Math.min(total, brake.atMost ?? total) : 0;
        return [cloud.name, { ...base, offered: total, now, because: paused ?? paced(brake) }];
      }
      if (!probing(brake)) return [cloud.name, { ...base, offered: total, now: total }];
      const now = Math.min(total, mine.some(onTheWay) ? 0 : 1);
      const because = `after trouble one machine is tried first: ${brake.message}`;
      return [cloud.name, { ...base, offered: now, now, because, probing: true }];
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
