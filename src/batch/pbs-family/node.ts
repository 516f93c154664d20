/**
 * A node as Torque's or PBS's server knows it, read by the family's own reader, and what follows for our port.
 */
import type { BatchNode, Closed, NodeState } from '../../domain/node.ts';

export interface NodeFacts {
  readonly host: string;
  /** Its name in commands. */
  readonly address: string;
  /** As printed: `down,offline`. */
  readonly words: string;
  /** Every word of the state is one we know, and every value we go by could be read. */
  readonly readable: boolean;
  /** The server has lost its daemon. */
  readonly down: boolean;
  /** The server has not heard of its daemon yet, after a start of either. */
  readonly silent: boolean;
  readonly closed: Closed;
  /** It gets no further job, by its own state, though nobody closed it. */
  readonly full: boolean;
  /** Its state is one only a node with a job has. */
  readonly works: boolean;
  /** Jobs of its own lists: the server's, and the daemon's as far as that one lives. */
  readonly jobs: readonly string[];
  /** 0 = not known. */
  readonly cpus: number;
  readonly cpusUsed: number;
  /** 0 = not known. */
  readonly memoryMiB: number;
  /** Memory the server says is taken; null when it does not count memory. */
  readonly memoryUsedMiB: number | null;
  readonly registration: string | null;
  /** The only queue whose jobs it takes, or null = of any queue. */
  readonly queue: string | null;
  /** What a job may ask a node for by name: its own name is among them. */
  readonly properties: readonly string[];
  readonly gpus: number;
  /** GPUs the server says are taken; null when it does not count them. */
  readonly gpusUsed: number | null;
  readonly reason: string;
}

export interface NodeReading {
  readonly nodes: ReadonlyMap<string, NodeFacts>;
  /** Hosts with a record that cannot be read, and what is wrong with it. */
  readonly broken: ReadonlyMap<string, string>;
  /** Records of which not even the host can be read, in one line each. */
  readonly lost: readonly string[];
}

export interface JobOnHost {
  readonly id: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  readonly exclusive: boolean;
}

export interface OnHost {
  /** Jobs whose own record names the host. */
  readonly jobs: readonly JobOnHost[];
  /** A job that cannot be read may be on it. */
  readonly doubt: boolean;
}

/** Is the node what a job asks for by name? What a node that was never seen will be is not known yet. */
export function isNamed(node: NodeFacts, name: string): boolean {
  if (node.properties.includes(name)) return true;
  return name.startsWith('arch=') && !node.properties.some((one) => one.startsWith('arch='));
}

/** Is this the node's own name? `c1`, `host=c1`, `vnode=c1[0]`. */
export function isHost(node: NodeFacts, name: string): boolean {
  const bare = name.replace(/^(host|vnode)=/, '').replace(/\[\d+\]$/, '');
  return bare === node.host || bare === node.address;
}

/** @param asked names that jobs ask for: of a node's properties only these are told, so that like hosts stay alike */
export function toNode(facts: NodeFacts, queue: string, on: OnHost, asked: readonly string[]): BatchNode {
  const jobs = [...new Set([...idsOf(on), ...facts.jobs])];
  // Started between the two readings: the node's own record does not count what it takes.
  const late = on.jobs.filter((job) => !facts.jobs.includes(job.id));
  const full = facts.full || late.some((job) => job.exclusive);
  // what is taken is taken by somebody, also when no list tells by whom
  const taken = facts.cpusUsed > 0 || (facts.memoryUsedMiB ?? 0) > 0;
  const hasJob = !facts.readable || facts.works || taken || jobs.length > 0 || on.doubt;
  const used = facts.memoryUsedMiB === null ? sum(on.jobs, 'memoryMiB') : facts.memoryUsedMiB + sum(late, 'memoryMiB');
  const gpusUsed = facts.gpusUsed === null ? sum(on.jobs, 'gpus') : facts.gpusUsed + sum(late, 'gpus');
  return {
    host: facts.host,
    state: stateOf(facts, hasJob),
    closed: facts.closed,
    responding: facts.readable && !facts.down && !facts.silent && facts.registration !== null,
    hasJob,
    jobs,
    registration: facts.registration,
    inQueue: facts.queue === null || facts.queue === queue,
    cpus: facts.cpus,
    cpusFree: full ? 0 : Math.max(0, facts.cpus - facts.cpusUsed - sum(late, 'cpus')),
    memoryMiB: facts.memoryMiB,
    memoryFreeMiB: Math.max(0, facts.memoryMiB - used),
    ...(facts.gpus === 0 ? {} : { gres: { gpu: facts.gpus }, gresFree: { gpu: Math.max(0, facts.gpus - gpusUsed) } }),
    ...(asked.length === 0 ? {} : { features: asked.filter((name) => isNamed(facts, name)) }),
    words: facts.words,
    reason: facts.reason,
  };
}

export function idsOf(on: OnHost): string[] {
  return on.jobs.map((job) => job.id);
}

function sum(jobs: readonly JobOnHost[], key: 'cpus' | 'memoryMiB' | 'gpus'): number {
  return jobs.reduce((total, job) => total + job[key], 0);
}

function stateOf(facts: NodeFacts, hasJob: boolean): NodeState {
  if (!facts.readable) return 'unknown';
  if (facts.down || ((facts.silent || facts.registration === null) && !hasJob)) return 'down';
  if (facts.closed !== 'no') return hasJob ? 'draining' : 'drained';
  return hasJob ? 'busy' : 'idle';
}

/** The batch system does not know it. */
export function absent(host: string, family: string): BatchNode {
  return { ...nothing(host), state: 'absent', closed: 'no', hasJob: false, words: `not known to ${family}` };
}

/** The batch system knows it, we cannot read it: whatever it is, it is not idle. */
export function unreadable(host: string, why: string, jobs: readonly string[]): BatchNode {
  return { ...nothing(host), jobs, words: `not readable: ${why}` };
}

function nothing(host: string): BatchNode {
  return {
    host,
    state: 'unknown',
    closed: 'theirs',
    responding: false,
    hasJob: true,
    jobs: [],
    registration: null,
    inQueue: false,
    cpus: 0,
    cpusFree: 0,
    memoryMiB: 0,
    memoryFreeMiB: 0,
    words: '',
    reason: '',
  };
}
