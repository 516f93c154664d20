/**
 * Room: what a host can still take, in the order in which hosts should be used: working ones, ones that can be opened
 * again, ones that are coming, and new ones.
 */
import type { Ask } from '../domain/job.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { inService, MISSING_GRACE, notCreatable, onTheWay, outOfSight, type View } from './view.ts';

export type RoomKind = 'ready' | 'reopen' | 'coming' | 'new';

export interface Room {
  readonly host: string;
  readonly kind: RoomKind;
  cpus: number;
  memoryMiB: number;
  /** Nothing runs on it and nothing was placed on it. */
  empty: boolean;
  /** Countable things that are free: `{ gpu: 2 }`. */
  gres: Readonly<Record<string, number>>;
  readonly features: readonly string[];
}

const NONE: readonly string[] = [];

const ORDER: readonly RoomKind[] = ['ready', 'reopen', 'coming', 'new'];

/** All rooms, in the order in which they should be used. */
export function rooms(s: Snapshot, hosts: readonly View[]): Room[] {
  const found: { room: Room; rank: number; failures: number; at: number }[] = [];
  const ranks = new Map(s.clouds?.map((cloud, at) => [cloud.name, at]));
  for (const [at, view] of hosts.entries()) {
    const kind = kindOf(s, view);
    if (kind === null) continue;
    const { node } = view;
    const whole = kind !== 'ready' && node?.hasJob !== true;
    // A size the batch system does not tell is taken as "one job per host": enough, never too much.
    const cpus = node === undefined || node.cpus === 0 ? 1 : whole ? node.cpus : node.cpusFree;
    if (cpus <= 0) continue;
    // Memory that the batch system does not tell keeps no job away; it decides itself when the node is there.
    const known = node !== undefined && node.memoryMiB > 0;
    const memoryMiB = known ? (whole ? node.memoryMiB : node.memoryFreeMiB) : Number.POSITIVE_INFINITY;
    const empty = whole || node?.hasJob === false;
    const gres = (whole ? node?.gres : node?.gresFree) ?? {};
    const failures = kind === 'new' ? view.record.failures : 0;
    found.push({
      at,
      rank: ranks.get(view.record.cloud ?? '') ?? 0,
      failures,
      room: { host: view.record.name, kind, cpus, memoryMiB, empty, gres, features: node?.features ?? NONE },
    });
  }
  // Hosts with something special last: a plain job must not take the GPU host while a plain one is free.
  const special = ({ room }: { room: Room }) => Object.keys(room.gres).length;
  found.sort(
    (a, b) =>
      ORDER.indexOf(a.room.kind) - ORDER.indexOf(b.room.kind) ||
      a.rank - b.rank ||
      a.failures - b.failures ||
      special(a) - special(b) ||
      a.at - b.at,
  );
  return found.map(({ room }) => room);
}

function kindOf(s: Snapshot, view: View): RoomKind | null {
  const { node, machine, record } = view;
  if (view.retired || outOfSight(s, view)) return null;
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

/** What a job needs of each of its hosts. */
export interface Share {
  readonly nodes: number;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly exclusive: boolean;
  readonly gres: Readonly<Record<string, number>>;
  /** Any one of these sets of words, all of its words; empty = any host. */
  readonly features: readonly (readonly string[])[];
}

const NO_GRES: Share['gres'] = {};
const ANY: Share['features'] = [];

/**
 * The batch system's own node count is a lower bound: `-n 8` on hosts with 2 CPUs says 1 node and takes 4.
 * @param most CPUs of the largest host; 0 = not known
 */
export function share(ask: Ask, most: number): Share {
  const least = Math.max(1, ask.nodes);
  const spread = most > 0 ? Math.ceil(ask.cpus / most) : least;
  const nodes = ask.cpusPerNode > most ? least : Math.max(least, spread);
  return {
    nodes,
    cpus: Math.max(1, ask.cpusPerNode, Math.ceil(ask.cpus / nodes)),
    memoryMiB: ask.memoryMiB,
    exclusive: ask.exclusive,
    gres: ask.gres ?? NO_GRES,
    features: ask.features ?? ANY,
  };
}

export function fits(room: Omit<Room, 'host' | 'kind'>, need: Share): boolean {
  if (need.exclusive && !room.empty) return false;
  if (room.cpus < need.cpus || (need.memoryMiB > 0 && room.memoryMiB < need.memoryMiB)) return false;
  return enough(room.gres, need.gres) && suits(room.features, need.features);
}

export function enough(has: Share['gres'], need: Share['gres']): boolean {
  for (const kind in need) if ((has[kind] ?? 0) < (need[kind] ?? 0)) return false;
  return true;
}

export function suits(has: readonly string[], need: Share['features']): boolean {
  return need.length === 0 || need.some((all) => all.every((word) => has.includes(word)));
}

export function take(room: Room, need: Share): void {
  room.cpus = need.exclusive ? 0 : room.cpus - need.cpus;
  room.memoryMiB = need.exclusive ? 0 : room.memoryMiB - need.memoryMiB;
  room.empty = false;
  for (const kind in need.gres) room.gres = { ...room.gres, [kind]: (room.gres[kind] ?? 0) - (need.gres[kind] ?? 0) };
}
