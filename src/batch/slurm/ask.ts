/**
 * What a job asks of each of its hosts, from what squeue prints. No record says it outright: what was asked for the whole
 * job or for each task has to be spread over the hosts, and how many hosts that takes depends on how large they are.
 */
import type { Ask, JobState } from '../../domain/job.ts';
import { parseCount, parseMiB } from './amounts.ts';
import { type Features, parseConstraint } from './constraint.ts';
import { type Gres, NO_GRES, parseGres, parsePerGres } from './gres.ts';
import { expand } from './hostlist.ts';
import type { Request } from './job-records.ts';
import { own } from './keep.ts';

/** What must be known of the cluster to understand a request. */
export interface Cluster {
  /** What our hosts in the queue are like, each kind of host once; empty = not known. */
  readonly shapes: readonly Shape[];
  /** Memory is handed out like CPUs (`CR_..._MEMORY`): then a job that names none gets all of its nodes. */
  readonly memoryCounts: boolean;
}

export interface Shape {
  readonly cpus: number;
  readonly gres: Gres;
  readonly features: readonly string[];
}

/**
 * - `%D` of a waiting job is only the CPUs divided by the size of a node: `-n 5 -c 3` on nodes of 4 CPUs prints 4 and
 *   needs 5, since a task never spans two nodes. So hosts are counted from the tasks and the GPUs as well, by the largest
 *   host that has the features and kinds asked for.
 * - `%m` has lost whether it is per node or per CPU; the trackable resources tell: 100M and `cpu=3,mem=300M,node=1`.
 *   The short format has no trackable resources: there it counts as per node, which can be too low.
 * - `%m` 0 means all memory of the node where memory counts (then nobody else fits), else nothing; but with
 *   `--mem-per-gpu` it is 0 as well.
 * - `%h`: NO = exclusive, also by the partition or by select/linear; USER, MCS and TOPO keep most others out.
 * - `%n` are hosts that the job must have (`--nodelist`), besides any others. What it must not have (`--exclude`) the long
 *   format cannot print.
 * - `--gpus=3` on two hosts is 2 and 1; here it is 2 on each, since all hosts of a job ask for the same. The short format
 *   shows only what is asked per node.
 * @returns the demand, or what is wrong with the request
 */
export function askOf(request: Request, state: JobState, cluster: Cluster): Ask | string {
  const nodes = parseCount(request.nodes);
  const cpus = parseCount(request.cpus);
  const minCpus = parseCount(request.minCpus);
  const memory = parseMiB(request.minMemory);
  if (nodes === null || cpus === null || minCpus === null) {
    return `nodes and CPUs ${JSON.stringify([request.nodes, request.cpus, request.minCpus])}`;
  }
  if (memory === null) return `memory ${JSON.stringify(request.minMemory.slice(0, 40))}`;
  const named = state === 'running' ? [] : namesIn(request.named);
  if (named === null) return `requested nodes ${JSON.stringify(request.named.slice(0, 80))}`;
  const features = parseConstraint(request.features);
  const wanted = readGres(request);
  const largest = largestOf(cluster.shapes, features, wanted);
  const tasks = tasksOf(request, cpus, minCpus);
  const least = Math.max(hostsForTasks(tasks, largest.cpus), hostsForGres(wanted, tasks.count, largest.gres));
  const hosts = state === 'running' ? nodes : Math.max(nodes, least, named.length);
  const gres = perHost(wanted, hosts, tasks.count);
  const perCpu = isPerCpu(request.tres, memory);
  const memoryOfGres = times(parsePerGres(request.memoryPerGres, parseMiB), gres);
  const cpusPerNode = Math.max(1, minCpus, times(parsePerGres(request.cpusPerGres, parseCount), gres));
  const total = Math.max(cpus, hosts * cpusPerNode);
  const wholeNode = memory === 0 && memoryOfGres === 0 && cluster.memoryCounts;
  return {
    nodes: hosts,
    cpus: total,
    cpusPerNode,
    memoryMiB: perCpu
      ? memory * Math.max(cpusPerNode, Math.ceil(total / Math.max(1, hosts)))
      : Math.max(memory, memoryOfGres),
    exclusive: ['NO', 'USER', 'MCS', 'TOPO'].includes(request.share) || wholeNode,
    ...(gres === NO_GRES ? {} : { gres }),
    ...(features.length === 0 ? {} : { features }),
    ...(named.length === 0 ? {} : { hosts: named }),
  };
}

/** @returns null when it is no host list */
function namesIn(list: string): readonly string[] | null {
  try {
    return [...new Set(expand(list))].map(own);
  } catch {
    return null;
  }
}

