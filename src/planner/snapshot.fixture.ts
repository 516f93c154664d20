/**
 * Snapshots for the planner's tests: a quiet pool of four hosts, changed by what a test is about.
 */
import type { HostRecord } from '../domain/host.ts';
import type { Job } from '../domain/job.ts';
import type { HostState } from '../domain/lifecycle.ts';
import type { Machine } from '../domain/machine.ts';
import type { BatchNode } from '../domain/node.ts';
import type { Pool } from '../domain/pool.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { RELEASED } from './brake.ts';

export const NOW = 1_800_000_000_000;
export const SECOND = 1000;
export const MINUTE = 60_000;

export const POOL: Pool = {
  name: 'cloud',
  queue: 'cloud',
  policy: 'demand',
  hosts: ['c1', 'c2', 'c3', 'c4'].map((name, i) => ({ name, ip: `10.77.0.${101 + i}` })),
  limits: { minNodes: 0, maxNodes: 4, maxStarting: Number.POSITIVE_INFINITY },
  timing: {
    cleanup: 600 * SECOND,
    idle: 600 * SECOND,
    boot: 1000 * SECOND,
    prepare: 180 * SECOND,
    join: 300 * SECOND,
    stop: 600 * SECOND,
  },
};

/** What a host looks like from all sides when it is in this state and nothing is wrong. */
export interface HostSketch {
  readonly state: HostState;
  readonly record?: Partial<HostRecord>;
  readonly node?: Partial<BatchNode>;
  readonly machine?: Partial<Machine> | null;
}

export function snapshot(
  sketches: Readonly<Record<string, HostSketch>> = {},
  jobs: readonly Job[] = [],
  more: Partial<Omit<Snapshot, 'pool'>> & { pool?: Partial<Pool> } = {},
): Snapshot {
  const { pool: poolChanges, ...rest } = more;
  const pool = { ...POOL, ...poolChanges };
  const hosts: HostRecord[] = [];
  const nodes = new Map<string, BatchNode>();
  const machines = new Map<string, Machine>();
  for (const host of pool.hosts) {
    const sketch = sketches[host.name] ?? { state: 'free' };
    const base = record(host.name, host.ip, sketch.state);
    hosts.push({ ...base, ...sketch.record });
    nodes.set(host.name, { ...node(host.name, sketch.state), ...sketch.node });
    const there = machine(host.name, host.ip, sketch.state);
    if (sketch.machine !== null && (there !== null || sketch.machine !== undefined)) {
      machines.set(host.name, { ...(there ?? bare(host.name, host.ip)), ...sketch.machine });
    }
  }
  return {
    at: NOW,
    pool,
    hosts,
    retired: new Set(),
    nodes,
    jobs,
    machines,
    strangers: [],
    batchReadAt: NOW - 100,
    cloudReadAt: NOW - 100,
    completeReads: 10,
    clocks: { emptySince: null, noWaitingSince: null },
    brake: RELEASED,
    underWay: new Set(),
    retryCallAt: new Map(),
    ...rest,
  };
}

const WITH: ReadonlySet<HostState> = new Set(['starting', 'preparing', 'joining', 'ready', 'draining', 'stopping']);

function record(name: string, ip: string, state: HostState): HostRecord {
  const alive = WITH.has(state);
  return {
    name,
    ip,
    state,
    since: NOW - 30 * SECOND,
    reason: 'as the test says',
    lease: alive ? `hc-${name}` : null,
    machineId: alive ? `m-${name}` : null,
    registrationBefore: null,
    bornAt: alive ? NOW - MINUTE : null,
    failures: 0,
    retryAt: null,
    idleSince: null,
    missingSince: null,
    held: false,
    drainedBy: state === 'draining' ? 'rule' : null,
  };
}

function node(host: string, state: HostState): BatchNode {
  const up = state === 'ready' || state === 'draining';
  return {
    host,
    state: state === 'ready' ? 'idle' : state === 'draining' ? 'drained' : 'down',
    closed: state === 'ready' ? 'no' : 'ours',
    responding: up,
    hasJob: false,
    jobs: [],
    registration: up ? 'boot-1' : null,
    inQueue: true,
    cpus: 4,
    cpusFree: 4,
    memoryMiB: 8000,
    memoryFreeMiB: 8000,
    words: '',
    reason: up ? '' : 'hybrid-cloud: no machine behind it',
  };
}

function bare(host: string, ip: string): Machine {
  return { id: `m-${host}`, host, ip, state: 'running', lease: `hc-${host}`, since: null, message: '' };
}

function machine(host: string, ip: string, state: HostState): Machine | null {
  if (!WITH.has(state)) return null;
  return {
    ...bare(host, ip),
    state: state === 'starting' ? 'starting' : state === 'stopping' ? 'stopping' : 'running',
  };
}

/** A node with a job on it. */
export const BUSY: Partial<BatchNode> = { state: 'busy', hasJob: true, jobs: ['900'], cpusFree: 0 };

let serial = 100;

/** A waiting one-node, one-CPU job that nodes help, changed by what the test is about. */
export function job(changes: Partial<Omit<Job, 'ask'>> & { ask?: Partial<Job['ask']> } = {}): Job {
  const { ask, ...rest } = changes;
  return {
    id: String(serial++),
    array: null,
    user: 'taro',
    name: 'run.sh',
    state: 'waiting',
    code: 'PD',
    reason: 'Resources',
    helped: 'yes',
    because: '',
    tasks: 1,
    taskLimit: null,
    priority: 1,
    submittedAt: NOW - MINUTE,
    hosts: [],
    ...rest,
    ask: { nodes: 1, cpus: 1, cpusPerNode: 1, memoryMiB: 0, exclusive: false, ...ask },
  };
}

export function running(host: string): Job {
  return job({ id: '900', state: 'running', code: 'R', reason: '', helped: 'no', hosts: [host] });
}
