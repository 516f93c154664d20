/**
 * The planner: one snapshot in, one plan out. Pure: no clock, no await, no log; the same snapshot gives the same plan.
 * One planner decides both directions, so that what one rule wants the other cannot take away.
 */
import type { Plan, Step, Verdict } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { list } from '../domain/words.ts';
import { type Changes, makeChanges } from './changes.ts';
import { classic, classicClocks } from './classic.ts';
import { clockChanges, demandClocks } from './clocks.ts';
import { raiseToFloor } from './floor.ts';
import { gate } from './gate.ts';
import { gathering } from './gather.ts';
import { guard, lostByBatchSystem } from './guard.ts';
import { life, step } from './life.ts';
import { type Allowance, allowance } from './limits.ts';
import { amongClouds, passedOver, placeOver, seenBy, withClosedClouds, within } from './offers.ts';
import type { Placement } from './place.ts';
import { scaleIn } from './scale-in.ts';
import { summary } from './summary.ts';
import { closedByOthers, type View, views, working } from './view.ts';

export function plan(given: Snapshot): Plan {
  const hosts = views(given);
  const limit = allowance(given, hosts);
  const s = limit.spent ? withoutFloor(given) : given;
  const changes = makeChanges(s.at);
  const demand = s.pool.policy === 'demand';
  const placement = placeOver(s, hosts, limit, changes);
  const gather = demand ? gathering(s, placement.causes, changes) : '';
  const allowed = gather === '' ? limit : { ...limit, now: 0, because: gather };
  const queue = demand ? demandClocks(s) : classicClocks(s);
  const clocks = clockChanges(s, hosts, placement.wanted, queue);
  const stop = s.clouds === undefined ? guard(hosts) : lostByBatchSystem(hosts);
  const steps =
    stop !== null ? [wait(`nothing is changed: ${stop}`)] : decide(s, hosts, placement, clocks, allowed, changes);
  const verdicts =
    stop === null ? withClosedClouds(honest(placement.verdicts, steps, allowed), allowed) : placement.verdicts;
  return {
    steps,
    verdicts,
    clocks,
    warnings: warnings(s, hosts, placement),
    summary: summary(s, hosts, steps, verdicts),
    changesAt: demand ? changes.first : null,
  };
}

/** A budget that is used up is not spent on nodes that nobody uses. */
function withoutFloor(s: Snapshot): Snapshot {
  return { ...s, pool: { ...s.pool, limits: { ...s.pool.limits, minNodes: 0, spareNodes: 0 } } };
}

function decide(
  s: Snapshot,
  hosts: readonly View[],
  placement: Placement,
  clocks: Plan['clocks'],
  allowed: Allowance,
  changes: Changes,
): readonly Step[] {
  const byPolicy =
    s.pool.policy === 'classic'
      ? classic(s, hosts, clocks.queue, allowed)
      : [...scaleOut(s, hosts, placement, allowed), ...scaleIn(s, hosts, placement.wanted, clocks, changes)];
  // Demand that came back goes before the host's own next step: a host about to be deleted is opened instead.
  const idle = byPolicy.filter((one) => one.host === null || (!s.underWay.has(one.host) && !doubles(s, one)));
  const back = idle.filter((one) => one.kind === 'undrain');
  const seen = seenBy(s);
  const own = hosts.flatMap((view) => life(seen(view), view) ?? []);
  const gates = hosts.flatMap((view) => gate(seen(view), view) ?? []);
  const steps: Step[] = [];
  const taken = new Set<string>();
  const byName = new Map(hosts.map((view) => [view.record.name, view]));
  for (const one of [...back, ...own, ...idle, ...gates]) {
    if (one.host !== null && taken.has(one.host)) continue;
    if (one.host !== null) taken.add(one.host);
    steps.push(one.kind === 'delete' ? closedFirst(byName.get(one.host ?? ''), one) : one);
  }
  const stopped = allowed.spent && placement.verdicts.some((verdict) => verdict.kind === 'blocked');
  if (allowed.because !== '' && (stopped || allowed.now < placement.create.length)) steps.push(wait(allowed.because));
  return amongClouds(s, hosts, within(steps, hosts, allowed));
}

