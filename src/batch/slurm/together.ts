/**
 * Puts the two readings of one moment together. A job and its node are read one after the other, nodes first: a job
 * that starts in between is in the list and makes its node busy, whatever the node's own record said.
 */
import type { Ask, Job } from '../../domain/job.ts';
import type { BatchNode } from '../../domain/node.ts';
import { oneLine } from '../../lib/log.ts';
import type { QueueStatus } from '../batch.ts';
import type { Shape } from './ask.ts';
import { isPlainName } from './hostlist.ts';
import type { JobReading } from './job-records.ts';
import { byPriority, jobReader } from './jobs.ts';
import { remember } from './keep.ts';
import { type Licences, parseWish, type Wish, withLicences } from './licences.ts';
import { toNodes } from './look.ts';
import { mentions } from './mentions.ts';
import type { NodeReading } from './node-records.ts';

export interface Readings {
  readonly queue: string;
  readonly hosts: readonly string[];
  readonly nodes: NodeReading;
  readonly jobs: JobReading;
  readonly memoryCounts: boolean;
  /** The partition starts jobs. */
  readonly open: boolean;
  /** What is free; null = no waiting job asks for any. */
  readonly licences: Licences | null;
  /** Epoch ms. */
  readonly now: number;
}

export function putTogether(readings: Readings): Omit<QueueStatus, 'took'> {
  const { queue, hosts, nodes } = readings;
  const { jobs, unreadable, doubtful } = understand(readings);
  const on = new Map<string, string[]>();
  const asks = new Map<string, Ask[]>();
  const tally: Record<string, number> = {};
  for (const job of jobs) {
    tally[job.code] = (tally[job.code] ?? 0) + job.tasks;
    for (const host of job.hosts) {
      const ids = on.get(host);
      if (ids) ids.push(job.id);
      else on.set(host, [job.id]);
      if (job.state === 'running') asks.set(host, [...(asks.get(host) ?? []), job.ask]);
    }
  }
  const views = toNodes(
    nodes,
    hosts,
    queue,
    (host) => on.get(host) ?? [],
    (host) => doubtful.has(host),
  ).map((node) =>
    nodes.records.get(node.host)?.cpusAllocated === 0 ? lessRoom(node, asks.get(node.host) ?? []) : node,
  );
  for (const [host, why] of nodes.broken) unreadable.push(`node ${host}: ${why}`);
  for (const node of views) {
    if (node.state === 'unknown' && nodes.records.has(node.host)) {
      unreadable.push(`node ${node.host}: state ${oneLine(node.words).slice(0, 80)}`);
    }
  }
  return { tally, jobs, nodes: views, unreadable };
}

/** The node's record knew of no job; all of these started after it was read, and it does not count what they take. */
function lessRoom(node: BatchNode, asks: readonly Ask[]): BatchNode {
  if (asks.length === 0) return node;
  const full = asks.some((ask) => ask.exclusive);
  const left = (all: number, key: 'cpusPerNode' | 'memoryMiB'): number =>
    full ? 0 : Math.max(0, all - asks.reduce((sum, ask) => sum + ask[key], 0));
  return {
    ...node,
    cpusFree: left(node.cpusFree, 'cpusPerNode'),
    memoryFreeMiB: left(node.memoryFreeMiB, 'memoryMiB'),
  };
}

/** Jobs, what cannot be read, and the hosts a job that cannot be read may be on. */
function understand(readings: Readings): { jobs: readonly Job[]; unreadable: string[]; doubtful: Set<string> } {
  const { queue, hosts, nodes, memoryCounts, open, licences, now } = readings;
  const { toJob } = jobReader({ shapes: shapesOf(nodes, queue), memoryCounts }, now, open);
  const wishes = new Map<Job, Wish | null>();
  const wish = remember(parseWish);
  const ours = hosts.filter(isPlainName);
  const jobs: Job[] = [];
  const unreadable: string[] = [];
  const doubtful = new Set<string>();
  for (const record of readings.jobs.records) {
    const job = toJob(record);
    if (typeof job === 'string') {
      unreadable.push(`job ${oneLine(record.id).slice(0, 40)}: ${oneLine(job)}`);
      for (const host of mentions(record.hosts, ours)) doubtful.add(host);
    } else if (job) {
      jobs.push(job);
      if (licences !== null) wishes.set(job, wish(record.request.licenses));
    }
  }
  for (const text of readings.jobs.broken) {
    unreadable.push(`a record of squeue: ${oneLine(text).slice(0, 120)}`);
    for (const host of mentions(text, ours)) doubtful.add(host);
  }
  jobs.sort(byPriority);
  if (licences === null) return { jobs, unreadable, doubtful };
  return { jobs: withLicences(jobs, (job) => wishes.get(job) ?? null, licences), unreadable, doubtful };
}

/** What our hosts in the queue are like when nothing runs on them, equal ones once. */
function shapesOf({ records }: NodeReading, queue: string): readonly Shape[] {
  const found = new Map<string, Shape>();
  for (const { cpus, gres, features, partitions } of records.values()) {
    if (!partitions.includes(queue)) continue;
    const key = JSON.stringify([cpus, gres, features]);
    if (!found.has(key)) found.set(key, { cpus, gres, features });
  }
  return [...found.values()];
}
