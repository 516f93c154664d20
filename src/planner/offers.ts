/**
 * Offers: several clouds behind one queue, in the order of preference. One that refuses, does not answer or has used up
 * its budget is passed over, and the plan takes hosts of the next one; when it is back, it comes first again.
 */
import type { Step, Verdict } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Changes } from './changes.ts';
import { guard } from './guard.ts';
import { step } from './life.ts';
import type { Allowance, CloudAllowance } from './limits.ts';
import { type Placement, place } from './place.ts';
import { rooms } from './room.ts';
import type { Quotas } from './room-tree.ts';
import type { View } from './view.ts';

/**
 * Puts the jobs on the hosts of clouds that may create now. When no cloud may, on all of them, so that each job hears what
 * it waits for; and when jobs are left and a cloud is only tried with one machine, on that one, too: else jobs of several
 * nodes would never try it.
 */
export function placeOver(s: Snapshot, hosts: readonly View[], allowed: Allowance, changes: Changes): Placement {
  const { clouds } = allowed;
  const still = allowed.braked || s.pool.policy !== 'demand';
  if (clouds === null) return place(s, hosts, rooms(s, hosts), allowed.total, still, changes);
  const cloudOf = cloudsOf(hosts);
  const put = (most: (cloud: CloudAllowance) => number) => {
    const left = new Map([...clouds].map(([name, cloud]) => [name, most(cloud)]));
    const quotas: Quotas = { of: (host) => cloudOf.get(host) ?? '', left };
    return place(s, hosts, rooms(s, hosts), allowed.total, still, changes, quotas);
  };
  const all = [...clouds.values()];
  if (all.every((cloud) => cloud.offered === 0)) return put((cloud) => cloud.total);
  const first = put((cloud) => cloud.offered);
  const waits = first.verdicts.some((verdict) => verdict.kind === 'blocked');
  return waits && all.some((cloud) => cloud.probing)
    ? put((cloud) => (cloud.probing ? cloud.total : cloud.offered))
    : first;
}

/** Jobs that found no host hear which clouds could not be asked. Equal sentences stay one text in memory. */
export function withClosedClouds(verdicts: readonly Verdict[], allowed: Allowance): readonly Verdict[] {
  const closed = closedClouds(allowed);
  if (closed.length === 0) return verdicts;
  const texts = new Map<string, string>();
  return verdicts.map((verdict) => {
    if (verdict.kind !== 'blocked' || closed.some((one) => verdict.because.includes(one))) return verdict;
    const because = texts.get(verdict.because) ?? `${verdict.because}; ${closed.join('; ')}`;
    texts.set(verdict.because, because);
    return { ...verdict, because };
  });
}

/** Why the clouds before this host's were not taken: empty when they were, or when there is none. */
export function passedOver(allowed: Allowance, view: View): string {
  const said: string[] = [];
  for (const [name, cloud] of allowed.clouds ?? []) {
    if (name === view.record.cloud) return said.map((one) => `; ${one}`).join('');
    if (cloud.closed !== null && cloud.total > 0) said.push(`${name} is passed over: ${cloud.closed}`);
  }
  return '';
}

/** `campus takes no new machine: ...`, one for each cloud that could have given one. */
export function closedClouds(allowed: Allowance): readonly string[] {
  if (allowed.spent) return [allowed.because];
  return [...(allowed.clouds ?? [])].flatMap(([name, cloud]) =>
    cloud.closed !== null && cloud.total > 0 ? [`${name} takes no new machine: ${cloud.closed}`] : [],
  );
}

/**
 * What may be done at all among several clouds: nothing for hosts whose cloud is silent or suddenly lists less than half
 * of its machines, no drain and no delete before the second complete reading of a cloud.
 */
export function amongClouds(s: Snapshot, hosts: readonly View[], steps: readonly Step[]): readonly Step[] {
  if (s.clouds === undefined) return steps;
  const byName = new Map(hosts.map((view) => [view.record.name, view]));
  const fresh = new Set(s.clouds.filter((cloud) => cloud.completeReads < 2).map((cloud) => cloud.name));
  const frozen = new Set<string>();
  const said: Step[] = [];
  for (const { name, answers } of s.clouds) {
    const reason = answers ? guard(hosts.filter((view) => view.record.cloud === name)) : `${name} does not answer`;
    if (reason === null) continue;
    frozen.add(name);
    said.push({
      kind: 'wait',
      host: null,
      to: null,
      because: `nothing is changed among the hosts of ${name}: ${reason}`,
    });
  }
  const kept = steps.filter((one) => {
    const view = one.host === null ? undefined : byName.get(one.host);
    if (view === undefined) return true;
    const { cloud = '' } = view.record;
    if (view.silent || frozen.has(cloud)) return false;
    return !(fresh.has(cloud) && (one.kind === 'delete' || (one.kind === 'drain' && one.to !== null)));
  });
  return [...kept, ...said];
}

/** The snapshot as this host's cloud saw it: when it was read, and how often in a row. */
export function seenBy(s: Snapshot): (view: View) => Snapshot {
  if (s.clouds === undefined) return () => s;
  const own = new Map(
    s.clouds.map((cloud) => [
      cloud.name,
      { ...s, cloudReadAt: cloud.readAt, completeReads: Math.min(s.completeReads, cloud.completeReads) },
    ]),
  );
  return (view) => own.get(view.record.cloud ?? '') ?? s;
}

/**
 * Limits wrap the rules: of all steps that make a new machine, as many as the pool and each cloud allow, in their order.
 * Asking again with a lease is no new machine.
 */
export function within(steps: readonly Step[], hosts: readonly View[], allowed: Allowance): readonly Step[] {
  const may = taker(hosts, allowed);
  return steps.filter((one) => one.kind !== 'create' || one.to === null || may(one.host ?? ''));
}

/** Hosts to create besides those that were chosen already, in their order, as far as there is room for them. */
export function more(
  hosts: readonly View[],
  chosen: readonly string[],
  candidates: readonly View[],
  most: number,
  because: string,
  allowed: Allowance,
): readonly Step[] {
  const may = taker(hosts, allowed);
  for (const host of chosen) may(host);
  const steps: Step[] = [];
  for (const view of candidates) {
    if (steps.length >= most) break;
    if (may(view.record.name)) steps.push(step('create', view, 'starting', because + passedOver(allowed, view)));
  }
  return steps;
}

function taker(hosts: readonly View[], allowed: Allowance): (host: string) => boolean {
  let left = allowed.now;
  const clouds = new Map([...(allowed.clouds ?? [])].map(([name, cloud]) => [name, cloud.now]));
  const cloudOf = allowed.clouds === null ? null : cloudsOf(hosts);
  return (host) => {
    if (left <= 0) return false;
    if (cloudOf !== null) {
      const name = cloudOf.get(host) ?? '';
      const own = clouds.get(name) ?? 0;
      if (own <= 0) return false;
      clouds.set(name, own - 1);
    }
    left--;
    return true;
  };
}

function cloudsOf(hosts: readonly View[]): ReadonlyMap<string, string> {
  return new Map(hosts.map((view) => [view.record.name, view.record.cloud ?? '']));
}
