/**
 * From what is known of a host to our node.
 */
import type { BatchNode } from '../../domain/node.ts';
import { oneLine } from '../../lib/log.ts';
import { parseMiB } from './amounts.ts';
import type { HostRecord } from './hosts.ts';
import type { Instance } from './records.ts';
import { type Gate, gateOf, isKnown, isLoaded, isOrphaned, isUnreachable, sayClosed } from './state.ts';

/** What the jobs of a host make of it. */
export interface OnHost {
  /** How much of a consumable they hold, in its own unit (memory: MiB). */
  readonly taken: (name: string) => number;
  readonly jobs: readonly string[];
  /** A job that cannot be read may be on it. */
  readonly doubt: boolean;
  /** A job shares it with nobody. */
  readonly exclusive: boolean;
}

export interface Memory {
  /** MiB; 0 = not known. */
  readonly total: number;
  readonly free: number;
}

/** The load values that tell one report of a daemon from another. */
export const LOAD_VALUES = ['load_short', 'cpu', 'mem_used', 'mem_total'];

/** @param witness a second reading that contradicts the first, in words; then nothing counts as idle */
export function toNode(
  record: HostRecord,
  queue: string,
  on: OnHost,
  memory: Memory,
  countable: (name: string) => boolean,
  witness: string | null = null,
): BatchNode {
  const { host, instances, note } = record;
  const here = instances.find((one) => one.queue === queue && !isOrphaned(one.state));
  const words = sayWords(instances, queue);
  const trouble = record.broken ?? witness ?? strangeState(instances);
  if (trouble !== null) return unreadable(host, `${words}: ${trouble}`, on.jobs, here !== undefined);
  const reachable = instances.length > 0 && !instances.some(({ state }) => isUnreachable(state));
  const hasJob = on.doubt || on.jobs.length > 0 || instances.some(({ used }) => used > 0);
  const closed = closedOf(record, here);
  const stopped = on.exclusive || (here !== undefined && isLoaded(here.state));
  const cpus = here?.slots ?? 0;
  return {
    host,
    state: !reachable ? 'down' : closed === 'no' ? (hasJob ? 'busy' : 'idle') : hasJob ? 'draining' : 'drained',
    closed,
    responding: reachable,
    hasJob,
    jobs: on.jobs,
    registration: reachable ? registrationOf(instances) : null,
    inQueue: here !== undefined,
    cpus,
    cpusFree:
      stopped || here === undefined ? 0 : Math.max(0, Math.min(cpus - here.used - here.reserved, leftSlots(here))),
    memoryMiB: Math.floor(memory.total),
    ...gresOf(instances, on, countable),
    memoryFreeMiB: on.exclusive ? 0 : Math.floor(Math.max(0, memory.free)),
    words,
    reason: closed === 'no' ? '' : oneLine(note || (here ? sayClosed(here.state) : '')),
  };
}

/**
 * Of the watched instance. A host that we closed but that still has an open instance in another queue is not closed:
 * jobs may come that way, so it is closed once more.
 */
function closedOf({ instances, note }: HostRecord, here: Instance | undefined): BatchNode['closed'] {
  const gates = instances.map((one) => gateOf(one, note));
  const gate: Gate | undefined = here
    ? gateOf(here, note)
    : (['open', 'ours', 'theirs'] as const).find((one) => gates.includes(one));
  if (gate === undefined || gate === 'open') return 'no';
  return gate === 'ours' && gates.includes('open') ? 'no' : gate;
}

/**
 * Grid Engine does not tell when a daemon registered. It keeps the last load values of one that is gone, unchanged,
 * until max_unheard calls it unreachable; the next daemon reports at once, with values of its own. So whatever differs
 * from the values seen while the host had no machine was reported by the new one.
 */
function registrationOf(instances: readonly Instance[]): string | null {
  const resources = instances[0]?.resources;
  const values = LOAD_VALUES.flatMap((name) => {
    const one = resources?.get(name);
    return one?.kind === 'hl' ? [`${name}=${one.value}`] : [];
  });
  return values.length === 0 ? null : values.join(' ');
}

