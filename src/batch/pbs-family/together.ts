/**
 * Puts the two readings of one moment together. Nodes are read before jobs: a job that starts in between is in the list
 * and makes its node busy, whatever the node's own record said.
 */
import type { Ask, Job } from '../../domain/job.ts';
import type { BatchNode } from '../../domain/node.ts';
import { oneLine } from '../../lib/log.ts';
import type { QueueStatus } from '../batch.ts';
import { byPriority, type JobFacts, type JobReading, mentions, priorityOf, type Wants } from './job.ts';
import {
  absent,
  idsOf,
  isHost,
  isNamed,
  type JobOnHost,
  type NodeFacts,
  type NodeReading,
  type OnHost,
  toNode,
  unreadable,
} from './node.ts';

export interface Readings {
  /** `Torque`, `PBS`: for people. */
  readonly family: string;
  readonly queue: string;
  readonly hosts: readonly string[];
  readonly nodes: NodeReading;
  readonly jobs: JobReading;
  /** MiB of a node whose memory nobody knows; 0 = not told. */
  readonly nodeMemory: number;
}

export function putTogether(readings: Readings): Omit<QueueStatus, 'took'> {
  const { hosts, nodes } = readings;
  const facts = new Map<string, NodeFacts>();
  const known = hosts.flatMap((host) => nodes.nodes.get(host) ?? []);
  for (const one of known) {
    const cpus = one.cpus || brothers(one, known, 'cpus');
    const memoryMiB = one.memoryMiB || brothers(one, known, 'memoryMiB', readings.nodeMemory);
    facts.set(one.host, { ...one, cpus, memoryMiB });
  }
  const pool = [...facts.values()];
  const sizes = { cpus: pool.some((one) => one.cpus > 0), memory: pool.some((one) => one.memoryMiB > 0) };
  const jobs = readings.jobs.jobs.map((one) => judged(one, pool, sizes)).sort(byPriority);
  const asked = [...new Set(jobs.flatMap((job) => job.ask.features ?? []).flat())];
  const { on, lines } = whoIsWhere(readings, jobs);
  const tally: Record<string, number> = {};
  for (const job of jobs) tally[job.code] = (tally[job.code] ?? 0) + job.tasks;
  const views = hosts.map((host) => view(readings, host, facts.get(host), on(host), asked));
  return { tally, jobs, nodes: views, unreadable: [...lines, ...strange(readings, views)] };
}

function view(
  readings: Readings,
  host: string,
  facts: NodeFacts | undefined,
  on: OnHost,
  asked: readonly string[],
): BatchNode {
  if (facts) return toNode(facts, readings.queue, on, asked);
  const broken = readings.nodes.broken.get(host);
  if (broken !== undefined) return unreadable(host, broken, idsOf(on));
  // a record without a readable name may be this host's
  const maybe = readings.nodes.lost.length > 0 || on.jobs.length > 0 || on.doubt;
  return maybe ? unreadable(host, 'no record with its name', idsOf(on)) : absent(host, readings.family);
}

function strange(readings: Readings, views: readonly BatchNode[]): string[] {
  const lines = readings.nodes.lost.map((line) => oneLine(line).slice(0, 160));
  for (const node of views) {
    if (node.state === 'unknown') lines.push(`node ${node.host}: ${oneLine(node.words).slice(0, 120)}`);
  }
  return lines;
}

function whoIsWhere(readings: Readings, jobs: readonly Job[]): { on: (host: string) => OnHost; lines: string[] } {
  const where = new Map<string, JobOnHost[]>();
  for (const job of jobs) {
    const { cpusPerNode, memoryMiB, exclusive, gres } = job.ask;
    const one = { id: job.id, cpus: cpusPerNode, memoryMiB, gpus: gres?.gpu ?? 0, exclusive };
    for (const host of new Set(job.hosts)) where.set(host, [...(where.get(host) ?? []), one]);
  }
  const doubtful = new Set<string>();
  const lines = readings.jobs.broken.map(({ line, text }) => {
    for (const host of mentions(text, readings.hosts)) doubtful.add(host);
    return oneLine(line).slice(0, 160);
  });
  return {
    on: (host) => ({ jobs: where.get(host) ?? [], doubt: doubtful.has(host) }),
    lines,
  };
}

interface Sizes {
  readonly cpus: boolean;
  readonly memory: boolean;
}

/** The verdict that needs the pool: is there a host it may use at all? And an ask in words the sizes allow. */
function judged({ job, wants }: JobFacts, pool: readonly NodeFacts[], sizes: Sizes): Job {
  const hosts = wants === null || wants.all ? [] : namedHosts(wants, pool);
  const ask = {
    ...sized(job.ask, sizes),
    ...(wants?.all === true ? { features: [wants.names] } : {}),
    ...(hosts.length === 0 ? {} : { hosts }),
  };
  if (job.state === 'running' || job.helped === 'no' || wants === null) return ordered({ ...job, ask });
  const fitting = pool.filter((one) => wants.names.every((name) => isNamed(one, name))).length;
  if (fitting >= wants.hosts) return ordered({ ...job, ask });
  const many = wants.hosts === 1 ? 'a host' : `${wants.hosts} hosts`;
  const have = fitting === 0 ? 'no host of the pool is so' : `only ${fitting} of the pool are so`;
  const because = `it asks for ${many} with ${wants.names.join(' and ')}, and ${have}`;
  return ordered({ ...job, ask, helped: 'no', because });
}

/** `nodes=c1:ppn=2+c2:ppn=2`: groups with different names, of which some are those of our hosts. */
function namedHosts({ names, others = [] }: Wants, pool: readonly NodeFacts[]): readonly string[] {
  const asked = new Set([...names, ...others]);
  return pool.filter((one) => [...asked].some((name) => isHost(one, name))).map((one) => one.host);
}

function ordered(job: Job): Job {
  return job.state === 'running' ? job : { ...job, priority: priorityOf(job.priority, job.helped) };
}

/**
 * Where no host's size is known, nothing can be compared with it: such a job would wait for ever for a host that is
 * large enough. It counts as one job for each host then, and the first node that comes up tells the sizes.
 */
function sized(ask: Ask, sizes: Sizes): Ask {
  const memoryMiB = sizes.memory ? ask.memoryMiB : 0;
  if (sizes.cpus) return { ...ask, memoryMiB };
  return { ...ask, cpus: ask.nodes, cpusPerNode: 1, memoryMiB, exclusive: true };
}

/**
 * A size the server does not know of a host: the smallest of the hosts that are like it, what the settings say, or the
 * largest of all. Too large costs one start in vain, and then it is known; too small, and a job waits for ever.
 */
function brothers(one: NodeFacts, all: readonly NodeFacts[], size: 'cpus' | 'memoryMiB', told = 0): number {
  const kind = (node: NodeFacts): string => node.properties.filter((name) => !isOwnName(node, name)).join();
  const known = all.filter((node) => node[size] > 0);
  const alike = known.filter((node) => kind(node) === kind(one) && (size === 'cpus' || node.cpus === one.cpus));
  if (alike.length > 0) return Math.min(...alike.map((node) => node[size]));
  return told || Math.max(0, ...known.map((node) => node[size]));
}

function isOwnName(node: NodeFacts, name: string): boolean {
  return name === node.host || /^(host|vnode|arch|ncpus|mem)=/.test(name);
}
