/**
 * The batch system of a replay: keeps the contract of the port (see batch/batch.ts) over our own scheduler. It is fast
 * where batch/fake.ts is thorough: what has not changed since the last reading is not made anew.
 */
import { type Batch, type HostOutcome, MARK } from '../batch/batch.ts';
import type { Job } from '../domain/job.ts';
import type { BatchNode, NodeState } from '../domain/node.ts';
import type { Shape, SimJob } from './job.ts';
import type { Scheduler } from './scheduler.ts';

export interface QueueOptions {
  readonly names: readonly string[];
  readonly shape: Shape;
  readonly scheduler: Scheduler;
  /** A host was opened for jobs, or closed. */
  readonly onOpen: (host: number, open: boolean) => void;
}

export interface SimQueue extends Batch {
  /** The host's daemon registers, or is gone. */
  power(host: number, up: boolean): void;
  /** Something about this host changed: its jobs. */
  touch(host: number): void;
}

interface Node {
  up: boolean;
  lives: number;
  reason: string | null;
  seen: BatchNode | null;
}

export function makeQueue({ names, shape, scheduler, onOpen }: QueueOptions): SimQueue {
  const nodes: Node[] = names.map(() => ({ up: false, lives: 0, reason: null, seen: null }));
  const index = new Map(names.map((name, at) => [name, at]));
  const waits = new Map<SimJob, Job>();
  const runs = new Map<SimJob, Job>();

  function change(name: string, work: (node: Node, host: number) => HostOutcome['result']): HostOutcome {
    const host = index.get(name);
    const node = host === undefined ? undefined : nodes[host];
    if (host === undefined || node === undefined) return { host: name, result: 'failed', message: 'not known' };
    const before = node.up && node.reason === null;
    const result = work(node, host);
    node.seen = null;
    const after = node.up && node.reason === null;
    if (before !== after) onOpen(host, after);
    return { host: name, result, message: result === 'done' ? '' : 'its daemon has not registered' };
  }

  function look(name: string): BatchNode {
    const host = index.get(name) ?? -1;
    const node = nodes[host];
    if (node === undefined) throw new Error(`host ${name} is not of this pool`);
    node.seen ??= toNode(name, node, host, shape, scheduler);
    return node.seen;
  }

  function listed(): Job[] {
    const jobs: Job[] = [];
    for (const { job, hosts, startedAt } of scheduler.running.values()) {
      let seen = runs.get(job);
      if (seen === undefined) {
        seen = toJob(
          job,
          'R',
          '',
          hosts.map((host) => names[host] ?? ''),
          startedAt,
        );
        runs.set(job, seen);
        waits.delete(job);
      }
      jobs.push(seen);
    }
    // What has ended is forgotten when it outgrows what runs.
    if (runs.size > 2 * scheduler.running.size + 100)
      for (const job of runs.keys()) if (!scheduler.running.has(job)) runs.delete(job);
    for (const [at, job] of scheduler.waiting.entries()) {
      const reason = at === 0 ? 'Resources' : 'Priority';
      let seen = waits.get(job);
      if (seen?.reason !== reason) {
        seen = toJob(job, 'PD', reason, []);
        waits.set(job, seen);
      }
      jobs.push(seen);
    }
    return jobs;
  }

  return {
    family: 'simulated',
    checkVersion: async () => ({ family: 'simulated', text: 'simulated' }),
    async getStatus(_queue, hosts) {
      const tally = { PD: scheduler.waiting.length, R: scheduler.running.size };
      return { tally, jobs: listed(), nodes: hosts.map(look), unreadable: [], took: 0 };
    },
    joinCluster: async (hosts) =>
      hosts.map((name) =>
        change(name, (node) => {
          if (!node.up) return 'not-yet';
          node.reason = null;
          return 'done';
        }),
      ),
    leaveCluster: async (hosts, reason) =>
      hosts.map((name) =>
        change(name, (node) => {
          node.reason ??= `${MARK} ${reason}`;
          return 'done';
        }),
      ),
    power(host, up) {
      change(names[host] ?? '', (node) => {
        if (up) node.lives++;
        node.up = up;
        return 'done';
      });
    },
    touch(host) {
      const node = nodes[host];
      if (node !== undefined) node.seen = null;
    },
  };
}

function toNode(name: string, node: Node, host: number, shape: Shape, scheduler: Scheduler): BatchNode {
  const jobs = [...scheduler.jobsOn(host)].map((job) => job.id);
  const hasJob = jobs.length > 0;
  const open = node.reason === null;
  const state: NodeState = !node.up ? 'down' : open ? (hasJob ? 'busy' : 'idle') : hasJob ? 'draining' : 'drained';
  return {
    host: name,
    state,
    closed: open ? 'no' : 'ours',
    responding: node.up,
    hasJob,
    jobs,
    registration: node.lives === 0 ? null : `life ${node.lives}`,
    inQueue: true,
    cpus: shape.cpus,
    cpusFree: scheduler.freeCpus(host),
    memoryMiB: shape.memoryMiB,
    memoryFreeMiB: scheduler.freeMemory(host),
    words: state.toUpperCase(),
    reason: node.reason ?? '',
  };
}

function toJob(
  job: SimJob,
  code: 'PD' | 'R',
  reason: string,
  hosts: readonly string[],
  startedAt: number | null = null,
): Job {
  return {
    id: job.id,
    array: null,
    user: 'user',
    name: 'job',
    state: code === 'R' ? 'running' : 'waiting',
    code,
    reason,
    helped: 'yes',
    because: '',
    ask: {
      nodes: job.nodes,
      cpus: job.nodes * job.cpus,
      cpusPerNode: job.cpus,
      memoryMiB: job.memoryMiB,
      exclusive: false,
    },
    tasks: 1,
    taskLimit: null,
    priority: -job.number,
    submittedAt: job.submit,
    hosts,
    timeLimit: job.limit,
    startedAt,
  };
}
