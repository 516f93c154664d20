/**
 * From squeue's records to our jobs: state, why it waits, what it asks for.
 */
import type { Job, JobState } from '../../domain/job.ts';
import { countTasks, parseCount, parseTime, parseTimeLimit } from './amounts.ts';
import { askOf, type Cluster } from './ask.ts';
import { notBefore } from './begin.ts';
import { waitsForJobs } from './dependency.ts';
import { expand } from './hostlist.ts';
import type { JobRecord, Request } from './job-records.ts';
import { makeKeepLine, own, remember } from './keep.ts';
import { notLookedAt } from './partition.ts';
import { judgeReason, type ReasonVerdict } from './reasons.ts';

/** squeue's short codes (job_state_string_compact). A code that is not here is not readable; `null` = has ended. */
const CODES: Readonly<Record<string, JobState | null>> = {
  PD: 'waiting',
  RQ: 'waiting',
  RF: 'waiting',
  RH: 'waiting',
  SE: 'waiting',
  RD: 'waiting',
  R: 'running',
  CF: 'running',
  CG: 'running',
  S: 'running',
  ST: 'running',
  SI: 'running',
  SO: 'running',
  RS: 'running',
  // the same job runs on another cluster of the federation
  RV: null,
  BF: null,
  CA: null,
  CD: null,
  DL: null,
  F: null,
  NF: null,
  OOM: null,
  PR: null,
  TO: null,
};

/** States that are a hold by themselves, whatever the reason says. */
const HOLDS: Readonly<Record<string, string>> = {
  RH: 'it was put back into the queue and is held',
  SE: 'it ended in a special exit state and is held',
  RD: 'its reservation was deleted and it is held',
};

/** Understands the records of one reading: what is equal in many of them is understood and kept once. */
export interface JobReader {
  /** @returns the job, null when it has ended, or what is wrong with the record */
  toJob(record: JobRecord): Job | null | string;
}

/**
 * @param now epoch ms
 * @param open the partition starts jobs
 */
export function jobReader(cluster: Cluster, now: number, open: boolean): JobReader {
  const line = makeKeepLine();
  const host = remember(own);
  const asks = {
    waiting: remember((request: Request) => askOf(request, 'waiting', cluster)),
    running: remember((request: Request) => askOf(request, 'running', cluster)),
  };
  // a begin time matters only by having passed or not
  const early = remember((reason: string) => judgeReason(reason, null, now));
  const due = remember((reason: string) => judgeReason(reason, now, now));
  const dependency = remember(waitsForJobs);
  const limit = remember(parseTimeLimit);

  /** What a job waits for, whatever its reason says before the scheduler has looked at it. */
  function judge(record: JobRecord, begin: number | null): ReasonVerdict {
    const hold = HOLDS[record.code] ?? dependency(record.dependency);
    if (hold !== null) return { helped: 'no', because: hold };
    if (!open && notLookedAt(record)) return { helped: 'no', because: 'the partition is down or takes no jobs' };
    if (begin !== null) return early('BeginTime');
    // an eligible time that is not in the future has come; where it is not told the start is looked at
    const come = parseTime(record.eligible) ?? parseTime(record.start);
    return come !== null && come <= now ? due(record.reason) : early(record.reason);
  }

  function toJob(record: JobRecord): Job | null | string {
    const state = Object.hasOwn(CODES, record.code) ? CODES[record.code] : undefined;
    if (state === null) return null;
    if (state === undefined) return `state ${JSON.stringify(record.code)}`;
    if (!/^\d+[\d_+[\],:%-]*$/.test(record.shown)) return `id ${JSON.stringify(record.shown.slice(0, 40))}`;
    const count = countTasks(record.index);
    if (!count) return `array index ${JSON.stringify(record.index.slice(0, 80))}`;
    const ask = asks[state](record.request);
    if (typeof ask === 'string') return ask;
    const hosts = hostsOf(record.hosts);
    if (!hosts) return `node list ${JSON.stringify(record.hosts.slice(0, 80))}`;
    const begin = state === 'waiting' ? notBefore(record, now) : null;
    const verdict = judge(record, begin);
    const waits = state === 'waiting';
    return {
      id: own(record.shown),
      array: record.index === 'N/A' || record.index === '' ? null : own(record.array),
      user: line(record.user),
      name: line(record.name),
      state,
      code: line(record.code),
      reason: waits ? line(record.reason) : '',
      helped: waits ? verdict.helped : 'yes',
      because: waits ? verdict.because : '',
      ask,
      tasks: count.tasks,
      taskLimit: count.limit,
      priority: parseCount(record.priority) ?? 0,
      submittedAt: parseTime(record.submitted),
      hosts: waits || hosts.length === 0 ? NO_HOSTS : hosts.map(host),
      notBefore: begin,
      timeLimit: limit(record.request.timeLimit),
      startedAt: waits ? null : parseTime(record.start),
    };
  }

  return { toJob };
}

const NO_HOSTS: readonly string[] = [];

/** Highest priority first; of one priority the older first, then by number. */
export function byPriority(a: Job, b: Job): number {
  return (
    b.priority - a.priority ||
    (a.submittedAt ?? 0) - (b.submittedAt ?? 0) ||
    Number.parseInt(a.id, 10) - Number.parseInt(b.id, 10) ||
    (a.id < b.id ? -1 : 1)
  );
}

function hostsOf(list: string): readonly string[] | null {
  if (list === '') return NO_HOSTS;
  try {
    return expand(list);
  } catch {
    return null;
  }
}
