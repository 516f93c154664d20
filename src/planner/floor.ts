/**
 * The floor: machines that are kept although no job needs them. MIN_NODES in all, and SPARE_NODES besides those that
 * jobs need. A draining host is opened again before another one is created.
 */
import type { Step } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { count } from '../domain/words.ts';
import { step } from './life.ts';
import type { Allowance } from './limits.ts';
import { more } from './offers.ts';
import type { Placement } from './place.ts';
import { mayReopen } from './room.ts';
import { inService, notCreatable, onTheWay, type View } from './view.ts';

export function raiseToFloor(
  s: Snapshot,
  hosts: readonly View[],
  placement: Placement,
  allowed: Allowance,
): readonly Step[] {
  const { minNodes, spareNodes = 0 } = s.pool.limits;
  if (minNodes + spareNodes === 0) return [];
  const chosen = new Set([...placement.create, ...placement.reopen]);
  const there = hosts.filter(stays).length + chosen.size;
  const forMin = Math.max(0, minNodes - there);
  const forSpare = Math.max(0, spareNodes - forMin - hosts.filter((view) => isSpare(view, placement.wanted)).length);
  const wish = forMin + forSpare;
  if (wish === 0) return [];
  const others = hosts.filter((view) => !chosen.has(view.record.name));
  const reopen = others.filter((view) => !view.retired && mayReopen(view)).slice(0, wish);
  const because = (at: number) =>
    at < forMin
      ? `at least ${count(minNodes, 'node is', 'nodes are')} kept`
      : `${count(spareNodes, 'spare node is', 'spare nodes are')} kept`;
  const back = reopen.map((view, at) => step('undrain', view, 'ready', because(at)));
  const free = others.filter((view) => notCreatable(view) === null);
  const least = more(hosts, placement.create, free, Math.max(0, forMin - back.length), because(0), allowed);
  const names = new Set(least.map((one) => one.host));
  const rest = free.filter((view) => !names.has(view.record.name));
  const first = [...placement.create, ...least.flatMap((one) => one.host ?? [])];
  const spare = more(hosts, first, rest, wish - back.length - least.length, because(forMin), allowed);
  return [...back, ...least, ...(least.length + back.length < forMin ? [] : spare)];
}

/** How many of these hosts may go without falling below the floor. */
export function aboveFloor(s: Snapshot, hosts: readonly View[], wanted: ReadonlySet<string>): number {
  const { minNodes, spareNodes = 0 } = s.pool.limits;
  const above = hosts.filter(stays).length - minNodes;
  if (spareNodes === 0) return above;
  return Math.min(above, hosts.filter((view) => isSpare(view, wanted)).length - spareNodes);
}

function stays(view: View): boolean {
  return !view.retired && (view.record.state === 'ready' || onTheWay(view));
}

/** Ready or soon to be, without a job, and no waiting job counts on it. */
function isSpare(view: View, wanted: ReadonlySet<string>): boolean {
  if (view.retired || wanted.has(view.record.name)) return false;
  return onTheWay(view) || (inService(view) && view.node?.hasJob === false);
}
