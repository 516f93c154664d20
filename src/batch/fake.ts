/**
 * A batch system in memory that keeps every line of the port's contract: for the tests of all that stands on the port,
 * and for the simulator. It does nothing by itself: `schedule` starts what can start, a clock only stamps times.
 */
import { BatchError, type BatchErrorKind } from '../domain/errors.ts';
import type { Job } from '../domain/job.ts';
import type { BatchNode, NodeState } from '../domain/node.ts';
import type { Clock } from '../lib/clock.ts';
import { type Batch, type BatchVersion, type HostOutcome, MARK, type QueueStatus } from './batch.ts';
import { type FakeJobSpec, idOf, names, perNode, priorityOf, type Task, toJob } from './fake-tasks.ts';

export type { FakeJobSpec } from './fake-tasks.ts';

export interface FakeHost {
  readonly name: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Default true. A host that is not in the queue is known, but elsewhere. */
  readonly inQueue?: boolean;
}

export interface FakeCalls {
  checkVersion: number;
  getStatus: number;
  joinCluster: number;
  leaveCluster: number;
  tell: number;
}

export interface FakeBatch extends Batch {
  /** @returns the job's id */
  submit(spec?: FakeJobSpec): string;
  release(job: string): void;
  /** Ends a job that runs, or takes away one that waits. An array's id ends all its tasks. */
  finish(job: string): void;
  /** The node's daemon comes up and registers anew; a closed node stays closed. */
  nodeUp(host: string): void;
  /** The node is gone; jobs on it are gone with it (put back into the queue). */
  nodeDown(host: string): void;
  /** Starts waiting jobs on open nodes with room, highest priority first. @returns ids of what started */
  schedule(): readonly string[];
  /** A person drains a node; with null a person opens it again. */
  personDrain(host: string, reason: string | null): void;
  /** The next calls fail like this, until `fail(null)`. */
  fail(kind: BatchErrorKind | null): void;
  /** Calls do not answer until the signal aborts or `hang(false)`. */
  hang(on: boolean): void;
  /** A record that cannot be read, from now on; a host named with it is `unknown`. */
  addUnreadable(text: string, host?: string): void;
  readonly calls: Readonly<FakeCalls>;
  /** What was told to jobs' owners. */
  readonly told: ReadonlyMap<string, string>;
  readonly running: readonly string[];
  /** How many jobs and array tasks wait. */
  readonly waiting: number;
  hostsOf(job: string): readonly string[];
  /** Does it wait or run? */
  knows(job: string): boolean;
}

interface Node extends FakeHost {
  up: boolean;
  registration: string | null;
  /** Reason of the drain, or null = open. */
  drain: string | null;
}

