/**
 * From an answer of get_status to the status of our port.
 */
import type { Job } from '../../domain/job.ts';
import type { BatchNode } from '../../domain/node.ts';
import type { Clock } from '../../lib/clock.ts';
import { oneLine } from '../../lib/log.ts';
import { MARK, type QueueStatus } from '../batch.ts';
import type { Counts, Entries } from './answer.ts';
import type { GateMemory } from './memory.ts';
import type { ScriptJob, ScriptNode } from './shape.ts';

export function toStatus(
  answer: Counts | Entries,
  hosts: readonly string[],
  memory: GateMemory,
  clock: Clock,
): Omit<QueueStatus, 'took'> {
  if (answer.kind === 'counts') {
    const nodes = blindNodes(hosts, memory, clock, () => answer.running > 0, answer.running);
    return { tally: answer.tally, jobs: anonymous(answer), nodes, unreadable: answer.unreadable };
  }
  const jobs = answer.jobs.map(toJob).sort((a, b) => b.priority - a.priority);
  const tally: Record<string, number> = {};
  for (const job of jobs) tally[job.code] = (tally[job.code] ?? 0) + job.tasks;
  const running = jobs.filter((job) => job.state === 'running');
  const doubtful = (host: string): boolean => answer.broken.some(({ text }) => names(text, host));
  const nodes =
    answer.nodes === null
      ? blindNodes(
          hosts,
          memory,
          clock,
          (host) => mayRunOn(running, host) || doubtful(host),
          running.length,
          answer.broken.length > 0,
        )
      : seenNodes(answer.nodes, hosts, memory, running, doubtful);
  const unreadable = answer.broken.map(({ line }) => oneLine(line).slice(0, 160));
  return { tally, jobs, nodes, unreadable };
}

/** Nobody tells where a job without hosts runs: then it may be anywhere. */
function mayRunOn(running: readonly Job[], host: string): boolean {
  return running.some((job) => job.hosts.length === 0 || job.hosts.includes(host));
}

/** One record for all jobs of a kind: nothing is known of them but their number. */
function anonymous({ tally, waiting, kept, running }: Counts): Job[] {
  const codeOf = (n: number, fallback: string): string =>
    Object.entries(tally).find(([, count]) => count === n)?.[0] ?? fallback;
  const job = (id: string, state: Job['state'], tasks: number, more: Partial<Job>): Job[] =>
    tasks === 0
      ? []
      : [
          {
            ...{ id, array: null, user: '', name: '', state, code: codeOf(tasks, state === 'running' ? 'R' : 'PD') },
            ...{
              reason: '',
              helped: 'yes',
              because: '',
              tasks,
              taskLimit: null,
              priority: 0,
              submittedAt: null,
              hosts: [],
            },
            ask: { nodes: 1, cpus: 1, cpusPerNode: 1, memoryMiB: 0, exclusive: false },
            ...more,
          },
        ];
  const held = 'its state says that it does not wait for a node';
  return [
    ...job('running', 'running', running, {}),
    ...job('waiting', 'waiting', waiting, { reason: 'counted by get_status' }),
    ...job('held', 'waiting', kept, { reason: 'counted by get_status', helped: 'no', because: held, priority: -1 }),
  ];
}

/**
 * Hosts of a script that says nothing of nodes. An open host has room for one job, and as many open hosts count as taken
 * as jobs run: a job that waits beyond that gets a node. But *which* host works nobody knows, so while a job runs each of
 * them may have it.
 */
function blindNodes(
  hosts: readonly string[],
  memory: GateMemory,
  clock: Clock,
  jobMayBeOn: (host: string) => boolean,
  running: number,
  damaged = false,
): BatchNode[] {
  let taken = running;
  return hosts.map((host) => {
    const closed = memory.closed(host);
    const works = memory.mayHaveJob(host) && jobMayBeOn(host);
    // closed, and no job is counted, but not for long enough: the service waits, it does not open the host again
    const settles = closed === 'ours' && memory.mayHaveJob(host) && !works;
    // what could not be read may have been the list of nodes itself, and then it counts more than what we remember
    const hasJob = works || settles || damaged;
    const free = closed === 'no' && taken-- > 0 ? 0 : 1;
    return {
      host,
      state: settles ? 'unknown' : stateOf(closed, hasJob),
      closed,
      // join_cluster says whether it can be used; until it is called nobody knows better
      responding: true,
      hasJob,
      jobs: [],
      // never the value from before the machine was created
      registration: `not told, ${clock.now()}`,
      inQueue: true,
      cpus: 1,
      cpusFree: free,
      memoryMiB: 0,
      memoryFreeMiB: 0,
      words: closed === 'no' ? 'open' : settles ? 'closed; whether a job runs on it is not sure yet' : 'closed',
      reason: closed === 'no' ? '' : memory.reason(host),
    };
  });
}

