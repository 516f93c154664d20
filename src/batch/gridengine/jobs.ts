/**
 * From the records of qstat to our jobs: state, why it waits, what it asks for.
 */
import type { Job } from '../../domain/job.ts';
import { oneLine } from '../../lib/log.ts';
import { countTasks } from '../slurm/amounts.ts';
import { type Need, needOf, type Sizes } from './ask.ts';
import type { Cell } from './cell.ts';
import type { Detail } from './details.ts';
import { hostsFor, type Watched } from './queues.ts';
import type { JobRecord } from './records.ts';

export interface Context {
  readonly watched: Watched;
  readonly cell: Cell;
  readonly sizes: Sizes;
  readonly detail: (number: string) => Detail | undefined;
  /** Epoch ms. */
  readonly now: number;
}

/** @returns what is wrong with the record as text */
export function waitingJob(record: JobRecord, context: Context): Job | string {
  const tasks = tasksOf(record);
  if (tasks === null) return `tasks ${JSON.stringify(record.tasks.slice(0, 80))}`;
  const detail = context.detail(record.number);
  const need = needOf(record, context.watched.queue, context.cell, context.sizes);
  const hosts = hostsFor(record.wish, context.watched);
  const because = whyNot(record, need, hosts.length, context);
  return {
    ...common(record, detail),
    state: 'waiting',
    reason: oneLine((detail?.messages ?? []).join('; ')).slice(0, 300),
    helped: because === '' ? 'yes' : 'no',
    because: oneLine(because),
    ask:
      hosts.length < context.watched.hosts.length
        ? { ...need.ask, features: hosts.map((host) => [hostWord(host)]) }
        : need.ask,
    tasks,
    hosts: [],
  };
}

/** What a job that names hosts asks for, and what each host has then: only that very host will do. */
export function hostWord(host: string): string {
  return `host ${host}`;
}

/** @param parts the same job or task as it is listed on each of its hosts, with the slots it has there */
export function runningJob(parts: readonly { readonly record: JobRecord; readonly host: string }[]): Job | null {
  const [first] = parts;
  if (first === undefined) return null;
  const hosts = [...new Set(parts.map(({ host }) => host))];
  const slots = parts.reduce((sum, { record }) => sum + record.slots, 0);
  return {
    ...common(first.record, undefined),
    state: 'running',
    reason: '',
    helped: 'yes',
    because: '',
    ask: {
      nodes: hosts.length,
      cpus: slots,
      cpusPerNode: Math.max(1, Math.ceil(slots / hosts.length)),
      memoryMiB: 0,
      exclusive: false,
    },
    tasks: 1,
    hosts,
  };
}

/** `31`, `31.3`, `31.4-10:1`: as qstat and qdel write them. */
export function idOf({ number, tasks }: JobRecord): string {
  return tasks === '' ? number : `${number}.${tasks}`;
}

function common(record: JobRecord, detail: Detail | undefined) {
  return {
    id: oneLine(idOf(record)),
    array: record.tasks === '' ? null : record.number,
    user: oneLine(record.user),
    name: oneLine(record.name.replaceAll('%lt;', '<')),
    code: record.state,
    taskLimit: detail?.taskLimit ?? null,
    priority: record.priority,
    submittedAt: detail?.submittedAt ?? null,
  };
}

function tasksOf({ tasks }: JobRecord): number | null {
  return tasks === '' ? 1 : (countTasks(tasks)?.tasks ?? null);
}

/** Why a further node would not let it start; '' when it would. */
function whyNot(record: JobRecord, need: Need, hosts: number, { watched, detail: detailOf, now }: Context): string {
  const { number, state, after } = record;
  if (state.includes('d')) return 'it is being deleted';
  if (state.includes('E'))
    return `it failed to start: qstat -j ${number} says why, qmod -cj ${number} lets it try again`;
  if (state.includes('h')) {
    return after.length > 0
      ? `it is held until ${after.slice(0, 5).join(', ')} has ended`
      : 'it is held: qrls releases it';
  }
  if (need.never !== '') return need.never;
  if (watched.hosts.length > 0 && hosts === 0) {
    return 'it names hosts, and none of them is one of the pool';
  }
  const detail = detailOf(record.number);
  if (detail === undefined) {
    // the scheduler ranks what may start; everything else has 0, and so has what it has not looked at yet
    return record.priority > 0 ? '' : 'it has only just come: it is looked at in the next reading';
  }
  if (detail.notBefore !== null && detail.notBefore > now) {
    return `it must not start before ${new Date(detail.notBefore).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  }
  return detail.messages.find(isLimit) ?? '';
}

/**
 * The scheduler's sentences that no further node changes (`schedd_job_info`). Most others speak of hosts and queues that
 * there are now. A resource quota names user/project/environment/queue/host: with a host in it, another host may do.
 */
function isLimit(message: string): boolean {
  const quota = /exceeds limit "([^"]*)" in rule/.exec(message)?.[1];
  if (quota !== undefined) return (quota.split('/')[4] ?? '') === '';
  return /dropped because of (user|job|project) limitations|execution time not reached|job dependencies|no access to project/i.test(
    message,
  );
}

/** Highest priority first; of one priority those that may start first; else as qstat lists them. */
export function byPriority(a: Job, b: Job): number {
  return b.priority - a.priority || Number(a.helped === 'no') - Number(b.helped === 'no');
}