/** @param options.queue the one queue there is */
export function makeFakeBatch(options: {
  readonly clock: Clock;
  readonly hosts: readonly FakeHost[];
  readonly queue: string;
}): FakeBatch {
  const { clock, queue } = options;
  const nodes = new Map<string, Node>(
    options.hosts.map((host) => [host.name, { ...host, up: false, registration: null, drain: null }]),
  );
  let tasks: Task[] = [];
  let nextJob = 1;
  let lives = 0;
  let failing: BatchErrorKind | null = null;
  let hanging = false;
  let wake: (() => void)[] = [];
  const unreadable: { text: string; host?: string }[] = [];
  const calls: FakeCalls = { checkVersion: 0, getStatus: 0, joinCluster: 0, leaveCluster: 0, tell: 0 };
  const told = new Map<string, string>();

  async function answer(what: keyof FakeCalls, signal?: AbortSignal): Promise<void> {
    calls[what]++;
    if (signal?.aborted) throw new BatchError('silent', `${what} was stopped`);
    if (hanging) {
      await new Promise<void>((resolve) => {
        wake.push(resolve);
        signal?.addEventListener('abort', () => resolve());
      });
      if (signal?.aborted) throw new BatchError('silent', `${what} was stopped`);
    }
    if (failing !== null) throw new BatchError(failing, `the batch system fails as told: ${failing}`);
  }

  const node = (host: string): Node => {
    const found = nodes.get(host);
    if (!found) throw new TypeError(`no host ${host}`);
    return found;
  };
  const on = (host: string): Task[] => tasks.filter((task) => task.hosts.includes(host));
  const used = (host: string, what: (task: Task) => number): number =>
    on(host).reduce((sum, task) => sum + what(task), 0);
  const cpusOn = (host: string): number =>
    on(host).some((task) => task.spec.exclusive) ? node(host).cpus : used(host, perNode);
  const free = (host: string): { cpus: number; memory: number } => ({
    cpus: Math.max(0, node(host).cpus - cpusOn(host)),
    memory: Math.max(0, node(host).memoryMiB - used(host, (task) => task.spec.memoryMiB ?? 0)),
  });

  function room(task: Task): string[] {
    const { spec } = task;
    const fits = [...nodes.values()].filter((one) => {
      if (!one.up || one.drain !== null || one.inQueue === false || spec.avoids?.includes(one.name)) return false;
      if (on(one.name).some((other) => other.spec.exclusive)) return false;
      if (spec.exclusive && on(one.name).length > 0) return false;
      const has = free(one.name);
      return has.cpus >= perNode(task) && has.memory >= (spec.memoryMiB ?? 0);
    });
    const named = spec.hosts ?? [];
    const found = fits.map((one) => one.name).sort((a, b) => Number(named.includes(b)) - Number(named.includes(a)));
    const count = Math.max(spec.nodes ?? 1, named.length);
    const chosen = found.slice(0, count);
    return chosen.length === count && named.every((name) => chosen.includes(name)) ? chosen : [];
  }

  const mayRun = (task: Task): boolean =>
    !task.held &&
    task.after === null &&
    task.spec.waits?.helped !== 'no' &&
    (task.array === null ||
      task.spec.taskLimit === undefined ||
      tasks.filter((other) => other.array === task.array && other.hosts.length > 0).length < task.spec.taskLimit);

  function toBatchNode(host: string): BatchNode {
    const one = nodes.get(host);
    if (!one) return { ...nowhere, host };
    const jobs = on(host).map(idOf);
    const broken = unreadable.some((record) => record.host === host);
    const hasJob = jobs.length > 0 || broken;
    const closed = one.drain === null ? 'no' : one.drain.startsWith(MARK) ? 'ours' : 'theirs';
    const has = free(host);
    const state: NodeState = broken
      ? 'unknown'
      : !one.up
        ? 'down'
        : closed === 'no'
          ? hasJob
            ? 'busy'
            : 'idle'
          : hasJob
            ? 'draining'
            : 'drained';
    return {
      host,
      state,
      closed,
      responding: one.up,
      hasJob,
      jobs,
      registration: one.registration,
      inQueue: one.inQueue !== false,
      cpus: one.cpus,
      cpusFree: has.cpus,
      memoryMiB: one.memoryMiB,
      memoryFreeMiB: has.memory,
      words: `${one.up ? (hasJob ? 'BUSY' : 'IDLE') : 'DOWN'}${one.drain === null ? '' : '+DRAIN'}`,
      reason: one.drain ?? '',
    };
  }

  function jobs(): Job[] {
    const records: Job[] = [];
    const merged = new Map<string, Task[]>();
    for (const task of tasks) {
      const waits = task.hosts.length === 0;
      // waiting tasks of one array are one record, as batch systems print them
      const key = waits && task.array !== null ? `${task.array} ${task.held}` : null;
      if (key === null) records.push(toJob([task]));
      else merged.set(key, [...(merged.get(key) ?? []), task]);
    }
    for (const group of merged.values()) records.push(toJob(group));
    return records.sort((a, b) => b.priority - a.priority || Number.parseInt(a.id, 10) - Number.parseInt(b.id, 10));
  }

  return {
    family: 'fake',
    calls,
    told,
    async checkVersion(signal): Promise<BatchVersion> {
      await answer('checkVersion', signal);
      return { family: 'fake', text: 'fake 1.0' };
    },
    async getStatus(asked, hosts, signal): Promise<QueueStatus> {
      await answer('getStatus', signal);
      if (asked !== queue) throw new BatchError('no-queue', `no queue ${asked}`);
      const list = jobs();
      const tally: Record<string, number> = {};
      for (const job of list) tally[job.code] = (tally[job.code] ?? 0) + job.tasks;
      return {
        tally,
        jobs: list,
        nodes: hosts.map(toBatchNode),
        unreadable: unreadable.map((record) => record.text),
        took: 0,
      };
    },
    async joinCluster(hosts, signal): Promise<readonly HostOutcome[]> {
      await answer('joinCluster', signal);
      return hosts.map((host) => {
        const one = nodes.get(host);
        if (!one) return { host, result: 'failed', message: 'not known' };
        if (one.drain !== null && !one.drain.startsWith(MARK))
          return { host, result: 'left-alone', message: one.drain };
        if (!one.up) return { host, result: 'not-yet', message: 'its daemon has not registered' };
        one.drain = null;
        return { host, result: 'done', message: '' };
      });
    },
    async leaveCluster(hosts, reason, signal): Promise<readonly HostOutcome[]> {
      await answer('leaveCluster', signal);
      return hosts.map((host) => {
        const one = nodes.get(host);
        if (!one) return { host, result: 'failed', message: 'not known' };
        if (one.drain !== null && !one.drain.startsWith(MARK))
          return { host, result: 'left-alone', message: one.drain };
        one.drain ??= `${MARK} ${reason}`;
        return { host, result: 'done', message: '' };
      });
    },
    async tell(job, text, signal): Promise<void> {
      await answer('tell', signal);
      told.set(job, text);
    },
    submit(spec = {}) {
      const number = nextJob++;
      const array = spec.array === undefined ? null : String(number);
      for (let index = 1; index <= (spec.array ?? 1); index++) {
        const after =
          spec.after !== undefined && tasks.some((task) => names(task, spec.after ?? '')) ? spec.after : null;
        const held = spec.hold === true;
        tasks.push({ array, index, number, spec, submittedAt: clock.now(), held, after, hosts: [] });
      }
      return String(number);
    },
    release(job) {
      for (const task of tasks) if (names(task, job)) task.held = false;
    },
    finish(job) {
      const before = tasks.length;
      tasks = tasks.filter((task) => !names(task, job));
      if (tasks.length === before) throw new TypeError(`no job ${job}`);
      for (const task of tasks) {
        const { after } = task;
        if (after !== null && !tasks.some((other) => names(other, after))) task.after = null;
      }
    },
    nodeUp(host) {
      const one = node(host);
      one.up = true;
      one.registration = `life ${++lives}`;
    },
    nodeDown(host) {
      node(host).up = false;
      for (const task of on(host)) task.hosts = [];
    },
    schedule() {
      const started: string[] = [];
      const queueOrder = tasks
        .filter((task) => task.hosts.length === 0)
        .sort((a, b) => priorityOf(b) - priorityOf(a) || a.number - b.number || a.index - b.index);
      for (const task of queueOrder) {
        if (!mayRun(task)) continue;
        task.hosts = room(task);
        if (task.hosts.length > 0) started.push(idOf(task));
      }
      return started;
    },
    personDrain(host, reason) {
      if (reason?.startsWith(MARK)) throw new TypeError('a person does not use our mark');
      node(host).drain = reason;
    },
    fail(kind) {
      failing = kind;
    },
    hang(isOn) {
      hanging = isOn;
      if (isOn) return;
      for (const go of wake) go();
      wake = [];
    },
    addUnreadable(text, host) {
      unreadable.push(host === undefined ? { text } : { text, host });
    },
    get running() {
      return tasks.filter((task) => task.hosts.length > 0).map(idOf);
    },
    get waiting() {
      return tasks.filter((task) => task.hosts.length === 0).length;
    },
    knows: (job) => tasks.some((task) => names(task, job)),
    hostsOf(job) {
      return tasks.filter((task) => names(task, job)).flatMap((task) => task.hosts);
    },
  };
}

const nowhere: BatchNode = {
  host: '',
  state: 'absent',
  closed: 'no',
  responding: false,
  hasJob: false,
  jobs: [],
  registration: null,
  inQueue: false,
  cpus: 0,
  cpusFree: 0,
  memoryMiB: 0,
  memoryFreeMiB: 0,
  words: 'not known',
  reason: '',
};
