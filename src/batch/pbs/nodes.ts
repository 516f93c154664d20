/**
 * Nodes from `pbsnodes -av -F json`: one entry per vnode, and a host can have several.
 *
 * Seen with OpenPBS 23.06.06:
 * - never started: `state-unknown,down`, or `state-unknown,offline`; pbs_version "unavailable", no size but what was set
 * - after a restart of pbs_server: `state-unknown,down` until the moms have reported again, the sizes forgotten
 * - partly used: `free` with a list of jobs; all CPUs taken: `job-busy`; taken for one job alone: `job-exclusive`
 */
import { oneLine } from '../../lib/log.ts';
import { MARK } from '../batch.ts';
import { floorMiB, parseCount, parseMiB } from '../pbs-family/amounts.ts';
import type { NodeFacts, NodeReading } from '../pbs-family/node.ts';
import { closedOf, type Meaning, readState } from '../pbs-family/words.ts';
import { isObject, type Json, type JsonObject, readJson, textOf } from './json.ts';

/** The words of the vnode states, lower case. A word that is not here makes the host `unknown`. */
const WORDS: Readonly<Record<string, Meaning>> = {
  free: {},
  offline: {},
  'job-busy': { full: true, works: true },
  'job-exclusive': { full: true, works: true },
  // more load than its $max_load: work the server may not know of
  busy: { full: true, works: true },
  down: { down: true },
  stale: { down: true },
  unresolvable: { down: true },
  'state-unknown': { silent: true },
  initializing: { silent: true },
  // a hook of the site took it offline: not ours to undo
  offline_by_mom: { aside: true },
  maintenance: { aside: true },
  'resv-exclusive': { aside: true },
  provisioning: { aside: true },
  'wait-provisioning': { aside: true },
  sleep: { aside: true, down: true },
};