/** The list, perhaps from before the host became free, shows a machine of it: never a second one beside that. */
function doubles(s: Snapshot, one: Step): boolean {
  return one.kind === 'create' && one.host !== null && s.machines.has(one.host);
}

/**
 * A node that takes jobs may have got one since it was read (a person opened it, a write of ours failed half way): it is
 * closed first, read again, and only then is its machine taken away.
 */
function closedFirst(view: View | undefined, one: Step): Step {
  const node = view?.node;
  if (view === undefined || node === undefined) return one;
  const takesJobs = node.closed === 'no' && node.responding && node.inQueue && node.state !== 'absent';
  return takesJobs ? step('drain', view, null, `closed before its machine goes: ${one.because}`) : one;
}

/** POLICY=demand, scale out: open again what is wanted back, create what the placement used, all at once. */
function scaleOut(s: Snapshot, hosts: readonly View[], placement: Placement, allowed: Allowance): readonly Step[] {
  const byName = new Map(hosts.map((view) => [view.record.name, view]));
  const reasons = new Map<string, string[]>();
  for (const verdict of placement.verdicts) {
    for (const host of verdict.hosts) {
      const jobs = reasons.get(host) ?? [];
      reasons.set(host, [...jobs.slice(0, 6), verdict.job]);
    }
  }
  const forJobs = (host: string) => {
    const jobs = reasons.get(host) ?? [];
    return `wanted by ${jobs.length === 1 ? 'job' : 'jobs'} ${list(jobs, 4)}`;
  };
  const steps: Step[] = [];
  for (const host of placement.reopen) {
    const view = byName.get(host);
    if (view) steps.push(step('undrain', view, 'ready', `demand came back: ${forJobs(host)}`));
  }
  const create = placement.create.flatMap((host) => {
    const view = byName.get(host);
    return view ? [step('create', view, 'starting', forJobs(host) + passedOver(allowed, view))] : [];
  });
  return [...steps, ...within(create, hosts, allowed), ...raiseToFloor(s, hosts, placement, allowed)];
}

/** A verdict may only promise machines that this plan really asks for. */
function honest(verdicts: readonly Verdict[], steps: readonly Step[], allowed: Allowance): readonly Verdict[] {
  const created = new Set(steps.filter((one) => one.kind === 'create').map((one) => one.host));
  return verdicts.map((verdict) => {
    if (verdict.kind !== 'creating' || verdict.hosts.some((host) => created.has(host))) return verdict;
    return {
      ...verdict,
      kind: 'blocked' as const,
      because: allowed.because || 'waits: a machine is being created for another job first',
    };
  });
}

function warnings(s: Snapshot, hosts: readonly View[], placement: Placement): readonly string[] {
  const said: string[] = placement.unknownReasons.map(
    (reason) => `pending reason "${reason}" is not in our table: counted as one that nodes help`,
  );
  const named = (test: (view: View) => boolean) => hosts.filter(test).map((view) => view.record.name);
  const say = (names: readonly string[], text: (names: string) => string) => {
    if (names.length > 0) said.push(text(list(names)));
  };
  say(
    named((v) => v.node?.state === 'absent'),
    (names) => `the batch system does not know ${names}: no machine is created there`,
  );
  say(
    named((v) => v.node !== undefined && v.node.state !== 'absent' && !v.node.inQueue),
    (names) => `${names} not in queue ${s.pool.queue}: no machine is created there`,
  );
  say(named(closedByOthers), (names) => `closed by a person or the batch system, left alone: ${names}`);
  for (const machine of s.strangers) {
    said.push(
      `machine ${machine.id} (${machine.host}, ${machine.ip}) is not one of ours or a second one for its host: not touched`,
    );
  }
  for (const view of hosts) {
    const { record } = view;
    if (record.state === 'stopping' && s.at - record.since > s.pool.timing.stop) {
      said.push(
        `${record.name}: its machine should be gone since ${new Date(record.since + s.pool.timing.stop).toISOString()} and is still there`,
      );
    }
    if (record.missingSince !== null && working(view))
      said.push(`${record.name} works, but the cloud does not list its machine`);
  }
  return said;
}

function wait(because: string): Step {
  return { kind: 'wait', host: null, to: null, because };
}