/** Generic resources as the user may ask for them. */
interface Wanted {
  readonly perNode: Gres;
  readonly perJob: Gres;
  readonly perTask: Gres;
  readonly perSocket: Gres;
  /** Sockets of each node that are asked for; 1 when not said. */
  readonly sockets: number;
}

function readGres(request: Request): Wanted {
  return {
    perNode: parseGres(request.gresPerNode),
    perJob: parseGres(request.gresPerJob),
    perTask: parseGres(request.gresPerTask),
    perSocket: parseGres(request.gresPerSocket),
    sockets: parseCount(request.sockets) || 1,
  };
}

function kindsOf({ perNode, perJob, perTask, perSocket }: Wanted): readonly string[] {
  return [...new Set([perNode, perJob, perTask, perSocket].flatMap(Object.keys))];
}

/** The most of everything on any host that could take the job; when none could, on any host at all. */
function largestOf(shapes: readonly Shape[], features: Features, wanted: Wanted): { cpus: number; gres: Gres } {
  const kinds = kindsOf(wanted);
  const suits = (shape: Shape): boolean =>
    (features.length === 0 || features.some((all) => all.every((word) => shape.features.includes(word)))) &&
    kinds.every((kind) => (shape.gres[kind] ?? 0) > 0);
  const suited = shapes.filter(suits);
  const among = suited.length > 0 ? suited : shapes;
  const gres = Object.fromEntries(kinds.map((kind) => [kind, Math.max(0, ...among.map((one) => one.gres[kind] ?? 0))]));
  return { cpus: Math.max(0, ...among.map((shape) => shape.cpus)), gres };
}

interface Tasks {
  readonly count: number;
  readonly cpus: number;
}

function tasksOf(request: Request, cpus: number, minCpus: number): Tasks {
  // without the long format a task is what each node must have, where that divides the whole
  const each = parseCount(request.cpusPerTask) ?? (minCpus > 0 && cpus % minCpus === 0 ? minCpus : 1);
  return { count: parseCount(request.tasks) ?? Math.floor(cpus / Math.max(1, each)), cpus: each };
}

function hostsForTasks(tasks: Tasks, size: number): number {
  if (size === 0 || tasks.cpus <= 0 || tasks.cpus > size) return 0;
  return Math.ceil(tasks.count / Math.floor(size / tasks.cpus));
}

function hostsForGres({ perJob, perTask }: Wanted, tasks: number, most: Gres): number {
  let hosts = 0;
  for (const kind in most) {
    const top = most[kind] ?? 0;
    const [whole, each] = [perJob[kind] ?? 0, perTask[kind] ?? 0];
    if (top > 0) hosts = Math.max(hosts, Math.ceil(whole / top));
    if (each > 0 && each <= top) hosts = Math.max(hosts, Math.ceil(tasks / Math.floor(top / each)));
  }
  return hosts;
}

function perHost(wanted: Wanted, hosts: number, tasks: number): Gres {
  const kinds = kindsOf(wanted);
  if (kinds.length === 0) return NO_GRES;
  const share = (whole: number): number => Math.ceil(whole / Math.max(1, hosts));
  const of = (kind: string): number =>
    Math.max(
      wanted.perNode[kind] ?? 0,
      share(wanted.perJob[kind] ?? 0),
      (wanted.perTask[kind] ?? 0) * share(tasks),
      (wanted.perSocket[kind] ?? 0) * wanted.sockets,
    );
  return Object.fromEntries(kinds.map((kind) => [kind, of(kind)]));
}

/** So much for each of the kinds, e.g. 100 MiB for each of 2 GPUs. */
function times(each: Gres, counts: Gres): number {
  return Object.keys(each).reduce((sum, kind) => sum + (each[kind] ?? 0) * (counts[kind] ?? 0), 0);
}

/** `cpu=3,mem=300M,node=1` with 100M: per CPU. */
function isPerCpu(tres: string, memory: number): boolean {
  if (memory === 0) return false;
  const value = (pattern: RegExp): string => pattern.exec(tres)?.[1] ?? '';
  const cpu = parseCount(value(/(?:^|,)cpu=([^,]+)/));
  const node = parseCount(value(/(?:^|,)node=([^,]+)/));
  const total = parseMiB(value(/(?:^|,)mem=([^,]+)/));
  if (cpu === null || node === null || total === null) return false;
  const near = (expected: number): boolean => Math.abs(total - expected) <= expected * 0.01;
  return near(memory * cpu) && !near(memory * node);
}