/** @returns `garbled` when the document is cut or none */
export function readNodes(text: string, hosts: readonly string[]): NodeReading | 'garbled' {
  const { entries, broken: texts, cut } = readJson(text, 'nodes');
  if (cut) return 'garbled';
  const vnodes = new Map<string, Vnode[]>();
  const broken = new Map<string, string>();
  const lost: string[] = [];
  for (const [name, entry] of entries) {
    const mom = textOf(entry.Mom);
    const available = isObject(entry.resources_available) ? entry.resources_available : {};
    const host = hosts.find((one) => [name, textOf(available.host), mom, shortOf(mom)].includes(one));
    if (host === undefined) continue;
    const vnode = readVnode(name, entry, available);
    if (typeof vnode === 'string') broken.set(host, vnode);
    else vnodes.set(host, [...(vnodes.get(host) ?? []), vnode]);
  }
  for (const { id, text: record } of texts) {
    const named = [...record.matchAll(/"(?:Mom|host)":\t"([^".]*)[".]/g)].map(([, name]) => name);
    const host = hosts.find((one) => one === id || named.includes(one));
    if (host === undefined) lost.push(`a node record: ${oneLine(record)}`);
    else broken.set(host, 'a damaged record');
  }
  const nodes = new Map<string, NodeFacts>();
  for (const [host, list] of vnodes) if (!broken.has(host)) nodes.set(host, together(host, list));
  return { nodes, broken, lost };
}

interface Vnode {
  readonly name: string;
  readonly mom: string;
  readonly words: readonly string[];
  readonly jobs: readonly string[];
  readonly cpus: number;
  readonly cpusUsed: number;
  readonly memoryMiB: number;
  readonly memoryUsedMiB: number;
  readonly gpus: number;
  readonly gpusUsed: number;
  readonly registration: string | null;
  readonly queue: string | null;
  readonly comment: string;
  readonly properties: readonly string[];
}

function readVnode(name: string, entry: JsonObject, available: JsonObject): Vnode | string {
  const state = textOf(entry.state);
  if (state === undefined || state === '') return 'no state';
  const assigned = isObject(entry.resources_assigned) ? entry.resources_assigned : {};
  const jobs = readJobs(entry.jobs);
  if (!jobs) return `jobs ${JSON.stringify(entry.jobs)?.slice(0, 80)}`;
  // zeros and what begins with 0 are left out of resources_assigned
  const numbers = {
    cpus: parseCount(textOf(available.ncpus) ?? '0'),
    cpusUsed: parseCount(textOf(assigned.ncpus) ?? '0'),
    memoryMiB: floorMiB(textOf(available.mem) ?? '0'),
    memoryUsedMiB: parseMiB(textOf(assigned.mem) ?? '0'),
    gpus: parseCount(textOf(available.ngpus) ?? '0') ?? 0,
    gpusUsed: parseCount(textOf(assigned.ngpus) ?? '0') ?? 0,
  };
  const { cpus, cpusUsed, memoryMiB, memoryUsedMiB, gpus, gpusUsed } = numbers;
  if (cpus === null || cpusUsed === null || memoryMiB === null || memoryUsedMiB === null) {
    return `sizes ${JSON.stringify({ available, assigned }).slice(0, 120)}`;
  }
  return {
    ...{ name, mom: textOf(entry.Mom) ?? name, jobs, cpus, cpusUsed, memoryMiB, memoryUsedMiB, gpus, gpusUsed },
    words: state.split(',').map((word) => word.trim()),
    registration: registrationOf(entry),
    queue: textOf(entry.queue) ?? null,
    comment: oneLine(textOf(entry.comment) ?? '').trim(),
    properties: Object.entries({ vnode: name, ...available }).map(([key, value]) => `${key}=${textOf(value) ?? ''}`),
  };
}

/**
 * `last_state_change_time` changes when a mom that was down reports: its node leaves `down`, and PBS sees a lost mom at
 * once (0.3 s when its machine goes, 84 s when only its link does). It also changes when the node is closed or becomes
 * full, which does no harm: it is compared with the value from before the machine was created, and counts only while the
 * node answers. A node whose mom was never there has the time too, once somebody set it offline; its pbs_version tells.
 */
function registrationOf(entry: JsonObject): string | null {
  const version = textOf(entry.pbs_version);
  if (version === undefined || version === 'unavailable') return null;
  return textOf(entry.last_state_change_time) ?? 'registered';
}

function readJobs(value: Json | undefined): string[] | null {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return null;
  const jobs = new Set<string>();
  for (const one of value) {
    const id = textOf(one)
      ?.trim()
      .replace(/\/\d+$/, '');
    if (id === undefined || id === '') return null;
    jobs.add(id);
  }
  return [...jobs];
}

/** A host of several vnodes is as bad as its worst, as large as all, and closed when one is. */
function together(host: string, list: readonly Vnode[]): NodeFacts {
  const { readable, any, every } = readState(
    list.map(({ words }) => words.map((word) => word.toLowerCase())),
    WORDS,
  );
  const offline = list.filter(({ words }) => words.includes('offline'));
  const comment = (offline.find((one) => !one.comment.startsWith(MARK)) ?? offline[0] ?? list[0])?.comment ?? '';
  const sum = (key: 'cpus' | 'cpusUsed' | 'memoryMiB' | 'memoryUsedMiB' | 'gpus' | 'gpusUsed'): number =>
    list.reduce((total, one) => total + one[key], 0);
  const queues = new Set(list.map((one) => one.queue));
  return {
    host,
    address: list[0]?.mom ?? host,
    words: [...new Set(list.flatMap((one) => one.words))].join(','),
    readable,
    down: any('down'),
    silent: any('silent'),
    closed: closedOf(offline.length > 0 || !readable, any('aside'), comment),
    full: every('full'),
    works: any('works'),
    jobs: [...new Set(list.flatMap((one) => one.jobs))],
    cpus: sum('cpus'),
    cpusUsed: sum('cpusUsed'),
    memoryMiB: sum('memoryMiB'),
    memoryUsedMiB: sum('memoryUsedMiB'),
    gpus: sum('gpus'),
    gpusUsed: sum('gpusUsed'),
    registration: list.every((one) => one.registration !== null)
      ? [...new Set(list.map((one) => one.registration))].join('+')
      : null,
    queue: queues.size === 1 ? ([...queues][0] ?? null) : null,
    properties: [...new Set([`host=${host}`, ...list.flatMap((one) => one.properties)])],
    reason: comment,
  };
}

function shortOf(name: string | undefined): string | undefined {
  return name?.split('.')[0];
}
