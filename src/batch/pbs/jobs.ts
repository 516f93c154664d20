/**
 * Jobs from `qstat -f -t -F json`, which lists all queues. An array is one entry (`15[]`) that counts its tasks, and one
 * entry for each task; tasks that run have hosts of their own.
 */
import type { Job, JobState } from '../../domain/job.ts';
import { oneLine } from '../../lib/log.ts';
import { parseCount, parseSpan, parseTime } from '../pbs-family/amounts.ts';
import { arrayOf, type JobFacts, type JobReading } from '../pbs-family/job.ts';
import { isNamed, isObject, type JsonObject, readJson, textOf } from './json.ts';
import { judge } from './reasons.ts';
import { readRequest } from './request.ts';

/** States; null = it has ended, here at least. A state that is not here cannot be read. */
const STATES: Readonly<Record<string, JobState | null>> = {
  Q: 'waiting',
  H: 'waiting',
  W: 'waiting',
  T: 'waiting',
  R: 'running',
  E: 'running',
  S: 'running',
  U: 'running',
  // an array that has begun: its tasks that wait are counted on it
  B: 'waiting',
  M: null,
  F: null,
  X: null,
};

export interface Pool {
  /** Vnode or host -> the host's name. */
  readonly hostOf: ReadonlyMap<string, string>;
  /** Of the largest host; 0 = not known. */
  readonly cpus: number;
  readonly memoryMiB: number;
}

/** @returns `garbled` when the document is cut or none */
export function readJobs(
  text: string,
  queue: string,
  pool: Pool,
): (JobReading & { ids: ReadonlySet<string> }) | 'garbled' {
  const reading = readJson(text, 'Jobs');
  if (reading.cut) return 'garbled';
  const jobs: JobFacts[] = [];
  const broken = reading.broken.map(({ id, text: record }) => ({
    line: `job ${id.slice(0, 60)}: a damaged record`,
    text: record,
  }));
  for (const [id, entry] of reading.entries) {
    const facts = readJob(id, entry, queue, pool, reading.entries);
    if (typeof facts === 'string')
      broken.push({ line: `job ${id.slice(0, 60)}: ${facts}`, text: JSON.stringify(entry) });
    else if (facts) jobs.push(facts);
  }
  return { jobs, broken, ids: new Set([...reading.entries.keys(), ...reading.broken.map(({ id }) => id)]) };
}

/** @returns the job, null when it is none of the queue's (any more), or what is wrong with the record */
function readJob(
  id: string,
  entry: JsonObject,
  queue: string,
  pool: Pool,
  all: ReadonlyMap<string, JsonObject>,
): JobFacts | null | string {
  const text = (name: string): string => oneLine(textOf(entry[name]) ?? '');
  const code = text('job_state');
  const state = Object.hasOwn(STATES, code) ? STATES[code] : undefined;
  if (!/^\d+(\[\d*\])?(\.[\w.-]+)?$/.test(id)) return 'its id';
  if (state === null) return null;
  if (state === undefined) return `state ${JSON.stringify(code.slice(0, 20))}`;
  if (textOf(entry.queue) === undefined) return 'no queue';
  // what runs on our hosts for another queue stands in their own lists
  if (!isNamed(entry.queue, queue)) return null;
  const member = arrayOf(id);
  const isArray = id.includes('[]');
  // a waiting task is counted on its array, if that is there
  if (state === 'waiting' && member !== null && all.has(member.array)) return null;
  const hosts = state === 'running' && !isArray ? readHosts(entry, pool) : [];
  if (!hosts || (state === 'running' && hosts.length === 0))
    return `hosts ${JSON.stringify(text('exec_vnode').slice(0, 80))}`;
  const list = isObject(entry.Resource_List) ? entry.Resource_List : {};
  const select = textOf(entry.schedselect) ?? textOf(list.select);
  const request = select === undefined ? null : readRequest(select, textOf(list.place) ?? 'free', pool);
  if (!request) return `request ${JSON.stringify((select ?? '').slice(0, 80))}`;
  const parent = isArray ? entry : member === null ? undefined : all.get(member.array);
  const tasks = isArray ? queuedOf(textOf(entry.array_state_count)) : 1;
  if (tasks === null) return `tasks ${JSON.stringify(text('array_state_count').slice(0, 80))}`;
  if (tasks === 0) return null;
  const waits = state === 'waiting';
  const verdict = waits
    ? judge({
        code: code === 'B' ? 'Q' : code,
        holds: textOf(entry.Hold_Types) ?? 'n',
        depend: text('depend'),
        comment: text('comment'),
        eligible: true,
        startAfter: parseTime(textOf(entry.Execution_Time)),
      })
    : { helped: 'yes' as const, because: '', reason: '' };
  const left = textOf(entry.array_indices_remaining);
  const job: Job = {
    id: isArray && left !== undefined && /^[\d,:-]+$/.test(left) ? id.replace('[]', `[${left}]`) : id,
    array: isArray ? id : (member?.array ?? null),
    user: text('Job_Owner').replace(/@.*$/s, ''),
    name: text('Job_Name'),
    state,
    code: code === 'B' ? 'Q' : code,
    reason: verdict.reason,
    helped: verdict.helped,
    because: verdict.because,
    ask: request.ask,
    tasks,
    taskLimit: parent === undefined ? null : parseCount(textOf(parent.max_run_subjobs)),
    priority: typeof entry.Priority === 'number' && Number.isSafeInteger(entry.Priority) ? entry.Priority : 0,
    submittedAt: parseTime(textOf(entry.qtime)) ?? parseTime(textOf(entry.ctime)),
    hosts,
    notBefore: code === 'W' ? parseTime(textOf(entry.Execution_Time)) : null,
    timeLimit: parseSpan(textOf(list.walltime)),
    startedAt: waits ? null : parseTime(textOf(entry.stime)),
  };
  return { job, wants: waits ? request.wants : null };
}

/** `(p1:ncpus=2)+(p2:ncpus=1)` names vnodes, `p1/0*2+p2/0` hosts; either will do, both are read. */
function readHosts(entry: JsonObject, pool: Pool): string[] | null {
  const found = new Set<string>();
  const add = (name: string): void => {
    const short = name.split('.')[0] ?? name;
    found.add(pool.hostOf.get(name) ?? pool.hostOf.get(short) ?? name);
  };
  const vnodes = textOf(entry.exec_vnode) ?? '';
  const hosts = textOf(entry.exec_host) ?? '';
  for (const piece of vnodes === '' ? [] : vnodes.split('+')) {
    // a chunk on several vnodes: `(a[0]:ncpus=2+a[1]:ncpus=2)`
    const match = /^\(?([A-Za-z0-9_][\w.[\]-]*)(?::[^()+]*)?\)?$/.exec(piece);
    if (!match) return null;
    add(match[1] ?? '');
  }
  for (const piece of hosts === '' ? [] : hosts.split('+')) {
    const match = /^([A-Za-z0-9_][\w.-]*)\/\d+(\*\d+)?$/.exec(piece);
    if (!match) return null;
    add(match[1] ?? '');
  }
  return [...found];
}

/** `Queued:6 Running:2 Exiting:0 Expired:2` */
function queuedOf(counts: string | undefined): number | null {
  const match = /(?:^|\s)Queued:(\d{1,9})(?:\s|$)/.exec(counts ?? '');
  return match ? Number(match[1]) : null;
}
