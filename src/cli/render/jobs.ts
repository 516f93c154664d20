/** `jobs`: one row per job of the queue, and what becomes of it. */
import type { JobView } from '../../controller/view.ts';
import type { Verdict } from '../../domain/plan.ts';
import { list } from '../../domain/words.ts';
import type { Screen, Style } from './screen.ts';
import { type Cell, type Column, table } from './table.ts';
import { shortSince } from './times.ts';

const COLUMNS: readonly Column[] = [
  { head: 'JOB' },
  { head: 'NAME', spare: 4 },
  { head: 'USER' },
  { head: 'ST' },
  { head: 'TASKS', align: 'right', spare: 3 },
  { head: 'NODES', align: 'right', spare: 1 },
  { head: 'CPUS', align: 'right', spare: 2 },
  { head: 'WAITED', align: 'right' },
  { head: 'WHY' },
];

/** What each verdict means to the user, and how much it should stand out. */
export const VERDICTS: Readonly<Record<Verdict['kind'], { readonly text: string; readonly style: Style | undefined }>> =
  {
    now: { text: 'starts now', style: 'green' },
    coming: { text: 'nodes are coming', style: 'cyan' },
    creating: { text: 'nodes are being created', style: 'cyan' },
    blocked: { text: 'blocked', style: 'yellow' },
    'not-helped': { text: 'nodes would not help', style: 'dim' },
    never: { text: 'can never run here', style: 'red' },
  };

export function renderJobs(jobs: readonly JobView[], screen: Screen): string[] {
  if (jobs.length === 0) return ['The queue is empty.'];
  return table(
    COLUMNS,
    jobs.map((job) => row(job, screen.now)),
    screen,
  );
}

function row(job: JobView, now: number): Cell[] {
  const waits = job.state === 'waiting';
  return [
    job.id,
    job.name,
    job.user,
    { text: job.code, style: waits ? 'yellow' : 'green' },
    String(job.tasks),
    String(job.nodes),
    String(job.cpus),
    waits && job.submittedAt !== null ? shortSince(job.submittedAt, now) : '-',
    why(job),
  ];
}

function why(job: JobView): Cell {
  if (job.state === 'running') return job.hosts.length === 0 ? '' : `on ${list(job.hosts)}`;
  if (job.verdict === null) return job.reason;
  return { text: job.verdict.because || VERDICTS[job.verdict.kind].text, style: VERDICTS[job.verdict.kind].style };
}
