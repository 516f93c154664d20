/**
 * Jobs from `qstat -t -x QUEUE`: every task of an array is a record of its own.
 */
import type { Job, JobState } from '../../domain/job.ts';
import { oneLine } from '../../lib/log.ts';
import { parseSpan, parseTime } from '../pbs-family/amounts.ts';
import { arrayOf, type JobFacts, type JobReading, ranges } from '../pbs-family/job.ts';
import { judge, LIMITED } from './reasons.ts';
import { readRequest } from './request.ts';
import { plain, readXml, type Values } from './xml.ts';

/** States; null = it has ended (C stays for keep_completed seconds). A state that is not here cannot be read. */
const STATES: Readonly<Record<string, JobState | null>> = {
  Q: 'waiting',
  H: 'waiting',
  W: 'waiting',
  T: 'waiting',
  R: 'running',
  // it ends, and still has its node
  E: 'running',
  S: 'running',
  C: null,
};

/** @returns `garbled` when the document is cut or none */
export function readJobs(text: string, queue: string | null): JobReading | 'garbled' {
  const reading = readXml(text, 'Job');
  if (reading.cut) return 'garbled';
  const jobs: JobFacts[] = [];
  const broken = reading.broken.map((record) => ({ line: `a job record: ${record.slice(0, 120)}`, text: record }));
  for (const values of reading.records) {
    const facts = readJob(values, queue);
    if (typeof facts === 'string') {
      const id = plain(values.get('Job_Id') ?? '?').slice(0, 60);
      broken.push({ line: `job ${id}: ${facts}`, text: [...values.values()].join(' ') });
    } else if (facts) jobs.push(facts);
  }
  return { jobs: merge(limited(jobs)), broken };
}

/** @returns the job, null when it has ended or is in another queue, or what is wrong with the record */
function readJob(values: Values, queue: string | null): JobFacts | null | string {
  const value = (name: string): string | undefined => {
    const text = values.get(name);
    return text === undefined ? undefined : plain(text);
  };
  const id = value('Job_Id') ?? '';
  const code = value('job_state') ?? '';
  const state = Object.hasOwn(STATES, code) ? STATES[code] : undefined;
  if (!/^\d+(\[\d*\])?(\.[\w.-]+)?$/.test(id)) return `id ${JSON.stringify(id.slice(0, 40))}`;
  if (state === null) return null;
  if (state === undefined) return `state ${JSON.stringify(code.slice(0, 20))}`;
  // an old server without -t for this list shows whole arrays: how many tasks wait cannot be seen
  if (id.includes('[]')) return 'an array that is not shown task by task';
  const hosts = readHosts(value('exec_host') ?? '');
  if (!hosts || (state === 'running' && hosts.length === 0)) {
    return `hosts ${JSON.stringify((value('exec_host') ?? '').slice(0, 80))}`;
  }
  if (queue !== null && value('queue') !== queue) return null;
  const request = readRequest(value);
  if (!request)
    return `request ${JSON.stringify((value('Resource_List.nodes') ?? value('L_Request') ?? '').slice(0, 80))}`;
  const waits = state === 'waiting';
  const verdict = waits
    ? judge({
        code,
        holds: value('Hold_Types') ?? 'n',
        depend: value('depend') ?? '',
        comment: oneLine(value('comment') ?? ''),
        eligible: values.has('etime'),
        startAfter: parseTime(value('Execution_Time')),
      })
    : { helped: 'yes' as const, because: '', reason: '' };
  const job: Job = {
    id,
    array: arrayOf(id)?.array ?? null,
    user: oneLine((value('Job_Owner') ?? '').replace(/@.*$/s, '')),
    name: oneLine(value('Job_Name') ?? ''),
    state,
    code,
    reason: verdict.reason,
    helped: verdict.helped,
    because: verdict.because,
    ask: request.ask,
    tasks: 1,
    taskLimit: limitOf(value('submit_args') ?? ''),
    priority: /^-?\d{1,6}$/.test(value('Priority') ?? '') ? Number(value('Priority')) : 0,
    submittedAt: parseTime(value('qtime')) ?? parseTime(value('ctime')),
    hosts: waits ? [] : hosts,
    notBefore: code === 'W' ? parseTime(value('Execution_Time')) : null,
    timeLimit: parseSpan(value('Resource_List.walltime')),
    startedAt: waits ? null : parseTime(value('start_time')),
  };
  return { job, wants: waits ? request.wants : null };
}

/** `t1/0-1+t2/0`, each host once; null = cannot be read. */
export function readHosts(text: string): string[] | null {
  if (text === '') return [];
  const hosts = new Set<string>();
  for (const piece of text.split('+')) {
    const match = /^([A-Za-z0-9_][\w.-]*)\/\d[\d,-]*$/.exec(piece);
    if (!match) return null;
    hosts.add(match[1] ?? '');
  }
  return [...hosts];
}

/** `-t 0-9%2` */
function limitOf(args: string): number | null {
  const match = /(?:^|\s)-t\s*[\d,-]+%(\d{1,6})(?:\s|$)/.exec(args);
  return match ? Number(match[1]) || null : null;
}

/**
 * A limit that stands in the job's script is not in its arguments. Where tasks are held by their limit (`l`), so many
 * others of the array are let in.
 */
function limited(jobs: readonly JobFacts[]): JobFacts[] {
  const arrays = new Map<string, { held: number; open: number }>();
  for (const { job } of jobs) {
    if (job.array === null) continue;
    const entry = arrays.get(job.array) ?? { held: 0, open: 0 };
    if (job.reason === LIMITED) entry.held++;
    else if (job.code !== 'H') entry.open++;
    arrays.set(job.array, entry);
  }
  return jobs.map((one) => {
    const entry = one.job.array === null ? undefined : arrays.get(one.job.array);
    if (one.job.taskLimit !== null || entry === undefined || entry.held === 0) return one;
    return { ...one, job: { ...one.job, taskLimit: Math.max(1, entry.open) } };
  });
}

/** Waiting tasks of one array that differ in nothing but their number are one job with so many tasks. */
function merge(jobs: readonly JobFacts[]): JobFacts[] {
  const merged: JobFacts[] = [];
  const groups = new Map<string, { first: JobFacts; at: number; indexes: number[] }>();
  for (const facts of jobs) {
    const { job } = facts;
    const member = arrayOf(job.id);
    if (member === null || job.state === 'running') {
      merged.push(facts);
      continue;
    }
    const { id: _, name: __, ...same } = job;
    const key = JSON.stringify([same, facts.wants]);
    const group = groups.get(key);
    if (group) group.indexes.push(member.index);
    else {
      groups.set(key, { first: facts, at: merged.length, indexes: [member.index] });
      merged.push(facts);
    }
  }
  for (const { first, at, indexes } of groups.values()) {
    if (indexes.length === 1) continue;
    const id = first.job.id.replace(/\[\d+\]/, `[${ranges(indexes)}]`);
    const name = first.job.name.replace(/-\d+$/, '');
    merged[at] = { ...first, job: { ...first.job, id, name, tasks: indexes.length } };
  }
  return merged;
}
