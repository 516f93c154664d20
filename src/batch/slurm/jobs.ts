/**
 * From squeue's records to our jobs: state, why it waits, what it asks for.
 */
import type { Ask, Job, JobState } from '../../domain/job.ts';
import { oneLine } from '../../lib/log.ts';
import { countTasks, parseCount, parseMiB, parseTime } from './amounts.ts';
import { expand } from './hostlist.ts';
import type { JobRecord } from './job-records.ts';
import { judgeReason } from './reasons.ts';

/** squeue's short codes (job_state_string_compact). A code that is not here is not readable; `null` = has ended. */
const CODES: Readonly<Record<string, JobState | null>> = {
  PD: 'waiting',
  RQ: 'waiting',
  RF: 'waiting',
  RH: 'waiting',
  SE: 'waiting',
  RD: 'waiting',
  R: 'running',
  CF: 'running',
  CG: 'running',
  S: 'running',
  ST: 'running',
  SI: 'running',
  SO: 'running',
  RS: 'running',
  // the same job runs on another cluster of the federation
  RV: null,
  BF: null,
  CA: null,
  CD: null,
  DL: null,
  F: null,
  NF: null,
  OOM: null,
  PR: null,
  TO: null,
};

/** States that are a hold by themselves, whatever the reason says. */
const HOLDS: Readonly<Record<string, string>> = {
  RH: 'it was put back into the queue and is held',
  SE: 'it ended in a special exit state and is held',
  RD: 'its reservation was deleted and it is held',
};

/** What must be known of the cluster to understand a request. */
export interface Cluster {
  /** CPUs of the largest of our hosts in the queue; 0 = not known. */
  readonly cpus: number;
  /** Memory is handed out like CPUs (`CR_..._MEMORY`): then a job that names none gets all of its nodes. */
  readonly memoryCounts: boolean;
}

/** @returns the job, null when it has ended, or what is wrong with the record */
export function toJob(record: JobRecord, cluster: Cluster, now: number): Job | null | string {
  const state = Object.hasOwn(CODES, record.code) ? CODES[record.code] : undefined;
  if (state === null) return null;
  if (state === undefined) return `state ${JSON.stringify(record.code)}`;
  if (!/^\d+[\d_+[\],:%-]*$/.test(record.shown)) return `id ${JSON.stringify(record.shown.slice(0, 40))}`;
  const count = countTasks(record.index);
  if (!count) return `array index ${JSON.stringify(record.index.slice(0, 80))}`;
  const ask = askOf(record, state, cluster);
  if (typeof ask === 'string') return ask;
  const hosts = hostsOf(record.hosts);
  if (!hosts) return `node list ${JSON.stringify(record.hosts.slice(0, 80))}`;
  const hold = HOLDS[record.code];
  const verdict =
    hold === undefined
      ? judgeReason(record.reason, parseTime(record.start), now)
      : { helped: 'no' as const, because: hold };
  const waits = state === 'waiting';
  return {
    id: record.shown,
    array: record.index === 'N/A' || record.index === '' ? null : record.array,
    user: oneLine(record.user),
    name: oneLine(record.name),
    state,
    code: record.code,
    reason: waits ? oneLine(record.reason) : '',
    helped: waits ? verdict.helped : 'yes',
    because: waits ? verdict.because : '',
    ask,
    tasks: count.tasks,
    taskLimit: count.limit,
    priority: parseCount(record.priority) ?? 0,
    submittedAt: parseTime(record.submitted),
    hosts: waits ? [] : hosts,
  };
}

/** Highest priority first; of one priority the older first, then by number. */
export function byPriority(a: Job, b: Job): number {
  return (
    b.priority - a.priority ||
    (a.submittedAt ?? 0) - (b.submittedAt ?? 0) ||
    Number.parseInt(a.id, 10) - Number.parseInt(b.id, 10) ||
    (a.id < b.id ? -1 : 1)
  );
}

function hostsOf(list: string): string[] | null {
  try {
    return expand(list);
  } catch {
    return null;
  }
}

/**
 * - `%D` of a waiting job is only the CPUs divided by the size of a node: `-n 5 -c 3` on nodes of 4 CPUs prints 4 and
 *   needs 5, since a task never spans two nodes. So hosts are counted from the tasks as well.
 * - `%m` has lost whether it is per node or per CPU; the trackable resources tell: 100M and `cpu=3,mem=300M,node=1`.
 *   The short format has no trackable resources: there it counts as per node, which can be too low.
 * - `%m` 0 means all memory of the node where memory counts (then nobody else fits), else nothing.
 * - `%h`: NO = exclusive, also by the partition or by select/linear; USER, MCS and TOPO keep most others out.
 */
function askOf(record: JobRecord, state: JobState, cluster: Cluster): Ask | string {
  const nodes = parseCount(record.nodes);
  const cpus = parseCount(record.cpus);
  const minCpus = parseCount(record.minCpus);
  const memory = parseMiB(record.minMemory);
  if (nodes === null || cpus === null || minCpus === null) {
    return `nodes and CPUs ${JSON.stringify([record.nodes, record.cpus, record.minCpus])}`;
  }
  if (memory === null) return `memory ${JSON.stringify(record.minMemory.slice(0, 40))}`;
  const hosts = state === 'running' ? nodes : Math.max(nodes, hostsForTasks(record, cpus, minCpus, cluster.cpus));
  const cpusPerNode = Math.max(1, minCpus);
  const total = Math.max(cpus, hosts * cpusPerNode);
  const perCpu = isPerCpu(record.tres, memory);
  const wholeNode = memory === 0 && cluster.memoryCounts;
  return {
    nodes: hosts,
    cpus: total,
    cpusPerNode,
    memoryMiB: perCpu ? memory * Math.max(cpusPerNode, Math.ceil(total / Math.max(1, hosts))) : memory,
    exclusive: ['NO', 'USER', 'MCS', 'TOPO'].includes(record.share) || wholeNode,
  };
}

function hostsForTasks(record: JobRecord, cpus: number, minCpus: number, size: number): number {
  const stated = parseCount(record.cpusPerTask);
  // without the long format a task is what each node must have, where that divides the whole
  const perTask = stated ?? (minCpus > 0 && cpus % minCpus === 0 ? minCpus : 1);
  const tasks = parseCount(record.tasks) ?? Math.floor(cpus / Math.max(1, perTask));
  if (size === 0 || perTask <= 0 || perTask > size) return 0;
  return Math.ceil(tasks / Math.floor(size / perTask));
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
