/**
 * The jobs of the fake batch system: tasks, and the records they are shown as.
 */
import type { Job } from '../domain/job.ts';

export interface FakeJobSpec {
  readonly name?: string;
  readonly user?: string;
  /** Default 1. */
  readonly nodes?: number;
  /** CPUs of the whole job; default one per node. */
  readonly cpus?: number;
  readonly cpusPerNode?: number;
  readonly memoryMiB?: number;
  readonly exclusive?: boolean;
  readonly priority?: number;
  /** Held: waits, and nodes do not help. */
  readonly hold?: boolean;
  /** Waits until the job with this id has ended. */
  readonly after?: string;
  /** Makes an array of so many tasks. */
  readonly array?: number;
  /** So many tasks of the array at one time. */
  readonly taskLimit?: number;
  /** These must all be among its hosts. */
  readonly hosts?: readonly string[];
  /** Never starts on these, and nothing that is told says so: as an excluded node, or a reservation. */
  readonly avoids?: readonly string[];
  /** Overrides what the batch system would say while it waits. */
  readonly waits?: { readonly reason: string; readonly helped: 'yes' | 'no' | 'unknown'; readonly because: string };
}

/** One task of an array, or a job that is none. */
export interface Task {
  readonly array: string | null;
  readonly index: number;
  readonly number: number;
  readonly spec: FakeJobSpec;
  readonly submittedAt: number;
  held: boolean;
  /** Id of the job that must end before. */
  after: string | null;
  hosts: readonly string[];
}

export function idOf(task: Task): string {
  return task.array === null ? String(task.number) : `${task.number}_${task.index}`;
}

export function names(task: Task, job: string): boolean {
  return idOf(task) === job || String(task.number) === job;
}

export function priorityOf(task: Task): number {
  return task.held ? 0 : (task.spec.priority ?? 1000);
}

export function perNode(task: Task): number {
  const nodes = task.spec.nodes ?? 1;
  return Math.max(task.spec.cpusPerNode ?? 1, Math.ceil((task.spec.cpus ?? nodes) / nodes));
}

/** One record for one running task, one job, or all waiting tasks of an array. */
export function toJob(group: readonly Task[]): Job {
  const [first] = group;
  if (!first) throw new TypeError('no task');
  const { spec } = first;
  const waits = first.hosts.length === 0;
  const list = group.map((task) => task.index).join(',');
  const limit = spec.taskLimit ?? null;
  const held = { reason: 'Held', helped: 'no' as const, because: 'it is held' };
  const depends = { reason: 'Dependency', helped: 'no' as const, because: `it waits for job ${first.after}` };
  const asked = first.after === null ? spec.waits : depends;
  const why = first.held ? held : (asked ?? { reason: 'Resources', helped: 'yes' as const, because: '' });
  const nodes = spec.nodes ?? 1;
  return {
    id: waits && first.array !== null ? `${first.number}_[${list}${limit === null ? '' : `%${limit}`}]` : idOf(first),
    array: first.array,
    user: spec.user ?? 'alice',
    name: spec.name ?? 'job',
    state: waits ? 'waiting' : 'running',
    code: waits ? 'PD' : 'R',
    reason: waits ? why.reason : '',
    helped: waits ? why.helped : 'yes',
    because: waits ? why.because : '',
    ask: {
      nodes,
      cpus: spec.cpus ?? nodes,
      cpusPerNode: spec.cpusPerNode ?? 1,
      memoryMiB: spec.memoryMiB ?? 0,
      exclusive: spec.exclusive === true,
      ...(spec.hosts === undefined ? {} : { hosts: spec.hosts }),
    },
    tasks: group.length,
    taskLimit: limit,
    priority: priorityOf(first),
    submittedAt: first.submittedAt,
    hosts: first.hosts,
  };
}
