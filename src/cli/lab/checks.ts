/** What must have held for the sample. Each check is a sentence; a failed one says what was seen instead. */
import { count, list } from '../../domain/words.ts';
import { mostAtOnce, mostOverlapping } from './account.ts';
import type { JobLine, Seen } from './report.ts';
import type { SampleJob } from './sample.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was seen instead; empty when it holds. */
  readonly seen: string;
}

export function checkSample(seen: Seen, lines: readonly JobLine[]): Check[] {
  const of = (job: SampleJob) => lines.filter((line) => line.name === job.name || line.name.startsWith(`${job.name}[`));
  const runs = seen.sample.filter((job) => job.fate === 'runs');
  const expected = runs.reduce((sum, job) => sum + Math.max(1, job.tasks), 0);
  const ran = runs.flatMap(of);
  const ended = ran.filter((line) => line.state === 'COMPLETED');
  const leases = seen.lives.map((life) => life.lease);
  return [
    check('the sample ran to its end', seen.trouble === null, seen.trouble ?? ''),
    check(
      `all ${expected} jobs and array tasks that could run ended well`,
      ended.length === expected && ran.length === expected,
      `${ended.length} did; ${list(ran.filter((l) => l.state !== 'COMPLETED').map((l) => `${l.name} is ${l.state}`))}`,
    ),
    ...(seen.marker === null ? [] : [sharedFiles(ran)]),
    ...runs.filter((job) => job.nodes > 1).map((job) => onSeveralHosts(job, of(job))),
    ...runs.filter((job) => job.taskLimit > 0).map((job) => withinLimit(job, of(job))),
    check(
      'no job was lost and started again',
      seen.jobs.every((job) => job.restarts === 0),
      list(seen.jobs.filter((job) => job.restarts > 0).map((job) => `${job.id} was started ${job.restarts + 1} times`)),
    ),
    check(
      `never more than ${count(seen.maxNodes, 'machine', 'machines')}`,
      seen.lives.length > 0 && mostAtOnce(seen.lives) <= seen.maxNodes,
      `${mostAtOnce(seen.lives)} at one time`,
    ),
    check(
      'no lease made two machines',
      new Set(leases).size === leases.length,
      list(leases.filter((lease, at) => leases.indexOf(lease) !== at)),
    ),
    ...seen.sample.filter((job) => job.fate === 'held').map((job) => neverRan(job, of(job))),
    ...seen.sample
      .filter((job) => job.fate === 'never-fits')
      .flatMap((job) => [neverRan(job, of(job)), explained(job, seen)]),
    check(
      'all nodes are gone at the end',
      seen.left.length === 0 && seen.lives.every((life) => life.goneAt !== null),
      `still there: ${list(seen.left)}`,
    ),
  ];
}

function check(name: string, ok: boolean, otherwise: string): Check {
  return { name, ok, seen: ok ? '' : otherwise };
}

function sharedFiles(ran: readonly JobLine[]): Check {
  const without = ran.filter((line) => line.hosts.length === 0 || (line.proofs?.length ?? 0) !== line.hosts.length);
  return check(
    'every job saw the shared files on every node it ran on',
    ran.length > 0 && without.length === 0,
    `no proof of ${list(without.map((line) => line.name))}`,
  );
}

function onSeveralHosts(job: SampleJob, lines: readonly JobLine[]): Check {
  const hosts = new Set(lines.flatMap((line) => line.hosts));
  const ok = lines.length > 0 && lines.every((line) => new Set(line.hosts).size === job.nodes);
  return check(`${job.name} ran on ${job.nodes} nodes at once`, ok, `it ran on ${list([...hosts])}`);
}

/** Times of jobs are whole seconds: a task that starts in the second another ends does not overlap it. */
function withinLimit(job: SampleJob, lines: readonly JobLine[]): Check {
  const spans = lines.flatMap((line) =>
    line.startedAt === null ? [] : [{ from: line.startedAt, to: line.endedAt ?? Number.POSITIVE_INFINITY }],
  );
  const most = mostOverlapping(spans);
  const ok = spans.length === job.tasks && most <= job.taskLimit;
  return check(
    `${job.name} kept to ${job.taskLimit} tasks at a time`,
    ok,
    `${most} at one time, ${spans.length} started`,
  );
}

function neverRan(job: SampleJob, lines: readonly JobLine[]): Check {
  const ok = lines.length === 1 && lines.every((line) => line.startedAt === null && (line.proofs ?? []).length === 0);
  return check(`${job.name} never ran`, ok, lines.length === 0 ? 'the batch system does not know it' : 'it ran');
}

/** The batch system itself may see that it cannot fit (`PartitionNodeLimit`): then the verdict is that nodes would not help. */
function explained(job: SampleJob, seen: Seen): Check {
  const verdict = seen.verdicts.get(job.name);
  const ok = (verdict?.kind === 'never' || verdict?.kind === 'not-helped') && verdict.because !== '';
  const otherwise = verdict === undefined ? 'it said nothing' : `it said ${verdict.kind}: ${verdict.because}`;
  return check(`the service said why ${job.name} can never run`, ok, otherwise);
}