/** Consumables that are counted in whole numbers: what is left of them, and what the jobs took. */
function gresOf(
  instances: readonly Instance[],
  { taken }: OnHost,
  countable: (name: string) => boolean,
): Pick<BatchNode, 'gres' | 'gresFree'> {
  const gres: Record<string, number> = {};
  const gresFree: Record<string, number> = {};
  for (const [name, { kind, value }] of instances[0]?.resources ?? []) {
    const left = Number(value);
    if (!/^[hq]c$/.test(kind) || !countable(name) || !(left >= 0)) continue;
    gresFree[name] = Math.floor(left);
    gres[name] = Math.floor(left + taken(name));
  }
  return Object.keys(gres).length === 0 ? {} : { gres, gresFree };
}

/** A host may have a limit of its own, below what its queues offer. */
function leftSlots({ resources, slots }: Instance): number {
  const left = Number(resources.get('slots')?.value ?? slots);
  return Number.isFinite(left) ? left : slots;
}

function strangeState(instances: readonly Instance[]): string | null {
  const strange = instances.find(({ state }) => !isKnown(state));
  return strange === undefined ? null : `state ${JSON.stringify(strange.state.slice(0, 20))} is not known`;
}

function sayWords(instances: readonly Instance[], queue: string): string {
  const word = (one: Instance): string => (one.state === '' ? 'open' : one.state);
  const [only] = instances;
  if (instances.length === 1 && only?.queue === queue) return oneLine(word(only));
  return oneLine(instances.map((one) => `${one.queue} ${word(one)}`).join(', '));
}

export function absent(host: string): BatchNode {
  return { ...nothing(host), state: 'absent', hasJob: false, words: 'not known to Grid Engine' };
}

/** The cell has it, but no queue. */
export function outside(host: string): BatchNode {
  return { ...nothing(host), state: 'down', hasJob: false, words: 'in no queue' };
}

/** Whatever it is, it is not idle. */
export function unreadable(host: string, why: string, jobs: readonly string[], inQueue = false): BatchNode {
  const words = oneLine(why).slice(0, 160);
  return { ...nothing(host), state: 'unknown', closed: 'theirs', hasJob: true, jobs, inQueue, words };
}

function nothing(host: string): BatchNode {
  return {
    ...{ host, state: 'unknown', closed: 'no', responding: false, hasJob: true, jobs: [], registration: null },
    ...{ inQueue: false, cpus: 0, cpusFree: 0, memoryMiB: 0, memoryFreeMiB: 0, words: '', reason: '' },
  };
}

/**
 * Memory of the hosts, by Grid Engine's name. Where a consumable counts it, what is left of that and what the running
 * jobs took; else the machine's own. A host that never ran is taken to be as large as its smallest brother.
 * @param seen what machines reported while they ran, kept by the caller
 */
export function memoryOf(
  hosts: readonly HostRecord[],
  counted: string | null,
  where: (name: string) => OnHost,
  seen: Map<string, number>,
): (host: HostRecord) => Memory {
  const totals = new Map<string, number>();
  const takenOn = (name: string): number => (counted === null ? 0 : where(name).taken(counted));
  for (const { name, instances } of hosts) {
    const resources = instances[0]?.resources;
    const left = counted === null ? undefined : resources?.get(counted);
    const leftMiB = left === undefined ? null : parseMiB(left.value);
    const reported = parseMiB(resources?.get('mem_total')?.value ?? '');
    if (reported !== null && reported > 0) seen.set(name, reported);
    const total = leftMiB === null ? seen.get(name) : leftMiB + takenOn(name);
    if (total !== undefined && total > 0) totals.set(name, total);
  }
  const least = totals.size === 0 ? 0 : Math.min(...totals.values());
  return ({ name }) => {
    const total = totals.get(name) ?? least;
    return { total, free: total - takenOn(name) };
  };
}
