/**
 * Room: what a host can still take, in the order in which hosts should be used: working ones, ones that can be opened
 * again, ones that are coming, and new ones.
 */
import type { Ask } from '../domain/job.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { inService, MISSING_GRACE, notCreatable, onTheWay, type View } from './view.ts';

export type RoomKind = 'ready' | 'reopen' | 'coming' | 'new';

export interface Room {
  readonly host: string;
  readonly kind: RoomKind;
  cpus: number;
  memoryMiB: number;
  /** Nothing runs on it and nothing was placed on it. */
  empty: boolean;
}

/** The size of the largest hosts, for "can never fit". */
export interface Largest {
  readonly cpus: number;
  readonly memoryMiB: number;
  /** How many hosts the queue can have at most. */
  readonly hosts: number;
}

const ORDER: readonly RoomKind[] = ['ready', 'reopen', 'coming', 'new'];

/**
 * @param mayCreate how many new hosts may be counted on at all (the limits; see limits.ts)
 */
export function rooms(s: Snapshot, hosts: readonly View[], mayCreate: number): Room[] {
  const found: { room: Room; failures: number; at: number }[] = [];
  for (const [at, view] of hosts.entries()) {
    const kind = kindOf(s, view);
    if (kind === null) continue;
    const { node } = view;
    const whole = kind !== 'ready' && node?.hasJob !== true;
    // A size the batch system does not tell is taken as "one job per host": enough, never too much.
    const cpus = node === undefined || node.cpus === 0 ? 1 : whole ? node.cpus : node.cpusFree;
    if (cpus <= 0) continue;
    const memoryMiB = (whole ? node?.memoryMiB : node?.memoryFreeMiB) ?? 0;
    const empty = whole || node?.hasJob === false;
    const failures = kind === 'new' ? view.record.failures : 0;
    found.push({ at, failures, room: { host: view.record.name, kind, cpus, memoryMiB, empty } });
  }
  found.sort(
    (a, b) => ORDER.indexOf(a.room.kind) - ORDER.indexOf(b.room.kind) || a.failures - b.failures || a.at - b.at,
  );
  let left = mayCreate;
  return found.filter(({ room }) => room.kind !== 'new' || left-- > 0).map(({ room }) => room);
}

function kindOf(s: Snapshot, view: View): RoomKind | null {
  const { node, machine, record } = view;
  if (view.retired) return null;
  if (record.state === 'ready') {
    if (inService(view) && record.missingSince === null) return 'ready';
    // Just out of sight (a restarted scheduler, a slow list): it is likely to come back, so nothing replaces it yet.
    const brief = record.missingSince === null || s.at - record.missingSince < MISSING_GRACE;
    return node?.closed === 'no' && brief ? 'coming' : null;
  }
  if (record.state === 'draining') {
    const whole = node?.closed === 'ours' && node.responding && !node.hasJob && machine?.state === 'running';
    return whole && record.drainedBy !== 'operator' ? 'reopen' : null;
  }
  if (onTheWay(view)) {
    const hopeless = node?.closed === 'theirs' || machine?.state === 'failed' || machine?.state === 'stopping';
    return hopeless ? null : 'coming';
  }
  return s.pool.policy === 'demand' && notCreatable(view) === null ? 'new' : null;
}

/** What the hosts of the queue are like, also those without a machine: the batch system knows their configured size. */
export function largest(s: Snapshot, hosts: readonly View[]): Largest {
  const usable = hosts.filter((view) => !view.retired && view.node !== undefined && view.node.inQueue);
  return {
    cpus: usable.reduce((most, view) => Math.max(most, view.node?.cpus ?? 0), 0),
    memoryMiB: usable.reduce((most, view) => Math.max(most, view.node?.memoryMiB ?? 0), 0),
    hosts: Math.min(usable.length, s.pool.limits.maxNodes),
  };
}

/** What a job needs of each of its hosts, after spreading its CPUs over hosts of this size. */
export interface Share {
  readonly nodes: number;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly exclusive: boolean;
}

/**
 * The batch system's own node count is a lower bound: `-n 8` on hosts with 2 CPUs says 1 node and takes 4.
 */
export function share(ask: Ask, size: Largest): Share {
  const least = Math.max(1, ask.nodes);
  const spread = size.cpus > 0 ? Math.ceil(ask.cpus / size.cpus) : least;
  const nodes = ask.cpusPerNode > size.cpus ? least : Math.max(least, spread);
  return {
    nodes,
    cpus: Math.max(1, ask.cpusPerNode, Math.ceil(ask.cpus / nodes)),
    memoryMiB: ask.memoryMiB,
    exclusive: ask.exclusive,
  };
}

/** @returns null when the job can fit into an empty queue, else why it never can */
export function neverFits(need: Share, size: Largest): string | null {
  if (size.hosts === 0) return null; // nothing is known about the hosts: no ground for a verdict
  if (size.cpus > 0 && need.cpus > size.cpus) {
    return `can never fit: asks for ${need.cpus} CPUs on one host, the largest host has ${size.cpus}`;
  }
  if (size.memoryMiB > 0 && need.memoryMiB > size.memoryMiB) {
    return `can never fit: asks for ${need.memoryMiB} MiB on one host, the largest host has ${size.memoryMiB} MiB`;
  }
  if (need.nodes > size.hosts) {
    return `can never fit: asks for ${need.nodes} hosts, the queue can have ${size.hosts}`;
  }
  return null;
}

export function fits(room: Room, need: Share): boolean {
  if (need.exclusive && !room.empty) return false;
  return room.cpus >= need.cpus && (need.memoryMiB === 0 || room.memoryMiB >= need.memoryMiB);
}

export function take(room: Room, need: Share): void {
  room.cpus = need.exclusive ? 0 : room.cpus - need.cpus;
  room.memoryMiB = need.exclusive ? 0 : room.memoryMiB - need.memoryMiB;
  room.empty = false;
}
