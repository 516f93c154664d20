/**
 * Puts the readings together: which job is where, and what each host is.
 */
import type { Job } from '../../domain/job.ts';
import type { BatchNode } from '../../domain/node.ts';
import { oneLine } from '../../lib/log.ts';
import type { QueueStatus } from '../batch.ts';
import { isCountable, isExclusive, type Sizes, takenOf } from './ask.ts';
import type { Cell } from './cell.ts';
import { type HostRecord, nameFinder } from './hosts.ts';
import { byPriority, type Context, hostWord, idOf, runningJob, waitingJob } from './jobs.ts';
import { absent, memoryOf, type OnHost, outside, toNode, unreadable } from './node.ts';
import type { Watched } from './queues.ts';
import type { JobRecord, Reading } from './records.ts';
import { agrees, type Sight } from './witness.ts';

export interface Readings {
  readonly watched: Watched;
  readonly cell: Cell;
  readonly reading: Reading;
  readonly records: ReadonlyMap<string, HostRecord>;
  /** Those of the queue. */
  readonly waiting: readonly JobRecord[];
  readonly detail: Context['detail'];
  readonly sight: Sight;
  /** `sight` is of this moment. */
  readonly fresh: boolean;
  /** MiB of machines while they ran, by Grid Engine's name; kept by the caller. */
  readonly memorySeen: Map<string, number>;
  /** Epoch ms. */
  readonly now: number;
}

export function putTogether(readings: Readings): Omit<QueueStatus, 'took'> {
  const { watched, cell, reading, records, now } = readings;
  const counted = countedMemory(cell, [...records.values()]);
  const where = whereJobsAre(reading, cell);
  const memory = memoryOf([...records.values()], counted, where, readings.memorySeen);
  const sizes: Sizes = {
    slots: Math.max(0, ...[...records.values()].map((host) => slotsIn(host, watched.queue))),
    memory: counted,
    memoryKnown: [...records.values()].some((host) => memory(host).total > 0),
    elsewhere: ofTheCell(reading),
  };
  const unreadableLines = reading.brokenInstances.map((why) => `queue instance ${why}`);
  unreadableLines.push(...reading.brokenJobs.map((why) => `job ${why}`));
  const running = runningJobs(reading, watched.queue, records);
  const waiting: Job[] = [];
  for (const record of readings.waiting) {
    const job = waitingJob(record, { watched, cell, sizes, detail: readings.detail, now });
    if (typeof job === 'string') unreadableLines.push(`job ${record.number}: ${job}`);
    else waiting.push(job);
  }
  for (const { host, broken } of reading.instances)
    unreadableLines.push(...broken.map((why) => `job ${why} on ${host}`));
  const jobs = [...running, ...waiting].sort(byPriority);
  const tally: Record<string, number> = {};
  for (const job of jobs) tally[job.code] = (tally[job.code] ?? 0) + job.tasks;
  const named = waiting.some((job) => job.ask.features !== undefined);
  const nodes = watched.hosts
    .map((host) => nodeOf(host, readings, where, memory))
    .map((node) => (named ? { ...node, features: [hostWord(node.host)] } : node));
  for (const node of nodes) if (node.state === 'unknown') unreadableLines.push(`node ${node.host}: ${node.words}`);
  return { tally, jobs, nodes, unreadable: unreadableLines.map((line) => oneLine(line).slice(0, 200)) };
}

function nodeOf(
  host: string,
  { watched, cell, records, sight, fresh, reading }: Readings,
  where: (name: string) => OnHost,
  memory: ReturnType<typeof memoryOf>,
): BatchNode {
  const record = records.get(host);
  if (record) {
    const same = agrees(sight, record.name, record.instances);
    const witness = same ? null : `qstat and qhost do not say the same (${sayseen(sight, record.name)})`;
    const node = toNode(
      record,
      watched.queue,
      where(record.name),
      memory(record),
      (one) => isCountable(one, cell),
      witness,
    );
    const used = fresh && [...(sight.get(record.name)?.values() ?? [])].some((one) => one.used > 0);
    return used && !node.hasJob ? { ...node, hasJob: true, state: node.state === 'idle' ? 'busy' : node.state } : node;
  }
  const [name] = nameFinder([...sight.keys()])(host);
  if (name === undefined) {
    // an instance that cannot be read might be its own
    return reading.brokenInstances.length > 0 ? unreadable(host, 'no instance with its name', []) : absent(host);
  }
  return sight.get(name)?.size === 0 ? outside(host) : unreadable(host, 'qhost has it in a queue, qstat has not', []);
}

function sayseen(sight: Sight, name: string): string {
  const queues = sight.get(name);
  if (queues === undefined) return 'qhost does not have it';
  return (
    [...queues].map(([queue, { state }]) => `qhost: ${queue} ${state || 'open'}`).join(', ') || 'qhost: in no queue'
  );
}

/** Every job on a host, also of other queues: none of them may lose its machine. */
function whereJobsAre(reading: Reading, cell: Cell): (name: string) => OnHost {
  const found = new Map<string, { jobs: JobRecord[]; doubt: boolean }>();
  for (const { host, jobs, broken } of reading.instances) {
    const one = found.get(host) ?? { jobs: [], doubt: false };
    one.jobs.push(...jobs);
    if (broken.length > 0) one.doubt = true;
    found.set(host, one);
  }
  return (name) => {
    const { jobs, doubt } = found.get(name) ?? { jobs: [], doubt: false };
    return {
      jobs: [...new Set(jobs.map(idOf))],
      doubt,
      exclusive: jobs.some((job) => isExclusive(job, cell)),
      taken: (resource) => jobs.reduce((sum, job) => sum + takenOf(job, cell, resource), 0),
    };
  };
}

function ofTheCell({ instances }: Reading): ReadonlySet<string> {
  const kinds = instances.flatMap(({ resources }) => [...resources]);
  return new Set(kinds.flatMap(([name, { kind }]) => (kind.startsWith('g') ? [name] : [])));
}

/** A job that spans hosts is listed on each of them. */
function runningJobs(reading: Reading, queue: string, records: ReadonlyMap<string, HostRecord>): Job[] {
  const ours = new Map([...records.values()].map(({ host, name }) => [name, host]));
  const parts = new Map<string, { record: JobRecord; host: string }[]>();
  const inQueue = new Set<string>();
  for (const instance of reading.instances) {
    for (const record of instance.jobs) {
      const id = idOf(record);
      const part = { record, host: ours.get(instance.host) ?? instance.host };
      const some = parts.get(id);
      if (some) some.push(part);
      else parts.set(id, [part]);
      if (instance.queue === queue) inQueue.add(id);
    }
  }
  return [...parts].flatMap(([id, some]) => (inQueue.has(id) ? (runningJob(some) ?? []) : []));
}

/** The consumable that counts memory: of those set for hosts (`hc`), the one most of them have. */
function countedMemory(cell: Cell, hosts: readonly HostRecord[]): string | null {
  const counts = new Map<string, number>();
  for (const { instances } of hosts) {
    for (const [name, { kind }] of instances[0]?.resources ?? []) {
      const resource = cell.resources.get(name);
      if (kind !== 'hc' || resource?.type !== 'MEMORY' || resource.counted === 'no') continue;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  const [most] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return most?.[0] ?? null;
}

function slotsIn({ instances }: HostRecord, queue: string): number {
  return instances.find((one) => one.queue === queue)?.slots ?? 0;
}
