/**
 * Fits the jobs of a log to the hosts of the simulated pool: which part of the log, which queue, and how many hosts
 * each job needs there.
 */
import type { Shape, SimJob } from './job.ts';
import type { TraceJob } from './read/trace.ts';

export interface Window {
  /** Epoch ms; null = from the first job on. */
  readonly from: number | null;
  /** Null = to the last job. */
  readonly days: number | null;
  /** Only jobs of this partition or queue; null = all. */
  readonly queue: string | null;
}

export interface Fitted {
  readonly jobs: readonly SimJob[];
  /** Jobs that no replay on this pool can hold, by reason. */
  readonly leftOut: ReadonlyMap<string, number>;
}

const DAY = 86_400_000;
/** What Slurm takes for a job without a limit in a partition without one. */
const NO_LIMIT = 365 * DAY;
/** Logs have whole seconds; what ran for less ran all the same. */
const SHORTEST = 1000;

export function fit(trace: readonly TraceJob[], shape: Shape, window: Window): Fitted {
  const jobs: SimJob[] = [];
  const leftOut = new Map<string, number>();
  const from = window.from ?? trace[0]?.submit ?? 0;
  const to = window.days === null ? Number.POSITIVE_INFINITY : from + window.days * DAY;
  for (const job of trace) {
    if (job.submit < from || job.submit >= to) continue;
    if (window.queue !== null && job.queue !== window.queue) continue;
    const why = tooLarge(job, shape);
    if (why !== null) {
      leftOut.set(why, (leftOut.get(why) ?? 0) + 1);
      continue;
    }
    const nodes = hostsFor(job, shape);
    jobs.push({
      id: job.id,
      number: jobs.length,
      submit: job.submit,
      run: Math.max(SHORTEST, job.run),
      limit: job.limit ?? NO_LIMIT,
      nodes,
      cpus: Math.ceil(job.cpus / nodes),
      memoryMiB: shape.memoryMiB === 0 ? 0 : Math.ceil(job.memoryMiB / nodes),
    });
  }
  return { jobs, leftOut };
}

/** At least the hosts it had, and as many as its CPUs and its memory need on hosts of this size. */
function hostsFor(job: TraceJob, shape: Shape): number {
  const byMemory = shape.memoryMiB === 0 ? 1 : Math.ceil(job.memoryMiB / shape.memoryMiB);
  return Math.min(Math.max(job.nodes, Math.ceil(job.cpus / shape.cpus), byMemory), Math.max(job.nodes, job.cpus));
}

function tooLarge(job: TraceJob, shape: Shape): string | null {
  const nodes = hostsFor(job, shape);
  if (nodes > shape.hosts) return `need more than ${shape.hosts} hosts`;
  if (Math.ceil(job.cpus / nodes) > shape.cpus) return `need more than ${shape.cpus} CPUs on a host`;
  if (shape.memoryMiB > 0 && Math.ceil(job.memoryMiB / nodes) > shape.memoryMiB)
    return `need more than ${shape.memoryMiB} MiB on a host`;
  return null;
}
