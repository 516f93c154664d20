/**
 * Licences. While all nodes are closed Slurm says "ReqNodeNotAvail" also of jobs that wait for a licence (seen with
 * 22.05.8): nodes would come, the jobs would say "Licenses", the nodes would go, and so on for ever. So what is free is
 * counted here, in the order of the queue.
 */
import type { Job } from '../../domain/job.ts';

/** Free licences by name. */
export type Licences = ReadonlyMap<string, number>;

/** Any one of these sets, all of its licences. */
export type Wish = readonly (readonly (readonly [name: string, count: number])[])[];

/** `matlab:2,abaqus@server` needs both; `matlab|octave` either. @returns null when it asks for none */
export function parseWish(text: string): Wish | null {
  if (text === '' || text === '(null)' || text === 'N/A') return null;
  const sets = text.split('|').map((set) =>
    set.split(/[,;]/).flatMap((one) => {
      const match = /^\s*([^:\s]+)(?::(\d+))?\s*$/.exec(one);
      return match ? [[match[1] ?? '', Number(match[2] ?? 1)] as const] : [];
    }),
  );
  return sets.some((set) => set.length > 0) ? sets : null;
}

/** `scontrol -o show licenses`: `LicenseName=matlab Total=2 Used=0 Free=2 Reserved=0 Remote=no`, one on a line. */
export function readLicences(stdout: string): Licences {
  const free = new Map<string, number>();
  for (const line of stdout.split('\n')) {
    const name = /^LicenseName=(\S+)/.exec(line)?.[1];
    const count = /\sFree=(\d+)/.exec(line)?.[1];
    if (name !== undefined && count !== undefined) free.set(name, Number(count));
  }
  return free;
}

/**
 * @param jobs in the order of the queue
 * @param wishOf what a job asks for
 * @returns the jobs; those that wait for licences are not helped, and of an array only so many tasks are as there are
 */
export function withLicences(jobs: readonly Job[], wishOf: (job: Job) => Wish | null, free: Licences): readonly Job[] {
  const left = new Map(free);
  return jobs.map((job) => {
    const wish = job.state === 'waiting' && job.helped !== 'no' ? wishOf(job) : null;
    if (wish === null) return job;
    // a licence nobody told us of says nothing
    const times = (set: Wish[number]) =>
      Math.min(
        ...set.map(([name, count]) => Math.floor((left.get(name) ?? Number.POSITIVE_INFINITY) / Math.max(1, count))),
      );
    const best = wish.reduce((a, b) => (times(b) > times(a) ? b : a));
    const tasks = Math.min(job.tasks, job.taskLimit ?? job.tasks, times(best));
    if (tasks === 0) {
      const names = best.map(([name]) => name).join(', ');
      return { ...job, helped: 'no' as const, because: `it waits for licences (${names})` };
    }
    for (const [name, count] of best) {
      const there = left.get(name);
      if (there !== undefined) left.set(name, there - tasks * count);
    }
    return tasks < job.tasks ? { ...job, mayStart: tasks } : job;
  });
}
