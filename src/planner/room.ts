/**
 * Room: what a host can still take, in the order in which hosts should be used: working ones, ones that can be opened
 * again, ones that are coming, and new ones.
 */
import type { Ask } from '../domain/job.ts';
import type { BatchNode } from '../domain/node.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { inService, MISSING_GRACE, notCreatable, onTheWay, outOfSight, type View } from './view.ts';

export type RoomKind = 'ready' | 'reopen' | 'coming' | 'new';

export interface Room {
  readonly host: string;
  readonly kind: RoomKind;
  /** What it can take when nothing runs on it. */
  readonly whole: Whole;
  /** When the last of the waiting jobs that were placed on it will have ended, by their time limits; epoch ms. */
  placedUntil: number;
  cpus: number;
  memoryMiB: number;
  /** Nothing runs on it and nothing was placed on it. */
  empty: boolean;
  /** Countable things that are free: `{ gpu: 2 }`. */
  gres: Readonly<Record<string, number>>;
  readonly features: readonly string[];
}

const NO_GRES: Readonly<Record<string, number>> = {};

/** A host with nothing on it. */
export interface Whole {
  readonly host: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly empty: true;
  readonly gres: Readonly<Record<string, number>>;
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
    const all = wholeOf(view.record.name, node);
    const cpus = node === undefined || node.cpus === 0 || whole ? all.cpus : node.cpusFree;
    const known = node !== undefined && node.memoryMiB > 0;
    const memoryMiB = known && !whole ? node.memoryFreeMiB : all.memoryMiB;
    const empty = whole || node?.hasJob === false;
    const gres = whole ? all.gres : (node?.gresFree ?? NO_GRES);
    const failures = kind === 'new' ? view.record.failures : 0;
    const { features } = all;
    const room: Room = {
      host: view.record.name,
      kind,
      whole: all,
      placedUntil: 0,
      cpus,
      memoryMiB,
      empty,
      gres,
      features,
    };
    found.push({ at, rank: ranks.get(view.record.cloud ?? '') ?? 0, failures, room });
  }
  // Hosts with something special last: a plain job must not take the GPU host while a plain one is free, nor the very
  // host that another job names.
  const named = new Set(s.jobs.flatMap((job) => (job.state === 'waiting' ? (job.ask.hosts ?? []) : [])));
  const special = ({ room }: { room: Room }) => (named.has(room.host) ? 1000 : 0) + Object.keys(room.gres).length;
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

/**
 * A size the batch system does not tell is taken as "one job per host": enough, never too much. Memory that it does not
 * tell keeps no job away; it decides itself when the node is there.
 */
function wholeOf(host: string, node: BatchNode | undefined): Whole {
  return {
    host,
    cpus: node === undefined || node.cpus === 0 ? 1 : node.cpus,
    memoryMiB: node !== undefined && node.memoryMiB > 0 ? node.memoryMiB : Number.POSITIVE_INFINITY,
    empty: true,
    gres: node?.gres ?? NO_GRES,
    features: node?.features ?? NONE,
  };
}

function kindOf(s: Snapshot, view: View): RoomKind | null {
  const { node, machine, record } = view;
  if (view.retired || outOfSight(s, view)) return null;
  if (record.state === 'ready') {
    if (inService(view) && record.missingSince === null) return 'ready';
    // Just out of sight (a restarted scheduler, a slow list): it is likely to come back, so nothing replaces it yet.
    const since = Math.min(record.missingSince ?? s.at, s.unanswered?.get(record.name) ?? s.at);
    const brief = s.at - since < MISSING_GRACE;
    return node?.closed === 'no' && brief ? 'coming' : null;
  }
  if (record.state === 'draining') return mayReopen(view) ? 'reopen' : null;
  if (onTheWay(view)) {
    const hopeless = node?.closed === 'theirs' || machine?.state === 'failed' || machine?.state === 'stopping';
    return hopeless ? null : 'coming';
  }
  return s.pool.policy === 'demand' && notCreatable(view) === null ? 'new' : null;
}

/** A host that a rule drained, whole and without a job: it can be opened again instead of creating another one. */
export function mayReopen({ node, machine, record }: View): boolean {
  if (record.state !== 'draining' || record.drainedBy === 'operator') return false;
  return node?.closed === 'ours' && node.responding && !node.hasJob && machine?.state === 'running';
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
  /** These hosts must be among them; so a job of one host can use no other. */
  readonly named: readonly string[];
  /** It cannot use these, as the batch system has shown. */
  readonly without: ReadonlySet<string>;
}

const ANY: Share['features'] = [];
const NOBODY: ReadonlySet<string> = new Set();

/**
 * The batch system's own node count is a lower bound: `-n 8` on hosts with 2 CPUs says 1 node and takes 4.
 * @param most CPUs of the largest host; 0 = not known
 * @param without hosts it cannot use
 */
export function share(ask: Ask, most: number, without: ReadonlySet<string> = NOBODY): Share {
  const least = Math.max(1, ask.nodes);
  const spread = most > 0 ? Math.ceil(ask.cpus / most) : least;
  const nodes = Math.max(ask.hosts?.length ?? 0, ask.cpusPerNode > most ? least : Math.max(least, spread));
  return {
    nodes,
    cpus: Math.max(1, ask.cpusPerNode, Math.ceil(ask.cpus / nodes)),
    memoryMiB: ask.memoryMiB,
    exclusive: ask.exclusive,
    gres: ask.gres ?? NO_GRES,
    features: ask.features ?? ANY,
    named: ask.hosts ?? NONE,
    without,
  };
}

type Free = Pick<Room, 'host' | 'cpus' | 'memoryMiB' | 'empty' | 'gres' | 'features'>;

export function fits(room: Free, need: Share): boolean {
  if (need.named.length >= need.nodes && !need.named.includes(room.host)) return false;
  if (need.without.size > 0 && need.without.has(room.host)) return false;
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