function seenNodes(
  list: readonly ScriptNode[],
  hosts: readonly string[],
  memory: GateMemory,
  running: readonly Job[],
  doubtful: (host: string) => boolean,
): BatchNode[] {
  // a running job of which nobody says where it is may be on any node
  const placed = new Set(list.flatMap((node) => node.jobs));
  const lost = running.some((job) => job.hosts.length === 0 && !placed.has(job.id));
  return hosts.map((host) => {
    const found = list.filter((node) => node.host === host);
    const [node] = found;
    const on = running.filter((job) => job.hosts.includes(host)).map((job) => job.id);
    const doubt = doubtful(host) || found.length > 1;
    if (!node) return doubt || on.length > 0 ? nothing(host, 'unknown', on) : nothing(host, 'absent', []);
    const jobs = [...new Set([...node.jobs, ...on])];
    const works = node.state === 'busy' || node.state === 'draining' || node.state === 'unknown';
    const hasJob = jobs.length > 0 || doubt || works || lost;
    const closed = node.closed ?? closedOf(node, memory);
    const gone = node.state === 'down' || node.state === 'unknown' || node.state === 'absent';
    const state = doubt ? 'unknown' : gone ? node.state : stateOf(closed, hasJob);
    const responding = node.responding ?? !gone;
    return {
      ...{ host, state, closed, responding, hasJob: state === 'absent' ? jobs.length > 0 : hasJob, jobs },
      registration: node.registration === undefined ? (responding ? 'registered' : null) : node.registration,
      ...{
        inQueue: node.inQueue && node.state !== 'absent',
        cpus: node.cpus,
        cpusFree: node.cpusFree ?? (hasJob ? 0 : node.cpus),
      },
      ...{ memoryMiB: node.memoryMiB, memoryFreeMiB: node.memoryFreeMiB ?? (hasJob ? 0 : node.memoryMiB) },
      ...{ words: oneLine(node.words ?? node.state), reason: oneLine(node.reason) },
    };
  });
}

function stateOf(closed: BatchNode['closed'], hasJob: boolean): BatchNode['state'] {
  if (closed === 'no') return hasJob ? 'busy' : 'idle';
  return hasJob ? 'draining' : 'drained';
}

function closedOf(node: ScriptNode, memory: GateMemory): BatchNode['closed'] {
  if (node.reason.startsWith(MARK)) return 'ours';
  if (node.state !== 'draining' && node.state !== 'drained') return 'no';
  return node.reason === '' && memory.closed(node.host) === 'ours' ? 'ours' : 'theirs';
}

function nothing(host: string, state: 'unknown' | 'absent', jobs: readonly string[]): BatchNode {
  const absent = state === 'absent';
  return {
    ...{ host, state, closed: absent ? 'no' : 'theirs', responding: false, hasJob: !absent, jobs, registration: null },
    ...{ inQueue: false, cpus: 0, cpusFree: 0, memoryMiB: 0, memoryFreeMiB: 0, reason: '' },
    words: absent ? 'get_status does not name it' : 'its entry cannot be read',
  };
}

function toJob(job: ScriptJob): Job {
  const waits = job.state === 'waiting';
  const nodes = Math.max(1, job.nodes);
  const cpus = job.cpus ?? nodes;
  return {
    id: oneLine(job.id),
    array: job.array,
    user: oneLine(job.user),
    name: oneLine(job.name),
    state: job.state,
    code: oneLine(job.code ?? (waits ? 'PD' : 'R')),
    reason: waits ? oneLine(job.reason) : '',
    helped: waits ? job.helped : 'yes',
    because: waits ? oneLine(job.because) : '',
    ask: {
      nodes,
      cpus,
      cpusPerNode: job.cpusPerNode ?? Math.max(1, Math.floor(cpus / nodes)),
      memoryMiB: job.memoryMiB,
      exclusive: job.exclusive,
    },
    tasks: job.tasks,
    taskLimit: job.taskLimit,
    priority: job.priority,
    submittedAt: job.submittedAt === null ? null : Math.round(job.submittedAt * 1000),
    hosts: waits ? [] : job.hosts,
  };
}

function names(text: string, host: string): boolean {
  return text.split(/[^A-Za-z0-9_.-]+/).includes(host);
}
