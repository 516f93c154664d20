/**
 * What became of the jobs of the races, judged from outside: by what the jobs wrote, by the cloud's account and by Slurm's
 * own log. The service is never asked.
 *
 * A node that we break may cost its job a run: Slurm puts the job back, and that is nobody's fault but ours. It is the
 * service's fault when a machine was deleted under a job that Slurm had not taken back, when a job ran again although
 * nothing was broken where it ran, and when a job never ran to its end or did not end well.
 */
import type { JobRun } from './race-jobs.ts';

export interface RaceJob {
  readonly number: number;
  readonly id: string;
  readonly tasks: readonly number[];
  readonly runs: readonly JobRun[];
  /** Slurm's last word on each of its tasks; empty when Slurm has forgotten it. */
  readonly states: readonly string[];
}

/** All times in ms since 1970. */
export interface World {
  readonly deletes: readonly { readonly at: number; readonly host: string }[];
  /** When Slurm put jobs back or gave them up, by the ids of the jobs. */
  readonly takenBack: ReadonlyMap<string, readonly number[]>;
  readonly breaks: readonly Break[];
}

export interface Break {
  readonly what: string;
  /** null: everywhere */
  readonly host: string | null;
  readonly from: number;
  /** When it was mended; Infinity: never. */
  readonly to: number;
}

export interface Verdict {
  readonly lost: readonly string[];
  /** Runs that were cut short by a break of ours; their jobs ran again. */
  readonly putBack: number;
}

/** Slurm finds out that a node or its job has gone when it hears from it, or not, the next time. */
const NOTICED = 90_000;

export function judge(jobs: readonly RaceJob[], world: World): Verdict {
  const lost: string[] = [];
  let putBack = 0;
  for (const job of jobs) {
    const wrong = job.tasks.flatMap((task) => judgeTask(job, task, world));
    const bad = job.states.filter((state) => state !== 'COMPLETED');
    if (bad.length > 0) wrong.push(`Slurm says ${bad.join(', ')}`);
    if (wrong.length > 0) lost.push(`race ${job.number}, job ${job.id}: ${wrong.join('; ')}`);
    putBack += job.runs.length - job.tasks.length;
  }
  return { lost, putBack: Math.max(0, putBack) };
}

function judgeTask(job: RaceJob, task: number, world: World): string[] {
  const runs = job.runs.filter((run) => run.task === task).sort((a, b) => a.start - b.start);
  const name = task === 0 ? '' : `task ${task} `;
  const wrong: string[] = [];
  if (!runs.some((run) => run.end !== null)) {
    wrong.push(runs.length === 0 ? `${name}never ran` : `${name}did not end on ${runs.at(-1)?.hosts.join(',')}`);
  }
  for (const [index, run] of runs.entries()) {
    const back = (world.takenBack.get(job.id) ?? []).find((at) => at >= run.start) ?? Number.POSITIVE_INFINITY;
    const until = Math.min(run.end ?? Number.POSITIVE_INFINITY, back);
    const deleted = world.deletes.find(({ at, host }) => run.hosts.includes(host) && at >= run.start && at <= until);
    if (deleted !== undefined) wrong.push(`${name}had its machine on ${deleted.host} deleted under it`);
    const next = runs[index + 1];
    if (next !== undefined && !excused(run, back, next, world)) wrong.push(`${name}ran again, and nothing was broken`);
  }
  return wrong;
}

/** Slurm took this run back before the next one began, and we had broken something where it ran. */
function excused(run: JobRun, back: number, next: JobRun, world: World): boolean {
  if (next.restart <= run.restart || back > next.start) return false;
  return world.breaks.some(
    ({ host, from, to }) => from <= back && to >= back - NOTICED && (host === null || run.hosts.includes(host)),
  );
}

const TAKEN_BACK = /requeu|missing from batch node|on failed node|cancelled by node failure/i;

/**
 * When Slurm put jobs back, from slurmctld's log. An array's tasks count for the whole array.
 * @returns job id -> times, in order
 */
export function readTakenBack(log: string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const line of log.split('\n')) {
    if (!TAKEN_BACK.test(line)) continue;
    const at = Date.parse(/^\[([^\]]+)\]/.exec(line)?.[1] ?? '');
    const id = /JobId=(\d+)/.exec(line)?.[1];
    if (id === undefined || Number.isNaN(at)) continue;
    found.set(id, [...(found.get(id) ?? []), at]);
  }
  return found;
}
